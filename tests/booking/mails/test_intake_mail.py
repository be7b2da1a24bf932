"""The mail that asks for the form: it says how far the form is, and nothing of what is in it."""

from datetime import date, timedelta

import pytest
from django.core import mail

from booking.appointments import mail_schedule
from booking.models import Appointment
from clinic.mail import outbox
from demo.sample.runners import STORIES, answers_of
from intake.models import Questionnaire, QuestionnaireResponse
from tests.factories import (
    NOW,
    make_appointment,
    make_patient,
    make_practice,
    make_response,
    make_service,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def visit(db):
    make_practice()
    questionnaire = Questionnaire.objects.publish_shipped(now=NOW)
    service = make_service(questionnaire=questionnaire)
    visit = make_appointment(start=NOW + 20 * DAY, service=service)
    mail_schedule.plan_booked(visit, NOW)
    return visit


def fill_in(visit, *, pages, safety_answered_at=NOW):
    """Answer all of the form, with the first ``pages`` pages done (all but that many, below 0)."""
    questionnaire = visit.service.questionnaire
    items = answers_of(
        questionnaire.form,
        next(iter(STORIES)),
        name="Ana Ruiz",
        birth_date=date(1990, 1, 31),
        race_on=date(2026, 9, 1),
        today=NOW.date(),
    )
    response = make_response(
        patient=visit.patient,
        questionnaire=questionnaire,
        items=items,
        safety_answered_at=safety_answered_at,
    )
    response.pages_done = [page.key for page in response.pages()][:pages]
    response.save()
    Appointment.objects.filter(pk=visit.pk).update(intake_response=response)
    return response


def asked(now=NOW + DAY):
    mail.outbox.clear()
    outbox.tick(now)
    (sent,) = [
        sent for sent in mail.outbox if "form" in sent.subject or "formulario" in sent.subject
    ]
    return sent.body


def test_a_form_that_was_not_begun_takes_ten_minutes(visit):
    assert "You have not started yet. It takes about ten minutes." in asked()


def test_a_form_that_was_begun_says_how_long_the_rest_takes(visit):
    response = fill_in(visit, pages=6)
    minutes = round(response.seconds_left() / 60)
    assert minutes > 1
    assert f"You have started already. About {minutes} minutes are left." in asked()


def test_a_form_that_is_filled_in_lacks_only_the_signature(visit):
    fill_in(visit, pages=-1)
    assert "Only your signature is missing." in asked()


def test_old_answers_on_the_first_page_are_asked_for_again(visit):
    fill_in(visit, pages=6, safety_answered_at=NOW - 14 * DAY)
    said = asked()
    assert "Please look at the first page again." in said
    assert "minutes are left" not in said


def test_the_signed_threshold_says_which_answers_the_mail_calls_old(visit, monkeypatch):
    fill_in(visit, pages=6, safety_answered_at=NOW - 11 * DAY)
    monkeypatch.setattr("booking.mails.visit_mails.SAFETY_ANSWERS_LAST", 10 * DAY)
    assert "Please look at the first page again." in asked()


def test_an_answer_is_never_in_the_mail(visit):
    response = fill_in(visit, pages=6)
    said = asked()
    words = {
        answer[key]
        for group in response.items
        for item in group["item"]
        for answer in item.get("answer", [])
        for key in answer
        if key == "valueString" and len(answer[key]) > 3
    }
    assert words
    assert not [word for word in words if word in said]


def test_the_form_is_asked_for_in_spanish_too(visit):
    visit.patient.language = "es"
    visit.patient.save()
    fill_in(visit, pages=-1)
    assert "Solo falta su firma." in asked()


@pytest.mark.parametrize("status", ["completed", "amended"])
def test_a_form_that_was_sent_is_not_asked_for(visit, status):
    response = fill_in(visit, pages=-1)
    QuestionnaireResponse.objects.filter(pk=response.pk).update(status=status, submitted_at=NOW)
    outbox.tick(NOW + DAY)
    assert not any("form" in sent.subject for sent in mail.outbox)


def test_a_visit_booked_an_hour_ahead_gets_a_confirmation_and_no_word_of_tomorrow(visit):
    mail.outbox.clear()
    soon = make_appointment(
        start=NOW + timedelta(hours=1), service=visit.service, patient=make_patient()
    )
    mail_schedule.plan_booked(soon, NOW)
    for minutes in range(0, 120, 5):
        outbox.tick(NOW + timedelta(minutes=minutes))
    sent = [sent for sent in mail.outbox if sent.to == [soon.patient.email]]
    assert [one.subject.split(":")[0] for one in sent] == ["Booked"]
    assert "tomorrow" not in sent[0].body.lower()


def test_what_is_owed_to_a_visit_survives_its_practitioner_leaving(visit):
    """The clinic moves or cancels such visits; until then the patient is told the truth."""
    visit.practitioner.is_active = False
    visit.practitioner.save()
    mail.outbox.clear()
    outbox.tick(NOW)
    assert [sent.subject.split(":")[0] for sent in mail.outbox] == ["Booked"]
