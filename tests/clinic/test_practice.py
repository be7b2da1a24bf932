from datetime import UTC, datetime, timedelta

import pytest

from clinic.models import Practice

# Monday, 10:00 in Chicago.
MORNING = datetime(2026, 6, 1, 15, 0, tzinfo=UTC)


def practice(**fields):
    return Practice(time_zone="America/Chicago", **fields)


@pytest.mark.parametrize(
    ("now", "is_staffed"),
    [
        (MORNING, True),
        (MORNING - timedelta(hours=2), True),
        (MORNING - timedelta(hours=2, seconds=1), False),
        (MORNING + timedelta(hours=8), False),
        (MORNING + timedelta(hours=8, seconds=-1), True),
        (MORNING - timedelta(days=1), False),
    ],
)
def test_staffed_hours_are_wall_clock_and_end_on_the_minute(now, is_staffed):
    assert practice().is_staffed(now) is is_staffed


def test_a_midday_break_is_not_staffed():
    hours = {"0": [["08:00", "12:00"], ["13:00", "18:00"]]}
    assert not practice(staffed_hours=hours).is_staffed(MORNING + timedelta(hours=2, minutes=30))
    assert practice(staffed_hours=hours).is_staffed(MORNING + timedelta(hours=3))


def test_hours_follow_the_clock_change():
    # 8:30 in Chicago before and after clocks went back on 1 November 2026.
    assert practice().is_staffed(datetime(2026, 10, 30, 13, 30, tzinfo=UTC))
    assert not practice().is_staffed(datetime(2026, 11, 2, 13, 30, tzinfo=UTC))
    assert practice().is_staffed(datetime(2026, 11, 2, 14, 30, tzinfo=UTC))


def test_somebody_calls_within_the_hour_and_before_the_doors_close():
    assert practice().callback_time(MORNING).strftime("%H:%M") == "11:00"
    closing = MORNING + timedelta(hours=7, minutes=40)
    assert practice().callback_time(closing).strftime("%H:%M") == "18:00"


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (timedelta(0), timedelta(hours=1)),
        (timedelta(hours=7), timedelta(hours=8)),
        # Half an hour before the doors close, and half an hour of the next morning.
        (timedelta(hours=7, minutes=30), timedelta(hours=22, minutes=30)),
        (timedelta(hours=12), timedelta(hours=23)),
        # Friday evening and Sunday: Monday morning.
        (timedelta(days=4, hours=8), timedelta(days=6, hours=23)),
        (timedelta(days=-1), timedelta(hours=-1)),
    ],
)
def test_a_clock_counts_staffed_hours_only(since, expected):
    assert practice().clock_runs_out(MORNING + since, timedelta(hours=1)) == MORNING + expected


def test_a_clock_longer_than_a_day_goes_on_over_the_weekend():
    friday = MORNING + timedelta(days=4)
    assert practice().clock_runs_out(friday, timedelta(hours=21)) == friday + timedelta(
        days=4, hours=1
    )


def test_without_staffed_hours_or_with_somebody_on_call_a_clock_never_stands_still():
    night = MORNING + timedelta(hours=12)
    for anybody in (practice(on_call_enabled=True), practice(staffed_hours={"0": []})):
        assert anybody.clock_runs_out(night, timedelta(hours=1)) == night + timedelta(hours=1)


def test_nobody_calls_when_the_clinic_is_closed_unless_somebody_is_on_call():
    night = MORNING + timedelta(hours=12)
    assert practice().callback_time(night) is None
    assert not practice().is_told(night)
    on_call = practice(on_call_enabled=True)
    assert on_call.is_told(night)
    assert on_call.callback_time(night) == night + timedelta(hours=1)
