"""Which mails a visit owes, and when.

The verbs of ``booking.models`` plan them in the transaction that changes the visit; what they say
is in ``booking.mails.visit_mails``.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Q

from clinic.mail import outbox
from clinic.models import Message, Patient, Practice

if TYPE_CHECKING:
    from booking.appointments.models import Appointment
    from booking.appointments.unconfirmed import UnconfirmedBooking
    from booking.series.models import Series
    from booking.waitlist.models import WaitlistEntry
    from booking.waitlist.offers import WaitlistOffer
    from intake.models import QuestionnaireResponse

CONFIRMATION, INTAKE, REMINDER = "confirmation", "intake", "reminder"
MOVED, CANCELLED = "moved", "cancelled"
RESCREEN, CHECK_IN = "rescreen", "check-in"
ADDRESS_CHECK = "address-check"
SERIES = "series"
WAITLIST_JOINED, WAITLIST_OFFER = "waitlist-joined", "waitlist-offer"
OFFER_LAPSED, WAIT_ENDED = "waitlist-lapsed", "waitlist-ended"
# Those that tell the patient when to come.
SAY_WHEN = (CONFIRMATION, MOVED)


class Step(NamedTuple):
    """A reminder is due ``before`` the visit and of no use any more ``until`` before it."""

    name: str
    before: timedelta
    until: timedelta


def steps(offsets: Sequence[int]) -> list[Step]:
    """Return a step for each offset (hours before the visit), the earliest first.

    A step is of use until twice the next one's offset, but gives way to the next one halfway at
    the latest; the last is of use for three quarters of its time. So 168, 24 and 2 hours end 48
    hours, 4 hours and 30 minutes before the visit.
    """
    ordered = sorted((timedelta(hours=hours) for hours in offsets), reverse=True)
    return [
        Step(
            _step_name(before),
            before,
            before / 4 if after is None else min(2 * after, (before + after) / 2),
        )
        for before, after in zip_longest(ordered, ordered[1:])
    ]


def _step_name(before: timedelta) -> str:
    """Return "24h", or "7d" for whole days beyond the first."""
    hours = before // timedelta(hours=1)
    return f"{hours // 24}d" if hours > 24 and hours % 24 == 0 else f"{hours}h"


def is_declined(message: Message, patient: Patient) -> bool:
    """Did the patient choose not to have this one of the service's reminders?"""
    return message.step in {_step_name(timedelta(hours=h)) for h in patient.declined_reminders}


# On the patient's wall clock when it is known, else on the location's, nobody is written to in
# between unless the visit is near.
QUIET_FROM, QUIET_UNTIL = time(21), time(8)
# Reminders this short before a visit come whenever they are due.
QUIET_EXEMPT = timedelta(hours=2)


def outside_quiet_hours(
    due_at: datetime, *, expires_at: datetime, zone: ZoneInfo, now: datetime
) -> datetime:
    """Return ``due_at``, or the edge of the quiet hours around it at which the mail is of use.

    That is the morning after, or the evening before when the morning is too late. When both are
    out of reach the mail comes in the night rather than not at all.
    """
    local = due_at.astimezone(zone)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return due_at
    is_evening = local.time() >= QUIET_FROM
    evening_on = local.date() if is_evening else local.date() - timedelta(days=1)
    # Edges are put together from wall clocks, so a night of a clock change is as long as it is.
    evening = datetime.combine(evening_on, QUIET_FROM, zone).astimezone(UTC)
    morning = datetime.combine(evening_on + timedelta(days=1), QUIET_UNTIL, zone).astimezone(UTC)
    if morning < expires_at:
        return morning
    return evening if evening > now else due_at


# Why a mail about a visit was called off: a later change took its place.
CALLED_OFF = ("moved", "cancelled", "undone", "superseded")

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


# The safety page is asked again one to two days before a visit (clinical.md §3.1). On its own, so
# that nobody takes it for one more reminder.
RESCREEN_BEFORE_VISIT = timedelta(hours=36)
RESCREEN_UNTIL = timedelta(hours=2)
# Older answers were given for the time before a move (clinical.md §3.1: 24 to 48 hours before).
RESCREEN_COUNTS_FOR = timedelta(hours=48)

# A check-in a week after a visit took place, until the next one does or six weeks are over.
CHECK_IN_EVERY, CHECK_INS = timedelta(weeks=1), 6
CHECK_IN_LASTS = timedelta(days=3)


def plan_booked(appointment: "Appointment", now: datetime) -> None:
    confirmation = _news(appointment, CONFIRMATION, due_at=now, now=now)
    outbox.plan_all([*confirmation, *_ahead(appointment, now)])


