"""The front desk sees who waits, in which order and how long, and steers it."""

from datetime import datetime, time, timedelta

import pytest
import time_machine

from booking.models import Appointment, WaitlistEntry
from clinic.models import AuditEvent
from intake.models import Questionnaire
from intake.rules.levels import Level
from tests import factories as make
from tests.desk.admin.test_admin import press
from tests.factories import NOW

pytestmark = pytest.mark.django_db

LIST = "/admin/booking/waitlistentry/"
NINE = NOW + timedelta(days=1, hours=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def desk(client):
    make.make_practice()
    client.user = make.make_user()
    client.location = make.make_location()
    client.practitioner = make.make_practitioner(locations=[client.location])
    client.service = make.make_service(practitioners=[client.practitioner])
    make.make_hours(client.practitioner, client.location)
    return make.sign_in(client, client.user)


def wait(desk, **fields):
    return make.make_waitlist_entry(**{"service": desk.service} | fields)


def offered(desk, entry):
    return entry.offer(start=NINE, practitioner=desk.practitioner, location=desk.location, now=NOW)


def test_the_list_is_the_order_of_the_offers_with_how_long_each_waits(desk):
    long, short = wait(desk, joined_at=NOW - timedelta(days=12)), wait(desk)
    soon = wait(
        desk, intake_response=make.make_response(patient=make.make_patient(), level=Level.SOON)
    )
    wait(desk, state="left", closed_at=NOW)
    short.put_first(now=NOW)
    page = desk.get(LIST)
    assert list(page.context["cl"].queryset) == [short, soon, long]
    assert "12 days" in page.content.decode()
    assert desk.get(f"{LIST}?state=left").context["cl"].result_count == 1
    assert desk.get(f"{LIST}?state=any").context["cl"].result_count == 4


def adding(desk, **changes):
    return {
        "service": desk.service.pk,
        "location": "",
        "practitioner": "",
        "weekdays": [0, 1],
        "parts": ["evening"],
        "first_day": "2026-06-01",
        "last_day": "2026-06-20",
        "language": "en",
        "phone_screen_note": "Hung up",
    } | changes


def test_somebody_on_the_phone_is_added(desk):
    patient = make.make_patient()
    answer = desk.post(f"{LIST}add/", adding(desk, patient=patient.pk))
    entry = WaitlistEntry.objects.get()
    assert answer["Location"] == f"{LIST}{entry.pk}/change/"
    assert (entry.patient, entry.created_by) == (patient, desk.user)
    assert (entry.weekdays, entry.parts) == ([0, 1], ["evening"])
    page = desk.get(answer["Location"]).content.decode()
    assert "Monday, Tuesday; Evening" in page
    assert AuditEvent.objects.filter(action="create", patient_id=patient.pk).exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"phone_screen_note": ""}, "phone_screen_note"),
        ({"last_day": "2026-05-01"}, "last_day"),
        ({"weekdays": []}, "weekdays"),
        ({"patient": ""}, "name"),
    ],
)
def test_what_is_missing_is_asked_for(desk, wrong, field):
    given = adding(desk, patient=make.make_patient().pk) | wrong
    answer = desk.post(f"{LIST}add/", given)
    assert field in answer.context["form"].errors
    assert not WaitlistEntry.objects.exists()


def test_nobody_is_added_while_a_safety_alert_keeps_booking_shut(desk):
    patient = make.make_patient()
    make.make_alert(patient=patient)
    answer = desk.post(f"{LIST}add/", adding(desk, patient=patient.pk))
    assert "patient" in answer.context["form"].errors


def test_staff_offer_one_of_the_free_times(desk):
    entry = wait(desk)
    page = press(desk, entry, "offer_time")["Location"]
    assert page == f"{LIST}{entry.pk}/offer/"
    shown = desk.get(page)
    start = next(
        start
        for day in shown.context["week"]
        for start in day.starts
        if start.local == datetime.combine(NINE, time(9), start.local.tzinfo)
    )
    answer = desk.post(page, {"start": start.value})
    assert answer["Location"] == f"{LIST}{entry.pk}/change/"
    offer = entry.offers.get()
    assert (offer.start, offer.made_by, offer.practitioner) == (NINE, desk.user, desk.practitioner)
    assert desk.get(page)["Location"] == f"{LIST}{entry.pk}/change/"


@pytest.mark.parametrize(
    ("email", "says"),
    [("ana@example.org", "The patient is asked."), ("", "Please phone the patient.")],
)
def test_staff_are_told_who_asks_the_patient(desk, email, says):
    entry = wait(desk, patient=make.make_patient(email=email))
    shown = desk.post(f"{LIST}{entry.pk}/offer/", {"start": NINE.isoformat()}, follow=True)
    assert says in shown.text


def test_a_time_that_was_just_taken_is_not_offered(desk):
    entry = wait(desk)
    make.make_appointment(practitioner=desk.practitioner, start=NINE)
    answer = desk.post(f"{LIST}{entry.pk}/offer/", {"start": NINE.isoformat()})
    assert answer.status_code == 409
    assert "just taken" in answer.content.decode()
    too_near = NOW + timedelta(minutes=60)
    answer = desk.post(f"{LIST}{entry.pk}/offer/", {"start": too_near.isoformat()})
    assert "Please phone" in answer.content.decode()
    assert not entry.offers.exists()


