"""When mails about a visit are owed, and until when they are of use."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from booking.appointments import mail_schedule
from clinic.mail import outbox
from clinic.models import Message
from schedule.models.catalogue import default_reminder_offsets, validate_reminder_offsets
from tests.factories import (
    NOW,
    make_appointment,
    make_location,
    make_practice,
    make_questionnaire,
    make_service,
)

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SKIPPED, SENT = Message.State.SKIPPED, Message.State.SENT


def outcome(appointment):
    messages = Message.objects.about(appointment).exclude(kind=outbox.LATE_NOTE)
    return {(message.kind, message.step): message.state for message in messages}


def test_a_backup_from_a_week_ago_sends_nothing_that_was_news_then_and_tells_staff_once():
    make_practice(alert_email="alerts@clinic.example")
    location, service = make_location(), make_service(questionnaire=make_questionnaire())
    week_ago = NOW - 7 * DAY
    today, soon, later = (
        make_appointment(location=location, service=service, start=NOW + ahead)
        for ahead in (3 * HOUR, 20 * HOUR, 4 * DAY)
    )
    cancelled = make_appointment(location=location, service=service, start=NOW + 5 * DAY)
    for visit in (today, soon, later):
        mail_schedule.plan_booked(visit, week_ago)
    cancelled.cancel(now=week_ago)
    outbox.tick(NOW)
    outbox.tick(NOW + timedelta(minutes=1))

    for visit in (today, soon, later):
        assert outcome(visit)["confirmation", ""] == SKIPPED
        assert outcome(visit)["intake", ""] == SKIPPED
    assert outcome(cancelled)["cancelled", ""] == SKIPPED
    assert outcome(today)["reminder", "24h"] == SKIPPED
    assert outcome(soon)["reminder", "24h"] == SENT
    assert outcome(later)["reminder", "7d"] == SENT
    (note,) = [sent for sent in mail.outbox if sent.to == ["alerts@clinic.example"]]
    assert len(mail.outbox) == 5  # two reminders, two safety checks and the note
    late = Message.objects.filter(state=SKIPPED, reason=Message.LATE)
    assert f"{late.count()} mails of the last day" in note.body


@pytest.mark.parametrize(
    ("delay", "state"), [(mail_schedule.NEWS_MAX_AGE - HOUR, SENT), (4 * DAY, SKIPPED)]
)
def test_a_confirmation_waits_out_a_weekend_on_hold_and_not_a_week(delay, state):
    make_practice()
    visit = make_appointment(start=NOW + 10 * DAY)
    mail_schedule.plan_booked(visit, NOW)
    outbox.tick(NOW + delay)

    assert outcome(visit)["confirmation", ""] == state


def hours(span):
    return span / HOUR


@pytest.mark.parametrize(
    ("offsets", "windows"),
    [
        (default_reminder_offsets(), {"7d": (168, 48), "24h": (24, 4), "2h": (2, 0.5)}),
        ([2, 24, 168], {"7d": (168, 48), "24h": (24, 4), "2h": (2, 0.5)}),
        ([72, 36], {"3d": (72, 54), "36h": (36, 9)}),
        ([24, 20], {"24h": (24, 22), "20h": (20, 5)}),
        ([48], {"2d": (48, 12)}),
        ([], {}),
    ],
)
def test_a_reminder_is_of_use_until_the_next_one_takes_over(offsets, windows):
    found = {
        step.name: (hours(step.before), hours(step.until)) for step in mail_schedule.steps(offsets)
    }
    assert found == windows


@pytest.mark.parametrize(
    "offsets", [None, "24", 24, [0], [721], [24, 24], [True], ["24"], [1.5], [1, 2, 3, 4, 5, 6]]
)
def test_offsets_that_make_no_sense_are_refused(offsets):
    with pytest.raises(ValidationError):
        validate_reminder_offsets(offsets)


@pytest.mark.parametrize("offsets", [[], [1], [720, 168, 48, 24, 2]])
def test_offsets_of_every_length_up_to_five_are_taken(offsets):
    validate_reminder_offsets(offsets)


def reminders(appointment):
    messages = Message.objects.about(appointment).filter(kind=mail_schedule.REMINDER)
    return {message.step: (message.due_at, message.expires_at) for message in messages}


def test_each_service_has_reminders_of_its_own():
    visit = make_appointment(start=NOW + 10 * DAY, service=make_service(reminder_offsets=[72]))
    mail_schedule.plan_booked(visit, NOW)
    assert reminders(visit) == {"3d": (visit.start - 3 * DAY, visit.start - 18 * HOUR)}

    without = make_appointment(start=NOW + 10 * DAY, service=make_service(reminder_offsets=[]))
    mail_schedule.plan_booked(without, NOW)
    assert reminders(without) == {}


def at(text, zone="America/New_York"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("due", "expires", "moved_to"),
    [
        ("2026-06-10 07:59", "2026-06-11 03:00", "2026-06-10 08:00"),
        ("2026-06-10 08:00", "2026-06-11 03:00", "2026-06-10 08:00"),
        ("2026-06-10 20:59", "2026-06-11 03:00", "2026-06-10 20:59"),
        ("2026-06-10 21:00", "2026-06-11 09:00", "2026-06-11 08:00"),
        ("2026-06-10 21:00", "2026-06-11 08:00", "2026-06-10 21:00"),
        ("2026-06-10 23:00", "2026-06-11 03:00", "2026-06-10 21:00"),
        ("2026-06-11 00:30", "2026-06-11 03:00", "2026-06-10 21:00"),
        # The nights of both clock changes: the wall clock says eight, however long it was.
        ("2026-11-01 01:30", "2026-11-01 20:00", "2026-11-01 08:00"),
        ("2026-11-01 05:00", "2026-11-01 07:30", "2026-10-31 21:00"),
        ("2027-03-13 22:00", "2027-03-14 20:00", "2027-03-14 08:00"),
        ("2027-03-14 03:30", "2027-03-14 07:30", "2027-03-13 21:00"),
    ],
)
def test_a_mail_that_falls_in_the_night_moves_to_its_edge(due, expires, moved_to):
    found = mail_schedule.outside_quiet_hours(
        at(due), expires_at=at(expires), zone=ZoneInfo("America/New_York"), now=NOW
    )
    assert found == at(moved_to)


def test_a_mail_that_no_edge_can_hold_comes_in_the_night():
    due = at("2026-06-10 23:00")
    found = mail_schedule.outside_quiet_hours(
        due, expires_at=due + HOUR, zone=ZoneInfo("America/New_York"), now=due - HOUR
    )
    assert found == due


def test_the_night_is_the_locations_and_the_last_reminder_comes_in_it():
    """Half past six in the morning at Lord Howe, where clocks change by half an hour."""
    zone = "Australia/Lord_Howe"
    visit = make_appointment(
        start=at("2026-10-05 06:30", zone), location=make_location(time_zone=zone)
    )
    mail_schedule.plan_booked(visit, NOW)

    due = {step: due_at for step, (due_at, _) in reminders(visit).items()}
    assert due == {
        "7d": at("2026-09-28 08:00", zone),
        "24h": at("2026-10-04 08:00", zone),
        "2h": at("2026-10-05 04:30", zone),
    }


def test_two_reminders_that_the_night_brings_together_are_one():
    visit = make_appointment(
        start=at("2026-06-20 08:00", "America/Chicago"),
        service=make_service(reminder_offsets=[8, 5]),
    )
    mail_schedule.plan_booked(visit, NOW)

    assert {step: due for step, (due, _) in reminders(visit).items()} == {
        "5h": at("2026-06-19 21:00", "America/Chicago")
    }
