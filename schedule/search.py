"""Free starts of a service, and the reasons against every other start.

The arithmetic is ``schedule.slots`` and the rules are ``schedule.rules``. The caller passes the
visits that occupy time as a queryset, with the columns that ``Search.occupancy`` reads.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import models
from django.db.models import BigIntegerField, Func, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from clinic.models import Location, Practitioner
from intake.rules.levels import Level
from schedule import rules, slots
from schedule.models.catalogue import Service
from schedule.rules import Absence, AppointmentLimit, Pair, Resource, Rulebook
from schedule.slots import Busy, Opening, Shift, Span, VisitLength

# No visit is longer, buffers included (``booking.appointments.guards``), so nothing that began
# earlier than this can conflict. It limits how far back rows are read.
MAX_OCCUPIED = timedelta(days=1)


class EpochMinute(Func):
    """The minute of ``schedule.slots`` that contains a time; much faster than in Python."""

    output_field = BigIntegerField()
    # Not EXTRACT, which calculates in exact decimals: a double is many times faster and exact
    # enough for minutes.
    template = "FLOOR(DATE_PART('epoch', %(expressions)s) / 60)::bigint"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        return self.as_sql(
            compiler, connection, template="(strftime('%%%%s', %(expressions)s) / 60)", **extra
        )

    def get_db_converters(self, connection: Any) -> list[Any]:
        """Return none: both templates give integers, and there may be thousands of them."""
        return []


BUSY_COLUMNS = (
    "practitioner_id",
    EpochMinute("start"),
    EpochMinute("end"),
    "buffer_before",
    EpochMinute("busy_until"),
)

# The greatest distance from a start to a visit that counts towards its weekly limit, in any zone.
LIMIT_REACH = timedelta(days=8)


class ObstacleRule(models.TextChoices):
    """The reasons why a start is not offered, in words for the front desk."""

    NOT_OFFERED = "not-offered", _("Does not offer this service.")
    INACTIVE = "inactive", _("Is not active any more.")
    PLACE = "place", _("The location is not active any more.")
    HOURS = "hours", _("Is outside the opening hours.")
    TOO_LONG = "too-long", _("Would not end before the opening hours do.")
    GRID = "grid", _("Visits for this service do not begin at this minute.")
    NOTICE = "notice", _("Is too soon: patients have to book further ahead.")
    HORIZON = "horizon", _("Is too far ahead: patients cannot book that day yet.")
    CLOSURE = "closure", _("The location is closed.")
    HOLIDAY = "holiday", _("Is a public holiday.")
    TIME_OFF = "time-off", _("Is away.")
    BREAK = "break", _("Has a break.")
    VISIT = "visit", _("Has another visit, or its minutes before or after.")
    ROOM = "room", _("No room of the kind is free.")
    EQUIPMENT = "equipment", _("No equipment of the kind is free.")
    LIMIT = "limit", _("Has as many visits as the limit allows.")
    RESERVED = "reserved", _("Is kept for patients who have to be seen soon.")


class Obstacle(NamedTuple):
    """Starts that a rule refuses, and the key of the row that causes it, if it is one row."""

    rule: ObstacleRule
    starts: list[Span]
    row: Any = None


class FreeStart(NamedTuple):
    """A time at which a visit can start, with its practitioner and location."""

    start: datetime
    practitioner_id: int
    location_id: int


class Occupancy(NamedTuple):
    """The visits that occupy practitioners, rooms and equipment or count towards limits, by key."""

    people: dict[int, list[Busy]]
    rooms: dict[int, list[Busy]]
    equipment: dict[int, list[Busy]]
    counted: dict[int, list[tuple[int, int]]]
    """By practitioner, the start and the service of each visit."""


UNOCCUPIED = Occupancy({}, {}, {}, {})


@dataclass(frozen=True)
class Search:
    """One search for free starts in ``[since, until)``, created by ``of``.

    ``starts`` and ``why_not`` use the same openings and obstacles, so they cannot disagree.
    ``level`` is the patient's; None is staff, for whom limits and reserved times do not count.
    ``occupied`` are the rows that occupy time; None checks only the rules. ``bookable`` is the
    window between notice and horizon, None for staff. Spans are minutes of ``schedule.slots``.
    """

    rules: Rulebook
    service: Service
    visit: VisitLength
    since: int
    until: int
    now: int
    level: Level | None
    occupied: QuerySet[Any] | None = None
    bookable: Span | None = None

    @classmethod
    def of(
        cls,
        service: Service,
        occupied: QuerySet[Any] | None,
        *,
        since: datetime,
        now: datetime,
        until: datetime | None = None,
        duration: int | None = None,
        as_staff: bool = False,
        level: Level | None = None,
    ) -> "Search":
        """Read the rules with one query, and a dozen more if a rule has changed.

        Without ``until`` the search covers only the start at ``since``. ``duration`` is in minutes
        and defaults to the service's. A patient without a ``level`` counts as ROUTINE.
        """
        first = slots.ceil_minute(since) if until else slots.floor_minute(since)
        window = None
        if not as_staff:
            # In UTC, because adding days to a local time follows the wall clock over a change.
            earliest, latest = service.bookable_between(now.astimezone(UTC))
            window = slots.ceil_minute(earliest), slots.ceil_minute(latest)
            level = Level.ROUTINE if level is None else level
        return cls(
            rules.current(),
            service,
            VisitLength(
                duration or service.default_duration, service.buffer_before, service.buffer_after
            ),
            since=first,
            until=slots.ceil_minute(until) if until else first + 1,
            now=slots.floor_minute(now),
            level=level,
            occupied=occupied,
            bookable=window,
        )

    def starts(
        self, practitioners: Iterable[Practitioner] | None = None, location: Location | None = None
    ) -> list[FreeStart]:
        """Return the free starts, soonest first; None means any practitioner or location.

        One query, for any number of days, practitioners and visits.
        """
        search = self
        if self.bookable:
            since, until = max(self.since, self.bookable[0]), min(self.until, self.bookable[1])
            search = replace(self, since=since, until=until)
        if search.since >= search.until:
            return []
        pairs = search.pairs(practitioners, location)
        found = search.starts_of(pairs, search.occupancy(pairs)) if pairs else []
        return [
            FreeStart(start, practitioner_id, location_id)
            for minute, alike in groupby(found, key=itemgetter(0))
            for start in [slots.from_minute(minute)]
            for _, practitioner_id, location_id in alike
        ]

    def why_not(self, practitioner: Practitioner, location: Location) -> list[Obstacle]:
        """Return every reason against the one start; empty if and only if ``starts`` offers it.

        For an obstacle that is a visit, the row is the visit's key.
        """
        found = []
        if self.bookable and self.since < self.bookable[0]:
            found.append(Obstacle(ObstacleRule.NOTICE, [], self.service.pk))
        if self.bookable and self.since >= self.bookable[1]:
            found.append(Obstacle(ObstacleRule.HORIZON, [], self.service.pk))
        pair = practitioner.pk, location.pk
        for obstacle in self.obstacles(pair, self.occupancy([pair])):
            if obstacle.rule == ObstacleRule.VISIT:
                found += self._visits_in_the_way(practitioner)
            else:
                found.append(obstacle)
        return found

    @property
    def end(self) -> int:
        """The minute at which the last visit that starts within the window ends."""
        return self.until + self.visit.duration

    def pairs(
        self, practitioners: Iterable[Practitioner] | None, location: Location | None
    ) -> list[Pair]:
        """Return the practitioners and locations that fit the search, apart from the time."""
        wanted = None if practitioners is None else {person.pk for person in practitioners}
        return [
            (person, place)
            for person, place in self.rules.shifts
            if (wanted is None or person in wanted)
            and (location is None or place == location.pk)
            and not any(self.misfits(person, place))
        ]

    def misfits(self, practitioner_id: int, location_id: int) -> Iterator[ObstacleRule]:
        """Yield why this practitioner cannot see the patient there, apart from the time."""
        if practitioner_id not in self.rules.offered_by.get(self.service.pk, ()):
            yield ObstacleRule.NOT_OFFERED
        if practitioner_id not in self.rules.practitioners:
            yield ObstacleRule.INACTIVE
        place = self.rules.places.get(location_id)
        if place is None or not place.is_active:
            yield ObstacleRule.PLACE

    def starts_of(self, pairs: Iterable[Pair], taken: Occupancy) -> list[tuple[int, int, int]]:
        """Return every free start, soonest first, with its practitioner and location."""
        pairs = list(pairs)
        at_place = {
            location_id: list(self.obstacles_at(location_id, taken))
            for location_id in {location_id for _, location_id in pairs}
        }
        return sorted(
            (minute, *pair)
            for pair in pairs
            for minute in slots.bookable_starts(
                openings=self.openings(pair),
                visit=self.visit,
                since=self.since,
                until=self.until,
                refused=chain.from_iterable(
                    obstacle.starts
                    for obstacle in chain(at_place[pair[1]], self.obstacles_of(pair, taken))
                ),
            )
        )

    def obstacles(self, pair: Pair, taken: Occupancy) -> list[Obstacle]:
        """Return every obstacle to the one start of the window."""
        found = [Obstacle(rule, []) for rule in self.misfits(*pair)]
        openings = self.openings(pair)
        if not slots.bookable_starts(
            openings=openings, visit=self.visit, since=self.since, until=self.until
        ):
            found.append(Obstacle(_of_the_hours(openings, self.since, self.visit.duration), []))
        obstacles = chain(self.obstacles_at(pair[1], taken), self.obstacles_of(pair, taken))
        return found + [o for o in obstacles if slots.is_in(self.since, o.starts)]

    def openings(self, pair: Pair) -> list[Opening]:
        return slots.openings(
            self.rules.shifts.get(pair, ()),
            step=self.service.grid_minutes,
            since=self.since,
            until=self.until,
        )

    def obstacles_at(self, location_id: int, taken: Occupancy) -> Iterator[Obstacle]:
        """Yield the obstacles at a location, which are the same for all practitioners."""
        place = self.rules.places[location_id]
        for where in (None, location_id):
            yield from self._away(ObstacleRule.CLOSURE, self.rules.closures.get(where, ()))
        holidays = place.holidays(since=self.since, until=self.end)
        days = [slots.day_span(holiday.date, place.zone) for holiday in holidays]
        yield Obstacle(
            ObstacleRule.HOLIDAY, slots.starts_overlapping(days, self.visit), location_id
        )
        if self.service.room_kind:
            yield Obstacle(
                ObstacleRule.ROOM, self._refused_by_all(self.rooms(location_id), taken.rooms)
            )
        if self.service.equipment_kind:
            needed = self.equipment(location_id)
            yield Obstacle(ObstacleRule.EQUIPMENT, self._refused_by_all(needed, taken.equipment))

    def obstacles_of(self, pair: Pair, taken: Occupancy) -> Iterator[Obstacle]:
        """Yield the other obstacles of one practitioner there."""
        practitioner_id, location_id = pair
        busy = taken.people.get(practitioner_id, ())
        yield Obstacle(ObstacleRule.VISIT, slots.collisions(busy, self.visit))
        yield from self._away(ObstacleRule.TIME_OFF, self.rules.time_off.get(practitioner_id, ()))
        for pk, shift in self.rules.breaks.get(pair, ()):
            yield Obstacle(
                ObstacleRule.BREAK, slots.starts_overlapping(self._spans([shift]), self.visit), pk
            )
        if self.level is None:
            return
        for pk, shift, level, release_minutes in self.rules.reserved.get(pair, ()):
            if self.level < level:
                kept = [
                    (start, end)
                    for start, end in self._spans([shift])
                    if start - release_minutes > self.now
                ]
                yield Obstacle(
                    ObstacleRule.RESERVED, slots.starts_overlapping(kept, self.visit), pk
                )
        for limit in self.limits(practitioner_id):
            counted = taken.counted.get(practitioner_id, ())
            yield Obstacle(
                ObstacleRule.LIMIT, self.full_periods(limit, counted, location_id), limit.pk
            )

    def full_periods(
        self, limit: AppointmentLimit, counted: Iterable[tuple[int, int]], location_id: int
    ) -> list[Span]:
        """Return the days or weeks that have as many visits as the limit allows."""
        begins = slots.periods(
            self.rules.places[location_id].zone,
            days=limit.days,
            since=self.since,
            until=self.until,
        )
        starts = [start for start, service_id in counted if limit.service_id in (None, service_id)]
        return slots.full_periods(begins, sorted(starts), most=limit.most)

    def rooms(self, location_id: int) -> list[Resource]:
        return self.rules.rooms.get((location_id, self.service.room_kind), [])

    def equipment(self, location_id: int) -> list[Resource]:
        return self.rules.equipment.get((location_id, self.service.equipment_kind), [])

    def limits(self, practitioner_id: int) -> list[AppointmentLimit]:
        if self.level is None:
            return []
        return self.rules.limits_on(practitioner_id, self.service.pk)

    def shut(self, thing: Resource) -> list[Span]:
        """Return the starts at which the resource is closed for part of the visit."""
        if not thing.shifts:
            return []
        return slots.starts_not_within(self._spans(thing.shifts), self.visit)

    def occupancy(self, pairs: Iterable[Pair]) -> Occupancy:
        """Read with one query the visits of these practitioners and of the resources needed."""
        if self.occupied is None:
            return UNOCCUPIED
        pairs = list(pairs)
        practitioner_ids = {practitioner_id for practitioner_id, _ in pairs}
        location_ids = {location_id for _, location_id in pairs}
        rooms, equipment = (
            [thing.pk for location_id in location_ids for thing in things(location_id)]
            if kind
            else []
            for kind, things in (
                (self.service.room_kind, self.rooms),
                (self.service.equipment_kind, self.equipment),
            )
        )
        is_limited = any(self.limits(practitioner_id) for practitioner_id in practitioner_ids)
        reach = LIMIT_REACH if is_limited else timedelta()
        first = slots.from_minute(self.since - self.visit.before) - reach
        last = slots.from_minute(self.until) + reach + MAX_OCCUPIED
        wanted = {
            "room_id": bool(rooms),
            "equipment_id": bool(equipment),
            "service_id": is_limited,
        }
        columns = [column for column, is_wanted in wanted.items() if is_wanted]
        near = self.occupied.order_by().values_list(*BUSY_COLUMNS, *columns)
        times = Q(start__gt=first - MAX_OCCUPIED, start__lt=last, busy_until__gt=first)
        theirs = Q(practitioner__in=practitioner_ids)
        found = near.filter(times, theirs)
        things = Q(room__in=rooms) if rooms else Q()
        things |= Q(equipment__in=equipment) if equipment else Q()
        if things:
            # A union, because with OR the database would not use an index.
            found = found.union(near.filter(times, things, ~theirs), all=True).order_by()
        taken = Occupancy(
            defaultdict(list), defaultdict(list), defaultdict(list), defaultdict(list)
        )
        for practitioner_id, start, end, before, free_again, *rest in found:
            busy = Busy(start, end, before, free_again - end)
            taken.people[practitioner_id].append(busy)
            for column, value in zip(columns, rest, strict=True):
                if column == "service_id":
                    taken.counted[practitioner_id].append((start, value))
                elif value is not None:
                    where = taken.rooms if column == "room_id" else taken.equipment
                    where[value].append(busy)
        return taken

    def _away(self, rule: ObstacleRule, away: Iterable[Absence]) -> Iterator[Obstacle]:
        for pk, (start, end) in away:
            if start < self.end and end > self.since:
                yield Obstacle(rule, slots.starts_overlapping([(start, end)], self.visit), pk)

    def _visits_in_the_way(self, practitioner: Practitioner) -> Iterator[Obstacle]:
        assert self.occupied is not None
        near = self.occupied.filter(
            practitioner=practitioner,
            start__gt=slots.from_minute(self.since) - MAX_OCCUPIED,
            start__lt=slots.from_minute(self.end) + MAX_OCCUPIED,
        ).order_by("start")
        for pk, _person, start, end, before, free_again in near.values_list("pk", *BUSY_COLUMNS):
            busy = Busy(start, end, before, free_again - end)
            starts = slots.collisions([busy], self.visit)
            if slots.is_in(self.since, starts):
                yield Obstacle(ObstacleRule.VISIT, starts, pk)

    def _refused_by_all(
        self, things: Iterable[Resource], busy: dict[int, list[Busy]]
    ) -> list[Span]:
        return slots.starts_refused_by_all(
            [*slots.collisions(busy.get(thing.pk, ()), self.visit), *self.shut(thing)]
            for thing in things
        )

    def _spans(self, shifts: Iterable[Shift]) -> list[Span]:
        return slots.spans(shifts, since=self.since, until=self.end)


def _of_the_hours(openings: Iterable[Opening], minute: int, duration: int) -> ObstacleRule:
    """Return the reason why no opening has this start."""
    around = [
        opening
        for opening in openings
        if opening.starts and opening.starts[0] <= minute < opening.end
    ]
    if not around:
        return ObstacleRule.HOURS
    if any(minute in opening.starts for opening in around):
        return ObstacleRule.TOO_LONG
    return ObstacleRule.GRID
