"""The summary of a patient who has filled in the intake before."""

import datetime as dt

import pytest
import time_machine
from pypdf import PdfReader

from intake.models import QuestionnaireResponse
from intake.rules.levels import Level
from intake.workflow.answer_history import CHECK_IN_URL
from tests.desk.clinician.test_clinician import (
    CONTENT,
    HEAVY,
    SUMMARY_QUERIES,
    make_intake,
    make_own_patient,
    open_clinician_page,
    story_items,
    summary_url,
)
from tests.factories import (
    NOW,
    make_alert,
    make_appointment,
    make_on_call,
    make_questionnaire,
    make_response,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

EARLIER = {
    "pain-average": 8,
    "pain-worst": 9,
    "body-regions": ["low-back-right"],
    "body-numb": [],
    "load-now": 5,
    "tx-tried": ["rest"],
}


def make_two_intakes(clinician, *, weeks=(5,), answers=None):
    """A patient with an intake each so many weeks ago, and one of today."""
    patient = make_own_patient(clinician)
    questionnaire = make_questionnaire(content=CONTENT)
    for ago in weeks:
        day = NOW - dt.timedelta(weeks=ago)
        with time_machine.travel(day, tick=False):
            make_intake(
                patient,
                questionnaire=questionnaire,
                items=story_items(**EARLIER),
                submitted_at=day,
                safety_answered_at=day,
            )
    make_intake(patient, questionnaire=questionnaire, items=story_items(**answers or {}))
    return patient


def words_of(client, patient):
    return " ".join(client.get(summary_url(patient)).content.decode().split())


def test_the_summary_compares_with_the_intake_before(client, clinician):
    page = words_of(client, make_two_intakes(clinician))
    assert "Average pain went from 8 to 5 in 5 weeks." in page
    assert "8/10 → 5/10 <b>better</b>" in page
    assert "<b>spread further down the leg</b>" in page
    assert "Everything that changed between intakes" in page
    assert "Pain and distance over time" in page
    assert "dashed: visits, race" in page


def test_it_compares_with_the_first_intake_too_when_that_is_another_one(client, clinician):
    page = words_of(client, make_two_intakes(clinician, weeks=(20, 5)))
    assert "in 5 weeks." in page
    assert "in 20 weeks." in page
    assert page.index("in 5 weeks.") < page.index("in 20 weeks.")


def test_one_intake_has_no_trend_and_nothing_to_compare(client, clinician):
    page = words_of(client, make_two_intakes(clinician, weeks=()))
    assert "Everything that changed" not in page
    assert "over time" not in page
    assert "Onset run" in page


def test_an_unsent_intake_or_another_form_is_not_compared(client, clinician):
    patient = make_two_intakes(clinician)
    first = QuestionnaireResponse.objects.earliest("created_at")
    first.questionnaire = make_questionnaire(content=CONTENT)
    first.save()
    assert "Everything that changed" not in words_of(client, patient)
    first.questionnaire = QuestionnaireResponse.objects.latest("created_at").questionnaire
    first.submitted_at = None
    first.save()
    assert "Everything that changed" not in words_of(client, patient)


def test_a_level_that_a_clinician_lowered_is_the_level_then(client, clinician):
    patient = make_two_intakes(clinician)
    first = QuestionnaireResponse.objects.earliest("created_at")
    first.lower(level=Level.ROUTINE, reason="Seen", by=clinician, now=NOW)
    assert "Level Routine → <b>Soon</b>" in words_of(client, patient)


def test_first_and_now_stand_side_by_side_in_every_plot_and_its_table(client, clinician):
    page = words_of(client, make_two_intakes(clinician))
    # The numbers, the body, daily impact and the patient's own activities.
    assert "↓ was 8" in page
    assert page.count('class="body-map"') == 2
    assert "figure-new" in page
    assert "(new)" in page
    assert "chart-dot-then" in page
    assert "chart-slope" in page
    for caption in ("Body map: First", "Body map: Now", "Daily impact", "Own activities"):
        assert f"<caption>{caption}</caption>" in page


def test_two_intakes_need_no_scrolling_on_a_laptop(client, clinician, live_server, open_page):
    patient = make_two_intakes(clinician, weeks=(20, 5))
    page = open_clinician_page(client, live_server, open_page, summary_url(patient))
    bottom = page.evaluate("document.querySelector('.sheet').getBoundingClientRect().bottom")
    assert bottom <= 800


@pytest.mark.parametrize("weeks", [(5,), (20, 10, 5)])
def test_comparing_takes_no_query_more(client, clinician, django_assert_num_queries, weeks):
    patient = make_two_intakes(clinician, weeks=weeks)
    make_alert(patient=patient)
    make_appointment(patient=patient, practitioner=clinician.practitioner, start=NOW)
    client.get(summary_url(patient))  # reads the form's questions once per process
    with django_assert_num_queries(SUMMARY_QUERIES + 1):  # visits, as marks in the trend
        client.get(summary_url(patient))


@pytest.mark.parametrize("answers", [{}, HEAVY], ids=["ordinary", "heavy"])
@pytest.mark.parametrize("paper", ["Letter", "A4"])
def test_two_intakes_still_print_on_one_page(
    client, clinician, live_server, open_page, tmp_path, paper, answers
):
    patient = make_two_intakes(clinician, weeks=(20, 5), answers=answers)
    page = open_clinician_page(client, live_server, open_page, summary_url(patient))
    if paper == "A4":
        assert page.evaluate("document.querySelector('.sheet').scrollWidth") <= 1280
    printed = tmp_path / "summary.pdf"
    page.pdf(path=printed, format=paper)
    assert len(PdfReader(printed).pages) == 1


def test_an_open_alert_and_a_check_in_leave_the_sheet_on_one_screen(
    client, clinician, live_server, open_page
):
    patient = make_two_intakes(clinician, weeks=(20, 5))
    make_alert()
    make_on_call(clinician)
    week_ago = NOW - dt.timedelta(days=7)
    make_response(
        patient=patient,
        questionnaire=make_questionnaire(url=CHECK_IN_URL),
        status="completed",
        submitted_at=week_ago,
        items=[{"linkId": "pain-average", "answer": [{"valueInteger": 10}]}],
    )
    page = open_clinician_page(client, live_server, open_page, summary_url(patient))
    assert page.locator(".alert-banner").count() == 1
    assert "Weekly check-in May 25, 2026: worse" in page.locator(".level-strip").inner_text()
    bottom = page.evaluate("document.querySelector('.sheet').getBoundingClientRect().bottom")
    assert bottom <= 800
