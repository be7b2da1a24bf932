"""Somebody who should be seen within three working days, when all of them are full."""

from datetime import time

import pytest

from clinic.models import DeskTask, Patient
from tests.booking.visitor import HEALTHY, SOON, URGENT, Visitor, as_patient, open_clinic
from tests.factories import (
    NOW,
    make_hours,
    make_patient,
    make_practitioner,
    make_service,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

PAGE, RESULT = "/book/safety/no-time/", "/book/safety/result/"
FOUR_DAYS = 4 * 24 * 60
CALLER = {"name": "Ana Runner", "phone": "512 555 0123"}


@pytest.fixture
def full():
    """A visitor of a clinic without a free time until a day too late."""
    return Visitor(open_clinic(min_notice_minutes=FOUR_DAYS))


def asked():
    return DeskTask.objects.filter(kind=DeskTask.Kind.NO_TIME)


def test_who_finds_no_early_time_is_offered_a_call(full):
    full.answer_gate(**SOON)
    slots = full.client.get(full.slots_url).text
    assert PAGE in slots
    assert "pick one of these" not in slots
    assert "do not wait" in slots
    page = full.client.get(RESULT, follow=True)
    assert page.redirect_chain == [(PAGE, 302)]
    assert "Leave your number" in page.text
    assert "do not wait" in page.text
    assert "pick one of these" not in page.text


def test_the_front_desk_is_asked_to_phone_a_patient_it_can_book_for(full):
    full.answer_gate(**SOON)
    response = full.client.post(PAGE, CALLER)
    assert "We will call you" in full.client.get(response["Location"]).text
    task = asked().get()
    patient = task.patient
    assert (patient.name, patient.phone) == ("Ana Runner", "512 555 0123")
    assert patient.birth_date.isoformat() == HEALTHY["about-birth-date"]
    assert (task.raised_at, task.done_at) == (NOW, None)


def test_asking_twice_is_one_patient_and_one_call(full):
    full.answer_gate(**SOON)
    for _ in range(2):
        full.client.post(PAGE, CALLER)
    assert asked().count() == Patient.objects.count() == 1


def test_a_known_patient_is_called_on_the_number_on_file_without_typing(full):
    patient = make_patient(phone="512 555 0177")
    as_patient(full.client, patient)
    full.answer_gate(**SOON)
    page = full.client.get(PAGE).text
    assert "on the number we have" in page
    assert patient.phone not in page
    full.client.post(PAGE)
    assert asked().get().patient == patient
    assert Patient.objects.count() == 1


def test_a_known_patient_without_a_number_gives_one(full):
    patient = make_patient(phone="")
    as_patient(full.client, patient)
    full.answer_gate(**SOON)
    assert full.client.post(PAGE, {"name": patient.name}).status_code == 200
    assert not asked().exists()
    full.client.post(PAGE, CALLER)
    patient.refresh_from_db()
    assert asked().get().patient == patient
    assert patient.phone == CALLER["phone"]


def test_a_number_is_needed(full):
    full.answer_gate(**SOON)
    response = full.client.post(PAGE, {"name": "Ana Runner", "phone": "soon"})
    assert response.status_code == 200
    assert "Enter a phone number" in response.text
    assert not Patient.objects.exists()


def test_a_program_that_fills_in_everything_leaves_nothing_behind(full):
    full.answer_gate(**SOON)
    assert full.client.post(PAGE, CALLER | {"website": "x"}).status_code == 302
    assert not Patient.objects.exists()


def test_another_visit_with_an_early_time_is_shown_in_place_of_the_call(full):
    clinic = full.clinic
    other = make_practitioner(locations=[clinic.location])
    make_hours(other, clinic.location)
    make_service(slug="sports-doc", practitioners=[other])
    full.answer_gate(**SOON)
    page = full.client.get(PAGE, follow=True)
    assert page.redirect_chain == [(RESULT, 302)]
    assert "/book/sports-doc/" in page.text
    assert full.slots_url not in page.text
    assert full.client.post(PAGE, CALLER)["Location"] == RESULT
    assert not asked().exists()


@pytest.mark.parametrize("answers", [{}, URGENT])
def test_the_call_is_for_those_who_should_be_seen_soon(full, answers):
    full.answer_gate(**answers)
    assert full.client.get(PAGE)["Location"] == RESULT
    full.client.post(PAGE, CALLER)
    assert not asked().exists()


def test_the_only_time_left_is_one_for_whoever_holds_it_and_none_for_others():
    visitor = Visitor(open_clinic(closes=time(9)))
    visitor.answer_gate(**SOON)
    first, *others = visitor.client.get(visitor.slots_url).context["picker"].times
    for other in others:
        visitor.clinic.book(other.local)
    visitor.hold(first.local)
    assert visitor.client.get(RESULT).status_code == 200
    late = Visitor(visitor.clinic)
    late.answer_gate(**SOON)
    assert late.client.get(RESULT)["Location"] == PAGE


def test_once_the_desk_is_done_a_call_can_be_asked_for_again(full):
    full.answer_gate(**SOON)
    full.client.post(PAGE, CALLER)
    asked().get().finish(by=make_user(), now=NOW)
    assert "Leave your number" in full.client.get(PAGE).text
