"""A further language is registered, not built in.

French is the example: it is registered here without any texts.
"""

import ast
import re
from pathlib import Path

import pytest
import time_machine
from django.apps import apps
from django.conf import settings as project_settings
from django.core.checks import Tags, run_checks
from django.urls import reverse
from django.utils import translation

from booking.models import Appointment
from clinic import guide, wordings
from clinic.languages import active_language, choices, fallbacks, in_language
from clinic.mail import preview, samples
from clinic.models import Patient
from intake.rules.messages import MESSAGES, render
from tests.booking.filling_in import a_visit_with_a_form, fill_in, grant, page_url, send, stored
from tests.booking.visitor import Visitor, open_clinic
from tests.factories import (
    NOW,
    make_link,
    make_location,
    make_patient,
    make_practice,
    make_user,
    sign_in,
)

ROOT = Path(__file__).parents[1]
OTHERS = {code for code, _name in project_settings.LANGUAGES} - {project_settings.LANGUAGE_CODE}
# The setting itself, and static error pages, which contain all languages.
MAY_NAME_ONE = {"clinic/settings.py", "templates/500.html", "templates/503.html"}


@pytest.fixture
def french(settings, client):
    """A client that requests French, which is registered."""
    settings.LANGUAGES = [*settings.LANGUAGES, ("fr", "Français")]
    client.cookies["lang"] = "fr"
    with time_machine.travel(NOW, tick=False):
        yield client


def named_in(path):
    """Return the non-default languages that a Python file or a template names."""
    if path.suffix == ".html":
        return re.findall(rf"[\"'](?:{'|'.join(OTHERS)})[\"']", path.read_text())
    tree = ast.walk(ast.parse(path.read_text()))
    words = {value for node in tree for value in vars(node).values() if isinstance(value, str)}
    return [w for w in words if w in OTHERS or (w.rpartition("_")[2] in OTHERS and "_" in w)]


def test_no_code_and_no_column_names_a_language():
    found = {
        str(path.relative_to(ROOT)): names
        for folder in ("clinic", "intake", "schedule", "booking", "desk", "demo", "templates")
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.html")]
        # The name of a content file contains its language.
        if not OTHERS & {*path.name.split(".")} and (names := named_in(path))
    }
    assert found.keys() - MAY_NAME_ONE == set(), found


def test_the_guard_above_sees_a_language():
    path = ROOT / "clinic/settings.py"
    assert set(named_in(path)) == OTHERS


def test_the_nearest_registered_language_is_taken(settings):
    assert fallbacks("es-mx") == ["es-mx", "es", "en"]
    assert fallbacks("en") == fallbacks(None) == ["en"]
    assert in_language({"es": "Hola", "en": "Hello"}, "es-mx") == "Hola"
    assert in_language({"es": "Hola", "en": "Hello"}, "fr") == "Hello"
    assert in_language({"es": "Hola"}, "fr") == "Hola"
    assert in_language({}, "fr") is None
    for active, taken in {"es-mx": "es", "fr": "en", None: "en"}.items():
        with translation.override(active):
            assert active_language() == taken


def test_checks_name_what_a_registered_language_lacks(settings):
    def warnings():
        found = run_checks(tags=[Tags.translation], include_deployment_checks=True)
        return {message.id: message.msg for message in found}

    assert warnings() == {}
    settings.LANGUAGES = [*settings.LANGUAGES, ("fr", "Français")]
    found = warnings()
    assert sorted(found) == ["clinic.W019", "intake.W002", "schedule.W001"]
    assert all(text.startswith("Français (fr) is registered and lacks ") for text in found.values())
    assert "locale/fr/LC_MESSAGES/django.mo" in found["clinic.W019"]
    assert "templates/clinic/guide/faq.fr.html" in found["clinic.W019"]
    assert "M1, M2, M3, M4, M5, M6, M7 in intake/rules/messages.fr.json" in found["intake.W002"]
    assert "running-lbp-intake" in found["intake.W002"]
    assert "massage" in found["schedule.W001"]
    assert "schedule/catalogue.fr.json" in found["schedule.W001"]


