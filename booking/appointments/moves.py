"""What a move writes, and taking back a move or a cancellation that was just made.

The guard runs again: the former time may have gone to somebody else meanwhile. The mail about the
change waits as long as it can be taken back (``booking.appointments.mail_schedule``).
"""

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from booking.appointments import mail_schedule, transitions
from booking.appointments.status import InvalidTransition, Status, StatusChange
from clinic.models import User

if TYPE_CHECKING:
    from booking.appointments.models import Appointment

PLACE_COLUMNS = (
    "service_id",
    "practitioner_id",
    "location_id",
    "room_id",
    "equipment_id",
    "start",
    "end",
    "busy_until",
    "buffer_before",
    "time_zone",
    "overlap_reason",
)


def former_columns(visit: "Appointment") -> dict[str, Any]:
    """Where the visit is before a move, as the move's StatusChange keeps it."""
    return {
        "from_start": visit.start,
        "from_end": visit.end,
        "from_practitioner_id": visit.practitioner_id,
        "from_location_id": visit.location_id,
        "from_room_id": visit.room_id,
        "from_equipment_id": visit.equipment_id,
    }


def write(
    moved: "Appointment",
    count: int,
    *,
    now: datetime,
    by: User | None,
    reason: str = "",
    **details: Any,
) -> None:
    """Write the place of ``moved``, and what goes with it; ``count`` are the patient's moves now.

    A patient who said they would come said it of the former time.
    """
    visits = type(moved).objects
    (former_id,) = visits.values_list("practitioner_id").get(pk=moved.pk)
    moved._rewrite(sequence=moved.sequence + 1, moves=count, confirmed_at=None)
    current = visits.select_related("patient", "service").get(pk=moved.pk)
    transitions.record(current, was=Status.BOOKED, now=now, by=by, reason=reason, **details)
    if current.practitioner_id != former_id:
        transitions.end_care(current, former_id, now=now)


def undoable(visit: "Appointment", *, now: datetime) -> StatusChange | None:
    last = visit.status_changes.last()
    if last is None or last.undoes_id or last.to_status != visit.status:
        return None
    former_start = visit.start if last.to_status == Status.CANCELLED else last.from_start
    if former_start is None or former_start <= now or now >= last.at + mail_schedule.UNDO_WINDOW:
        return None
    return last


def take_back(visit: "Appointment", *, now: datetime, by: User | None) -> None:
    moved = type(visit).objects.select_related("service").get(pk=visit.pk)
    # Read after the row: when somebody changes the visit in between, its sequence tells.
    change = undoable(moved, now=now)
    if change is None:
        raise InvalidTransition(moved.status)
    if change.to_status == Status.CANCELLED:
        visit.restore(now=now, by=by)
        return
    assert change.from_start is not None
    assert change.from_end is not None
    assert change.from_location is not None
    assert change.from_practitioner is not None
    moved.practitioner = change.from_practitioner
    moved.room, moved.equipment = change.from_room, change.from_equipment
    moved.overlap_reason = ""
    minutes = (change.from_end - change.from_start) // timedelta(minutes=1)
    moved._place(moved.service, change.from_location, start=change.from_start, minutes=minutes)

    # A move that was taken back is none of those a patient has.
    count = max(0, moved.moves - (change.by_id is None))
    moved._settle(
        [moved.practitioner_id],
        write=partial(write, moved, count, now=now, by=by, undoes=change),
        now=now,
        by=by,
    )
    visit.refresh_from_db()
