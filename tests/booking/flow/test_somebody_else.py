"""Booking for a child or a relative: who comes, who is written to, who fills in the form."""

import pytest

from booking.models import Appointment
from clinic.mail import outbox
from clinic.models import Patient
from intake.rules.tags import Tag
from tests.booking.small_clinic import NINE
from tests.booking.visitor import Visitor, as_patient, open_clinic, the_visit
from tests.factories import NOW, make_appointment, make_patient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

CHILD = {"booked_for": "guardian", "birth_date": "2012-03-01", "name": "Lia Runner"}
GUARDIAN = {"guardian_name": "Eva Runner", "is_guardian": "on"}
RELATIVE = {"booked_for": "helper", "guardian_name": "Eva Runner", "may_book": "on"}


def test_a_parent_books_for_a_child_and_is_the_contact(visitor, mailoutbox):
    visitor.answer_gate(about_birth_date="2012-03-01")
    visitor.hold()
    visitor.book(**CHILD, **GUARDIAN)
    patient = the_visit().patient
    assert patient.name == "Lia Runner"
    assert patient.contact_relation == Patient.Contact.GUARDIAN
    assert (patient.guardian_name, patient.guardian_attested_at) == ("Eva Runner", NOW)
    outbox.tick(NOW)
    (mail,) = mailoutbox
    assert mail.to == ["ana@example.org"]
    assert "LR (you are the contact)" in mail.body
    assert "Lia" not in mail.body


def test_a_carer_books_for_an_adult_who_agrees(visitor):
    visitor.book_all_the_way(**RELATIVE)
    patient = the_visit().patient
    assert patient.contact_relation == Patient.Contact.HELPER
    assert patient.guardian_name == "Eva Runner"
    assert patient.guardian_attested_at == NOW


def test_who_books_for_themselves_is_nobodys_contact(visitor):
    visitor.book_all_the_way(booked_for="self", guardian_name="Left over", is_guardian="on")
    patient = the_visit().patient
    assert patient.contact_relation == Patient.Contact.SELF
    assert (patient.guardian_name, patient.guardian_attested_at) == ("", None)


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"booked_for": "self", "birth_date": "2012-03-01"}, "A parent has to book"),
        ({"booked_for": "helper", "birth_date": "2012-03-01"}, "A parent has to book"),
        ({"booked_for": "guardian"} | GUARDIAN, "Choose a relative instead"),
        (CHILD | {"is_guardian": "on"}, "Please give your own name too"),
        (CHILD | {"guardian_name": "Eva"}, "A parent or guardian has to book this visit"),
        (RELATIVE | {"guardian_name": ""}, "Please give your own name too"),
        (RELATIVE | {"may_book": None}, "only for somebody who agrees"),
        ({"booked_for": "dog"}, "Select a valid choice"),
    ],
)
def test_what_does_not_fit_together_is_said_and_books_nothing(visitor, details, words):
    response = visitor.book_all_the_way(**details)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("details", "filler"),
    [(CHILD | GUARDIAN, "guardian"), (RELATIVE, "helper"), ({"booked_for": "self"}, None)],
)
def test_the_intake_knows_who_fills_it_in(visitor, details, filler):
    visitor.answer_gate(about_birth_date=details.get("birth_date", "1990-05-24"))
    visitor.hold()
    visitor.book(**details)
    page = visitor.client.get(f"/visits/{the_visit().pk}/intake/2/")
    chosen = {
        value for value in ("self", "guardian", "helper") if is_checked(page, "about-filler", value)
    }
    assert chosen == ({filler} if filler else set())


def is_checked(page, name, value):
    inputs = page.content.decode().split("<input")
    return any(
        f'name="{name}"' in tag and f'value="{value}"' in tag and "checked" in tag for tag in inputs
    )


def test_a_child_is_not_offered_what_is_for_adults():
    visitor = Visitor(open_clinic(slug="regen-consult"))
    visitor.answer_gate(about_birth_date="2012-03-01")
    assert visitor.hold()["Location"].startswith("/book/safety/result/")
    assert (
        "Only for adults"
        in visitor.client.get("/book/safety/result/?service=regen-consult").content.decode()
    )


def test_a_child_is_found_out_at_the_details_too():
    """Whoever gave an adult's birth date at the gate does not get an adult's visit by it."""
    visitor = Visitor(open_clinic(tags=[Tag.ADULTS_ONLY]))
    visitor.answer_gate()
    assert visitor.hold()["Location"] == visitor.details_url
    response = visitor.book(**CHILD, **GUARDIAN)
    assert response["Location"].startswith("/book/safety/result/")
    assert not Patient.objects.exists()


def test_one_address_may_be_that_of_several_patients(visitor):
    """Neither name nor address makes somebody a patient who is known: that takes a link."""
    known = make_patient(name="Ana Runner", email="ana@example.org")
    make_appointment(patient=known, status="fulfilled", start=NINE.replace(month=5))
    visitor.book_all_the_way()
    booked = Appointment.objects.get(status="booked").patient
    assert booked != known
    assert booked.email == known.email
    assert visitor.client.get(f"/visits/{known.appointments.get().pk}/").status_code == 404


def test_a_link_books_for_its_patient_and_for_nobody_else(visitor):
    known = make_patient(name="Ana Runner")
    as_patient(visitor.client, known)
    visitor.book_all_the_way(name="Somebody Else", email="else@example.org")
    assert the_visit().patient == known
    assert Patient.objects.get() == known
