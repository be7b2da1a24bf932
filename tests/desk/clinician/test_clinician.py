import datetime as dt
import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.urls import reverse
from pypdf import PdfReader

from clinic.models import AuditEvent, Role
from demo.sample.runners import STORIES, answers_of
from intake.answers import Answers
from intake.fhir_form.questionnaire import Form
from intake.models import QuestionnaireResponse
from intake.rules.levels import Level
from intake.rules.triage import evaluate
from intake.workflow.answer_history import RESCREEN_URL
from tests.factories import (
    NOW,
    make_alert,
    make_appointment,
    make_care,
    make_clinician,
    make_patient,
    make_practice,
    make_questionnaire,
    make_response,
    make_service,
    make_user,
    sign_in,
)

pytestmark = pytest.mark.django_db

CONTENT = json.loads(
    Path(settings.BASE_DIR, "intake/questionnaires/running-lbp-intake-1.0.0.json").read_text()
)
FORM = Form.parse(CONTENT)
CANARY = "Dance at the wedding without counting chairs"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def story_items(story="half-marathon", **answers):
    patched = STORIES[story] | answers
    STORIES["patched"] = patched
    try:
        return answers_of(
            FORM,
            "patched",
            name="Ana Ruiz",
            birth_date=dt.date(1990, 1, 31),
            race_on=NOW.date() + dt.timedelta(days=36),
            today=NOW.date(),
        )
    finally:
        del STORIES["patched"]


def make_intake(patient, *, items=None, **fields):
    items = story_items(**{"goal-words": CANARY}) if items is None else items
    level = evaluate(Answers.from_response({"item": items}), today=NOW.date()).level
    defaults = {
        "items": items,
        "level": level,
        "status": QuestionnaireResponse.Status.COMPLETED,
        "submitted_at": NOW - dt.timedelta(hours=3),
        "safety_answered_at": NOW - dt.timedelta(hours=3),
        "questionnaire": make_questionnaire(content=CONTENT),
    }
    return make_response(patient=patient, **defaults | fields)


def make_own_patient(clinician, **fields):
    patient = make_patient(**fields)
    make_care(patient=patient, practitioner=clinician.practitioner)
    return patient


def summary_url(patient):
    return reverse("clinician_summary", args=[patient.pk])


def test_the_summary_shows_a_patients_answers_to_their_clinician(client, clinician):
    patient = make_own_patient(clinician, name="Ana Ruiz")
    make_intake(patient)
    response = client.get(summary_url(patient))
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    page = response.content.decode()
    assert "Ana Ruiz" in page
    assert CANARY in page
    assert "Nerve-root irritation" in page
    assert "Not signed off by a clinician" in page


@pytest.mark.parametrize(("days", "is_shown"), [(14, True), (10, False)])
def test_the_signed_threshold_says_how_long_a_new_safety_check_is_shown(
    client, clinician, monkeypatch, days, is_shown
):
    monkeypatch.setattr(
        "desk.clinician.day_and_summary.SAFETY_ANSWERS_LAST", dt.timedelta(days=days)
    )
    patient = make_own_patient(clinician)
    with time_machine.travel(NOW - dt.timedelta(days=12), tick=False):
        make_intake(patient)
    with time_machine.travel(NOW - dt.timedelta(days=11), tick=False):
        make_response(patient=patient, questionnaire=make_questionnaire(url=RESCREEN_URL))
    assert (client.get(summary_url(patient)).context["rescreen"] is not None) is is_shown


def test_opening_a_summary_leaves_one_audit_row(client, clinician):
    patient = make_own_patient(clinician)
    answers = make_intake(patient)
    client.get(summary_url(patient))
    event = AuditEvent.objects.get()
    assert event.action == AuditEvent.Action.READ
    assert event.user == clinician
    assert event.patient_id == patient.pk
    assert event.subject_id == str(answers.pk)


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.MANAGER])
def test_front_desk_and_managers_do_not_read_answers(client, role):
    patient = make_patient(name="Ana Ruiz")
    make_intake(patient)
    sign_in(client, make_user(role=role))
    for url in (summary_url(patient), reverse("clinician_day")):
        response = client.get(url)
        assert response.status_code == 404
        assert "Ana Ruiz" not in response.content.decode()
    denied = AuditEvent.objects.filter(action=AuditEvent.Action.DENIED)
    assert denied.count() == 2


def test_nobody_reads_answers_without_signing_in(client):
    patient = make_patient()
    make_intake(patient)
    for url in (summary_url(patient), reverse("clinician_day")):
        response = client.get(url)
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_login"))


