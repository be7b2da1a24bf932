"""The dates of a treatment series, on the wall clock: every so many weeks, or back from a race.

Pure. A visit at nine stays at nine when the clocks change in between.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Days before the race on which the last visit may lie, the best first: near enough to help, and
# early enough for the legs to be fresh again.
LAST_VISIT_BEFORE_RACE = (5, 4, 6, 3, 7)


def every(weeks: int, *, first: date, count: int) -> list[date]:
    """Return ``count`` days, the first one and then every so many weeks."""
    return [first + timedelta(weeks=weeks * number) for number in range(count)]


def back_from_race(
    race_on: date, *, weeks: int, count: int, earliest: date, weekdays: Collection[int]
) -> list[date]:
    """Return up to ``count`` days going back from the race, rising; none before ``earliest``.

    The last one is three to seven days before the race, on one of the ``weekdays`` (Monday = 0)
    when one of them lies there.
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

    All three are readings of one place's clock; the difference is that of the readings, so that
    one week later at ten is that in every week.
    """
    plain = [each.replace(tzinfo=None) for each in (local, was, becomes)]
    moved = plain[0] + (plain[2] - plain[1])
    return moved.date(), moved.time()
