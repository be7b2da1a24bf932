"""Data of the slot picker: places, people, a week of days, and the chosen day's free times."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from math import ceil
from uuid import UUID

from booking.appointments.models import Appointment
from booking.flow.eligibility import Offer
from clinic import days
from clinic.models import Location, Practitioner
from schedule import slots
from schedule.models import Service
from schedule.part_of_day import PartOfDay
from schedule.search import FreeStart

FILL_STEPS = 10
WEEK = timedelta(days=7)


@dataclass(frozen=True, order=True)
class Time:
    """A free start on the wall clock of its place."""

    local: datetime

    @property
    def minute(self) -> int:
        """The value its button posts: the minute since 1970-01-01T00:00Z."""
        return slots.floor_minute(self.local)


@dataclass(frozen=True)
class FirstFree:
    """The soonest free time of all places; ``names`` are practitioners who could take the visit."""

    time: Time
    place: Location
    names: tuple[str, ...]


@dataclass(frozen=True)
class Day:
    """One day of the week strip; ``fill`` is 0 to 10, with 10 for the day with most free times."""

    date: date
    free: int
    fill: int


@dataclass(frozen=True)
class SlotFilter:
    """What the visitor wants to see; None means no choice."""

    place: str | None = None
    who: UUID | None = None
    minutes: int | None = None
    day: date | None = None


class Picker:
    """The free times of a service, read once for the whole horizon and arranged for the page.

    Without a place the one with the soonest time is shown. ``moving`` is a visit or hold whose
    own time counts as free.
    """

    def __init__(
        self,
        offer: Offer,
        *,
        wanted: SlotFilter,
        now: datetime,
        moving: Appointment | None = None,
    ) -> None:
        service = offer.service
        self.service: Service = service
        self.wanted = wanted
        self.minutes = (
            wanted.minutes if wanted.minutes in service.durations else service.default_duration
        )
        self.places: list[Location] = list(places_of(service))
        everyone = list(service.practitioners.filter(is_active=True).prefetch_related("locations"))
        self.person: Practitioner | None = next(
            (person for person in everyone if person.public_id == wanted.who), None
        )
        zones = {place.pk: place.zone for place in self.places}
        search = Appointment.objects.search(
            service,
            since=now,
            until=now + timedelta(days=service.horizon_days),
            now=now,
            duration=self.minutes,
            level=offer.level,
            moving=moving,
        )
        free = [
            start
            for start in search.starts([self.person] if self.person else None)
            if start.location_id in zones
            and is_in_time(offer, start.start.astimezone(zones[start.location_id]))
        ]
        self.anywhere = self._first_anywhere(free, {person.pk: person.name for person in everyone})
        self.place: Location | None = self._place(free)
        self.people = [
            person for person in everyone if self.place and self.place in person.locations.all()
        ]
        self.times: list[Time] = []
        if self.place:
            zone = self.place.zone
            here = {start.start for start in free if start.location_id == self.place.pk}
            self.times = [Time(start.astimezone(zone)) for start in sorted(here)]
            self.today = days.local_date(now, zone)
        else:
            self.today = now.date()
        horizon = self.today + timedelta(days=service.horizon_days)
        self.last_day = min(horizon, offer.last_day or horizon)
        self.day = min(max(self._wanted_day(), self.today), self.last_day)

    def _place(self, free: Sequence[FreeStart]) -> Location | None:
        by_slug = {place.slug: place for place in self.places}
        if self.wanted.place in by_slug:
            return by_slug[self.wanted.place]
        if free:
            return next(place for place in self.places if place.pk == free[0].location_id)
        return self.places[0] if self.places else None

    def _first_anywhere(self, free: Sequence[FreeStart], names: dict[int, str]) -> FirstFree | None:
        if not free:
            return None
        first = free[0]
        place = next(place for place in self.places if place.pk == first.location_id)
        alike = [s for s in free if (s.start, s.location_id) == (first.start, place.pk)]
        return FirstFree(
            Time(first.start.astimezone(place.zone)),
            place,
            tuple(sorted(names[start.practitioner_id] for start in alike)),
        )

    def _wanted_day(self) -> date:
        if self.wanted.day:
            return self.wanted.day
        return self.first.local.date() if self.first else self.today

    @property
    def query(self) -> dict[str, str | int | date | None]:
        """The current filter, for links that change one part of it."""
        return {
            "place": self.place.slug if self.place else None,
            "who": str(self.person.public_id) if self.person else None,
            "minutes": self.minutes if self.minutes != self.service.default_duration else None,
            "day": self.day,
        }

    @property
    def first(self) -> Time | None:
        """The soonest free time here."""
        return self.times[0] if self.times else None

    @property
    def sooner_elsewhere(self) -> FirstFree | None:
        """The first free time of all places, if it is not the first one of the place shown."""
        if self.anywhere and self.anywhere.place != self.place:
            return self.anywhere
        return None

    @cached_property
    def free_by_day(self) -> Counter[date]:
        return Counter(time.local.date() for time in self.times)

    @property
    def week_start(self) -> date:
        """The first day of the shown week. Weeks count from today, so none begins in the past."""
        return self.day - timedelta(days=(self.day - self.today).days % 7)

    @property
    def week(self) -> list[Day]:
        """The seven days around the chosen one."""
        freest = max(self.free_by_day.values(), default=0)
        days = [self.week_start + timedelta(days=number) for number in range(7)]
        return [
            Day(day, free, ceil(FILL_STEPS * free / freest) if free else 0)
            for day in days
            for free in [self.free_by_day[day]]
        ]

    @property
    def parts(self) -> list[tuple[str, list[Time]]]:
        """The chosen day's times grouped by part of the day, each with its name."""
        chosen = [time for time in self.times if time.local.date() == self.day]
        return [
            (str(part.label), list(times))
            for part, times in groupby(chosen, key=lambda time: PartOfDay.of(time.local))
        ]

    @property
    def next_free_day(self) -> date | None:
        """The first day with a free time after the chosen one."""
        return next((day for day in sorted(self.free_by_day) if day > self.day), None)

    @property
    def previous_week(self) -> date | None:
        return self.week_start - WEEK if self.week_start > self.today else None

    @property
    def next_week(self) -> date | None:
        following = self.week_start + WEEK
        return following if following <= self.last_day else None

    def nearest(self, wanted: datetime, count: int = 6) -> list[Time]:
        """Return the free times closest to one that is not available, in order of time."""
        by_distance = sorted(self.times, key=lambda time: abs(time.local - wanted))
        return sorted(by_distance[:count])


def with_time(
    offers: Iterable[Offer], *, now: datetime, held: Appointment | None = None
) -> list[Offer]:
    """Return the offers with a free time at any place.

    A time that is ``held`` for them counts as free.
    """
    return [
        offer
        for offer in offers
        if offer.is_open and Picker(offer, wanted=SlotFilter(), now=now, moving=held).anywhere
    ]


def places_of(service: Service) -> Iterable[Location]:
    """Return the places where a practitioner who offers the service works."""
    return Location.objects.filter(
        is_active=True, practitioner__in=service.practitioners.filter(is_active=True)
    ).distinct()


def is_in_time(offer: Offer, local: datetime) -> bool:
    """Whether the offer includes this time on the wall clock of the place."""
    return offer.is_open and (offer.last_day is None or local.date() <= offer.last_day)
