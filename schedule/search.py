"""Where there is time for a visit, and what is in the way everywhere else.

The arithmetic is ``schedule.slots``, the rules are ``schedule.rules``; what stands is read
here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from django.db import models
from django.db.models import BigIntegerField, Func, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from clinic.models import Location, Practitioner
from intake.rules.levels import Level
from schedule import slots
from schedule.models.catalogue import Service
from schedule.rules import Away, Limit, Pair, Rulebook, Thing
from schedule.slots import Busy, Opening, Shift, Span, Visit

# No visit lasts longer, buffer included (booking/appointments/guards.py), so whatever is in the way
# began at most this long before. The past is not read, however much of it there is.
LONGEST = timedelta(days=1)


class EpochMinute(Func):
    """The minute of ``schedule.slots`` that a time falls in, many times cheaper than in Python."""

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
    EpochMinute("start"),
    EpochMinute("end"),
    "buffer_before",
    EpochMinute("busy_until"),
)

# A week and a day: as far as the visits of a week may lie from one of its minutes.
A_WEEK = timedelta(days=8)


class Rule(models.TextChoices):
    """Why a start is not offered, in the words of the front desk."""

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
    """Starts that a rule refuses, and the key of the row that says so, if it is one row."""

    rule: Rule
    starts: list[Span]
    row: Any = None


class FreeStart(NamedTuple):
    """A time at which a visit can start, with whom and where."""

    start: datetime
    practitioner_id: int
    location_id: int


class Taken(NamedTuple):
    """What stands: by practitioner, room and piece of equipment; and what counts to a limit."""

    people: dict[int, list[Busy]]
    rooms: dict[int, list[Busy]]
    equipment: dict[int, list[Busy]]
    counted: dict[int, list[tuple[int, int]]]
    """By practitioner, the start and the service of each visit."""


NOTHING_TAKEN = Taken({}, {}, {}, {})


@dataclass(frozen=True)
class Search:
    """One question for free starts, and everything that is in the way of an answer.

    ``starts`` and ``why_not`` go by the same openings and obstacles, so what is offered and what
    is said about the rest cannot disagree. ``level`` is the patient's; staff, who have
    none, are not held to limits and reserved times. Spans are minutes of ``schedule.slots``.
    """

    rules: Rulebook
    service: Service
    visit: Visit
    since: int
    until: int
    now: int
    level: Level | None

    @property
    def end(self) -> int:
        """When the last visit that starts within the window ends."""
        return self.until + self.visit.duration

    def pairs(
        self, practitioners: Iterable[Practitioner] | None, location: Location | None
    ) -> list[Pair]:
        """Who could see the patient where, as far as no time is concerned."""
        wanted = None if practitioners is None else {person.pk for person in practitioners}
        return [
            (person, place)
            for person, place in self.rules.shifts
            if (wanted is None or person in wanted)
            and (location is None or place == location.pk)
            and not any(self.misfits(person, place))
        ]

    def misfits(self, practitioner_id: int, location_id: int) -> Iterator[Rule]:
        """Why the two are not looked at together, whatever the time."""
        if practitioner_id not in self.rules.offered_by.get(self.service.pk, ()):
            yield Rule.NOT_OFFERED
        if practitioner_id not in self.rules.practitioners:
            yield Rule.INACTIVE
        place = self.rules.places.get(location_id)
        if place is None or not place.is_active:
            yield Rule.PLACE

    def starts(self, pairs: Iterable[Pair], taken: Taken) -> list[tuple[int, int, int]]:
        """Every free start, soonest first, with its practitioner and location."""
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

    def why_not(self, pair: Pair, taken: Taken) -> list[Obstacle]:
        """Everything in the way of the one start that the window is about."""
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

    def obstacles_at(self, location_id: int, taken: Taken) -> Iterator[Obstacle]:
        """What is in the way at a location, of everybody."""
        place = self.rules.places[location_id]
        for where in (None, location_id):
            yield from self._away(Rule.CLOSURE, self.rules.closures.get(where, ()))
        holidays = place.holidays(since=self.since, until=self.end)
        days = [slots.day_span(holiday.date, place.zone) for holiday in holidays]
        yield Obstacle(Rule.HOLIDAY, slots.meeting(days, self.visit), location_id)
        if self.service.room_kind:
            yield Obstacle(Rule.ROOM, self._none_free(self.rooms(location_id), taken.rooms))
        if self.service.equipment_kind:
            needed = self.equipment(location_id)
            yield Obstacle(Rule.EQUIPMENT, self._none_free(needed, taken.equipment))

    def obstacles_of(self, pair: Pair, taken: Taken) -> Iterator[Obstacle]:
        """What else is in the way of one practitioner there."""
        practitioner_id, location_id = pair
        busy = taken.people.get(practitioner_id, ())
        yield Obstacle(Rule.VISIT, slots.collisions(busy, self.visit))
        yield from self._away(Rule.TIME_OFF, self.rules.time_off.get(practitioner_id, ()))
        for pk, shift in self.rules.breaks.get(pair, ()):
            yield Obstacle(Rule.BREAK, slots.meeting(self._spans([shift]), self.visit), pk)
        if self.level is None:
            return
        for pk, shift, level, release_minutes in self.rules.kept.get(pair, ()):
            if self.level < level:
                kept = [
                    (start, end)
                    for start, end in self._spans([shift])
                    if start - release_minutes > self.now
                ]
                yield Obstacle(Rule.RESERVED, slots.meeting(kept, self.visit), pk)
        for limit in self.limits(practitioner_id):
            counted = taken.counted.get(practitioner_id, ())
            yield Obstacle(Rule.LIMIT, self.full(limit, counted, location_id), limit.pk)

    def full(
        self, limit: Limit, counted: Iterable[tuple[int, int]], location_id: int
    ) -> list[Span]:
        """The days or weeks in which there are as many visits as the limit allows."""
        begins = slots.periods(
            self.rules.places[location_id].zone,
            days=limit.days,
            since=self.since,
            until=self.until,
        )
        starts = [start for start, service_id in counted if limit.service_id in (None, service_id)]
        return slots.full(begins, sorted(starts), most=limit.most)

    def rooms(self, location_id: int) -> list[Thing]:
        return self.rules.rooms.get((location_id, self.service.room_kind), [])

    def equipment(self, location_id: int) -> list[Thing]:
        return self.rules.equipment.get((location_id, self.service.equipment_kind), [])

    def limits(self, practitioner_id: int) -> list[Limit]:
        if self.level is None:
            return []
        return self.rules.limits_on(practitioner_id, self.service.pk)

    def shut(self, thing: Thing) -> list[Span]:
        """The starts at which it could not be used for the whole visit."""
        if not thing.shifts:
            return []
        return slots.outside(self._spans(thing.shifts), self.visit)

    def taken(self, standing: QuerySet[Any], pairs: Iterable[Pair]) -> Taken:
        """Read, with one query, what stands in the way of these people, and of what they need."""
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
        reach = A_WEEK if is_limited else timedelta()
        first = slots.from_minute(self.since - self.visit.before) - reach
        last = slots.from_minute(self.until) + reach + LONGEST
        wanted = {
            "room_id": bool(rooms),
            "equipment_id": bool(equipment),
            "service_id": is_limited,
        }
        columns = [column for column, is_wanted in wanted.items() if is_wanted]
        near = standing.order_by().values_list(*BUSY_COLUMNS, *columns)
        times = Q(start__gt=first - LONGEST, start__lt=last, busy_until__gt=first)
        theirs = Q(practitioner__in=practitioner_ids)
        found = near.filter(times, theirs)
        things = Q(room__in=rooms) if rooms else Q()
        things |= Q(equipment__in=equipment) if equipment else Q()
        if things:
            # A union, because with OR the database would use no index.
            found = found.union(near.filter(times, things, ~theirs), all=True).order_by()
        taken = Taken(defaultdict(list), defaultdict(list), defaultdict(list), defaultdict(list))
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

    def _away(self, rule: Rule, away: Iterable[Away]) -> Iterator[Obstacle]:
        for pk, (start, end) in away:
            if start < self.end and end > self.since:
                yield Obstacle(rule, slots.meeting([(start, end)], self.visit), pk)

    def _none_free(self, things: Iterable[Thing], busy: dict[int, list[Busy]]) -> list[Span]:
        return slots.none_free(
            [*slots.collisions(busy.get(thing.pk, ()), self.visit), *self.shut(thing)]
            for thing in things
        )

    def _spans(self, shifts: Iterable[Shift]) -> list[Span]:
        return slots.spans(shifts, since=self.since, until=self.end)


def _of_the_hours(openings: Iterable[Opening], minute: int, duration: int) -> Rule:
    """What is wrong with a start that no opening has."""
    around = [
        opening
        for opening in openings
        if opening.starts and opening.starts[0] <= minute < opening.end
    ]
    if not around:
        return Rule.HOURS
    if any(minute in opening.starts for opening in around):
        return Rule.TOO_LONG
    return Rule.GRID
