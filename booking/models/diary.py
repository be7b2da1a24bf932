"""What is free, and the lock under which time is taken. Slots are computed in ``booking.slots``."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import BigIntegerField, Func, Q, QuerySet, Value

from booking import slots
from booking.guards import GUARDS
from booking.models.catalogue import Room, Service
from booking.models.hours import Closure, OpeningHours, TimeOff
from booking.models.status import HOLDS_TIME, SlotTaken, Status
from booking.slots import Busy, Shift, Span, Visit
from clinic.models import Location, Practitioner

if TYPE_CHECKING:
    from booking.models.appointments import Appointment

# No visit lasts longer, buffer included (booking/guards.py), so whatever is in the way began at
# most this long before. The past is not read, however much of it there is.
LONGEST = timedelta(days=1)

# Deadlock and serialization failure: PostgreSQL ends one transaction so that the others go on.
RETRIED = {"40P01", "40001"}
TRIES = 3


class EpochMinute(Func):
    """The minute of ``booking.slots`` that a time falls in, many times cheaper than in Python."""

    output_field = BigIntegerField()
    # Not EXTRACT, which reckons in exact decimals: a double is many times faster, and holds
    # microseconds for as long as calendars last.
    template = "FLOOR(DATE_PART('epoch', %(expressions)s) / 60)::bigint"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        return self.as_sql(
            compiler, connection, template="(strftime('%%%%s', %(expressions)s) / 60)", **extra
        )

    def get_db_converters(self, connection: Any) -> list[Any]:
        """Return none: both templates give whole numbers, and there may be thousands of them."""
        return []


BUSY_COLUMNS = (
    "practitioner_id",
    "room_id",
    EpochMinute("start"),
    EpochMinute("end"),
    "buffer_before",
    EpochMinute("busy_until"),
)

HOURS_COLUMNS = (
    "practitioner_id",
    "location_id",
    "location__time_zone",
    "weekday",
    "opens",
    "closes",
    "valid_from",
    "valid_until",
)


class FreeStart(NamedTuple):
    """A time at which a visit can start, with whom and where."""

    start: datetime
    practitioner_id: int
    location_id: int


def free_starts(
    standing: QuerySet["Appointment"],
    *,
    service: Service,
    since: datetime,
    until: datetime,
    duration: int,
    practitioners: Iterable[Practitioner] | None,
    location: Location | None,
) -> list[FreeStart]:
    """Find the starts in ``[since, until)`` that nothing in ``standing`` is in the way of.

    Reads with three queries, four when the service needs a room, whatever the number of days,
    practitioners and visits.
    """
    window = {"since": slots.ceil_minute(since), "until": slots.ceil_minute(until)}
    shifts = _shifts(service, practitioners, location)
    if since >= until or not shifts:
        return []
    visit = Visit(duration, service.buffer_before, service.buffer_after)
    practitioner_ids = {practitioner_id for practitioner_id, _ in shifts}
    location_ids = {location_id for _, location_id in shifts}
    shut = _shut(practitioner_ids, location_ids, since=since, until=until + LONGEST)
    rooms = defaultdict(list)
    for room_id, location_id in _rooms(service, location_ids).values_list("pk", "location_id"):
        rooms[location_id].append(room_id)

    busy_practitioners, busy_rooms = defaultdict(list), defaultdict(list)
    for practitioner_id, room_id, start, end, before, free_again in _taken(
        standing.filter(
            start__gt=since - LONGEST,
            start__lt=until + LONGEST,
            busy_until__gt=since - timedelta(minutes=visit.before),
        ),
        practitioner_ids,
        [room_id for there in rooms.values() for room_id in there],
    ):
        busy = Busy(start, end, before, free_again - end)
        busy_practitioners[practitioner_id].append(busy)
        if room_id:
            busy_rooms[room_id].append(busy)
    no_room: dict[int, list[Span]] = {}
    if service.room_kind:
        for location_id in location_ids:
            there = [busy_rooms[room_id] for room_id in rooms[location_id]]
            no_room[location_id] = slots.no_room(there, visit)

    found = [
        (minute, practitioner_id, location_id)
        for (practitioner_id, location_id), weekly in shifts.items()
        for minute in slots.bookable_starts(
            openings=slots.openings(weekly, **window),
            visit=visit,
            busy=busy_practitioners[practitioner_id],
            closed=[
                *shut[None, None],
                *shut[None, location_id],
                *shut[practitioner_id, None],
            ],
            refused=no_room.get(location_id, ()),
            **window,
        )
    ]
    return [
        FreeStart(start, practitioner_id, location_id)
        for minute, alike in groupby(sorted(found), key=itemgetter(0))
        for start in [slots.from_minute(minute)]
        for _, practitioner_id, location_id in alike
    ]


def take(appointment: "Appointment", *, now: datetime) -> None:
    """Make sure of the time that ``appointment`` names in memory, and choose its room.

    To be called in the transaction that writes the row afterwards. Locks what becomes scarcer,
    always in the same order, then checks, then deletes the holds that ran out and are in the way.
    Opening hours are not looked at. Raises SlotTaken, except when there is a reason to overlap.
    """
    _lock(Practitioner.objects.filter(pk=appointment.practitioner_id))
    rooms = _lock(_rooms(appointment.service, [appointment.location_id]))
    start = slots.floor_minute(appointment.start)
    visit = Visit(
        appointment.duration_minutes,
        appointment.buffer_before,
        (appointment.busy_until - appointment.end) // slots.MINUTE,
    )
    near = (
        type(appointment)
        .objects.filter(
            Q(practitioner=appointment.practitioner_id) | Q(room__in=rooms),
            status__in=HOLDS_TIME,
            start__gt=appointment.start - LONGEST,
            start__lt=appointment.busy_until + LONGEST,
        )
        .exclude(pk=appointment.pk)
        .order_by()
    )
    lapsed, met_practitioners, met_rooms = [], set(), set()
    for (
        pk,
        status,
        held_until,
        practitioner_id,
        room_id,
        begin,
        end,
        before,
        free_again,
    ) in near.values_list("pk", "status", "held_until", *BUSY_COLUMNS):
        busy = Busy(begin, end, before, free_again - end)
        if not any(a <= start < b for a, b in slots.collisions([busy], visit)):
            continue
        if status == Status.PENDING and held_until <= now:
            lapsed.append(pk)
        else:
            met_practitioners.add(practitioner_id)
            met_rooms.add(room_id)

    free_rooms = [room for room in rooms if room not in met_rooms]
    has_no_room = bool(appointment.service.room_kind) and not free_rooms
    is_taken = has_no_room or appointment.practitioner_id in met_practitioners
    if is_taken and not appointment.overlap_reason:
        raise SlotTaken
    if appointment.room_id not in free_rooms:
        appointment.room_id = next(iter(free_rooms or rooms), None)
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


def _shifts(
    service: Service, practitioners: Iterable[Practitioner] | None, location: Location | None
) -> dict[tuple[int, int], list[Shift]]:
    """The weekly hours of those who offer the service, by practitioner and location."""
    hours = OpeningHours.objects.filter(
        practitioner__in=service.practitioners.filter(is_active=True), location__is_active=True
    )
    if practitioners is not None:
        hours = hours.filter(practitioner__in=practitioners)
    if location is not None:
        hours = hours.filter(location=location)
    shifts = defaultdict(list)
    rows = hours.order_by().values_list(*HOURS_COLUMNS)
    for practitioner_id, location_id, zone, weekday, opens, closes, *validity in rows:
        opens_at, closes_at = (reading.hour * 60 + reading.minute for reading in (opens, closes))
        shift = Shift(ZoneInfo(zone), weekday, opens_at, closes_at, service.grid_minutes, *validity)
        shifts[practitioner_id, location_id].append(shift)
    return shifts


def _shut(
    practitioner_ids: Collection[int],
    location_ids: Collection[int],
    *,
    since: datetime,
    until: datetime,
) -> dict[tuple[int | None, int | None], list[Span]]:
    """Closures and time off, by practitioner and location; None stands for every one."""
    every = Value(None, output_field=BigIntegerField())
    within = Q(end__gt=since, start__lt=until)
    closures = Closure.objects.filter(within, Q(location=None) | Q(location__in=location_ids))
    time_off = TimeOff.objects.filter(within, practitioner__in=practitioner_ids)
    rows = (
        closures.order_by()
        .values_list(every, "location_id", "start", "end")
        .union(time_off.order_by().values_list("practitioner_id", every, "start", "end"), all=True)
    )
    shut = defaultdict(list)
    for practitioner_id, location_id, start, end in rows:
        shut[practitioner_id, location_id].append(
            (slots.floor_minute(start), slots.ceil_minute(end))
        )
    return shut


def _rooms(service: Service, location_ids: Collection[int]) -> QuerySet[Room]:
    """The rooms that would do; none at all when the service needs no room."""
    if not service.room_kind:
        return Room.objects.none()
    return Room.objects.filter(
        kind=service.room_kind, location__in=location_ids, is_active=True
    ).order_by("pk")


def _taken(
    standing: QuerySet["Appointment"], practitioner_ids: Collection[int], room_ids: Collection[int]
) -> Iterable[tuple[Any, ...]]:
    """The BUSY_COLUMNS of what takes up these practitioners and rooms, some of it twice."""
    rows = standing.order_by().values_list(*BUSY_COLUMNS)
    with_them = rows.filter(practitioner__in=practitioner_ids)
    if not room_ids:
        return with_them
    # A union, because with OR the database would use neither index.
    return with_them.union(rows.filter(room__in=room_ids), all=True).order_by()
