"""What is free, why the rest is not, and the lock under which time is taken."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q, QuerySet

from booking.appointments.guards import GUARDS
from booking.appointments.status import HOLDS_TIME, SlotTaken, Status
from clinic.models import Location, Practitioner, User
from intake.rules.levels import Level
from schedule import rules, slots
from schedule.models.catalogue import Equipment, Room, Service
from schedule.search import (
    A_WEEK,
    BUSY_COLUMNS,
    LONGEST,
    NOTHING_TAKEN,
    FreeStart,
    Obstacle,
    Rule,
    Search,
)
from schedule.slots import Busy, Visit

if TYPE_CHECKING:
    from booking.appointments.models import Appointment

# Deadlock and serialization failure: PostgreSQL ends one transaction so that the others go on.
RETRIED = {"40P01", "40001"}
TRIES = 3


def free_starts(
    standing: QuerySet["Appointment"] | None,
    *,
    service: Service,
    since: datetime,
    until: datetime,
    duration: int,
    practitioners: Iterable[Practitioner] | None,
    location: Location | None,
    now: datetime,
    level: Level | None,
) -> list[FreeStart]:
    """Find the starts in ``[since, until)`` that nothing in ``standing`` is in the way of.

    With None the rules alone decide. Two queries, whatever the number of days, practitioners and
    visits: one for the rules, one for what stands. The rules are read again when one of them has
    changed: a dozen queries more.
    """
    if since >= until:
        return []
    search = _search(
        service,
        since=slots.ceil_minute(since),
        until=slots.ceil_minute(until),
        duration=duration,
        now=now,
        level=level,
    )
    pairs = search.pairs(practitioners, location)
    if not pairs:
        return []
    taken = NOTHING_TAKEN if standing is None else search.taken(standing, pairs)
    found = search.starts(pairs, taken)
    return [
        FreeStart(start, practitioner_id, location_id)
        for minute, alike in groupby(found, key=itemgetter(0))
        for start in [slots.from_minute(minute)]
        for _, practitioner_id, location_id in alike
    ]


def why_not(
    standing: QuerySet["Appointment"],
    *,
    service: Service,
    start: datetime,
    duration: int,
    practitioner: Practitioner,
    location: Location,
    now: datetime,
    level: Level | None,
) -> list[Obstacle]:
    """Name everything that is in the way of one start; nothing, exactly when it is free.

    An obstacle that is a visit has its key as the row.
    """
    minute = slots.floor_minute(start)
    search = _search(
        service, since=minute, until=minute + 1, duration=duration, now=now, level=level
    )
    pair = practitioner.pk, location.pk
    found = search.why_not(pair, search.taken(standing, [pair]))
    return [
        named
        for obstacle in found
        for named in (
            _visits_in_the_way(standing, search, practitioner)
            if obstacle.rule == Rule.VISIT
            else [obstacle]
        )
    ]


def met(appointment: "Appointment") -> QuerySet["Appointment"]:
    """What the database's guards would refuse this visit for: all that overlaps it."""
    place = Q(practitioner=appointment.practitioner_id)
    if appointment.room_id is not None:
        place |= Q(room=appointment.room_id)
    if appointment.equipment_id is not None:
        place |= Q(equipment=appointment.equipment_id)
    return (
        type(appointment)
        .objects.filter(
            place,
            status__in=HOLDS_TIME,
            overlap_reason="",
            start__gt=appointment.start - LONGEST,
            start__lt=appointment.busy_until,
            busy_until__gt=appointment.start,
        )
        .exclude(pk=appointment.pk)
    )


def has_time(appointment: "Appointment", *, now: datetime) -> bool:
    """Does it count for others? A hold that ran out does not, though its row is still there."""
    has_lapsed = appointment.status == Status.PENDING and not appointment.seconds_held(now=now)
    return appointment.status in HOLDS_TIME and not has_lapsed


