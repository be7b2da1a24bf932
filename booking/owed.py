"""Which mails a visit owes, and when.

The verbs of ``booking.models`` plan them in the transaction that changes the visit; what they say
is in ``booking.emails``.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from clinic import outbox
from clinic.models import Message

if TYPE_CHECKING:
    from booking.models import Appointment

CONFIRMATION, INTAKE, REMINDER = "confirmation", "intake", "reminder"
MOVED, CANCELLED = "moved", "cancelled"
# Those that tell the patient when to come.
SAY_WHEN = (CONFIRMATION, MOVED)


class Step(NamedTuple):
    """A reminder is due ``before`` the visit and of no use any more ``until`` before it."""

    name: str
    before: timedelta
    until: timedelta


STEPS = (
    Step("7d", timedelta(days=7), timedelta(hours=48)),
    Step("24h", timedelta(hours=24), timedelta(hours=4)),
    Step("2h", timedelta(hours=2), timedelta(minutes=30)),
)

# A change can be undone for this long; the mail about it waits.
UNDO_WINDOW = timedelta(minutes=3)

# News of a booking or a change is mailed within this time or not at all. A weekend on safety hold
# is shorter; a backup that is restored later than this sends no old news.
NEWS_LASTS = timedelta(days=3)

# The form is asked for on its own a day after booking (the confirmation asked already), and
# early enough to be filled in without haste.
INTAKE_AFTER_BOOKING = timedelta(days=1)
INTAKE_BEFORE_VISIT = timedelta(hours=48)
INTAKE_UNTIL = timedelta(hours=4)


def plan_booked(appointment: "Appointment", now: datetime) -> None:
    _plan(appointment, CONFIRMATION, due_at=now, expires_at=_no_news_after(appointment, now))
    plan_ahead(appointment, now)


def plan_moved(appointment: "Appointment", now: datetime) -> None:
    """Replace what was owed for the former time. The row holds the new time and sequence."""
    outbox.cancel_planned(appointment, reason="moved")
    _plan(
        appointment,
        MOVED,
        due_at=now + UNDO_WINDOW,
        expires_at=_no_news_after(appointment, now),
    )
    plan_ahead(appointment, now)


def plan_cancelled(appointment: "Appointment", now: datetime) -> None:
    outbox.cancel_planned(appointment, reason="cancelled")
    _plan(appointment, CANCELLED, due_at=now + UNDO_WINDOW, expires_at=now + NEWS_LASTS)


def plan_restored(appointment: "Appointment", now: datetime) -> None:
    """After an undo, or when staff bring a visit back; its sequence was raised once for that.

    A patient who was not told of the change is not told of its undoing either.
    """
    outbox.cancel_planned(appointment, reason="undone")
    was_told = (
        Message.objects.about(appointment)
        .filter(
            kind__in=[MOVED, CANCELLED],
            subject_version=appointment.sequence - 1,
            handed_at__isnull=False,
        )
        .exists()
    )
    if was_told:
        _plan(appointment, CONFIRMATION, due_at=now, expires_at=_no_news_after(appointment, now))
    plan_ahead(appointment, now)


def call_off(appointment: "Appointment", *, reason: str) -> None:
    """Owe nothing more about a visit that should not have been there."""
    outbox.cancel_planned(appointment, reason=reason)


def plan_ahead(appointment: "Appointment", now: datetime) -> None:
    """Owe what comes later. A step whose time has passed already is not owed at all."""
    start = appointment.start
    for step in STEPS:
        if start - step.before > now:
            _plan(
                appointment,
                REMINDER,
                step=step.name,
                due_at=start - step.before,
                expires_at=start - step.until,
            )
    due_at = min(now + INTAKE_AFTER_BOOKING, start - INTAKE_BEFORE_VISIT)
    if appointment.service.questionnaire_id and due_at > now:
        expires_at = min(due_at + NEWS_LASTS, start - INTAKE_UNTIL)
        _plan(appointment, INTAKE, due_at=due_at, expires_at=expires_at)


def _no_news_after(appointment: "Appointment", now: datetime) -> datetime:
    return min(appointment.end, now + NEWS_LASTS)


def _plan(
    appointment: "Appointment", kind: str, *, due_at: datetime, expires_at: datetime, step: str = ""
) -> None:
    outbox.plan(
        kind=kind,
        step=step,
        subject=appointment,
        version=appointment.sequence,
        patient=appointment.patient,
        due_at=due_at,
        expires_at=expires_at,
    )
