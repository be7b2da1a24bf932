"""Queries that can return a patient's record start with `visible_to(viewer)`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).parents[1]
APPS = ("clinic", "intake", "schedule", "booking", "desk")
PATIENT_BEARING = {
    model.__name__ for model in apps.get_models() if hasattr(model._default_manager, "visible_to")
}
STARTS = {"visible_to", "in_care_of"}
# These write rows or look for free time: they return no patient's record.
RETURN_NO_RECORD = {
    "create", "bulk_create", "none", "book", "hold", "hold_for_safety", "join", "drop_lapsed",
    "lapse", "close_run_out", "search",
}  # fmt: skip
COUNTS = {"count", "exists", "aggregate"}
EXCEPTIONS = {
    "clinic/mail/bounces.py": "the mail program marks an address; nobody looks",
    "clinic/security/emergency_access.py": "opens a record on purpose, audited",
    "clinic/security/guardianship.py": "finds who has come of age; nobody looks",
    "intake/metrics.py": "counts only",
    "intake/workflow/alert_mails.py": "writes to the clinic about one alert, without names",
    "intake/workflow/answer_history.py": "of one patient, whom the caller may see",
    "intake/workflow/gate.py": "of one visitor's cookie, or of one patient or form in hand",
    "intake/workflow/rule_counts.py": "counts only",
    "booking/flow/views/details.py": "by the key of the visitor's own form; the rest counts",
    "booking/flow/visitor.py": "by the hash of the visitor's cookie",
    "booking/mails/preferences.py": "of the patient whose preferences change; the link is checked",
    "booking/mails/visit_mails.py": "writes to the patient of the visit",
    "booking/series/planning.py": "of other patients only the time that is taken",
    "booking/series/views.py": "by the key of a form, of the patient of the link",
    "booking/my_visits.py": "mails links to the address itself; the page is the same",
    "booking/waitlist/mails.py": "writes to the patient who waits",
    "booking/waitlist/matching.py": "the mail program looks for free times; nobody looks",
    "booking/waitlist/views.py": "by the key of a form, or of the patient of the link",
    "desk/admin/patients.py": "a subquery of rows that are visible",
    "desk/dashboard.py": "counts only",
    "desk/management/commands/erase_patient.py": "run by anyone who administers the server",
    "desk/management/commands/export_patient.py": "run by anyone who administers the server",
    "desk/records/erasure.py": "of one patient, whom the caller may erase",
    "desk/records/export.py": "of one patient, whom the caller may export",
    "desk/records/retention.py": "deletes what is due; nobody looks",
    "desk/views/feeds.py": "of one practitioner, by the secret in the address",
}


def model_files() -> set[Path]:
    """Return the files of models and of their querysets: they define what is visible."""
    classes = [
        cls
        for model in apps.get_models()
        for cls in (model, getattr(model._default_manager, "_queryset_class", model))
    ]
    return {ROOT / f"{cls.__module__.replace('.', '/')}.py" for cls in classes}


def modules() -> list[Path]:
    found = {path for app in APPS for path in (ROOT / app).rglob("*.py")} - model_files()
    return sorted(path for path in found if "migrations" not in path.parts)


def chains(tree: ast.AST) -> Iterator[tuple[int, list[str], list[ast.keyword]]]:
    """Yield the line, the methods and their keywords of each `Model.objects.method(...)…`."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(
                value=ast.Name(id=model), attr="objects" | "_base_manager" | "_default_manager"
            ) if model in PATIENT_BEARING:
                methods, keywords, end = [], [], parents[node]
                while isinstance(end, ast.Attribute):
                    methods.append(end.attr)
                    end = parents[end]
                    if isinstance(end, ast.Call):
                        keywords += end.keywords
                        end = parents[end]
                yield node.lineno, methods, keywords


def is_row_in_hand(keyword: ast.keyword) -> bool:
    """Whether this is `pk=visit.pk`: access to this row was checked before."""
    match keyword:
        case ast.keyword(arg="pk", value=ast.Attribute(attr="pk")):
            return True
    return False


def unguarded(source: str) -> list[int]:
    """Return the lines of the queries that do not check the viewer."""
    return [
        line
        for line, methods, keywords in chains(ast.parse(source))
        if not (
            (methods and (methods[0] in STARTS | RETURN_NO_RECORD or methods[-1] in COUNTS))
            or any(is_row_in_hand(keyword) for keyword in keywords)
        )
    ]


@pytest.mark.parametrize(
    "query",
    [
        "Appointment.objects.filter(pk=pk)",
        "Patient.objects.get(pk=request.POST['patient'])",
        "get_object_or_404(Appointment.objects, pk=pk)",
        "SafetyAlert.objects.order_by('pk').visible_to(user)",
        "QuestionnaireResponse._default_manager.select_related('patient').first()",
    ],
)
def test_a_query_that_does_not_ask_who_looks_is_found(query):
    assert unguarded(f"def view(request, pk):\n    return {query}") == [2]


@pytest.mark.parametrize(
    "query",
    [
        "Appointment.objects.visible_to(user).filter(pk=pk)",
        "Patient.objects.in_care_of(user).first()",
        "Appointment.objects.filter(patient=patient).count()",
        "Appointment.objects.select_for_update().get(pk=visit.pk)",
        "Practice.objects.first()",
    ],
)
def test_a_query_that_asks_or_shows_nobody_is_left_alone(query):
    assert unguarded(query) == []


def test_the_models_that_hold_patients_are_known():
    assert {"Patient", "Appointment", "QuestionnaireResponse", "SafetyAlert"} <= PATIENT_BEARING


def test_every_query_on_patients_starts_at_who_looks():
    found = {
        str(path.relative_to(ROOT)): lines
        for path in modules()
        if (lines := unguarded(path.read_text()))
    }
    assert {path: lines for path, lines in found.items() if path not in EXCEPTIONS} == {}
    assert set(EXCEPTIONS) - set(found) == set(), "these exceptions are not needed any more"
