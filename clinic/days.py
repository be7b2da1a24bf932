"""Calendar days on a wall clock as ranges of UTC instants.

Queries compare instants with these; the database is never asked what day it is somewhere,
because PostgreSQL has a time zone table of its own.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def local_date(now: datetime, zone: ZoneInfo) -> date:
    """Return the calendar date at ``now`` in the zone."""
    return now.astimezone(zone).date()


def instants(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the start of ``first`` and the end of ``last`` (exclusive) as UTC instants.

    A day is 23 or 25 hours long when the clocks change; a midnight that occurs twice means the
    first.
    """
    start, end = (
        datetime.combine(day, time(), zone).astimezone(UTC)
        for day in (first, last + timedelta(days=1))
    )
    return start, end
