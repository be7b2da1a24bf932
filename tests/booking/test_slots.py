from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking import slots
from booking.slots import Busy, Shift, Visit, bookable_starts, floor_minute, no_room, openings


def at(text):
    """The epoch minute of a UTC time such as "2026-11-01 04:30"."""
    return floor_minute(datetime.fromisoformat(text).replace(tzinfo=UTC))


def times(minutes):
    return [f"{slots.from_minute(minute):%d %H:%M}" for minute in minutes]


def clock(text):
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def offered(zone, day, opens, closes, *, step=30, duration=30):
    """What one shift on one day offers, as UTC day and time."""
    day = date.fromisoformat(day)
    shift = Shift(ZoneInfo(zone), day.weekday(), clock(opens), clock(closes), step, day, day)
    midnight = datetime.combine(day, datetime.min.time(), UTC)
    since = floor_minute(midnight - timedelta(days=1))
    until = floor_minute(midnight + timedelta(days=3))
    return times(
        bookable_starts(
            openings=openings([shift], since=since, until=until),
            visit=Visit(duration),
            since=since,
            until=until,
        )
    )


def test_an_hour_that_comes_twice_is_offered_once_and_a_visit_may_run_through_it():
    assert offered("America/New_York", "2026-11-01", "0:30", "3:00") == [
        "01 04:30",
        "01 05:00",
        "01 05:30",
        "01 07:00",
        "01 07:30",
    ]
    assert offered("America/New_York", "2026-11-01", "1:30", "2:00", duration=90) == ["01 05:30"]


def test_a_shift_that_ends_at_a_time_that_comes_twice_ends_the_first_time():
    assert offered("America/New_York", "2026-11-01", "0:30", "1:30") == ["01 04:30", "01 05:00"]


@pytest.mark.parametrize(
    ("zone", "day", "starts"),
    [
        ("America/New_York", "2027-03-14", ["14 06:00", "14 06:30", "14 07:00", "14 07:30"]),
        ("Europe/Berlin", "2027-03-28", ["28 00:00", "28 00:30", "28 01:00", "28 01:30"]),
    ],
)
def test_an_hour_the_clock_skips_is_not_offered(zone, day, starts):
    assert offered(zone, day, "1:00", "4:00") == starts


def test_a_shift_that_ends_in_a_skipped_hour_ends_where_the_clock_jumps():
    assert offered("America/New_York", "2027-03-14", "1:00", "2:30") == ["14 06:00", "14 06:30"]
    assert offered("America/New_York", "2027-03-14", "1:00", "2:30", duration=60) == ["14 06:00"]


def test_a_day_the_clock_changes_is_shorter_or_longer_for_long_visits():
    assert len(offered("America/New_York", "2027-03-14", "0:00", "6:00", duration=300)) == 1
    assert len(offered("America/New_York", "2026-11-01", "0:00", "6:00", duration=420)) == 1
    assert offered("America/New_York", "2026-11-01", "0:00", "6:00", duration=421) == []


def test_lord_howe_repeats_only_half_an_hour():
    assert offered("Australia/Lord_Howe", "2027-04-04", "1:00", "2:30", step=15) == [
        "03 14:00",
        "03 14:15",
        "03 14:30",
        "03 14:45",
        "03 15:30",
    ]


@pytest.mark.parametrize(
    ("zone", "day", "starts"),
    [
        ("Asia/Kathmandu", "2026-11-23", ["23 03:15", "23 03:45"]),
        # Both stopped changing their clocks in 2026; older time zone data is an hour off here.
        ("Africa/Casablanca", "2026-11-20", ["20 09:00", "20 09:30"]),
        ("America/Vancouver", "2026-11-20", ["20 16:00", "20 16:30"]),
        ("America/Chicago", "2028-02-29", ["29 15:00", "29 15:30"]),
    ],
)
def test_nine_o_clock_is_nine_o_clock_there(zone, day, starts):
    assert offered(zone, day, "9:00", "10:00") == starts


