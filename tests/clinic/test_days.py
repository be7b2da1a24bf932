from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinic import days

AUSTIN = ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 6, 1), 24), (date(2026, 3, 8), 23), (date(2026, 11, 1), 25)],
    ids=["ordinary", "clocks forward", "clocks back"],
)
def test_a_day_is_as_long_as_its_wall_clock_says(day, hours):
    start, end = days.instants(day, day, AUSTIN)
    assert end - start == timedelta(hours=hours)


def test_a_range_holds_its_first_and_last_day():
    start, end = days.instants(date(2026, 6, 1), date(2026, 6, 7), AUSTIN)
    assert start == datetime(2026, 6, 1, 5, tzinfo=UTC)
    assert end == datetime(2026, 6, 8, 5, tzinfo=UTC)


def test_an_evening_in_austin_is_not_yet_tomorrow():
    assert days.local_date(datetime(2026, 6, 2, 3, tzinfo=UTC), AUSTIN) == date(2026, 6, 1)
