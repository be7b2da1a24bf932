"""The dates of a treatment series, on the wall clock: every few weeks, or back from a race.

Pure. A visit at nine stays at nine when the clocks change in between.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Days before the race that the last visit may have, the best first: near enough to help, and
# early enough for the legs to recover.
LAST_VISIT_BEFORE_RACE = (5, 4, 6, 3, 7)


def every(weeks: int, *, first: date, count: int) -> list[date]:
    """Return ``count`` days: the first one, then one every ``weeks`` weeks."""
    return [first + timedelta(weeks=weeks * number) for number in range(count)]


def back_from_race(
    race_on: date, *, weeks: int, count: int, earliest: date, weekdays: Collection[int]
) -> list[date]:
    """Return up to ``count`` days back from the race, ascending; none before ``earliest``.

    The last one is three to seven days before the race, on one of the ``weekdays`` (Monday = 0)
    if possible.
    """
    possible = [race_on - timedelta(days=days) for days in LAST_VISIT_BEFORE_RACE]
    last = next((day for day in possible if day.weekday() in weekdays), possible[0])
    days = [last - timedelta(weeks=weeks * number) for number in range(count)]
    return sorted(day for day in days if day >= earliest)


def instant(day: date, at: time, zone: ZoneInfo) -> datetime | None:
    """Return the UTC instant of a wall-clock reading, the first of two; None when it is skipped."""
    wall = datetime.combine(day, at)
    start = wall.replace(tzinfo=zone).astimezone(UTC)
    return start if start.astimezone(zone).replace(tzinfo=None) == wall else None


def shifted(local: datetime, *, was: datetime, becomes: datetime) -> tuple[date, time]:
    """Return the wall-clock reading that lies as far from ``local`` as ``becomes`` from ``was``.

    All three are readings of one place's clock. The difference is between readings, so "one week
    later at ten" means the same in every week.
    """
    plain = [each.replace(tzinfo=None) for each in (local, was, becomes)]
    moved = plain[0] + (plain[2] - plain[1])
    return moved.date(), moved.time()
