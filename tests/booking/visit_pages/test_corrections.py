"""Answers that the patient corrects after sending them."""

import pytest
from django.urls import reverse
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as FhirResponse

from intake.models import EarlierAnswers, Observation, QuestionnaireResponse, SafetyAlert
from intake.rules.levels import Level
from tests.booking.filling_in import (
    a_visit_with_a_form,
    answer_all,
    fill_in,
    grant,
    post_page,
    send,
    stored,
)
from tests.factories import (
    NOW,
    make_care,
    make_clinician,
    make_link,
    make_message,
    make_practice,
    sign_in,
)

pytestmark = pytest.mark.django_db

AMENDED = QuestionnaireResponse.Status.AMENDED


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def visit():
    visit = a_visit_with_a_form()
    make_practice(time_zone="America/Chicago")
    return visit


@pytest.fixture
def ana(client, visit):
    """The browser of the visit's patient, who has sent the form."""
    grant(client, make_link(patient=visit.patient))
    answer_all(client, visit)
    send(client, visit)
    return client


def correct(client, visit):
    return client.post(reverse("intake_correct", args=[visit.pk]))


def test_a_correction_is_sent_as_an_amended_version(ana, visit, time_machine):
    first = stored(visit)
    time_machine.move_to(NOW.replace(hour=20), tick=False)
    correct(ana, visit)
    post_page(ana, visit, 3, pain__worst="9")
    assert stored(visit).items == first.items  # until it is sent
    fill_in(ana, visit, pages=[14])
    assert "corrected" in send(ana, visit).content.decode()
    amended = stored(visit)
    assert (amended.pk, amended.status) == (first.pk, AMENDED)
    assert amended.answers.number("pain-worst") == 9
    assert amended.submitted_at == NOW.replace(hour=20)
    assert FhirResponse.model_validate(amended.resource).status == "amended"
    earlier = EarlierAnswers.objects.get()
    assert (earlier.items, earlier.submitted_at) == (first.items, NOW)
    assert earlier.answers_hash == first.answers_hash != amended.answers_hash
    assert QuestionnaireResponse.objects.count() == 1


def test_it_is_signed_again(ana, visit):
    correct(ana, visit)
    post_page(ana, visit, 3, pain__worst="9")
    assert send(ana, visit).status_code == 400
    fill_in(ana, visit, pages=[14], consent__signature="Ana R. Ruiz")
    send(ana, visit)
    assert (stored(visit).signed_by, stored(visit).status) == ("Ana R. Ruiz", AMENDED)
    assert EarlierAnswers.objects.get().signed_by == "Ana Ruiz"


def test_opening_a_correction_twice_opens_one(ana, visit):
    correct(ana, visit)
    post_page(ana, visit, 3, pain__worst="9")
    correct(ana, visit)
    assert stored(visit).open_correction.answers.number("pain-worst") == 9
    assert QuestionnaireResponse.objects.count() == 2


def test_a_second_correction_keeps_both_earlier_versions(ana, visit):
    for worst in ("7", "8"):
        correct(ana, visit)
        post_page(ana, visit, 3, pain__worst=worst)
        fill_in(ana, visit, pages=[14])
        send(ana, visit)
    told = [v.answers.number("pain-worst") for v in EarlierAnswers.objects.order_by("number")]
    assert (told, stored(visit).answers.number("pain-worst")) == ([6, 7], 8)


def test_numbers_for_the_trend_follow_the_correction(ana, visit):
    correct(ana, visit)
    post_page(ana, visit, 3, pain__average="2")
    fill_in(ana, visit, pages=[14])
    send(ana, visit)
    assert [float(o.value) for o in Observation.objects.filter(code="pain-average")] == [2]