def test_a_clinician_without_the_second_factor_reads_nothing(client):
    clinician = make_clinician()
    patient = make_own_patient(clinician, name="Ana Ruiz")
    make_intake(patient)
    sign_in(client, clinician, second_factor=False)
    response = client.get(summary_url(patient))
    assert response.status_code == 302
    assert "Ana Ruiz" not in response.content.decode()


def test_somebody_elses_patient_and_an_unknown_one_are_the_same_404(client, clinician):
    other = make_own_patient(make_clinician(), name="Ana Ruiz")
    make_intake(other)
    unknown_id = uuid4()
    foreign = client.get(summary_url(other))
    unknown = client.get(reverse("clinician_summary", args=[unknown_id]))
    assert foreign.status_code == unknown.status_code == 404
    bare = [
        re.sub(rf'csrfmiddlewaretoken" value="\w+"|{other.pk}|{unknown_id}', "", text)
        for text in (foreign.content.decode(), unknown.content.decode())
    ]
    assert bare[0] == bare[1]
    assert "Ana Ruiz" not in bare[0]
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {AuditEvent.Action.DENIED}


def test_a_patient_without_answers_has_a_page_that_says_so(client, clinician):
    patient = make_own_patient(clinician, name="Ana Ruiz")
    page = client.get(summary_url(patient)).content.decode()
    assert "No answers yet" in page
    assert AuditEvent.objects.get().subject_id == str(patient.pk)


def test_the_sent_intake_is_shown_while_a_newer_one_is_under_way(client, clinician):
    patient = make_own_patient(clinician)
    make_intake(patient)
    with time_machine.travel(NOW + dt.timedelta(hours=1), tick=False):
        make_response(patient=patient, level=Level.URGENT)
    page = client.get(summary_url(patient)).content.decode()
    assert CANARY in page
    assert "Newer answers under way: Urgent" in " ".join(page.split())


def test_an_unfinished_intake_says_what_the_safety_page_left_open(client, clinician):
    patient = make_own_patient(clinician)
    make_intake(
        patient,
        items=[
            {
                "linkId": "safety",
                "item": [{"linkId": "safety-injury", "answer": [{"valueCoding": {"code": "no"}}]}],
            }
        ],
        status=QuestionnaireResponse.Status.IN_PROGRESS,
        submitted_at=None,
        safety_answered_at=None,
    )
    page = " ".join(client.get(summary_url(patient)).content.decode().split())
    assert "not finished" in page
    assert "Not answered on the safety page: nerve signs, chest, belly and walking" in page
    assert "Age of the safety answers unknown" in page


def test_a_signed_off_rule_set_names_who_signed_it(client, clinician):
    make_practice(
        signed_off_by="Dr. Ito",
        signed_off_licence="TX 1",
        signed_off_version="1.0.0",
        signed_off_on=dt.date(2026, 5, 1),
    )
    patient = make_own_patient(clinician)
    make_intake(patient)
    page = client.get(summary_url(patient)).content.decode()
    assert "Signed off by Dr. Ito" in page
    make_practice(signed_off_version="0.9.0")
    assert "Not signed off" in client.get(summary_url(patient)).content.decode()


def test_the_page_reads_in_the_clinicians_language(client, clinician):
    patient = make_own_patient(clinician)
    make_intake(patient)
    client.cookies["lang"] = "es"
    assert "encontrar la causa" in client.get(summary_url(patient)).content.decode()


@pytest.mark.parametrize("answers", [1, 3])
def test_a_summary_takes_the_same_queries_however_many_intakes_there_are(
    client, clinician, django_assert_num_queries, answers
):
    patient = make_own_patient(clinician)
    questionnaire = make_questionnaire(content=CONTENT)
    for number in range(answers):
        make_alert(patient=patient, response=make_intake(patient, questionnaire=questionnaire))
        make_appointment(
            patient=patient,
            practitioner=clinician.practitioner,
            start=NOW + dt.timedelta(hours=number),
        )
    client.get(summary_url(patient))  # reads the form's questions once per process
    with django_assert_num_queries(SUMMARY_QUERIES):
        client.get(summary_url(patient))


SUMMARY_QUERIES = 17


def test_acknowledging_an_alert_keeps_name_time_and_an_audit_row(client, clinician):
    patient = make_own_patient(clinician)
    make_intake(patient)
    alert = make_alert(patient=patient)
    url = reverse("acknowledge_alert", args=[alert.pk])
    assert url in client.get(summary_url(patient)).content.decode()
    AuditEvent.objects.all().delete()
    assert client.get(url).status_code == 405
    response = client.post(url)
    assert response["Location"] == summary_url(patient)
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.acknowledged_at) == (clinician, NOW)
    event = AuditEvent.objects.get()
    assert (event.action, event.subject_id) == (AuditEvent.Action.CHANGE, str(alert.pk))
    assert url not in client.get(summary_url(patient)).content.decode()