def test_a_day_that_a_country_skips_offers_nothing():
    evening = {"opens": "22:00", "closes": "24:00", "step": 60}
    assert offered("Pacific/Apia", "2011-12-29", **evening) == ["30 08:00", "30 09:00"]
    assert offered("Pacific/Apia", "2011-12-30", **evening) == []
    assert offered("Pacific/Apia", "2011-12-31", **evening) == ["31 08:00", "31 09:00"]


def test_a_night_shift_belongs_to_the_day_it_begins_on():
    assert offered("America/Chicago", "2026-11-23", "23:00", "25:00", step=60) == [
        "24 05:00",
        "24 06:00",
    ]


def test_a_shift_holds_on_its_first_and_its_last_day_and_not_outside_them():
    days = date(2026, 11, 9), date(2026, 11, 23)
    shift = Shift(UTC, 0, clock("9:00"), clock("9:30"), 30, *days)
    found = bookable_starts(
        openings=openings([shift], since=at("2026-10-01 00:00"), until=at("2027-01-01 00:00")),
        visit=Visit(30),
        since=at("2026-10-01 00:00"),
        until=at("2027-01-01 00:00"),
    )
    assert times(found) == ["09 09:00", "16 09:00", "23 09:00"]


NINE = at("2026-11-23 09:00")


def around(*, visit, busy=(), step=5, **rest):
    """Starts offered from 9:00 to 12:00 on a Monday, in minutes after nine."""
    shift = Shift(UTC, 0, clock("9:00"), clock("12:00"), step)
    found = bookable_starts(
        openings=openings([shift], since=NINE, until=NINE + 1),
        visit=visit,
        busy=busy,
        since=NINE,
        until=NINE + 180,
        **rest,
    )
    return {minute - NINE for minute in found}


def test_a_visit_may_begin_the_minute_another_ends_and_end_the_minute_it_begins():
    free = around(visit=Visit(30), busy=[Busy(NINE + 60, NINE + 90)])
    assert {30, 90} <= free
    assert not free & {35, 40, 60, 85}


@pytest.mark.parametrize(
    ("visit", "taken", "gap_before", "gap_after"),
    [
        (Visit(30, before=0, after=10), {"before": 0, "after": 0}, 10, 0),
        (Visit(30, before=10, after=0), {"before": 0, "after": 0}, 0, 10),
        (Visit(30, before=0, after=0), {"before": 15, "after": 5}, 15, 5),
        (Visit(30, before=10, after=10), {"before": 5, "after": 5}, 10, 10),
        (Visit(30, before=5, after=5), {"before": 10, "after": 15}, 10, 15),
    ],
)
def test_the_gap_between_two_visits_is_the_longer_of_the_two_wanted(
    visit, taken, gap_before, gap_after
):
    free = around(visit=visit, busy=[Busy(NINE + 60, NINE + 90, **taken)])
    assert max(minute for minute in free if minute < 60) == 30 - gap_before
    assert min(minute for minute in free if minute >= 60) == 90 + gap_after


def test_a_buffer_may_reach_past_closing_time_and_into_a_closure():
    free = around(visit=Visit(30, before=10, after=10), closed=[(NINE + 60, NINE + 90)])
    assert {0, 30, 90, 150} <= free
    assert not free & {35, 60, 85, 155}


def test_a_visit_needs_one_room_for_its_whole_length():
    first, second = [Busy(NINE, NINE + 60)], [Busy(NINE + 45, NINE + 180)]
    visit = Visit(30)
    free = around(visit=visit, refused=no_room([first, second], visit))
    assert free == {0, 5, 10, 15, *range(60, 155, 5)}


def test_without_any_room_nothing_is_offered():
    assert around(visit=Visit(30), refused=no_room([], Visit(30))) == set()
    assert around(visit=Visit(30), refused=no_room([[]], Visit(30))) == around(visit=Visit(30))


