"""Which mails follow from an appointment, and when each is due.

They are planned in the transaction that changes the appointment. Their text is in
``booking.mails.visit_mails``.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import zip_longest
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Q

from booking.appointments.record import AppointmentRecord
from booking.appointments.status import Status, StatusChange
from clinic.mail import outbox
from clinic.models import Message, Patient
from intake.models import QuestionnaireResponse

CONFIRMATION, INTAKE, REMINDER = "confirmation", "intake", "reminder"
MOVED, CANCELLED = "moved", "cancelled"
RESCREEN, CHECK_IN = "rescreen", "check-in"
ADDRESS_CHECK = "address-check"
SERIES = "series"
WAITLIST_JOINED, WAITLIST_OFFER = "waitlist-joined", "waitlist-offer"
OFFER_LAPSED, WAIT_ENDED = "waitlist-lapsed", "waitlist-ended"
# The mails that tell the patient when to come.
SAY_WHEN = (CONFIRMATION, MOVED)


class Step(NamedTuple):
    """A reminder that is due ``before`` the visit and expires ``until`` before it."""

    name: str
    before: timedelta
    until: timedelta


def steps(offsets: Sequence[int]) -> list[Step]:
    """Return a step for each offset (hours before the visit), the earliest first.

    A step expires at twice the next one's offset, or halfway to the next one if that is earlier.
    The last one expires after three quarters of its time. So 168, 24 and 2 hours end 48 hours,
    4 hours and 30 minutes before the visit.
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
    """Whether the patient has declined this one of the service's reminders."""
    return message.step in {_step_name(timedelta(hours=h)) for h in patient.declined_reminders}


# The quiet hours: no mail is sent unless the visit is near. The wall clock is the patient's if
# known, else the location's.
QUIET_FROM, QUIET_UNTIL = time(21), time(8)
# Reminders this short before a visit are sent whenever they are due.
QUIET_EXEMPT = timedelta(hours=2)


def outside_quiet_hours(
    due_at: datetime, *, expires_at: datetime, zone: ZoneInfo, now: datetime
) -> datetime:
    """Return ``due_at``, or if it is in the quiet hours, a time at their edge.

    That is the morning after, or the evening before if the morning is too late. If neither is
    possible, the mail is sent in the night rather than not at all.
    """
    local = due_at.astimezone(zone)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return due_at
    is_evening = local.time() >= QUIET_FROM
    evening_on = local.date() if is_evening else local.date() - timedelta(days=1)
    # Both edges come from the wall clock, so a clock change in the night causes no error.
    evening = datetime.combine(evening_on, QUIET_FROM, zone).astimezone(UTC)
    morning = datetime.combine(evening_on + timedelta(days=1), QUIET_UNTIL, zone).astimezone(UTC)
    if morning < expires_at:
        return morning
    return evening if evening > now else due_at


# Reasons for which a later change cancels a mail about the earlier state.
REPLACED = ("moved", "cancelled", "undone", "superseded")

# A change can be undone for this long; the mail about it waits.
UNDO_WINDOW = timedelta(minutes=3)

# A mail about a booking or a change is sent within this time or not at all. A weekend on safety
# hold is shorter. A backup that is restored later than this sends no outdated mails.
NEWS_MAX_AGE = timedelta(days=3)

# The form has its own mail a day after booking (the confirmation has asked already), early enough
# to complete the form without haste.
INTAKE_AFTER_BOOKING = timedelta(days=1)
INTAKE_BEFORE_VISIT = timedelta(hours=48)
INTAKE_UNTIL = timedelta(hours=4)


# The safety page is asked again one to two days before a visit (clinical.md §3.1). It has its own
# mail, so that no patient mistakes it for a reminder.
RESCREEN_BEFORE_VISIT = timedelta(hours=36)
RESCREEN_UNTIL = timedelta(hours=2)
# Older answers were given for the time before a move (clinical.md §3.1: 24 to 48 hours before).
RESCREEN_COUNTS_FOR = timedelta(hours=48)

# Weekly check-ins after a visit took place, until the next one does or six weeks are over.
CHECK_IN_EVERY, CHECK_INS = timedelta(weeks=1), 6
CHECK_IN_LASTS = timedelta(days=3)


def plan_change(
    appointment: AppointmentRecord, was: str, *, now: datetime, notify_patient: bool = True
) -> None:
    """Plan what follows from a change of status, or from a move; ``was`` is the status before.

    No mail about a move or cancellation is needed if staff have informed the patient themselves.
    """
    match was, appointment.status:
        case (("" | Status.PENDING), Status.BOOKED) if appointment.series_id:
            plan_ahead(appointment, now)  # one mail of the series covers all its visits
        case (("" | Status.PENDING), Status.BOOKED):
            plan_booked(appointment, now)
        case Status.BOOKED, Status.BOOKED:
            outbox.cancel_planned(appointment, reason="moved")
            due_at = now + UNDO_WINDOW
            moved = _news(appointment, MOVED, due_at=due_at, now=now) if notify_patient else []
            outbox.plan_all([*moved, *_ahead(appointment, now)])
        case _, Status.CANCELLED:
            outbox.cancel_planned(appointment, reason="cancelled")
            # A visit that is over needs no mail about its cancellation.
            if notify_patient and now < appointment.end:
                due_at, last_use = now + UNDO_WINDOW, now + NEWS_MAX_AGE
                mail = _mail(appointment, CANCELLED, due_at=due_at, expires_at=last_use)
                outbox.plan_all([mail])
        case _, Status.FULFILLED:
            _plan_check_ins(appointment, now)
        case _, Status.ENTERED_IN_ERROR:
            outbox.cancel_planned(appointment, reason="entered-in-error")