def test_a_second_acknowledgement_changes_nothing_and_names_the_first(client, clinician):
    patient = make_own_patient(clinician)
    first = make_user(first_name="Rosa", last_name="Gil")
    alert = make_alert(patient=patient, acknowledged_at=NOW, acknowledged_by=first)
    response = client.post(reverse("acknowledge_alert", args=[alert.pk]), follow=True)
    assert "Rosa Gil acknowledged this before you" in response.content.decode()
    alert.refresh_from_db()
    assert alert.acknowledged_by == first


def test_somebody_elses_alert_cannot_be_acknowledged(client, clinician):
    foreign = make_alert(patient=make_own_patient(make_clinician()))
    anonymous = make_alert()
    for alert in (foreign, anonymous):
        assert client.post(reverse("acknowledge_alert", args=[alert.pk])).status_code == 404
        alert.refresh_from_db()
        assert alert.acknowledged_at is None


def test_suggested_services_are_named_best_first(client, clinician):
    make_service(slug="sports-doc", name="Spine doctor")
    make_service(slug="pt-eval", name="Evaluation")
    patient = make_own_patient(clinician)
    make_intake(patient)
    page = " ".join(client.get(summary_url(patient)).content.decode().split())
    assert "<span>Evaluation</span> · <span>Spine doctor</span>" in page


# Everything a page has to hold at once; every box ticked would be no runner.
HEAVY = {
    "safety-injury": "minor",
    "safety-leg-power": "worse",
    "safety-bone": ["osteoporosis", "past-stress-fracture", "blood-thinner"],
    "leg-pain": 8,
    "leg-feeling": ["pain", "tingling", "weakness"],
    "onset-duration": "m3-12",
    "onset-first-age": 20,
    "onset-worse": ["bend-forward", "sitting", "standing", "impact", "cough"],
    "onset-push": "often",
    "load-changes": ["distance", "speed", "hills"],
    "strength-core": "d0",
    "strength-hips": "d0",
    "med-told": ["disc", "ddd", "arthritis"],
    "med-nsaid-caution": ["ulcer", "heart"],
    "med-surgery": True,
    "med-surgery-what": "Microdiscectomy in 2021",
    "med-medicines": "apixaban, prednisone, levothyroxine, vitamin D, iron and magnesium",
    "med-allergies": "latex, adhesive tape, penicillin",
    "tx-tried": ["rest", "ice", "heat", "medicine", "stretching", "massage", "pt"],
    "tx-helped": ["rest"],
    "tx-medicine-days": 10,
    "tx-medicine-effect": "some",
    "tx-rest-length": "w1-2",
    "tx-avoid": ["thrust", "chaperone"],
    "mind-harm": 9,
    "goal-words": "Finish the half marathon with my sister and my father, walking if I must.",
    "goal-notes": "I can only come after three. " * 10,
}


@pytest.mark.parametrize("answers", [{}, HEAVY], ids=["ordinary", "heavy"])
@pytest.mark.parametrize("paper", ["Letter", "A4"])
def test_the_summary_prints_on_one_page(
    client, clinician, live_server, open_page, tmp_path, paper, answers
):
    patient = make_own_patient(clinician)
    make_intake(patient, items=story_items(**answers))
    page = open_clinician_page(client, live_server, open_page, summary_url(patient))
    printed = tmp_path / "summary.pdf"
    page.pdf(path=printed, format=paper)
    assert len(PdfReader(printed).pages) == 1
    assert "Patient-reported and rule-based" in PdfReader(printed).pages[0].extract_text()


@pytest.mark.parametrize("answers", [{}, HEAVY], ids=["ordinary", "heavy"])
def test_the_sheet_needs_no_scrolling_on_a_laptop(
    client, clinician, live_server, open_page, answers
):
    patient = make_own_patient(clinician)
    make_intake(patient, items=story_items(**answers))
    page = open_clinician_page(client, live_server, open_page, summary_url(patient))
    bottom = page.evaluate("document.querySelector('.sheet').getBoundingClientRect().bottom")
    assert bottom <= 800


def test_nothing_on_the_summary_is_wider_than_a_phone(client, clinician, live_server, open_page):
    patient = make_own_patient(clinician)
    make_intake(patient, items=story_items(**HEAVY))
    page = open_clinician_page(client, live_server, open_page, summary_url(patient), width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def open_clinician_page(client, live_server, open_page, url, *, width=1280):
    """Open a page in the test client's own session."""
    page = open_page(width=width, height=800)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(live_server.url + url)
    return page