def test_only_starts_from_since_and_before_until_are_offered():
    shift = Shift(UTC, 0, clock("9:00"), clock("12:00"), 15)
    found = bookable_starts(
        openings=openings([shift], since=NINE, until=NINE + 180),
        visit=Visit(30),
        since=NINE + 15,
        until=NINE + 46,
    )
    assert [minute - NINE for minute in found] == [15, 30, 45]


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
    ("Pacific/Apia", date(2011, 12, 29)),
    ("Asia/Kathmandu", date(2026, 11, 23)),
    ("America/Chicago", date(2028, 2, 28)),
]
BUFFERS = st.sampled_from([0, 5, 10, 25])
VISITS = st.builds(Visit, st.sampled_from([15, 20, 45, 60, 90]), BUFFERS, BUFFERS)


@st.composite
def weeks(draw):
    """Shifts, taken time, closures and rooms over two days, by the minute."""
    name, day = draw(st.sampled_from(DAYS))
    zone = ZoneInfo(name)
    first = floor_minute(datetime.combine(day, datetime.min.time(), zone))
    minute = st.integers(first - 120, first + 2 * slots.DAY)

    def spans(longest):
        return st.builds(lambda start, length: (start, start + length), minute, longest)

    busy = st.lists(
        st.builds(
            lambda span, before, after: Busy(*span, before, after),
            spans(st.integers(5, 120)),
            BUFFERS,
            BUFFERS,
        ),
        max_size=8,
    )
    shifts = st.builds(
        lambda after, opens, length, step: Shift(
            zone, (day.weekday() + after) % 7, opens, opens + length, step
        ),
        st.integers(-1, 2),
        st.sampled_from([0, 60, 90, 125, 540, 1320]),
        st.sampled_from([60, 95, 180, 600, 1440]),
        st.sampled_from([5, 15, 20, 45]),
    )
    since, until = sorted((draw(minute), draw(minute)))
    return {
        "shifts": draw(st.lists(shifts, min_size=1, max_size=3)),
        "visit": draw(VISITS),
        "busy": draw(busy),
        "closed": draw(st.lists(spans(st.integers(1, 300)), max_size=2)),
        "rooms": draw(st.none() | st.lists(busy, max_size=3)),
        "since": since,
        "until": until,
    }


def naive_starts(*, shifts, visit, busy, closed, rooms, since, until):
    """Every minute asked about on its own, straight from the words of the rules."""

    def before_the_end_of(shift, day, minute):
        return local(shift, minute) < day + timedelta(minutes=shift.closes)

    def local(shift, minute):
        return slots.from_minute(minute).astimezone(shift.zone).replace(tzinfo=None)

    def begins_in(shift, minute):
        if slots.from_minute(minute).astimezone(shift.zone).fold:
            return False
        reading = local(shift, minute)
        for days_ago in (0, 1):
            day = datetime.combine(reading, datetime.min.time()) - timedelta(days=days_ago)
            wall = (reading - day) // timedelta(minutes=1)
            if (
                day.weekday() == shift.weekday
                and shift.opens <= wall < shift.closes
                and (wall - shift.opens) % shift.step == 0
                and all(
                    before_the_end_of(shift, day, minute + passed)
                    for passed in range(visit.duration)
                )
            ):
                return True
        return False

    def meet(ours, theirs):
        return any(minute in theirs for minute in ours)

    def clash(start, taken):
        end = start + visit.duration
        return (
            meet(range(start, end + visit.after), range(taken.start, taken.end))
            or meet(range(start - visit.before, end), range(taken.start, taken.end))
            or meet(range(start, end), range(taken.start - taken.before, taken.end))
            or meet(range(start, end), range(taken.start, taken.end + taken.after))
        )

    return [
        start
        for start in range(since, until)
        if any(begins_in(shift, start) for shift in shifts)
        and not any(meet(range(start, start + visit.duration), range(*span)) for span in closed)
        and not any(clash(start, taken) for taken in busy)
        and (rooms is None or any(not any(clash(start, taken) for taken in room) for room in rooms))
    ]


@given(weeks())
def test_the_sweep_offers_what_asking_about_every_minute_offers(week):
    expected = naive_starts(**week)
    shifts, rooms = week.pop("shifts"), week.pop("rooms")
    found = bookable_starts(
        openings=openings(shifts, since=week["since"], until=week["until"]),
        refused=no_room(rooms, week["visit"]) if rooms is not None else [],
        **week,
    )
    assert found == expected