def accept_page(entry):
    return f"{LIST}{entry.pk}/accept/"


def test_the_list_says_the_day_until_which_a_time_is_kept_unless_that_is_today(desk, clock):
    entry = wait(desk)
    offer = offered(desk, entry)
    assert "kept until 10:00 AM CDT" in desk.get(LIST).content.decode()
    offer.decline(now=NOW)
    evening, start = NOW + timedelta(hours=12), NOW + timedelta(days=3)
    clock.move_to(evening)
    make.sign_in(desk, desk.user)
    entry.offer(start=start, practitioner=desk.practitioner, location=desk.location, now=evening)
    assert "kept until Tue, Jun 2, 2026, 9:00 AM CDT" in desk.get(LIST).content.decode()


def test_the_desk_takes_an_offered_time_for_a_patient_on_the_phone(desk):
    entry = wait(desk, phone_screen_note="Hung up")
    offer = offered(desk, entry)
    page = desk.get(accept_page(entry))
    assert "Tue, Jun 2, 2026, 9:00 AM CDT" in page.text
    # What was typed when they joined is there to be kept or said anew.
    assert page.context["form"]["phone_screen_note"].value() == "Hung up"
    answer = desk.post(accept_page(entry), {"phone_screen_note": "In a hurry"})
    visit = Appointment.objects.get()
    assert answer["Location"] == f"/admin/booking/appointment/{visit.pk}/change/"
    assert (visit.patient, visit.status, visit.created_by) == (entry.patient, "booked", desk.user)
    assert visit.phone_screen_note == "In a hurry"
    offer.refresh_from_db()
    assert (offer.state, offer.answered_by) == ("accepted", desk.user)
    again = desk.post(accept_page(entry), {"phone_screen_note": "In a hurry"})
    assert again["Location"] == answer["Location"]


def test_an_offered_time_is_not_taken_before_the_questions_are_asked_or_it_is_said_why_not(desk):
    Questionnaire.objects.publish_shipped(now=NOW)
    entry = wait(desk)
    offered(desk, entry)
    asks = press(desk, entry, "accept")["Location"]
    assert asks == f"{LIST}{entry.pk}/questions/"
    shown = desk.get(asks)
    assert "Read each question out" in shown.text
    answer = desk.post(accept_page(entry), {"phone_screen_note": ""})
    assert "Ask the questions, or say why you did not." in answer.text
    assert not Appointment.objects.filter(status="booked").exists()
    danger = {"_asked": shown.context["form"].asked, "safety-nerve": ["saddle-numb"]}
    stopped = desk.post(asks, danger, follow=True)
    assert stopped.context["title"] == "Do not book: emergency"


def test_answers_of_the_last_day_are_evaluated_again_and_go_with_the_visit(desk):
    desk.service.questionnaire = Questionnaire.objects.publish_shipped(now=NOW)
    desk.service.save()
    entry = wait(desk)
    offered(desk, entry)
    response = make.make_response(
        patient=entry.patient,
        questionnaire=desk.service.questionnaire,
        level=Level.ROUTINE,
        safety_answered_at=NOW,
    )
    make.make_alert(patient=entry.patient, level=Level.URGENT)
    asks = press(desk, entry, "accept")["Location"]
    assert desk.get(asks)["Location"] == accept_page(entry)
    page = desk.get(accept_page(entry)).text
    assert 'class="level level-urgent"' in page
    assert "Red-flag questions" not in page
    desk.post(accept_page(entry))
    visit = Appointment.objects.get()
    assert (visit.status, visit.phone_screen_note) == ("booked", "")
    assert visit.intake_response == response


def test_an_offer_that_ran_out_is_not_taken(desk, clock):
    entry = wait(desk)
    offer = offered(desk, entry)
    clock.move_to(offer.answer_by)
    make.sign_in(desk, desk.user)
    answer = desk.post(accept_page(entry), {"phone_screen_note": "In a hurry"}, follow=True)
    assert "No time is kept for this patient" in answer.text
    assert not Appointment.objects.filter(status="booked").exists()


def test_the_desk_lets_an_offered_time_go_for_a_patient_on_the_phone(desk):
    let_go = wait(desk)
    offered(desk, let_go)
    press(desk, let_go, "decline")
    assert let_go.offers.get().state == "declined"
    press(desk, let_go, "decline")
    let_go.refresh_from_db()
    assert let_go.is_waiting


def test_the_desk_does_not_book_past_an_emergency(desk):
    entry = wait(desk)
    offered(desk, entry)
    make.make_alert(patient=entry.patient)
    page = desk.post(accept_page(entry), {"phone_screen_note": "In a hurry"})
    assert page.context["title"] == "Do not book: emergency"
    assert not Appointment.objects.filter(status="booked").exists()


def test_the_desk_puts_somebody_first_back_in_turn_and_off_the_list(desk):
    entry = wait(desk)
    press(desk, entry, "put_first")
    entry.refresh_from_db()
    assert entry.put_first_at == NOW
    press(desk, entry, "clear_put_first")
    offered(desk, entry)
    press(desk, entry, "close")
    entry.refresh_from_db()
    assert (entry.state, entry.closed_by, entry.put_first_at) == ("closed", desk.user, None)
    assert entry.offers.get().state == "withdrawn"
    assert not Appointment.objects.exists()
