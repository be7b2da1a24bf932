"""Locking and reserving the time, room and equipment of an appointment.

``reserve`` takes values and a queryset, so it works for any kind of row. ``retry_on_deadlock`` is
the transaction around it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q, QuerySet

from booking.appointments.guards import GUARDS
from booking.appointments.status import SlotTaken, Status
from clinic.models import Practitioner
from intake.rules.levels import Level
from schedule import rules, slots
from schedule.models.catalogue import Equipment, Room, Service
from schedule.rules import Resource
from schedule.search import BUSY_COLUMNS, LIMIT_REACH, MAX_OCCUPIED, Search
from schedule.slots import Busy, VisitLength

# SQLSTATE of a deadlock and of a serialization failure: PostgreSQL ended one transaction so that
# the others can go on.
RETRIED = {"40P01", "40001"}
MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class ReservationRequest:
    """The time an appointment requests. ``room_id`` and ``equipment_id`` are preferences."""

    service: Service
    practitioner_id: int
    location_id: int
    start: datetime
    end: datetime
    busy_until: datetime
    buffer_before: int
    room_id: int | None
    equipment_id: int | None
    may_overlap: bool


class Resources(NamedTuple):
    """What was reserved, and the keys of the expired holds that conflict with it."""

    room_id: int | None
    equipment_id: int | None
    expired: list[Any]


def reserve(
    request: ReservationRequest, occupied: QuerySet[Any], *, now: datetime, as_staff: bool = False
) -> Resources:
    """Lock and check the requested time; choose a room and equipment.

    Call it in the transaction that afterwards writes the row and deletes the expired holds.
    ``occupied`` are the other rows whose status holds time, expired holds included. Locks the
    practitioner, the rooms and the equipment, always in this order. Opening hours are not checked.
    Limits apply to patients only. Raises SlotTaken, unless the request may overlap.
    """
    service = request.service
    _lock(Practitioner.objects.filter(pk=request.practitioner_id))
    rooms = _lock_kind(Room, service.room_kind, request.location_id)
    equipment = _lock_kind(Equipment, service.equipment_kind, request.location_id)
    start = slots.floor_minute(request.start)
    search = Search(
        rules.current(),
        service,
        VisitLength(
            (request.end - request.start) // slots.MINUTE,
            request.buffer_before,
            (request.busy_until - request.end) // slots.MINUTE,
        ),
        since=start,
        until=start + 1,
        now=slots.floor_minute(now),
        level=None if as_staff else Level.ROUTINE,
    )
    limits = search.limits(request.practitioner_id)
    reach = LIMIT_REACH if limits else MAX_OCCUPIED
    place = Q(practitioner=request.practitioner_id)
    if rooms:
        place |= Q(room__in=rooms)
    if equipment:
        place |= Q(equipment__in=equipment)
    near = occupied.filter(
        place, start__gt=request.start - reach, start__lt=request.busy_until + reach
    ).order_by()
    expired, people, used_rooms, used_equipment, counted = [], set(), set(), set(), []
    for (
        pk, status, held_until, service_id, room_id, equipment_id,
        practitioner_id, begin, end, before, free_again,
    ) in near.values_list(
        "pk", "status", "held_until", "service_id", "room_id", "equipment_id", *BUSY_COLUMNS
    ):  # fmt: skip
        is_expired = status == Status.PENDING and held_until <= now
        if practitioner_id == request.practitioner_id and not is_expired:
            counted.append((begin, service_id))
        busy = Busy(begin, end, before, free_again - end)
        if not slots.is_in(start, slots.collisions([busy], search.visit)):
            continue
        if is_expired:
            expired.append(pk)
        else:
            people.add(practitioner_id)
            used_rooms.add(room_id)
            used_equipment.add(equipment_id)

    if any(
        slots.is_in(start, search.full_periods(limit, counted, request.location_id))
        for limit in limits
    ):
        raise SlotTaken

    def choose(
        locked: list[int], used: set[int], resources: list[Resource], preferred: int | None
    ) -> tuple[int | None, bool]:
        """Return a room or piece of equipment, and whether one is needed and none is free."""
        free = [pk for pk in locked if pk not in used]
        closed = {each.pk for each in resources if slots.is_in(start, search.shut(each))}
        # Staff may use a room outside its hours when no other is free.
        usable = [pk for pk in free if pk not in closed] or (free if as_staff else [])
        is_missing = bool(resources) and not usable
        return preferred if preferred in usable else next(iter(usable or locked), None), is_missing

    room_id, no_room = choose(rooms, used_rooms, search.rooms(request.location_id), request.room_id)
    equipment_id, no_equipment = choose(
        equipment, used_equipment, search.equipment(request.location_id), request.equipment_id
    )
    is_taken = request.practitioner_id in people or no_room or no_equipment
    if is_taken and not request.may_overlap:
        raise SlotTaken
    return Resources(room_id, equipment_id, expired)


def retry_on_deadlock[Written](write: Callable[[], Written]) -> Written:
    """Run ``write``, which calls ``reserve``, in a transaction.

    Retries when the database ended it to resolve a deadlock. Raises SlotTaken when that happens
    MAX_ATTEMPTS times, or when one of the guards refuses what is written.
    """
    for _attempt in range(MAX_ATTEMPTS):
        try:
            with transaction.atomic():
                return write()
        except IntegrityError as error:
            if any(guard in str(error) for guard in GUARDS):
                raise SlotTaken from error
            raise
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) not in RETRIED:
                raise
    raise SlotTaken


def _lock(rows: QuerySet[Any]) -> list[int]:
    """Lock the rows in the order of their keys; rows that reference them can still be written."""
    return list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def _lock_kind(model: type[Room] | type[Equipment], kind: str, location_id: int) -> list[int]:
    """Lock the rooms or equipment of a kind at a location; none when no kind is needed."""
    if not kind:
        return []
    return _lock(model._default_manager.filter(kind=kind, location=location_id, is_active=True))
