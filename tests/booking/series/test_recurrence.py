"""The dates of a series: wall clocks, clock changes, and back from a race."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from booking.series.planning import lay_out
from booking.series.recurrence import back_from_race, every, instant, shifted

AUSTIN = ZoneInfo("America/Chicago")
RACE = date(2026, 11, 1)  # a Sunday


def test_every_other_week_is_a_fortnight_apart():
    assert every(2, first=date(2026, 6, 2), count=3) == [
        date(2026, 6, 2),
        date(2026, 6, 16),
        date(2026, 6, 30),
    ]


@pytest.mark.parametrize(
    ("weekdays", "last"),
    [
        (range(7), date(2026, 10, 27)),  # Tuesday, five days before
        ([0], date(2026, 10, 26)),
        ([2], date(2026, 10, 28)),
        ([3], date(2026, 10, 29)),
        ([6], date(2026, 10, 25)),
        ([4, 5], date(2026, 10, 27)),  # nobody works three to seven days before
        ([], date(2026, 10, 27)),
    ],
)
def test_the_last_visit_comes_three_to_seven_days_before_the_race(weekdays, last):
    days = back_from_race(RACE, weeks=1, count=2, earliest=date(2026, 6, 1), weekdays=weekdays)
    assert days[-1] == last
    assert (RACE - last).days in range(3, 8)


def test_what_would_lie_before_the_earliest_day_is_left_out():
    def days(earliest):
        return back_from_race(RACE, weeks=2, count=6, earliest=earliest, weekdays=[1])

    assert days(date(2026, 9, 29)) == [
        date(2026, 9, 29),
        date(2026, 10, 13),
        date(2026, 10, 27),
    ]
    assert len(days(date(2026, 9, 30))) == 2
    assert days(date(2026, 10, 30)) == []


@pytest.mark.parametrize(
    ("day", "at", "zone", "found"),
    [
        ((2026, 10, 31), time(9), "America/New_York", (2026, 10, 31, 13)),
        ((2026, 11, 1), time(9), "America/New_York", (2026, 11, 1, 14)),
        # Twice on the clock: the first. Never on it: none.
        ((2026, 11, 1), time(1, 30), "America/New_York", (2026, 11, 1, 5, 30)),
        ((2027, 3, 14), time(2, 30), "America/New_York", None),
        ((2027, 4, 4), time(9), "Australia/Lord_Howe", (2027, 4, 3, 22, 30)),
        ((2028, 2, 29), time(9), "Asia/Kathmandu", (2028, 2, 29, 3, 15)),
        ((2011, 12, 30), time(9), "Pacific/Apia", None),
    ],
)
def test_a_reading_of_the_clock_is_one_instant_or_none(day, at, zone, found):
    expected = datetime(*found, tzinfo=UTC) if found else None
    assert instant(date(*day), at, ZoneInfo(zone)) == expected


def test_a_shift_is_as_far_on_the_clock_in_summer_as_in_winter():
    first = datetime(2026, 10, 27, 9, tzinfo=AUSTIN)
    second = datetime(2026, 11, 3, 9, tzinfo=AUSTIN)
    moved = shifted(second, was=first, becomes=datetime(2026, 10, 28, 14, 30))
    assert moved == (date(2026, 11, 4), time(14, 30))


def at(day, hour, minute=0):
    return datetime(2026, 6, day, hour, minute, tzinfo=AUSTIN).astimezone(UTC)


def test_each_date_stands_beside_the_nearest_that_are_free():
    free = [at(2, 9), at(9, 8), at(9, 10), at(10, 9), at(13, 9)]
    first, second, third = lay_out(
        [(date(2026, 6, 2), time(9)), (date(2026, 6, 9), time(9)), (date(2026, 6, 20), time(9))],
        free=free,
        zone=AUSTIN,
    )
    assert (first.is_free, first.alternatives) == (True, [])
    assert not second.is_free
    assert [each.astimezone(UTC) for each in second.alternatives] == [
        at(9, 8),
        at(9, 10),
        at(10, 9),
    ]
    assert (third.is_free, third.alternatives, third.number) == (False, [], 3)


def test_alternatives_are_a_few_of_the_day_and_one_of_each_other_day():
    free = [at(day, hour) for day in (7, 8, 9, 10) for hour in range(8, 17)]
    (planned,) = lay_out([(date(2026, 6, 9), time(12, 30))], free=free, zone=AUSTIN)
    shown = [start.astimezone(UTC) for start in planned.alternatives]
    assert shown == [at(7, 12), at(8, 12), *(at(9, hour) for hour in (11, 12, 13, 14)), at(10, 12)]
    assert len(planned.near) == len(free)


def test_a_time_that_the_clock_skips_is_never_free():
    (planned,) = lay_out(
        [(date(2027, 3, 14), time(2, 30))],
        free=[datetime(2027, 3, 14, 8, tzinfo=UTC)],
        zone=AUSTIN,
    )
    assert (planned.wanted, planned.is_free) == (None, False)
    assert [start.time() for start in planned.alternatives] == [time(3)]