def test_a_correction_raises_the_level_and_never_lowers_it(ana, visit):
    correct(ana, visit)
    post_page(ana, visit, 1, safety__illness=["fever"])
    fill_in(ana, visit, pages=[14])
    send(ana, visit)
    assert stored(visit).level == Level.URGENT
    # Staff have seen to it, and the patient takes the answer back: only a clinician lowers it.
    SafetyAlert.objects.get().reopen_booking(by=make_clinician(), now=NOW)
    correct(ana, visit)
    post_page(ana, visit, 1)
    fill_in(ana, visit, pages=[14])
    send(ana, visit)
    assert stored(visit).answers.has("safety-illness", "none")
    assert stored(visit).level == Level.URGENT
    assert set(EarlierAnswers.objects.get(number=2).rules) <= set(stored(visit).rules)


def test_a_danger_sign_in_an_unsent_correction_raises_an_alert(ana, visit):
    correct(ana, visit)
    assert post_page(ana, visit, 1, safety__nerve=["saddle-numb"]).url == reverse("emergency")
    assert SafetyAlert.objects.get().patient == visit.patient


def test_an_alert_raised_by_a_correction_stays_with_the_amended_answers(ana, visit):
    correct(ana, visit)
    post_page(ana, visit, 1, safety__illness=["fever"])
    fill_in(ana, visit, pages=[14])
    send(ana, visit)
    alert = SafetyAlert.objects.get()
    assert (alert.level, alert.response) == (Level.URGENT, stored(visit))


def test_a_review_and_a_lowered_level_end_with_a_correction(ana, visit, time_machine):
    nurse = make_clinician()
    QuestionnaireResponse.objects.update(level=Level.SOON)
    stored(visit).lower(level=Level.ROUTINE, reason="seen today", by=nurse, now=NOW)
    stored(visit).mark_reviewed(by=nurse, now=NOW)
    time_machine.move_to(NOW.replace(hour=20), tick=False)
    correct(ana, visit)
    fill_in(ana, visit, pages=[14])
    send(ana, visit)
    assert stored(visit).shown_level == Level.SOON
    assert stored(visit).reviewed_at is None
    assert EarlierAnswers.objects.get().reviewed_by == nurse


def test_through_a_mailed_link_the_birth_date_is_asked_first(ana, visit):
    message = make_message(patient=visit.patient)
    grant(ana, make_link(patient=visit.patient, message=message))
    asked = correct(ana, visit)
    assert asked.url == reverse("intake_birth_date", args=[visit.pk])
    assert QuestionnaireResponse.objects.count() == 1


@pytest.mark.parametrize("status", ["arrived", "fulfilled", "cancelled", "noshow"])
def test_after_the_visit_answers_are_not_opened_again(ana, visit, status):
    type(visit).objects.update(status=status)
    correct(ana, visit)
    assert QuestionnaireResponse.objects.count() == 1
    page = ana.get(reverse("intake", args=[visit.pk])).content.decode()
    assert "Correct my answers" not in page


def test_an_unsent_form_is_not_copied(client, visit):
    grant(client, make_link(patient=visit.patient))
    correct(client, visit)
    assert not QuestionnaireResponse.objects.exists()
    fill_in(client, visit, pages=[1])
    correct(client, visit)
    assert QuestionnaireResponse.objects.count() == 1


def test_the_clinician_sees_what_changed_and_can_read_the_earlier_answers(ana, visit):
    correct(ana, visit)
    post_page(ana, visit, 3, pain__worst="9")
    fill_in(ana, visit, pages=[14])
    send(ana, visit)
    nurse = make_clinician()
    make_care(patient=visit.patient, practitioner=nurse.practitioner)
    sign_in(ana, nurse)
    page = ana.get(reverse("clinician_summary", args=[visit.patient.pk]))
    # 13:00 UTC on the clock of the clinic.
    assert "Corrected by the patient on Jun 1, 2026, 8:00 AM: 1 change" in page.content.decode()
    (changed,) = page.context["corrections"][0].differences
    assert (changed.before, changed.after) == (("6",), ("9",))
    url = reverse("earlier_answers", args=[stored(visit).pk, 1])
    assert url in page.content.decode()
    earlier = ana.get(url)
    assert "before the correction" in earlier.content.decode()
    told = dict(pair for one in earlier.context["pages"] for pair in one.answers)
    assert told[stored(visit).form.item("pain-worst").text.in_language("en")] == ("6",)
