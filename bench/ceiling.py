"""The least work for the same answer: the baseline of our own times.

The sample clinic's opening hours are constants here; only its visits are read.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from django.db import connection

from clinic.models import Location, Practitioner
from schedule.models import Service

ZONE = ZoneInfo("America/Chicago")
OPENS, CLOSES = time(8), time(16, 30)
LONGEST = timedelta(days=1)
HOLD_TIME = ("pending", "booked", "arrived", "fulfilled")


def taken(
    practitioner_ids: list[int], *, since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """Return, by one query, each visit's start and when its practitioner is free again."""
    people, statuses = ("%s, " * (len(some) - 1) + "%s" for some in (practitioner_ids, HOLD_TIME))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT start, busy_until FROM booking_appointment"
            f" WHERE practitioner_id IN ({people}) AND status IN ({statuses})"
            " AND start > %s AND start < %s ORDER BY start",
            [*practitioner_ids, *HOLD_TIME, since - LONGEST, until + LONGEST],
        )
        return cursor.fetchall()


def starts(
    *, service: Service, practitioner: Practitioner, since: datetime, until: datetime
) -> list[float]:
    """Sweep each weekday's grid and the visits once; return starts in seconds since 1970."""
    visits = [
        (as_seconds(start), as_seconds(free_again))
        for start, free_again in taken([practitioner.pk], since=since, until=until)
    ]
    needs = (service.default_duration + service.buffer_after) * 60
    length, step = service.default_duration * 60, service.grid_minutes * 60
    first, last = since.timestamp(), until.timestamp()
    found, passed = [], 0
    day = since.astimezone(ZONE).date()
    while (opens := datetime.combine(day, OPENS, ZONE).timestamp()) < last:
        if day.weekday() < 5 and day not in holidays(day.year):
            closes = datetime.combine(day, CLOSES, ZONE).timestamp()
            at = opens
            while at + length <= closes:
                while passed < len(visits) and visits[passed][1] <= at:
                    passed += 1
                is_free = passed == len(visits) or visits[passed][0] >= at + needs
                if is_free and first <= at < last:
                    found.append(at)
                at += step
        day += timedelta(days=1)
    return found


@cache
def holidays(year: int) -> set[date]:
    """Return the days that the sample clinic is closed; read once per year."""
    austin = Location.objects.get(slug="austin")
    kept_open = austin.holidays_kept_open
    return {day.date for day in austin.holidays_of(year) if day.name not in kept_open}


def as_seconds(at: datetime | str) -> float:
    if isinstance(at, str):  # SQLite keeps UTC as text
        return datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
    return at.timestamp()