def plan_booked(appointment: AppointmentRecord, now: datetime) -> None:
    confirmation = _news(appointment, CONFIRMATION, due_at=now, now=now)
    outbox.plan_all([*confirmation, *_ahead(appointment, now)])


def plan_restored(appointment: AppointmentRecord, now: datetime) -> None:
    """Plan the mails of a visit after an undo, or when staff restore it.

    A patient who got no mail about the change gets none about its undo.
    """
    outbox.cancel_planned(appointment, reason="undone")
    if _is_known(appointment):
        plan_ahead(appointment, now)
    else:
        plan_booked(appointment, now)


def _is_known(appointment: AppointmentRecord) -> bool:
    """Whether the last mail sent is correct again, now that a change was undone."""
    mails = Message.objects.about(appointment).filter(kind__in=[*SAY_WHEN, CANCELLED])
    if appointment.series is not None:
        mails |= Message.objects.about(appointment.series).filter(kind=SERIES)
    told = mails.filter(handed_at__isnull=False).order_by("handed_at").last()
    if told is None or told.subject_version == appointment.sequence - 1:
        return False
    since = StatusChange.objects.filter(
        appointment=appointment.pk,
        at__gte=told.handed_at,
        from_status__in=[Status.BOOKED, Status.CANCELLED],
        to_status__in=[Status.BOOKED, Status.CANCELLED],
    )
    untold = Q(undoes=None, undone_by=None) | Q(undoes__at__lt=told.handed_at)
    return not since.filter(untold).exists()


def rescreen_of(appointment: AppointmentRecord) -> QuestionnaireResponse | None:
    """Return the safety check before this visit, unless it was answered for an earlier time."""
    given = appointment.rescreen_response
    is_old = given and given.updated_at < appointment.start - RESCREEN_COUNTS_FOR
    return None if is_old else given


def is_rescreen_open(appointment: AppointmentRecord, now: datetime) -> bool:
    """Whether the safety check before this visit was asked for and is still unanswered."""
    asked_at, response = appointment.start - RESCREEN_BEFORE_VISIT, rescreen_of(appointment)
    return (
        appointment.status == Status.BOOKED
        and asked_at <= now < appointment.start
        # Patients who booked later were screened while booking.
        and appointment.created_at < asked_at
        and (response is None or not response.is_final)
    )


def _plan_check_ins(appointment: AppointmentRecord, now: datetime) -> None:
    """Plan the weekly check-ins after a visit that took place."""
    planned = []
    for week in range(1, CHECK_INS + 1):
        due_at = now + week * CHECK_IN_EVERY
        expires_at = due_at + CHECK_IN_LASTS
        due_at = outside_quiet_hours(due_at, expires_at=expires_at, zone=appointment.zone, now=now)
        planned.append(
            _mail(appointment, CHECK_IN, step=str(week), due_at=due_at, expires_at=expires_at)
        )
    outbox.plan_all(planned)


def plan_ahead(appointment: AppointmentRecord, now: datetime) -> None:
    """Plan the later mails, without one about the booking itself."""
    outbox.plan_all(list(_ahead(appointment, now)))


def retime(appointment: AppointmentRecord, now: datetime) -> None:
    """Bring planned reminders in line with the patient's quiet hours, after a change of zone."""
    planned = {mail.step: mail.due_at for mail in _ahead(appointment, now) if mail.kind == REMINDER}
    waiting = Message.objects.about(appointment).filter(
        kind=REMINDER, state=Message.State.PLANNED, attempts=0, resend=0
    )
    for message in waiting.filter(subject_version=appointment.sequence):
        if due_at := planned.get(message.step):
            # The condition again, because a worker may have claimed the row in between.
            Message.objects.filter(pk=message.pk, state=Message.State.PLANNED, attempts=0).update(
                due_at=due_at, next_attempt_at=due_at
            )


def _ahead(appointment: AppointmentRecord, now: datetime) -> Iterator[Message]:
    """Yield the later mails, without steps whose time has already passed."""
    start = appointment.start
    patient = appointment.patient
    zone = (patient.zone if patient else None) or appointment.zone
    # If quiet hours move two reminders to the same moment, the later one is kept.
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
        expires_at = min(due_at + NEWS_MAX_AGE, start - INTAKE_UNTIL)
        due_at = outside_quiet_hours(due_at, expires_at=expires_at, zone=zone, now=now)
        yield _mail(appointment, INTAKE, due_at=due_at, expires_at=expires_at)


def _news(
    appointment: AppointmentRecord, kind: str, *, due_at: datetime, now: datetime
) -> list[Message]:
    """Return the mail about something that just happened; none when the visit is over."""
    last_use = min(appointment.end, now + NEWS_MAX_AGE)
    return [_mail(appointment, kind, due_at=due_at, expires_at=last_use)] if now < last_use else []


def _mail(
    appointment: AppointmentRecord,
    kind: str,
    *,
    due_at: datetime,
    expires_at: datetime,
    step: str = "",
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
