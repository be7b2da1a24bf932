"""A series before it is booked or moved: each wanted time, whether it is free, and what is near."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from booking.appointments.models import Appointment
from booking.flow.eligibility import Offer
from booking.flow.picker import is_in_time
from booking.series.recurrence import instant, shifted
from clinic.models import Location, Practitioner
from schedule.models import Service

# The search for alternatives goes this far to either side. It shows up to SAME_DAY starts of the
# same day, and from each other day the one at the nearest time of day.
AROUND = timedelta(days=3)
SAME_DAY = 4

type Reading = tuple[date, time]


@dataclass(frozen=True)
class PlannedVisit:
    """``wall`` is the wanted reading of the place's clock, ``wanted`` the instant, None if skipped.

    ``near`` are all free starts around it, ``alternatives`` those worth showing, on its clock.
    """

    number: int
    wall: datetime
    wanted: datetime | None
    is_free: bool
    near: tuple[datetime, ...]

    @property
    def nearest(self) -> datetime | None:
        return min(self.near, key=self._distance, default=None)

    def _distance(self, start: datetime) -> timedelta:
        return abs(start.replace(tzinfo=None) - self.wall)

    @property
    def alternatives(self) -> list[datetime]:
        def of_the_day(start: datetime) -> timedelta:
            return abs(datetime.combine(self.wall, start.time()) - self.wall)

        others = [start for start in self.near if start != self.wanted]
        same_day = [start for start in others if start.date() == self.wall.date()]
        shown = sorted(same_day, key=self._distance)[:SAME_DAY]
        for day in sorted({start.date() for start in others} - {self.wall.date()}):
            of_that_day = [start for start in others if start.date() == day]
            shown.append(min(of_that_day, key=of_the_day))
        return sorted(shown)


def lay_out(
    readings: Sequence[Reading], *, free: Iterable[datetime], zone: ZoneInfo
) -> list[PlannedVisit]:
    """Match each wanted reading with the free starts (UTC instants) on its day and around it."""
    starts = sorted(set(free))
    planned = []
    for number, (day, at) in enumerate(readings, 1):
        wall, wanted = datetime.combine(day, at), instant(day, at, zone)
        middle = wanted or wall.replace(tzinfo=zone).astimezone(UTC)
        near = [start for start in starts if abs(start - middle) <= AROUND]
        planned.append(
            PlannedVisit(
                number=number,
                wall=wall,
                wanted=wanted,
                is_free=wanted in starts,
                near=tuple(start.astimezone(zone) for start in near),
            )
        )
    return planned


def free_around(
    readings: Iterable[Reading],
    *,
    service: Service,
    practitioner: Practitioner,
    location: Location,
    minutes: int,
    now: datetime,
    moving: Iterable[Appointment] = (),
    offer: Offer | None = None,
) -> list[datetime]:
    """Return the free starts around all the readings in one read.

    The time of the ``moving`` visits counts as free. ``offer`` limits a patient. Staff have no
    ``offer``, and for them not even notice and horizon apply.
    """
    days = [day for day, _at in readings]
    since = datetime.combine(min(days), time(), location.zone) - AROUND
    until = datetime.combine(max(days), time(), location.zone) + AROUND + timedelta(days=1)
    visits = Appointment.objects.exclude(pk__in=[visit.pk for visit in moving])
    search = visits.search(
        service,
        since=max(since, now),
        until=until,
        now=now,
        duration=minutes,
        as_staff=offer is None,
        level=offer.level if offer else None,
    )
    return [
        free.start
        for free in search.starts([practitioner], location)
        if offer is None or is_in_time(offer, free.start.astimezone(location.zone))
    ]


def lay_out_shifted(
    visits: Sequence[Appointment],
    *,
    was: datetime,
    becomes: datetime,
    now: datetime,
    offer: Offer | None = None,
) -> list[PlannedVisit]:
    """Match each visit's new time with the free starts of its practitioner at its location.

    All move by the same wall-clock difference as from ``was`` to ``becomes``.
    """
    planned = []
    for number, visit in enumerate(visits, 1):
        reading = shifted(visit.local_start, was=was, becomes=becomes)
        free = free_around(
            [reading],
            service=visit.service,
            practitioner=visit.practitioner,
            location=visit.location,
            minutes=visit.duration_minutes,
            moving=visits,
            now=now,
            offer=offer,
        )
        (laid_out,) = lay_out([reading], free=free, zone=visit.zone)
        planned.append(replace(laid_out, number=number))
    return planned
