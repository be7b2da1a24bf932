from datetime import date, timedelta

import pytest
import time_machine

from booking.models import Appointment
from clinic.models import Message, Patient
from intake.models import QuestionnaireResponse, SafetyAlert
from tests.booking.small_clinic import NINE
from tests.booking.visitor import (
    Visitor,
    as_patient,
    open_clinic,
    the_visit,
)
from tests.factories import (
    NOW,
    make_appointment,
    make_patient,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


def test_booking_makes_a_patient_a_visit_a_mail_and_a_grant(visitor):
    response = visitor.book_all_the_way()
    visit = the_visit()
    assert response["Location"] == f"/visits/{visit.pk}/"
    assert visit.status == "booked"
    assert visit.patient.name == "Ana Runner"
    assert visit.patient.birth_date == date(1990, 5, 24)
    assert visit.patient.mail_stops == {}
    assert Message.objects.filter(kind="confirmation").count() == 1
    page = visitor.client.get(response["Location"])
    assert page.status_code == 200
    assert "You are booked" in page.content.decode()
    assert page.headers["Cache-Control"].count("no-store") == 1


def test_the_gates_answers_become_the_intakes_first_page(visitor):
    visitor.book_all_the_way()
    answers = QuestionnaireResponse.objects.get()
    assert answers.patient == the_visit().patient
    assert the_visit().intake_response == answers
    assert answers.pages_done == ["safety"]
    assert answers.visitor_hash == ""


def test_a_wrong_field_is_named_and_keeps_the_hold_once(visitor):
    visitor.answer_gate()
    visitor.hold()
    with time_machine.travel(NOW + timedelta(minutes=10), tick=False):
        response = visitor.book(email="nonsense")
        assert response.status_code == 200
        assert "Enter a valid email address" in response.content.decode()
        assert "Ana Runner" in response.content.decode()
        assert Appointment.objects.get().held_until == NOW + timedelta(minutes=25)
    with time_machine.travel(NOW + timedelta(minutes=20), tick=False):
        visitor.book(email="nonsense")
        assert Appointment.objects.get().held_until == NOW + timedelta(minutes=25)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "Type the name."),
        ("email", "", "Type an e-mail address."),
        ("phone", "", "Type a phone number."),
        ("birth_date", "", "Give the date of birth."),
        ("language", "", "Choose a language."),
        ("phone", "call me", "Enter a phone number"),
        ("birth_date", "1990-02-30", "Enter a date as year-month-day"),
        ("birth_date", "2030-01-01", "Please check this date"),
        ("birth_date", "1800-01-01", "Please check this date"),
        ("birth_date", "2024-01-01", "Please check this date"),
        ("language", "xx", "Select a valid choice"),
        ("email", "ana@example.org\nBcc: everyone@example.org", "Enter a valid email address"),
        ("name", "x" * 121, "at most 120 characters"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_booked(visitor, field, value, message):
    visitor.answer_gate()
    visitor.hold()
    response = visitor.book(**{field: value})
    assert response.status_code == 200
    assert message in response.content.decode()
    assert not Patient.objects.exists()


def test_errors_are_in_the_visitors_language(visitor):
    visitor.answer_gate()
    visitor.hold()
    visitor.client.cookies["lang"] = "es"
    assert "Escriba el nombre." in visitor.book(name="").content.decode()


def test_names_lose_what_could_reorder_or_break_a_line(visitor):
    visitor.book_all_the_way(name="  Jose\u0301\u202e \r\nBcc: x  Runner\x07 ")
    assert the_visit().patient.name == "José Bcc: x Runner"


def test_a_minor_needs_a_guardian(visitor):
    visitor.answer_gate(about_birth_date="2012-03-01")
    visitor.hold()
    form = visitor.client.get(visitor.details_url).context["form"]
    assert form["booked_for"].value() == "guardian"
    response = visitor.book(birth_date="2012-03-01")
    assert "Please give your own name too" in response.content.decode()
    visitor.book(birth_date="2012-03-01", guardian_name="Eva Runner", is_guardian="on")
    patient = the_visit().patient
    assert patient.guardian_name == "Eva Runner"
    assert patient.guardian_attested_at == NOW


@pytest.mark.parametrize(
    ("birth_date", "booked_for", "status"),
    [("2008-06-01", "self", 302), ("2008-06-02", "guardian", 200)],
)
def test_patients_book_for_themselves_from_their_eighteenth_birthday(
    visitor, birth_date, booked_for, status
):
    visitor.answer_gate(about_birth_date=birth_date)
    visitor.hold()
    form = visitor.client.get(visitor.details_url).context["form"]
    assert form["booked_for"].value() == booked_for
    assert visitor.book(birth_date=birth_date, booked_for="self").status_code == status


def test_no_reminders_are_sent_to_who_wants_none(visitor):
    visitor.book_all_the_way(wants_reminders=None)
    assert the_visit().patient.mail_stops == {"reminder": NOW.isoformat()}


def test_another_birth_date_at_the_details_is_judged_again():
    visitor = Visitor(open_clinic(slug="gait-analysis"))
    visitor.answer_gate(**{"safety-cancer": "night-constant"})
    assert visitor.client.get(visitor.slots_url).status_code == 302  # SOON: not for gait
    visitor = Visitor(visitor.clinic)
    visitor.answer_gate(safety_injury="minor")
    visitor.hold()
    response = visitor.book(birth_date="1950-01-01")
    assert response["Location"].startswith("/book/safety/result/")
    assert SafetyAlert.objects.get().rules[0] == "T-U11"
    assert not Patient.objects.exists()


def test_a_hold_that_ran_out_still_books_while_nobody_took_the_time(visitor):
    visitor.answer_gate()
    visitor.hold()
    with time_machine.travel(NOW + timedelta(minutes=16)):
        assert visitor.client.get(visitor.details_url)["Location"] == visitor.slots_url
        assert visitor.book()["Location"] == f"/visits/{the_visit().pk}/"


def test_a_lost_hold_is_409_and_everything_typed_is_carried_to_another_time(visitor):
    visitor.answer_gate()
    visitor.hold()
    with time_machine.travel(NOW + timedelta(minutes=16)):
        visitor.clinic.book(NINE, now=NOW + timedelta(minutes=16))
        response = visitor.book(name="Zoë Typed", language="es")
        assert response.status_code == 409
        page = response.content.decode()
        assert "Zoë Typed" in page
        typed = {
            field.html_name: field.value()
            for field in response.context["form"]
            if field.value() not in (None, False)
        }
        another = visitor.choice(response.context["nearest"][0].local) | typed
        page = visitor.client.post(visitor.details_url, another).content.decode()
        assert 'value="Zoë Typed"' in page
        assert "This field is required" not in page
        visitor.book(response.context["nearest"][0].local, name="Zoë Typed", language="es")
    visit = Appointment.objects.get(patient__name="Zoë Typed")
    assert visit.patient.language == "es"


def test_the_same_form_sent_twice_books_once_and_mails_once(visitor):
    visitor.answer_gate()
    visitor.hold()
    first, second = visitor.book(), visitor.book(name="Somebody Else")
    assert first["Location"] == second["Location"]
    assert Patient.objects.count() == 1
    assert Message.objects.filter(kind="confirmation").count() == 1


def test_a_forms_key_is_worth_nothing_in_another_browser(visitor):
    visitor.book_all_the_way()
    thief = Visitor(visitor.clinic)
    thief.key = visitor.key
    assert "/visits/" not in thief.book().headers["Location"]
    thief.answer_gate()
    assert "/visits/" not in thief.hold(NINE).headers.get("Location", "")


def test_details_without_a_hold_lead_back_to_the_times(visitor):
    visitor.answer_gate()
    assert visitor.client.get(visitor.details_url)["Location"] == visitor.slots_url
    response = visitor.client.post(visitor.details_url, {"book": "1"})
    assert response["Location"] == visitor.slots_url


def test_a_patient_with_three_open_visits_books_the_next_by_phone(visitor):
    patient = make_patient(email="ana@example.org")
    for day in (3, 4, 5):
        make_appointment(patient=patient, start=NOW + timedelta(days=day))
        make_appointment(patient=make_patient(email=patient.email), start=NOW + timedelta(days=day))
    as_patient(visitor.client, patient)
    response = visitor.book_all_the_way()
    assert response.status_code == 429
    assert response["Retry-After"]
    assert "You have three open visits already" in response.content.decode()
    assert patient.appointments.count() == 3


def test_visits_of_people_without_an_address_are_not_counted_together(visitor):
    for day in (3, 4, 5):
        make_appointment(patient=make_patient(email=""), start=NOW + timedelta(days=day))
    patient = make_patient(email="")
    as_patient(visitor.client, patient)
    visitor.book_all_the_way()
    assert patient.appointments.count() == 1


def test_choosing_again_and_again_keeps_no_time_for_ever(visitor):
    visitor.answer_gate()
    for minute in range(0, 40, 5):
        with time_machine.travel(NOW + timedelta(minutes=minute), tick=False):
            visitor.hold(NINE + timedelta(minutes=15 * (minute // 5)))
            if minute < 20:
                # The first choice, and one renewal with the second.
                held = Appointment.objects.get()
                assert held.held_until == NOW + timedelta(minutes=20 if minute else 15)


def test_a_form_of_an_older_tab_books_the_time_it_shows(visitor):
    visitor.answer_gate()
    visitor.hold(NINE)
    visitor.hold(NINE + timedelta(hours=1))
    visitor.book(NINE)
    assert the_visit().start == NINE


def test_a_booking_stands_and_says_so_while_its_mail_is_still_owed(visitor):
    response = visitor.book_all_the_way()
    assert "is on its way. You are booked" in visitor.client.get(response["Location"]).text
