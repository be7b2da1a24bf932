"""Which starts suit somebody, and until when they may answer: wall clocks only."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from booking.waitlist.answer_time import Wish, answer_by

AUSTIN = ZoneInfo("America/Chicago")


def at(text, zone=AUSTIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


WISH = Wish(
    weekdays=[0, 2],
    parts=["morning", "evening"],
    first_day=date(2026, 6, 1),
    last_day=date(2026, 6, 10),
)


@pytest.mark.parametrize(
    ("local", "fits"),
    [
        ("2026-06-01 00:00", True),
        ("2026-05-27 09:00", False),
        ("2026-06-02 09:00", False),
        ("2026-06-03 11:59", True),
        ("2026-06-03 12:00", False),
        ("2026-06-03 16:59", False),
        ("2026-06-03 17:00", True),
        ("2026-06-10 23:59", True),
        ("2026-06-15 09:00", False),
    ],
)
def test_a_start_fits_by_day_part_and_dates_of_its_own_clock(local, fits):
    assert WISH.fits(at(local), practitioner_id=1, location_id=2) == fits


@pytest.mark.parametrize(
    ("wanted", "fits"), [((None, None), True), ((1, 2), True), ((3, 2), False), ((1, 3), False)]
)
def test_whoever_is_named_has_to_be_the_one(wanted, fits):
    wish = Wish([0], ["morning"], date(2026, 6, 1), date(2026, 6, 1), *wanted)
    assert wish.fits(at("2026-06-01 09:00"), practitioner_id=1, location_id=2) == fits


def until(now, start, *, minutes=120, notice=0, zone=AUSTIN):
    found = answer_by(
        at(now, zone), start=at(start, zone), zone=zone, minutes=minutes, notice_minutes=notice
    )
    return found and f"{found.astimezone(zone):%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("now", "start", "ends"),
    [
        ("2026-06-01 09:00", "2026-06-05 09:00", "06-01 11:00"),
        # The night does not count, and nobody is written to in it.
        ("2026-06-01 20:00", "2026-06-05 09:00", "06-02 09:00"),
        ("2026-06-01 21:00", "2026-06-05 09:00", None),
        ("2026-06-02 07:59", "2026-06-05 09:00", None),
        ("2026-06-02 08:00", "2026-06-05 09:00", "06-02 10:00"),
        # Near the visit there is less time, but never too little to read and answer.
        ("2026-06-01 09:00", "2026-06-01 11:00", "06-01 10:00"),
        ("2026-06-01 09:00", "2026-06-01 10:30", "06-01 09:30"),
        ("2026-06-01 09:00", "2026-06-01 10:29", None),
        ("2026-06-01 20:45", "2026-06-02 09:00", None),
        ("2026-06-01 20:20", "2026-06-02 09:00", "06-02 08:00"),
        ("2026-06-01 09:00", "2026-05-31 09:00", None),
    ],
)
def test_an_offer_ends_by_day_and_before_it_is_too_late_to_come(now, start, ends):
    assert until(now, start) == ends


def test_the_notice_of_the_service_counts_when_it_is_longer():
    assert until("2026-06-01 09:00", "2026-06-01 12:30", notice=120) == "06-01 10:30"


def test_a_practice_may_give_as_little_as_it_likes_and_days_as_well():
    assert until("2026-06-01 09:00", "2026-06-05 09:00", minutes=10) == "06-01 09:10"
    assert until("2026-06-01 09:00", "2026-06-30 09:00", minutes=26 * 60) == "06-03 09:00"


def test_a_night_of_a_clock_change_is_skipped_whole():
    assert until("2026-10-31 20:00", "2026-11-05 09:00") == "11-01 09:00"
    found = answer_by(
        at("2026-10-31 20:00"),
        start=at("2026-11-05 09:00"),
        zone=AUSTIN,
        minutes=120,
        notice_minutes=0,
    )
    assert found == datetime(2026, 11, 1, 15, 0, tzinfo=UTC)