def test_messages_fall_back_to_the_default_language():
    for message in MESSAGES:
        words = {"emergency_number": "911", "advice_line": "512-555-0100"}
        assert render(message, language="fr", **words) == render(message, language="en", **words)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/", "/services/", "/locations/", "/privacy/", "/guide/"]
    + [f"/guide/{page.slug}/" for page in guide.PAGES],
)
def test_public_pages_are_there_in_a_language_without_texts(french, path):
    make_practice()
    page = french.get(path)
    assert page.status_code == 200
    html = page.content.decode()
    assert '<html lang="fr"' in html
    # The switch offers all other languages.
    switch = re.findall(r'name="language" value="(\w+)" lang="(\w+)">([^<]+)<', html)
    assert ("en", "en", "English") in switch
    assert ("es", "es", "Español") in switch
    assert "Français" not in {name for _value, _lang, name in switch}


@pytest.mark.django_db
def test_somebody_books_in_a_language_without_texts(french):
    visitor = Visitor(open_clinic(), client=french)
    assert visitor.client.get("/book/").status_code == 200
    assert visitor.answer_gate().status_code == 302
    page = visitor.client.get(visitor.slots_url)
    assert '<html lang="fr"' in page.content.decode()
    visitor.book(language="fr")
    assert Patient.objects.get().language == "fr"
    assert Appointment.objects.get().status == Appointment.Status.BOOKED


@pytest.mark.django_db
def test_the_form_is_filled_in_in_a_language_without_texts(french):
    visit = a_visit_with_a_form(language="fr")
    grant(french, make_link(patient=visit.patient))
    assert '<html lang="fr"' in french.get(page_url(visit, 1)).content.decode()
    fill_in(french, visit)
    assert french.get(reverse("intake_review", args=[visit.pk])).status_code == 200
    assert send(french, visit).status_code == 200
    assert stored(visit).language == "fr"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", sorted(wording.kind for wording in wordings.all_wordings()))
def test_every_mail_is_written_in_a_language_without_texts(french, kind):
    make_practice()
    make_location(directions={"es": "Tras el río.", "en": "Across the river."})
    with translation.override("fr"), preview.previewing():
        mail = samples.sample(kind)(NOW)
    assert 'lang="fr"' in mail.html
    assert "Tras el río." not in mail.text


@pytest.mark.django_db
def test_managers_write_the_new_language_beside_the_others(french):
    make_practice()
    location = make_location(directions="Across the river.")
    manager = sign_in(french, make_user(role="manager"))
    url = f"/admin/clinic/location/{location.pk}/change/"
    page = manager.get(url)
    assert '<label for="id_directions_fr" lang="fr">Français</label>' in page.content.decode()
    form = page.context["adminform"].form
    posted = {name: form.initial.get(name) or "" for name in form.fields}
    posted |= {"holidays_kept_open": [], "is_active": "on", "directions": "Across the river."}
    saved = manager.post(url, posted | {"directions_fr": "De l'autre côté."})
    assert saved.status_code == 302, saved.context["errors"]
    location.refresh_from_db()
    assert location.directions == {"en": "Across the river.", "fr": "De l'autre côté."}
    assert "De l&#x27;autre côté." in manager.get("/locations/").content.decode()


@pytest.mark.django_db
def test_other_forms_of_staff_offer_the_new_language(french):
    make_practice()
    patient = make_patient()
    desk = sign_in(french, make_user())
    page = desk.get(f"/admin/clinic/patient/{patient.pk}/change/").content.decode()
    assert re.search(r'<option value="fr">\s*Français', page)


def test_no_column_lists_the_languages_and_so_none_needs_a_migration(french):
    columns = [
        field
        for model in apps.get_models()
        for field in model._meta.fields
        if field.name == "language"
    ]
    assert len(columns) >= 5
    for column in columns:
        assert "fr" in dict(column.choices), column
        assert column.deconstruct()[3]["choices"] is choices, column