def plan_series(series: "Series", visits: "Sequence[Appointment]", now: datetime) -> None:
    """Owe one mail about all the visits instead of a confirmation of each.

    What each visit owes ahead was planned when it was booked.
    """
    outbox.plan(
        kind=SERIES,
        subject=series,
        patient=series.patient,
        due_at=now,
        expires_at=min(now + NEWS_LASTS, max(visit.end for visit in visits)),
    )


def plan_joined(entry: "WaitlistEntry", now: datetime) -> None:
    outbox.plan(
        kind=WAITLIST_JOINED,
        subject=entry,
        patient=entry.patient,
        due_at=now,
        expires_at=now + NEWS_LASTS,
    )


def plan_offer(offer: "WaitlistOffer", now: datetime) -> None:
    """Owe the question. It is asked by day (``waiting.answer_by``), and of no use afterwards."""
    outbox.plan(
        kind=WAITLIST_OFFER,
        subject=offer,
        patient=offer.entry.patient,
        due_at=now,
        expires_at=offer.answer_by,
    )


def plan_lapsed(offer: "WaitlistOffer", now: datetime) -> None:
    last_use, zone = now + NEWS_LASTS, offer.entry.patient.zone or offer.zone
    outbox.plan(
        kind=OFFER_LAPSED,
        subject=offer,
        patient=offer.entry.patient,
        due_at=outside_quiet_hours(now, expires_at=last_use, zone=zone, now=now),
        expires_at=last_use,
    )


def plan_wait_ended(entry: "WaitlistEntry", now: datetime) -> None:
    last_use = now + NEWS_LASTS
    zone = entry.patient.zone or (entry.location or Practice.current()).zone
    outbox.plan(
        kind=WAIT_ENDED,
        subject=entry,
        patient=entry.patient,
        due_at=outside_quiet_hours(now, expires_at=last_use, zone=zone, now=now),
        expires_at=last_use,
    )


def plan_address_check(asked: "UnconfirmedBooking", *, until: datetime, now: datetime) -> None:
    """Owe the link with which somebody shows that the address they gave is theirs."""
    outbox.plan(kind=ADDRESS_CHECK, subject=asked, due_at=now, expires_at=until)


def plan_moved(appointment: "Appointment", now: datetime, *, is_told: bool = True) -> None:
    """Replace what was owed for the former time. The row holds the new time and sequence.

    Staff who have told the patient themselves owe no mail about the change.
    """
    outbox.cancel_planned(appointment, reason="moved")
    moved = _news(appointment, MOVED, due_at=now + UNDO_WINDOW, now=now) if is_told else []
    outbox.plan_all([*moved, *_ahead(appointment, now)])


def plan_cancelled(appointment: "Appointment", now: datetime, *, is_told: bool = True) -> None:
    outbox.cancel_planned(appointment, reason="cancelled")
    due_at, last_use = now + UNDO_WINDOW, now + NEWS_LASTS
    # That a visit which is over never was is no news.
    if is_told and now < appointment.end:
        outbox.plan_all([_mail(appointment, CANCELLED, due_at=due_at, expires_at=last_use)])


def plan_restored(appointment: "Appointment", now: datetime) -> None:
    """After an undo, or when staff bring a visit back; its sequence was raised once for that.

    A patient who was not told of the change is not told of its undoing either.
    """
    outbox.cancel_planned(appointment, reason="undone")
    if _is_known(appointment):
        plan_ahead(appointment, now)
    else:
        plan_booked(appointment, now)


def _is_known(appointment: "Appointment") -> bool:
    """Does the last mail that left say what is true again, now that a change was taken back?"""
    mails = Message.objects.about(appointment).filter(kind__in=[*SAY_WHEN, CANCELLED])
    if appointment.series is not None:
        mails |= Message.objects.about(appointment.series).filter(kind=SERIES)
    told = mails.filter(handed_at__isnull=False).order_by("handed_at").last()
    if told is None or told.subject_version == appointment.sequence - 1:
        return False
    since = appointment.status_changes.filter(
        at__gte=told.handed_at,
        from_status__in=["booked", "cancelled"],
        to_status__in=["booked", "cancelled"],
    )
    untold = Q(undoes=None, undone_by=None) | Q(undoes__at__lt=told.handed_at)
    return not since.filter(untold).exists()


def rescreen_of(appointment: "Appointment") -> "QuestionnaireResponse | None":
    """Return the safety check before this visit, unless it was answered for an earlier time."""
    given = appointment.rescreen_response
    is_old = given and given.updated_at < appointment.start - RESCREEN_COUNTS_FOR
    return None if is_old else given


