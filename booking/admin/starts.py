"""The free starts of a week as the front desk's pages list them."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby

from booking.models import Appointment, Service
from clinic import days
from clinic.models import Location, Practitioner

DAYS_SHOWN = 7


@dataclass(frozen=True)
class Start:
    """``value`` is what ``StartField`` reads; ``names`` are those who could take the visit."""

    local: datetime
    value: str
    names: tuple[str, ...]


@dataclass
class Day:
    date: date
    starts: list[Start] = field(default_factory=list)
    is_first_free: bool = False


def week(
    *,
    service: Service,
    location: Location,
    first: date,
    now: datetime,
    practitioner: Practitioner | None = None,
    moving: Appointment | None = None,
    duration: int | None = None,
) -> list[Day]:
    """Return seven days from ``first`` on the location's calendar with their free starts.

    Staff book up to the last minute, so only what is past is left out. A visit that is
    ``moving`` keeps its length, and a time at which several could take it is listed once for
    each: a move does not choose among them by itself.
    """
    since, until = days.instants(first, first + timedelta(days=DAYS_SHOWN - 1), location.zone)
    found = Appointment.objects.free_starts(
        service=service,
        since=max(since, now),
        until=until,
        now=now,
        duration=moving.duration_minutes if moving else duration,
        practitioners=[practitioner] if practitioner else None,
        location=location,
        as_staff=True,
        moving=moving,
    )
    names = dict(service.practitioners.values_list("pk", "name"))
    shown = {
        day: Day(day) for day in (first + timedelta(days=number) for number in range(DAYS_SHOWN))
    }
    for at, free in groupby(found, key=lambda start: start.start):
        local = at.astimezone(location.zone)
        keys = [start.practitioner_id for start in free]
        for together in [[key] for key in keys] if moving else [keys]:
            who = f" {together[0]}" if len(together) == 1 else ""
            start = Start(local, f"{at.isoformat()}{who}", tuple(names[key] for key in together))
            shown[local.date()].starts.append(start)
    for day in shown.values():
        if day.starts:
            day.is_first_free = True
            break
    return list(shown.values())
