"""When mails about a visit are owed, and until when they are of use."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from booking.appointments import mail_schedule
from booking.appointments.status import Status
from clinic.mail import outbox
from clinic.models import Message
from schedule.models.catalogue import default_reminder_offsets, validate_reminder_offsets
from tests.factories import (
    NOW,
    make_appointment,
    make_location,
    make_patient,
    make_practice,
    make_questionnaire,
    make_response,
    make_series,
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


def planned(appointment):
    """What is planned about a visit: when it is due and until when it is of use."""
    messages = Message.objects.about(appointment).filter(state=Message.State.PLANNED)
    return {(mail.kind, mail.step): (mail.due_at, mail.expires_at) for mail in messages}


def test_what_comes_before_a_visit_is_due_at_its_distance_to_it():
    start = NOW + 10 * DAY
    service = make_service(reminder_offsets=[24], questionnaire=make_questionnaire())
    visit = make_appointment(start=start, service=service, sequence=4)
    mail_schedule.plan_booked(visit, NOW)
    assert planned(visit) == {
        ("confirmation", ""): (NOW, NOW + 3 * DAY),
        ("reminder", "24h"): (start - DAY, start - 6 * HOUR),
        ("rescreen", ""): (
            mail_schedule.outside_quiet_hours(
                start - 36 * HOUR, expires_at=start - 2 * HOUR, zone=visit.zone, now=NOW
            ),
            start - 2 * HOUR,
        ),
        ("intake", ""): (NOW + DAY, NOW + 4 * DAY),
    }
    for message in Message.objects.about(visit):
        assert message.next_attempt_at == message.due_at
        assert (message.subject_version, message.patient) == (4, visit.patient)


def test_what_is_due_already_is_left_out():
    for hours, kinds in (
        (48, {"confirmation", "reminder", "rescreen"}),
        (36, {"confirmation", "reminder"}),
        (24, {"confirmation"}),
    ):
        service = make_service(reminder_offsets=[24], questionnaire=make_questionnaire())
        visit = make_appointment(start=NOW + hours * HOUR, service=service)
        mail_schedule.plan_booked(visit, NOW)
        assert {kind for kind, _step in planned(visit)} == kinds


def test_a_form_is_asked_for_two_days_before_a_visit_at_the_latest_and_until_four_hours():
    service = make_service(reminder_offsets=[], questionnaire=make_questionnaire())
    visit = make_appointment(start=NOW + 60 * HOUR, service=service)
    mail_schedule.plan_booked(visit, NOW)
    assert planned(visit)["intake", ""][1] == visit.start - 4 * HOUR
    assert planned(visit)["intake", ""][0] <= at("2026-06-02 08:00", "America/Chicago")


@pytest.mark.parametrize(
    ("later", "kinds"),
    [(timedelta(), set()), (-timedelta(minutes=1), {"confirmation"})],
)
def test_a_visit_that_is_over_is_no_news(later, kinds):
    visit = make_appointment(start=NOW - HOUR, end=NOW)
    mail_schedule.plan_booked(visit, NOW + later)
    assert {kind for kind, _step in planned(visit)} == kinds


@pytest.mark.parametrize(("minutes_left", "is_told"), [(0, False), (1, True), (90, True)])
def test_a_patient_is_told_of_a_cancellation_until_the_visit_is_over(minutes_left, is_told):
    """Also while it should be running: the patient may be on the way."""
    end = NOW + timedelta(minutes=minutes_left)
    visit = make_appointment(start=end - HOUR, end=end)
    mail_schedule.plan_booked(visit, NOW - DAY)
    visit.status = Status.CANCELLED
    mail_schedule.plan_change(visit, Status.BOOKED, now=NOW)
    due = {("cancelled", ""): (NOW + timedelta(minutes=3), NOW + 3 * DAY)}
    assert planned(visit) == (due if is_told else {})
    cancelled = Message.objects.about(visit).exclude(kind="cancelled")
    assert set(cancelled.values_list("state", "reason")) == {(SKIPPED, "cancelled")}


def test_a_moved_visit_has_its_former_mails_called_off_and_news_unless_staff_told_it():
    for notify, kinds in ((True, {"moved", "reminder"}), (False, {"reminder"})):
        service = make_service(reminder_offsets=[24])
        visit = make_appointment(start=NOW + 30 * HOUR, service=service)
        mail_schedule.plan_booked(visit, NOW)
        visit.sequence += 1
        mail_schedule.plan_change(visit, Status.BOOKED, now=NOW, notify_patient=notify)
        assert {kind for kind, _step in planned(visit)} == kinds
        assert "moved" in set(Message.objects.about(visit).values_list("reason", flat=True))
    quiet = make_appointment(start=NOW + 30 * HOUR)
    quiet.status = Status.CANCELLED
    mail_schedule.plan_change(quiet, Status.BOOKED, now=NOW, notify_patient=False)
    assert planned(quiet) == {}


def test_a_visit_entered_in_error_has_no_mails_left():
    visit = make_appointment(start=NOW + 30 * HOUR)
    mail_schedule.plan_booked(visit, NOW)
    visit.status = Status.ENTERED_IN_ERROR
    mail_schedule.plan_change(visit, Status.BOOKED, now=NOW)
    assert planned(visit) == {}


def test_after_a_visit_six_weekly_check_ins_of_three_days_each():
    visit = make_appointment(start=NOW - HOUR, end=NOW, status=Status.FULFILLED)
    mail_schedule.plan_change(visit, Status.ARRIVED, now=NOW)
    assert planned(visit) == {
        ("check-in", str(week)): (NOW + week * 7 * DAY, NOW + (week * 7 + 3) * DAY)
        for week in range(1, 7)
    }


def test_the_visits_of_a_series_have_no_confirmation_of_their_own():
    visit = make_appointment(start=NOW + 10 * DAY, series=make_series())
    mail_schedule.plan_change(visit, Status.PENDING, now=NOW)
    assert "confirmation" not in {kind for kind, _step in planned(visit)}
    assert planned(visit)


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("before_start", "is_open"),
    [(36 * HOUR + SECOND, False), (36 * HOUR, True), (SECOND, True), (timedelta(), False)],
)
def test_a_safety_check_is_open_from_36_hours_before_a_visit_until_it_begins(before_start, is_open):
    visit = make_appointment(start=NOW + 10 * DAY)
    visit.created_at = NOW
    assert mail_schedule.is_rescreen_open(visit, visit.start - before_start) == is_open
    visit.status = Status.CANCELLED
    assert not mail_schedule.is_rescreen_open(visit, visit.start - before_start)


def test_a_patient_who_books_when_the_check_is_due_was_screened_while_booking():
    visit = make_appointment(start=NOW + 2 * DAY)
    asked_at = visit.start - 36 * HOUR
    for created_at, is_open in ((asked_at - SECOND, True), (asked_at, False)):
        visit.created_at = created_at
        assert mail_schedule.is_rescreen_open(visit, asked_at) == is_open


def test_a_safety_check_counts_when_it_was_answered_within_48_hours_of_the_visit():
    visit = make_appointment(start=NOW + 2 * DAY)
    visit.created_at = NOW - DAY
    assert mail_schedule.rescreen_of(visit) is None
    answers = make_response(patient=visit.patient, status="completed", submitted_at=NOW)
    visit.rescreen_response = answers
    for early, counts in ((timedelta(), True), (SECOND, False)):
        answers.updated_at = visit.start - 48 * HOUR - early
        assert mail_schedule.rescreen_of(visit) == (answers if counts else None)
        assert mail_schedule.is_rescreen_open(visit, visit.start - HOUR) != counts
    answers.updated_at, answers.status = NOW, "in-progress"
    assert mail_schedule.is_rescreen_open(visit, visit.start - HOUR)


def test_a_declined_reminder_is_one_of_the_patients_own_choice():
    patient = make_patient(declined_reminders=[24, 72, 36])
    for step, is_declined in (("24h", True), ("3d", True), ("36h", True), ("7d", False)):
        assert mail_schedule.is_declined(Message(step=step), patient) == is_declined
