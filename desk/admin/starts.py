"""The free starts of a week, as the front desk's pages list them."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from booking.models import Appointment
from clinic import days
from clinic.models import Location, Practitioner
from intake.rules.levels import Level
from schedule.models import Service
from schedule.search import ObstacleRule

DAYS_SHOWN = 7


@dataclass(frozen=True)
class Start:
    """``value`` is what ``StartField`` reads; ``names`` are the practitioners who are free.

    An exception is a time that is not offered to patients: over a limit, or reserved.
    """

    local: datetime
    value: str
    names: tuple[str, ...]
    is_exception: bool = False


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

    Staff can book up to the last minute, so only past times are left out. A visit that is
    ``moving`` keeps its length, and its current time is not listed. A time at which several
    practitioners are free is then listed once for each, because a move does not choose one.
    """
    since, until = days.instants(first, first + timedelta(days=DAYS_SHOWN - 1), location.zone)
    search = partial(
        Appointment.objects.search,
        service,
        since=max(since, now),
        until=until,
        now=now,
        duration=moving.duration_minutes if moving else duration,
        as_staff=True,
        moving=moving,
    )
    asked = [practitioner] if practitioner else None, location
    here = moving and (moving.start, moving.practitioner_id, moving.location_id)
    found = [free for free in search().starts(*asked) if free != here]
    usual = set(search(level=Level.ROUTINE).starts(*asked))
    names = dict(service.practitioners.values_list("pk", "name"))
    shown = {
        day: Day(day) for day in (first + timedelta(days=number) for number in range(DAYS_SHOWN))
    }
    for at, free in groupby(found, key=lambda start: start.start):
        local = at.astimezone(location.zone)
        starts = list(free)
        for together in [[start] for start in starts] if moving else [starts]:
            keys = [start.practitioner_id for start in together]
            who = f" {keys[0]}" if len(keys) == 1 else ""
            start = Start(
                local,
                f"{at.isoformat()}{who}",
                tuple(names[key] for key in keys),
                is_exception=usual.isdisjoint(together),
            )
            shown[local.date()].starts.append(start)
    for day in shown.values():
        if day.starts:
            day.is_first_free = True
            break
    return list(shown.values())


def tell_of_exceptions(request: HttpRequest, visit: Appointment, *, now: datetime) -> None:
    """Warn that the time just booked is not offered to patients."""
    said = {
        ObstacleRule.LIMIT: _("This is more visits than the limit allows."),
        ObstacleRule.RESERVED: _("This time was kept for patients who have to be seen soon."),
    }
    search = Appointment.objects.search(
        visit.service,
        since=visit.start,
        now=now,
        duration=visit.duration_minutes,
        as_staff=True,
        level=Level.ROUTINE,
        moving=visit,
    )
    found = search.why_not(visit.practitioner, visit.location)
    for rule in dict.fromkeys(obstacle.rule for obstacle in found if obstacle.rule in said):
        messages.warning(request, said[rule])
