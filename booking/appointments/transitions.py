"""Changing a visit's status, and what goes with every change of it: who, when and why, the care
team, and the mails that are owed.
"""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from booking.appointments import mail_schedule, reservation
from booking.appointments.status import (
    CALLED_OFF,
    HOLDS_TIME,
    TRANSITIONS,
    InvalidTransition,
    Status,
    StatusChange,
    TooSoon,
)
from clinic import days
from clinic.models import CareTeamMember, User
from intake.workflow import gate

if TYPE_CHECKING:
    from booking.appointments.models import Appointment


def become(
    visit: "Appointment",
    target: str,
    *,
    now: datetime,
    by: User | None,
    reason: str = "",
    sources: Collection[str] = tuple(TRANSITIONS),
    is_told: bool = True,
    **changes: Any,
) -> None:
    """Change the status, and with it what ``changes`` says.

    Raises InvalidTransition, TooSoon, or SlotTaken where the time has to be taken again.
    """

    def write() -> "Appointment":
        current = type(visit).objects.get(pk=visit.pk)
        if (current.service_id, current.patient_id) == (visit.service_id, visit.patient_id):
            # What the mails are written from has most often just been read.
            current.service, current.patient = visit.service, visit.patient
        was, written = current.status, {"status": target, **changes}
        if was not in sources or target not in TRANSITIONS[was]:
            raise InvalidTransition(was, target)
        if not _may_be(current, target, now=now):
            raise TooSoon
        if target in HOLDS_TIME and not reservation.has_time(current, now=now):
            reservation.take(current, now=now, by=by)
            written |= {"room_id": current.room_id, "equipment_id": current.equipment_id}
        if Status.CANCELLED in (was, target):
            # Calendars go by it, and so do mails: what was planned before is out of date.
            written["sequence"] = current.sequence + 1
        # A hold is moved without a new sequence, and the mails below go by its time and place.
        same = type(visit).objects.filter(
            pk=visit.pk,
            status=was,
            sequence=current.sequence,
            start=current.start,
            practitioner=current.practitioner_id,
        )
        if not same.update(**written):
            # Raises DoesNotExist when it was a hold that has just given way.
            visit.refresh_from_db()
            raise InvalidTransition(visit.status, target)
        for column, value in written.items():
            setattr(current, column, value)
        record(current, was=was, now=now, by=by, reason=reason, is_told=is_told)
        return current

    visit._take_over(reservation.in_turn(write))


def _may_be(visit: "Appointment", target: str, *, now: datetime) -> bool:
    """Can this be known yet? Whoever is early comes on the day; the rest shows once it begins."""
    match target:
        case Status.ARRIVED:
            return days.local_date(now, visit.zone) >= visit.local_start.date()
        case Status.FULFILLED | Status.NOSHOW:
            return now >= visit.start
    return True


def record(
    visit: "Appointment", *, was: str, now: datetime, by: User | None, reason: str, **details: Any
) -> None:
    """Write what goes with every change of a visit, and owe the mails about it.

    ``details`` are further columns of the StatusChange.
    """
    assert visit.patient is not None
    is_told = details.pop("is_told", True)
    if (was, visit.status) == (Status.CANCELLED, Status.BOOKED):
        details["undoes"] = visit.status_changes.last()
    StatusChange.objects.create(
        appointment=visit,
        from_status=was,
        to_status=visit.status,
        at=now,
        by=by,
        reason=reason,
        **details,
    )
    if visit.status in CALLED_OFF:
        end_care(visit, visit.practitioner_id, now=now)
    else:
        CareTeamMember.join(patient=visit.patient, practitioner_id=visit.practitioner_id, now=now)
    match was, visit.status:
        case (("" | Status.PENDING), Status.BOOKED) if visit.series_id:
            mail_schedule.plan_ahead(visit, now)  # the series owes one mail about them all
        case (("" | Status.PENDING), Status.BOOKED):
            mail_schedule.plan_booked(visit, now)
        case _, Status.BOOKED if details.get("undoes") or was == Status.CANCELLED:
            _restored(visit, now=now)
        case Status.BOOKED, Status.BOOKED:
            mail_schedule.plan_moved(visit, now, is_told=is_told)
        case _, Status.CANCELLED:
            mail_schedule.plan_cancelled(visit, now, is_told=is_told)
        case _, Status.FULFILLED:
            mail_schedule.plan_check_ins(visit, now)
        case _, Status.ENTERED_IN_ERROR:
            mail_schedule.call_off(visit, reason="entered-in-error")


def _restored(visit: "Appointment", *, now: datetime) -> None:
    """Owe the mails of a visit that is back; they wait when an emergency was told meanwhile."""
    if alert := gate.emergency_alert(visitor_hash="", patient=visit.patient):
        type(visit).objects.hold_for_safety(alert, now=now)
    mail_schedule.plan_restored(visit, now)


def end_care(visit: "Appointment", practitioner_id: int, *, now: datetime) -> None:
    """End the patient's care by somebody with whom no visit is left, nor ever took place."""
    assert visit.patient is not None
    visits = type(visit).objects.filter(patient=visit.patient, practitioner=practitioner_id)
    if not visits.exclude(status__in=CALLED_OFF).exists():
        CareTeamMember.leave(patient=visit.patient, practitioner_id=practitioner_id, now=now)
