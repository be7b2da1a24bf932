"""Every rule about time, read as a whole and cached until one of them changes.

Rules change a few times a month and are needed for every page of free times. Each process caches
the rules it read last, with the token it found in ``RulesVersion``. Triggers write a new random
token with every change of a rule's table, in the same transaction (``schedule.rules_triggers``).
One small query therefore shows whether the cache is still valid, also after raw SQL, a change by
another process or a rollback, because no token is used twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from clinic.models import Location, Practitioner
from clinic.public_holidays import Holiday, closed_days
from schedule import slots
from schedule.models.catalogue import Equipment, Room, Service
from schedule.models.hours import (
    Break,
    Closure,
    ExtraHours,
    OpeningHours,
    ReservedTime,
    ResourceHours,
    TimeOff,
    VisitLimit,
)
from schedule.slots import Shift, Span

# A practitioner and a location, by key.
type Pair = tuple[int, int]


class LocationRules(NamedTuple):
    """The rules of a location."""

    zone: ZoneInfo
    is_active: bool
    country: str
    subdivision: str
    kept_open: tuple[str, ...]

    def holidays(self, *, since: int, until: int) -> list[Holiday]:
        """Return the holidays on which it is closed and which these minutes may touch."""
        if not self.country:
            return []
        # A clock set back at midnight returns to the day before.
        first, last = (
            slots.from_minute(at).astimezone(self.zone).date() + timedelta(days=more)
            for at, more in ((since, -1), (until, 1))
        )
        years = range(first.year, last.year + 1)
        closed = closed_days(self.country, self.subdivision, self.kept_open, years)
        return [holiday for holiday in closed if first <= holiday.date <= last]


class BreakShift(NamedTuple):
    """A break, with its key."""

    pk: int
    shift: Shift


class ReservedShift(NamedTuple):
    """A reserved time: the level that may book it before its release."""

    pk: int
    shift: Shift
    level: int
    release_minutes: int


class Absence(NamedTuple):
    """A closure or time off."""

    pk: int
    span: Span


class Resource(NamedTuple):
    """A room or a piece of equipment, with the hours in which it can be used; none means always."""

    pk: int
    shifts: tuple[Shift, ...]


class AppointmentLimit(NamedTuple):
    pk: int
    practitioner_id: int | None
    service_id: int | None
    days: int
    most: int

    def is_on(self, practitioner_id: int, service_id: int) -> bool:
        return self.practitioner_id in (None, practitioner_id) and self.service_id in (
            None,
            service_id,
        )


@dataclass(frozen=True)
class Rulebook:
    places: Mapping[int, LocationRules]
    practitioners: frozenset[int]
    """The active ones."""
    offered_by: Mapping[int, list[int]]
    """The practitioners of each service, active or not."""
    shifts: Mapping[Pair, list[Shift]]
    breaks: Mapping[Pair, list[BreakShift]]
    reserved: Mapping[Pair, list[ReservedShift]]
    closures: Mapping[int | None, list[Absence]]
    """By location; None means every location."""
    time_off: Mapping[int, list[Absence]]
    rooms: Mapping[tuple[int, str], list[Resource]]
    """The active ones, by location and kind, in the order of their keys."""
    equipment: Mapping[tuple[int, str], list[Resource]]
    limits: list[AppointmentLimit]

    @classmethod
    def read(cls) -> "Rulebook":
        weekly: list[Any] = [
            *OpeningHours.objects.order_by("pk"),
            *ExtraHours.objects.order_by("pk"),
        ]
        rests = list(Break.objects.order_by("pk"))
        reserved = list(ReservedTime.objects.order_by("pk"))
        rooms = list(Room.objects.filter(is_active=True).order_by("pk"))
        equipment = list(Equipment.objects.filter(is_active=True).order_by("pk"))
        usable = list(ResourceHours.objects.order_by("pk"))
        # Read last, so that it has every location that the rows above name.
        places = {
            location.pk: LocationRules(
                location.zone,
                location.is_active,
                location.holiday_country,
                location.holiday_subdivision,
                tuple(location.holidays_kept_open),
            )
            for location in Location.objects.order_by()
        }

        def shift_of(rule: Any, location_id: int) -> Shift:
            return rule.shift(places[location_id].zone)

        def things(rows: Iterable[Any], column: str) -> dict[tuple[int, str], list[Resource]]:
            return _grouped(
                (
                    (row.location_id, row.kind),
                    Resource(
                        row.pk,
                        tuple(
                            shift_of(hours, row.location_id)
                            for hours in usable
                            if getattr(hours, column) == row.pk
                        ),
                    ),
                )
                for row in rows
            )

        active = Practitioner.objects.filter(is_active=True)
        offers = Service.practitioners.through.objects.order_by()
        return cls(
            places=places,
            practitioners=frozenset(active.order_by().values_list("pk", flat=True)),
            offered_by=_grouped(offers.values_list("service_id", "practitioner_id")),
            shifts=_grouped((_pair(row), shift_of(row, row.location_id)) for row in weekly),
            breaks=_grouped(
                (_pair(row), BreakShift(row.pk, shift_of(row, row.location_id))) for row in rests
            ),
            reserved=_grouped(
                (
                    _pair(row),
                    ReservedShift(
                        row.pk, shift_of(row, row.location_id), row.level, row.release_hours * 60
                    ),
                )
                for row in reserved
            ),
            closures=_absences(Closure.objects.values_list("location_id", "pk", "start", "end")),
            time_off=_absences(
                TimeOff.objects.values_list("practitioner_id", "pk", "start", "end")
            ),
            rooms=things(rooms, "room_id"),
            equipment=things(equipment, "equipment_id"),
            limits=[
                AppointmentLimit(*row)
                for row in VisitLimit.objects.order_by("pk").values_list(
                    "pk", "practitioner_id", "service_id", "period", "most"
                )
            ],
        )

    def limits_on(self, practitioner_id: int, service_id: int) -> list[AppointmentLimit]:
        """The limits that a visit for this service with this practitioner counts towards."""
        return [limit for limit in self.limits if limit.is_on(practitioner_id, service_id)]


_latest: tuple[tuple[str], Rulebook] | None = None


def current() -> Rulebook:
    """Return the current rules: one query, or a dozen more if one has changed since the last."""
    global _latest
    # Raw SQL: it runs for every page, and the ORM would take longer to build it than to run it.
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM schedule_rulesversion")
        token = cursor.fetchone()
    kept = _latest
    if kept is not None and kept[0] == token:
        return kept[1]
    # Read after the token: rules newer than it are read again, and older ones are never cached.
    rulebook = Rulebook.read()
    if token is not None:
        _latest = (token, rulebook)
    return rulebook


def _pair(row: Any) -> Pair:
    return row.practitioner_id, row.location_id


def _absences[Key](
    rows: Iterable[tuple[Key, int, datetime, datetime]],
) -> dict[Key, list[Absence]]:
    return _grouped(
        (key, Absence(pk, (slots.floor_minute(start), slots.ceil_minute(end))))
        for key, pk, start, end in rows
    )


def _grouped[Key, Value](pairs: Iterable[tuple[Key, Value]]) -> dict[Key, list[Value]]:
    grouped: dict[Key, list[Value]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    return grouped
