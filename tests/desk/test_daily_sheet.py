"""The daily sheet: who gets it, when by their own clock, and what it leaves out."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from booking.models import Appointment
from clinic.mail import outbox
from clinic.models import Message, Practitioner
from desk import daily_sheet
from desk.tasks import sweep
from tests.factories import (
    NOW,
    make_appointment,
    make_care,
    make_clinician,
    make_location,
    make_patient,
    make_practice,
)

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Sheet = Practitioner.DailySheet


@pytest.fixture(autouse=True)
def _practice(db):
    make_practice()


def make_reader(choice, *, zone="America/Chicago", **fields):
    location = make_location(name="Austin", time_zone=zone)
    user = make_clinician(locations=[location], daily_sheet=choice, **fields)
    user.practitioner.place = location
    return user.practitioner


def make_visit(practitioner, start, **fields):
    patient = fields.pop("patient", None) or make_patient()
    make_care(patient=patient, practitioner=practitioner)
    return make_appointment(
        practitioner=practitioner,
        location=practitioner.place,
        patient=patient,
        start=start,
        **fields,
    )


def due():
    return {message.step: message.due_at for message in Message.objects.all()}


@pytest.mark.parametrize(
    ("choice", "zone", "due_at"),
    [
        # NOW is Monday, 8:00 in Chicago and 18:45 in Kathmandu.
        (Sheet.EVENING, "America/Chicago", datetime(2026, 6, 1, 23, 0, tzinfo=UTC)),
        (Sheet.MORNING, "America/Chicago", datetime(2026, 6, 2, 11, 30, tzinfo=UTC)),
        (Sheet.EVENING, "Asia/Kathmandu", datetime(2026, 6, 2, 12, 15, tzinfo=UTC)),
        (Sheet.MORNING, "Asia/Kathmandu", datetime(2026, 6, 2, 0, 45, tzinfo=UTC)),
    ],
)
def test_the_next_sheet_is_owed_once_by_the_locations_clock(choice, zone, due_at):
    make_reader(choice, zone=zone)
    daily_sheet.plan(NOW)
    daily_sheet.plan(NOW + timedelta(minutes=1))
    assert due() == {choice: due_at}


def test_the_morning_of_a_clock_change_is_still_half_past_six():
    make_reader(Sheet.MORNING, zone="America/Chicago")
    daily_sheet.plan(datetime(2026, 10, 31, 18, 0, tzinfo=UTC))
    assert due() == {Sheet.MORNING: datetime(2026, 11, 1, 12, 30, tzinfo=UTC)}


def test_nobody_gets_one_who_did_not_ask_or_is_gone():
    make_reader(Sheet.NONE)
    make_reader(Sheet.MORNING, is_active=False)
    switched_off = make_reader(Sheet.MORNING)
    switched_off.user.is_active = False
    switched_off.user.save()
    daily_sheet.plan(NOW)
    assert not Message.objects.exists()


def test_a_sheet_holds_times_initials_and_the_state_of_the_form_and_nothing_else():
    reader = make_reader(Sheet.EVENING)
    patient = make_patient(name="Zara Canary", email="zara@example.org", phone="999 888 7777")
    make_visit(reader, NOW + DAY, patient=patient)
    make_visit(reader, NOW + DAY + HOUR, status=Appointment.Status.CANCELLED)
    make_visit(reader, NOW + 3 * HOUR)
    make_visit(reader, NOW + 2 * DAY)
    daily_sheet.plan(NOW)
    outbox.tick(NOW + 10 * HOUR)

    (sent,) = mail.outbox
    assert sent.to == [reader.user.email]
    assert sent.subject == "Your day: Tuesday, June 2"
    assert "8:00 AM – 9:00 AM CDT: ZC · Form: Not started · Austin" in sent.body
    assert "On Tuesday, June 2 you have 1 visit." in sent.body
    assert "http://testserver/clinician/" in sent.body
    for word in ("Zara", "Canary", "zara@", "999", "Service", "Practitioner"):
        assert word not in sent.body


def test_a_day_without_visits_needs_no_mail():
    make_reader(Sheet.MORNING)
    daily_sheet.plan(NOW)
    outbox.tick(NOW + DAY)
    assert mail.outbox == []
    assert Message.objects.get().reason == "no-visits"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"daily_sheet": Sheet.NONE}, "stopped"),
        ({"daily_sheet": Sheet.MORNING}, "stopped"),
        ({"is_active": False}, "deactivated"),
        ({"user": None}, "no-account"),
    ],
)
def test_who_changed_their_mind_or_left_meanwhile_gets_none(changes, reason):
    reader = make_reader(Sheet.EVENING)
    make_visit(reader, NOW + DAY)
    daily_sheet.plan(NOW)
    Practitioner.objects.filter(pk=reader.pk).update(**changes)
    outbox.tick(NOW + 10 * HOUR)
    assert mail.outbox == []
    assert Message.objects.get().reason == reason


def test_a_sheet_that_comes_at_noon_is_not_sent_any_more():
    reader = make_reader(Sheet.MORNING)
    make_visit(reader, NOW + DAY)
    daily_sheet.plan(NOW)
    outbox.tick(NOW + DAY + 4 * HOUR)
    assert mail.outbox == []
    assert Message.objects.get(kind=daily_sheet.DAILY_SHEET).reason == "late"


def test_the_sweep_owes_the_sheets():
    make_reader(Sheet.MORNING)
    sweep()
    sweep()
    assert Message.objects.filter(kind=daily_sheet.DAILY_SHEET).count() == 1
