"""What is offered, against a slow reading of the rules, and against what is said about the rest.

The slow reading asks about every minute on its own, straight from the words of each rule.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from clinic.public_holidays import holidays_of
from intake.rules.levels import Level
from schedule import slots
from schedule.models import Service
from schedule.rules import (
    Absence,
    AppointmentLimit,
    BreakShift,
    LocationRules,
    ReservedShift,
    Resource,
    Rulebook,
)
from schedule.search import ObstacleRule, Occupancy, Search
from schedule.slots import Busy, Shift, VisitLength, floor_minute

# The days around a clock change, and ordinary ones, in zones that differ in how they change.
DAYS = [
    ("America/New_York", date(2026, 10, 31)),
    ("America/New_York", date(2027, 3, 13)),
    ("Europe/Berlin", date(2027, 3, 27)),
    ("Europe/Berlin", date(2027, 10, 30)),
    ("Australia/Lord_Howe", date(2027, 4, 3)),
    ("Australia/Lord_Howe", date(2027, 10, 2)),
    ("America/Havana", date(2026, 10, 31)),
    ("America/St_Johns", date(2010, 11, 6)),
    ("Africa/Casablanca", date(2026, 2, 14)),
    ("Africa/Casablanca", date(2026, 11, 18)),
    ("America/Vancouver", date(2026, 11, 10)),
    ("Pacific/Apia", date(2011, 12, 29)),
    ("Asia/Kathmandu", date(2026, 11, 23)),
    ("America/Chicago", date(2028, 2, 28)),
    ("America/Chicago", date(2026, 12, 24)),
    ("America/Chicago", date(2026, 11, 25)),
]
THEM, HERE = 1, 1
THIS, OTHER = 1, 2
PAIR = (THEM, HERE)
BUFFERS = st.sampled_from([0, 5, 10, 25])
VISITS = st.builds(VisitLength, st.sampled_from([15, 20, 45, 60, 90]), BUFFERS, BUFFERS)


@dataclass
class Case:
    """A clinic of one practitioner at one place over about two days."""

    zone: ZoneInfo
    first: int
    since: int
    until: int
    now: int
    level: Level | None
    visit: VisitLength
    step: int
    shifts: list
    breaks: list
    kept: list
    closed: list
    country: str
    kept_open: list
    mine: list
    rooms: list | None
    equipment: list | None
    limits: list

    def search(self, since=None, until=None):
        service = Service(
            pk=THIS,
            grid_minutes=self.step,
            room_kind="" if self.rooms is None else "room",
            equipment_kind="" if self.equipment is None else "device",
        )
        rules = Rulebook(
            places={HERE: LocationRules(self.zone, True, self.country, "", tuple(self.kept_open))},
            practitioners=frozenset([THEM]),
            offered_by={THIS: [THEM]},
            shifts={PAIR: self.shifts},
            breaks={PAIR: [BreakShift(pk, shift) for pk, shift in enumerate(self.breaks)]},
            reserved={PAIR: [ReservedShift(pk, *kept) for pk, kept in enumerate(self.kept)]},
            closures={HERE: [Absence(pk, span) for pk, span in enumerate(self.closed)]},
            time_off={},
            rooms={(HERE, "room"): things(self.rooms)},
            equipment={(HERE, "device"): things(self.equipment)},
            limits=[AppointmentLimit(pk, *limit) for pk, limit in enumerate(self.limits)],
        )
        return Search(
            rules,
            service,
            self.visit,
            since=self.since if since is None else since,
            until=self.until if until is None else until,
            now=self.now,
            level=self.level,
        )

    @property
    def occupancy(self):
        return Occupancy(
            people={THEM: [busy for busy, _service in self.mine]},
            rooms=dict(enumerate(busy for busy, _hours in self.rooms or ())),
            equipment=dict(enumerate(busy for busy, _hours in self.equipment or ())),
            counted={THEM: [(busy.start, service) for busy, service in self.mine]},
        )


def things(of_a_kind):
    return [Resource(pk, tuple(hours)) for pk, (_busy, hours) in enumerate(of_a_kind or ())]


@st.composite
def cases(draw):
    name, day = draw(st.sampled_from(DAYS))
    zone = ZoneInfo(name)
    first = floor_minute(datetime.combine(day, datetime.min.time(), zone))
    minute = st.integers(first - 120, first + 2 * slots.DAY)

    def spans(longest):
        return st.builds(lambda start, length: (start, start + length), minute, longest)

    def shifts(lengths, most, least=0):
        of_some_day = st.builds(
            lambda after, opens, length, *validity: Shift(
                zone, (day.weekday() + after) % 7, opens, opens + length, *validity
            ),
            st.integers(-1, 2),
            st.sampled_from([0, 60, 90, 125, 540, 1320]),
            lengths,
        )
        # Extra hours are a shift that holds on its one day.
        of_one_day = st.builds(
            lambda after, opens, length: Shift(
                zone,
                (day + after).weekday(),
                opens,
                opens + length,
                day + after,
                day + after,
            ),
            st.integers(-1, 2).map(lambda number: timedelta(days=number)),
            st.sampled_from([0, 60, 420, 1320]),
            lengths,
        )
        return st.lists(of_some_day | of_one_day, min_size=least, max_size=most)

    busy = st.builds(
        lambda span, before, after: Busy(*span, before, after),
        spans(st.integers(5, 120)),
        BUFFERS,
        BUFFERS,
    )
    long, short = st.sampled_from([60, 95, 180, 600, 1440]), st.sampled_from([20, 60, 95])
    pool = st.lists(
        st.tuples(st.lists(busy, max_size=3), st.just([]) | shifts(long, 2)), max_size=3
    )
    of_a_kind = st.sampled_from([False, True, False]).flatmap(
        lambda is_needed: pool if is_needed else st.none()
    )
    since = draw(st.integers(first - 120, first + slots.DAY))
    country = draw(st.sampled_from(["US", ""]))
    names = sorted({h.name for year in (day.year, 2027) for h in holidays_of(country, "", year)})
    return Case(
        zone=zone,
        first=first,
        since=since,
        until=since + draw(st.sampled_from([600, 2000])),
        now=draw(st.integers(first - slots.DAY, first + slots.DAY)),
        level=draw(st.sampled_from([None, Level.ROUTINE, Level.SOON, Level.URGENT])),
        visit=draw(VISITS),
        step=draw(st.sampled_from([5, 15, 20, 45])),
        shifts=[Shift(zone, day.weekday(), 0, draw(long)), *draw(shifts(long, 3))],
        breaks=draw(shifts(short, 2)),
        kept=draw(
            st.lists(
                st.tuples(
                    shifts(short, 1, least=1).map(lambda one: one[0]),
                    st.sampled_from([Level.SOON, Level.URGENT]),
                    st.sampled_from([0, 240, 1440]),
                ),
                max_size=2,
            )
        ),
        closed=draw(st.lists(spans(st.integers(1, 300)), max_size=2)),
        country=country,
        kept_open=draw(st.lists(st.sampled_from(names), max_size=1)) if names else [],
        mine=draw(st.lists(st.tuples(busy, st.sampled_from([THIS, OTHER])), max_size=5)),
        rooms=draw(of_a_kind),
        equipment=draw(of_a_kind),
        limits=draw(
            st.lists(
                st.tuples(
                    st.sampled_from([None, THEM, 7]),
                    st.sampled_from([None, THIS, OTHER]),
                    st.sampled_from([1, 7]),
                    st.integers(1, 4),
                ),
                max_size=2,
            )
        ),
    )


class SlowReading:
    """The rules in their own words, one minute at a time.

    A reading of the clock is the number of minutes it shows since the first day of the calendar.
    """

    def __init__(self, case):
        self.case = case
        self.local, self.shown, self.is_second, latest = {}, {}, {}, 0
        for hour in range(case.first - 4 * slots.DAY, case.first + 5 * slots.DAY, 60):
            # Minute by minute only where the clock is changed: the rest would take all day.
            edges = [slots.from_minute(at).astimezone(case.zone) for at in (hour, hour + 60)]
            is_even = len({(edge.utcoffset(), edge.fold) for edge in edges}) == 1
            for minute in range(hour, hour + 60):
                clock = edges[0] if is_even else slots.from_minute(minute).astimezone(case.zone)
                reading = clock.toordinal() * slots.DAY + clock.hour * 60 + clock.minute
                self.local[minute] = reading + (minute - hour if is_even else 0)
                # The latest it has shown so far: what it shows again, set back, is over already.
                self.shown[minute] = latest = max(latest, self.local[minute])
                self.is_second[minute] = clock.fold

    def starts(self):
        return [
            minute for minute in range(self.case.since, self.case.until) if self.is_free(minute)
        ]

    def is_free(self, minute):
        case = self.case
        return (
            not self.is_second[minute]
            and any(self.begins_in(shift, minute) for shift in case.shifts)
            and not any(self.is_shut(at) for at in self.of_visit(minute))
            and not any(self.clash(minute, busy) for busy, _service in case.mine)
            and self.has_one_of(case.rooms, minute)
            and self.has_one_of(case.equipment, minute)
            and not any(self.is_full(limit, minute) for limit in case.limits)
        )

    def of_visit(self, minute):
        return range(minute, minute + self.case.visit.duration)

    def stretches(self, shift, reading):
        """The day's beginning, opening and closing of a shift as they may be about a reading."""
        for days_ago in (0, 1, 2):
            ordinal = reading // slots.DAY - days_ago
            day = date.fromordinal(ordinal)
            if (
                day.weekday() == shift.weekday
                and (shift.valid_from is None or shift.valid_from <= day)
                and (shift.valid_until is None or day <= shift.valid_until)
            ):
                midnight = ordinal * slots.DAY
                yield midnight + shift.opens, midnight + shift.closes

    def begins_in(self, shift, minute):
        reading = self.local[minute]
        return any(
            opens <= reading < closes
            and (reading - opens) % self.case.step == 0
            and all(self.local[at] < closes for at in self.of_visit(minute))
            for opens, closes in self.stretches(shift, reading)
        )

    def opened(self, shift, minute):
        """What the clock showed at the beginning of each stretch of the shift that is on."""
        shown = self.shown[minute]
        return [opens for opens, closes in self.stretches(shift, shown) if opens <= shown < closes]

    def is_shut(self, minute):
        case = self.case
        today = date.fromordinal(self.shown[minute] // slots.DAY)
        holidays = {
            day.name for day in holidays_of(case.country, "", today.year) if day.date == today
        }
        return (
            any(start <= minute < end for start, end in case.closed)
            or bool(holidays - set(case.kept_open))
            or any(self.opened(shift, minute) for shift in case.breaks)
            or any(self.is_kept(*kept, minute) for kept in case.kept)
        )

    def is_kept(self, shift, level, release_minutes, minute):
        if self.case.level is None or self.case.level >= level:
            return False
        for opens in self.opened(shift, minute):
            begins = minute
            while self.shown[begins - 1] >= opens:
                begins -= 1
            if self.case.now < begins - release_minutes:
                return True
        return False

    def clash(self, start, taken):
        visit = self.case.visit
        end = start + visit.duration
        between = max(visit.after, taken.before), max(taken.after, visit.before)
        return start < taken.end + between[1] and taken.start < end + between[0]

    def has_one_of(self, of_a_kind, minute):
        return of_a_kind is None or any(
            not any(self.clash(minute, taken) for taken in busy)
            and (
                not hours
                or all(
                    any(self.opened(shift, at) for shift in hours) for at in self.of_visit(minute)
                )
            )
            for busy, hours in of_a_kind
        )

    def is_full(self, limit, minute):
        practitioner, service, days, most = limit
        if self.case.level is None or practitioner == 7 or service == OTHER:
            return False

        def period(at):
            day = date.fromordinal(self.shown[at] // slots.DAY)
            return day if days == 1 else day - timedelta(days=day.weekday())

        counted = [
            busy
            for busy, of in self.case.mine
            if service in (None, of) and period(busy.start) == period(minute)
        ]
        return len(counted) >= most


@given(cases())
def test_the_sweep_offers_what_asking_about_every_minute_offers(case):
    found = [minute for minute, *_pair in case.search().starts_of([PAIR], case.occupancy)]
    assert found == SlowReading(case).starts()


@given(cases(), st.data())
def test_a_start_is_offered_exactly_when_nothing_is_said_against_it(case, data):
    offered = {minute for minute, *_pair in case.search().starts_of([PAIR], case.occupancy)}
    tried = data.draw(st.lists(st.integers(case.since, case.until), min_size=5, max_size=10))
    for minute in {*tried, *sorted(offered)[:5]} - {case.until}:
        said = case.search(minute, minute + 1).obstacles(PAIR, case.occupancy)
        assert (minute in offered) == (said == []), (minute, said)


def test_nobody_who_does_not_work_here_or_offer_this_is_said_to_be_free():
    case = Case(
        zone=ZoneInfo("UTC"), first=0, since=0, until=1, now=0, level=None, visit=VisitLength(30),
        step=15, shifts=[Shift(ZoneInfo("UTC"), 3, 0, 600)], breaks=[], kept=[], closed=[],
        country="", kept_open=[], mine=[], rooms=None, equipment=None, limits=[],
    )  # fmt: skip
    search = case.search()
    assert search.obstacles(PAIR, case.occupancy) == []
    stranger = (2, HERE)
    assert [said.rule for said in search.obstacles(stranger, case.occupancy)] == [
        ObstacleRule.NOT_OFFERED,
        ObstacleRule.INACTIVE,
        ObstacleRule.HOURS,
    ]