def take(appointment: "Appointment", *, now: datetime, by: User | None = None) -> None:
    """Make sure of the time that ``appointment`` names in memory; choose its room and equipment.

    To be called in the transaction that writes the row afterwards. Locks what becomes scarcer,
    always in the same order, then checks, then deletes the holds that ran out and are in the way.
    The practitioner's hours are not looked at. Limits hold for all but staff, who are ``by``.
    Raises SlotTaken, except when there is a reason to overlap.
    """
    service, location_id = appointment.service, appointment.location_id
    _lock(Practitioner.objects.filter(pk=appointment.practitioner_id))
    rooms = _lock_kind(Room, service.room_kind, location_id)
    equipment = _lock_kind(Equipment, service.equipment_kind, location_id)
    start = slots.floor_minute(appointment.start)
    search = Search(
        rules.current(),
        service,
        Visit(
            appointment.duration_minutes,
            appointment.buffer_before,
            (appointment.busy_until - appointment.end) // slots.MINUTE,
        ),
        since=start,
        until=start + 1,
        now=slots.floor_minute(now),
        level=Level.ROUTINE if by is None else None,
    )
    limits = search.limits(appointment.practitioner_id)
    reach = A_WEEK if limits else LONGEST
    place = Q(practitioner=appointment.practitioner_id)
    if rooms:
        place |= Q(room__in=rooms)
    if equipment:
        place |= Q(equipment__in=equipment)
    near = (
        type(appointment)
        .objects.filter(
            place,
            status__in=HOLDS_TIME,
            start__gt=appointment.start - reach,
            start__lt=appointment.busy_until + reach,
        )
        .exclude(pk=appointment.pk)
        .order_by()
    )
    lapsed, met_practitioners, met_rooms, met_equipment = [], set(), set(), set()
    counted = []
    for (
        pk,
        status,
        held_until,
        service_id,
        room_id,
        equipment_id,
        practitioner_id,
        begin,
        end,
        before,
        free_again,
    ) in near.values_list(
        "pk", "status", "held_until", "service_id", "room_id", "equipment_id", *BUSY_COLUMNS
    ):
        is_lapsed = status == Status.PENDING and held_until <= now
        if practitioner_id == appointment.practitioner_id and not is_lapsed:
            counted.append((begin, service_id))
        busy = Busy(begin, end, before, free_again - end)
        if not slots.is_in(start, slots.collisions([busy], search.visit)):
            continue
        if is_lapsed:
            lapsed.append(pk)
        else:
            met_practitioners.add(practitioner_id)
            met_rooms.add(room_id)
            met_equipment.add(equipment_id)

    if any(slots.is_in(start, search.full(limit, counted, location_id)) for limit in limits):
        raise SlotTaken
    is_taken = appointment.practitioner_id in met_practitioners
    for column, locked, met, things in (
        ("room_id", rooms, met_rooms, search.rooms(location_id)),
        ("equipment_id", equipment, met_equipment, search.equipment(location_id)),
    ):
        free = [pk for pk in locked if pk not in met]
        shut = {thing.pk for thing in things if slots.is_in(start, search.shut(thing))}
        # Staff use a room out of its hours rather than none.
        chosen = [pk for pk in free if pk not in shut] or (free if by else [])
        is_taken = is_taken or (bool(things) and not chosen)
        if getattr(appointment, column) not in chosen:
            setattr(appointment, column, next(iter(chosen or locked), None))
    if is_taken and not appointment.overlap_reason:
        raise SlotTaken
    if lapsed:
        type(appointment).objects.filter(pk__in=lapsed).drop_lapsed(now=now)


def in_turn[Written](write: Callable[[], Written]) -> Written:
    """Run ``write``, which calls ``take``, in a transaction.

    Tries again when the database ended it for the sake of another. Raises SlotTaken when that
    happens too often, or when one of the guards refuses what is written.
    """
    for _ in range(TRIES):
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
    """Lock the rows in the order of their keys; rows pointing at them can still be written."""
    return list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def _lock_kind(model: type[Room] | type[Equipment], kind: str, location_id: int) -> list[int]:
    """Lock the rooms or equipment that would do; none at all when no kind is needed."""
    if not kind:
        return []
    return _lock(model._default_manager.filter(kind=kind, location=location_id, is_active=True))


def _search(
    service: Service, *, since: int, until: int, duration: int, now: datetime, level: Level | None
) -> Search:
    visit = Visit(duration, service.buffer_before, service.buffer_after)
    return Search(
        rules.current(),
        service,
        visit,
        since=since,
        until=until,
        now=slots.floor_minute(now),
        level=level,
    )


def _visits_in_the_way(
    standing: QuerySet["Appointment"], search: Search, practitioner: Practitioner
) -> list[Obstacle]:
    near = standing.filter(
        practitioner=practitioner,
        start__gt=slots.from_minute(search.since) - LONGEST,
        start__lt=slots.from_minute(search.end) + LONGEST,
    ).order_by("start")
    return [
        Obstacle(Rule.VISIT, starts, pk)
        for pk, _, start, end, before, free_again in near.values_list("pk", *BUSY_COLUMNS)
        for starts in [slots.collisions([Busy(start, end, before, free_again - end)], search.visit)]
        if slots.is_in(search.since, starts)
    ]
