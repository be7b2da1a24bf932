"""The order of practitioners when several could take an appointment."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from clinic import days
from schedule import slots


def by_least_booked(
    candidates: Collection[int], occupied: QuerySet[Any], *, start: datetime, zone: ZoneInfo
) -> list[int]:
    """Return the keys of practitioners in the order in which to try them.

    The fewest minutes booked on the day of ``start`` come first, then the fewest in that week.
    ``occupied`` are the appointments that occupy time.
    """
    day = start.astimezone(zone).date()
    monday = day - timedelta(days=day.weekday())
    since, until = days.instants(monday, monday + timedelta(days=6), zone)
    day_since, day_until = days.instants(day, day, zone)
    that_day, that_week = Counter[int](), Counter[int]()
    booked = occupied.filter(practitioner__in=candidates, start__gte=since, start__lt=until)
    for pk, begin, end in booked.order_by().values_list("practitioner_id", "start", "end"):
        minutes = (end - begin) // slots.MINUTE
        that_week[pk] += minutes
        if day_since <= begin < day_until:
            that_day[pk] += minutes
    return sorted(candidates, key=lambda pk: (that_day[pk], that_week[pk], pk))
