from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from schedule import slots
from schedule.slots import (
    Busy,
    Shift,
    VisitLength,
    bookable_starts,
    collisions,
    floor_minute,
    openings,
    starts_not_within,
    starts_overlapping,
    starts_refused_by_all,
)


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
    shift = Shift(ZoneInfo(zone), day.weekday(), clock(opens), clock(closes), day, day)
    midnight = datetime.combine(day, datetime.min.time(), UTC)
    since = floor_minute(midnight - timedelta(days=1))
    until = floor_minute(midnight + timedelta(days=3))
    return times(
        bookable_starts(
            openings=openings([shift], step=step, since=since, until=until),
            visit=VisitLength(duration),
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
    shift = Shift(UTC, 0, clock("9:00"), clock("9:30"), *days)
    found = bookable_starts(
        openings=openings(
            [shift], step=30, since=at("2026-10-01 00:00"), until=at("2027-01-01 00:00")
        ),
        visit=VisitLength(30),
        since=at("2026-10-01 00:00"),
        until=at("2027-01-01 00:00"),
    )
    assert times(found) == ["09 09:00", "16 09:00", "23 09:00"]


NINE = at("2026-11-23 09:00")


def around(*, visit, busy=(), closed=(), refused=()):
    """Starts offered from 9:00 to 12:00 on a Monday, in minutes after nine."""
    shift = Shift(UTC, 0, clock("9:00"), clock("12:00"))
    found = bookable_starts(
        openings=openings([shift], step=5, since=NINE, until=NINE + 1),
        visit=visit,
        since=NINE,
        until=NINE + 180,
        refused=[*collisions(busy, visit), *starts_overlapping(closed, visit), *refused],
    )
    return {minute - NINE for minute in found}


def test_a_visit_may_begin_the_minute_another_ends_and_end_the_minute_it_begins():
    free = around(visit=VisitLength(30), busy=[Busy(NINE + 60, NINE + 90)])
    assert {30, 90} <= free
    assert not free & {35, 40, 60, 85}


@pytest.mark.parametrize(
    ("visit", "taken", "gap_before", "gap_after"),
    [
        (VisitLength(30, before=0, after=10), {"before": 0, "after": 0}, 10, 0),
        (VisitLength(30, before=10, after=0), {"before": 0, "after": 0}, 0, 10),
        (VisitLength(30, before=0, after=0), {"before": 15, "after": 5}, 15, 5),
        (VisitLength(30, before=10, after=10), {"before": 5, "after": 5}, 10, 10),
        (VisitLength(30, before=5, after=5), {"before": 10, "after": 15}, 10, 15),
    ],
)
def test_the_gap_between_two_visits_is_the_longer_of_the_two_wanted(
    visit, taken, gap_before, gap_after
):
    free = around(visit=visit, busy=[Busy(NINE + 60, NINE + 90, **taken)])
    assert max(minute for minute in free if minute < 60) == 30 - gap_before
    assert min(minute for minute in free if minute >= 60) == 90 + gap_after


def test_a_buffer_may_reach_past_closing_time_and_into_a_closure():
    free = around(visit=VisitLength(30, before=10, after=10), closed=[(NINE + 60, NINE + 90)])
    assert {0, 30, 90, 150} <= free
    assert not free & {35, 60, 85, 155}


def test_a_visit_needs_one_room_for_its_whole_length():
    first, second = [Busy(NINE, NINE + 60)], [Busy(NINE + 45, NINE + 180)]
    visit = VisitLength(30)
    free = around(
        visit=visit,
        refused=starts_refused_by_all(collisions(busy, visit) for busy in (first, second)),
    )
    assert free == {0, 5, 10, 15, *range(60, 155, 5)}


def test_without_any_room_nothing_is_offered():
    assert around(visit=VisitLength(30), refused=starts_refused_by_all([])) == set()
    assert around(visit=VisitLength(30), refused=starts_refused_by_all([[]])) == around(
        visit=VisitLength(30)
    )


def test_a_room_takes_a_visit_that_lies_within_its_hours_also_across_two_that_touch():
    visit = VisitLength(30)
    hours = [(NINE + 30, NINE + 60), (NINE + 60, NINE + 90), (NINE + 120, NINE + 180)]
    free = around(visit=visit, refused=starts_not_within(hours, visit))
    assert free == {*range(30, 65, 5), *range(120, 155, 5)}
    assert around(visit=visit, refused=starts_not_within([], visit)) == set()


def test_a_day_or_a_week_is_full_at_its_limit():
    begins = slots.periods(UTC, days=1, since=NINE, until=NINE + slots.DAY)
    assert NINE - 9 * 60 in begins
    today = (NINE - 9 * 60, NINE + 15 * 60)
    assert slots.full_periods(begins, [NINE, NINE + 60], most=2) == [today]
    assert slots.full_periods(begins, [NINE, NINE + 15 * 60], most=2) == []
    weeks = slots.periods(ZoneInfo("America/Chicago"), days=7, since=NINE, until=NINE + 1)
    assert [slots.from_minute(week).isoformat() for week in weeks][-2:] == [
        "2026-11-23T06:00:00+00:00",
        "2026-11-30T06:00:00+00:00",
    ]


def test_only_starts_from_since_and_before_until_are_offered():
    shift = Shift(UTC, 0, clock("9:00"), clock("12:00"))
    found = bookable_starts(
        openings=openings([shift], step=15, since=NINE, until=NINE + 180),
        visit=VisitLength(30),
        since=NINE + 15,
        until=NINE + 46,
    )
    assert [minute - NINE for minute in found] == [15, 30, 45]


def test_a_break_in_hours_that_come_twice_ends_the_first_time_and_one_that_is_skipped_is_none():
    zone, change = ZoneInfo("America/New_York"), date(2026, 11, 1)
    day = slots.day_span(change, zone)
    assert day[1] - day[0] == 25 * 60
    once = Shift(zone, 6, clock("1:00"), clock("1:30"))
    around_it = {"since": day[0], "until": day[0] + 60}
    (first, last) = slots.spans([once], **around_it)[0]
    assert times([first, last]) == ["01 05:00", "01 05:30"]
    spring = slots.day_span(date(2027, 3, 14), zone)
    skipped = Shift(zone, 6, clock("2:10"), clock("2:50"))
    assert all(
        first == last
        for first, last in slots.spans([skipped], since=spring[0], until=spring[1])
        if spring[0] <= first < spring[1]
    )


def test_a_day_that_a_country_skips_has_no_minutes():
    first, last = slots.day_span(date(2011, 12, 30), ZoneInfo("Pacific/Apia"))
    assert first == last


def test_an_instant_is_a_whole_minute_since_1970_rounded_down_or_up():
    minute, second = datetime(1970, 1, 1, 0, 1, tzinfo=UTC), timedelta(seconds=1)
    assert slots.from_minute(1) == minute
    assert [slots.floor_minute(minute + late * second) for late in (-1, 0, 59)] == [0, 1, 1]
    assert [slots.ceil_minute(minute + late * second) for late in (-1, 0, 1)] == [1, 1, 2]


def test_a_visit_wants_no_free_time_around_it_unless_it_says_so():
    assert VisitLength(30) == (30, 0, 0)
    assert Busy(60, 90) == (60, 90, 0, 0)


def test_the_refused_starts_are_right_to_the_minute():
    assert collisions([Busy(60, 90)], VisitLength(30)) == [(31, 90)]
    assert collisions([Busy(60, 90, 3, 7)], VisitLength(30, 5, 5)) == [(26, 97)]
    assert starts_overlapping([(60, 90)], VisitLength(30)) == [(31, 90)]
    assert starts_overlapping([(60, 60)], VisitLength(30)) == []


def test_a_span_holds_its_first_minute_and_not_its_last():
    assert [slots.is_in(minute, [(0, 5), (60, 90)]) for minute in (5, 59, 60, 89, 90)] == [
        False,
        False,
        True,
        True,
        False,
    ]


def test_periods_reach_from_the_one_of_since_to_the_end_of_the_one_of_until():
    monday = NINE - 9 * 60
    for days in (1, 7):
        for until in (NINE, monday + 6 * slots.DAY, monday + 7 * slots.DAY - 1):
            begins = slots.periods(UTC, days=days, since=monday, until=until)
            assert monday in begins
            assert begins[-1] > until
            assert {last - first for first, last in pairwise(begins)} == {days * slots.DAY}


def test_spans_that_touch_or_overlap_are_one():
    spans = [(30, 40), (0, 10), (5, 8), (10, 20), (25, 25), (35, 50)]
    assert starts_refused_by_all([spans]) == [(0, 20), (30, 50)]
    assert starts_refused_by_all([spans, [(8, 32)]]) == [(8, 20), (30, 32)]
    assert starts_refused_by_all([spans, [(20, 30)]]) == []


def test_a_skipped_reading_is_not_offered_as_the_time_an_hour_later():
    assert offered("America/New_York", "2027-03-14", "1:00", "4:00", step=45) == [
        "14 06:00",
        "14 06:45",
        "14 07:15",
    ]


def test_a_shift_that_began_yesterday_is_found_after_midnight():
    night, midnight = Shift(UTC, 0, clock("23:00"), clock("25:00")), NINE + 15 * 60
    found = openings([night], step=60, since=midnight, until=midnight + 60)
    assert (midnight, midnight + 60) in [(opening.starts[-1], opening.end) for opening in found]