def is_rescreen_open(appointment: "Appointment", now: datetime) -> bool:
    """Was the safety check before this visit asked for, and is it still unanswered?"""
    asked_at, response = appointment.start - RESCREEN_BEFORE_VISIT, rescreen_of(appointment)
    return (
        appointment.status == "booked"
        and asked_at <= now < appointment.start
        # Who booked later than that had just been asked.
        and appointment.created_at < asked_at
        and (response is None or not response.is_final)
    )


def plan_check_ins(appointment: "Appointment", now: datetime) -> None:
    """Owe the weekly questions about how it goes after a visit that took place."""
    planned = []
    for week in range(1, CHECK_INS + 1):
        due_at = now + week * CHECK_IN_EVERY
        expires_at = due_at + CHECK_IN_LASTS
        due_at = outside_quiet_hours(due_at, expires_at=expires_at, zone=appointment.zone, now=now)
        planned.append(
            _mail(appointment, CHECK_IN, step=str(week), due_at=due_at, expires_at=expires_at)
        )
    outbox.plan_all(planned)


def call_off(appointment: "Appointment", *, reason: str) -> None:
    """Owe nothing more about a visit that should not have been there."""
    outbox.cancel_planned(appointment, reason=reason)


def plan_ahead(appointment: "Appointment", now: datetime) -> None:
    """Owe what comes later, without a mail about the booking itself."""
    outbox.plan_all(list(_ahead(appointment, now)))


def retime(appointment: "Appointment", now: datetime) -> None:
    """Bring planned reminders in line with the patient's quiet hours, after a change of zone."""
    planned = {mail.step: mail.due_at for mail in _ahead(appointment, now) if mail.kind == REMINDER}
    waiting = Message.objects.about(appointment).filter(
        kind=REMINDER, state=Message.State.PLANNED, attempts=0, resend=0
    )
    for message in waiting.filter(subject_version=appointment.sequence):
        if due_at := planned.get(message.step):
            # Said again: a worker may have taken the row meanwhile.
            Message.objects.filter(pk=message.pk, state=Message.State.PLANNED, attempts=0).update(
                due_at=due_at, next_attempt_at=due_at
            )


def _ahead(appointment: "Appointment", now: datetime) -> Iterator[Message]:
    """Yield what comes later. A step whose time has passed already is not owed at all."""
    start = appointment.start
    patient = appointment.patient
    zone = (patient.zone if patient else None) or appointment.zone
    # Two that the quiet hours bring to one moment are one: the later, which is of use for longer.
    reminders: dict[datetime, Step] = {}
    for step in steps(appointment.service.reminder_offsets):
        due_at, expires_at = start - step.before, start - step.until
        if due_at <= now:
            continue
        if step.before > QUIET_EXEMPT:
            due_at = outside_quiet_hours(due_at, expires_at=expires_at, zone=zone, now=now)
        reminders[due_at] = step
    for due_at, step in reminders.items():
        expires_at = start - step.until
        yield _mail(appointment, REMINDER, step=step.name, due_at=due_at, expires_at=expires_at)
    due_at, expires_at = start - RESCREEN_BEFORE_VISIT, start - RESCREEN_UNTIL
    if due_at > now:
        due_at = outside_quiet_hours(due_at, expires_at=expires_at, zone=appointment.zone, now=now)
        yield _mail(appointment, RESCREEN, due_at=due_at, expires_at=expires_at)
    due_at = min(now + INTAKE_AFTER_BOOKING, start - INTAKE_BEFORE_VISIT)
    if appointment.service.questionnaire_id and due_at > now:
        expires_at = min(due_at + NEWS_LASTS, start - INTAKE_UNTIL)
        due_at = outside_quiet_hours(due_at, expires_at=expires_at, zone=zone, now=now)
        yield _mail(appointment, INTAKE, due_at=due_at, expires_at=expires_at)


def _news(
    appointment: "Appointment", kind: str, *, due_at: datetime, now: datetime
) -> list[Message]:
    """The mail about something that just happened; none when the visit is over."""
    last_use = min(appointment.end, now + NEWS_LASTS)
    return [_mail(appointment, kind, due_at=due_at, expires_at=last_use)] if now < last_use else []


def _mail(
    appointment: "Appointment", kind: str, *, due_at: datetime, expires_at: datetime, step: str = ""
) -> Message:
    return Message(
        kind=kind,
        step=step,
        subject_type=appointment._meta.label_lower,
        subject_id=appointment.pk,
        subject_version=appointment.sequence,
        patient=appointment.patient,
        due_at=due_at,
        next_attempt_at=due_at,
        expires_at=expires_at,
    )
