"""Calendar days on a wall clock as ranges of UTC instants.

Queries compare instants with these. The database never calculates local dates, because PostgreSQL
has its own time zone table.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def local_date(now: datetime, zone: ZoneInfo) -> date:
    """Return the calendar date at ``now`` in the zone."""
    return now.astimezone(zone).date()


def instants(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the start of ``first`` and the end of ``last`` (exclusive) as UTC instants.

    A day is 23 or 25 hours long when the clocks change. Of a midnight that occurs twice, the first
    counts.
    """
    start, end = (
        datetime.combine(day, time(), zone).astimezone(UTC)
        for day in (first, last + timedelta(days=1))
    )
    return start, end
