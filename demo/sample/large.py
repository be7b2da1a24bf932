"""The clinic for measuring budgets: many rows, the same shape."""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import count, islice

from booking.models import Appointment
from clinic import days
from clinic.models import CareTeamMember, Location, Patient, Practitioner
from schedule.models import OpeningHours, Service

PRACTITIONERS, PATIENTS = 20, 5_000
PAST, ACTIVE, CANCELLED, WORKING_DAYS = 100_000, 5_000, 5_000, 30
# Eleven half-hour visits with their buffers in each day of eight and a half hours.
_OPENS, _CLOSES, _PITCH, _MINUTES, _PER_DAY = time(8), time(16, 30), 45, 30, 11


def create_large(
    *, locations: dict[str, Location], services: dict[str, Service], now: datetime
) -> None:
    """Create 20 practitioners with 100,000 past visits and 30 working days three quarters full."""
    draw = random.Random(11)  # noqa: S311 - sample data, not a secret
    austin, service = locations["austin"], services["load-plan"]
    people = Practitioner.objects.bulk_create(
        Practitioner(name=f"Practitioner {number:02}", title="Physical therapist")
        for number in range(1, PRACTITIONERS + 1)
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(
            practitioner=person, location=austin, weekday=weekday, opens=_OPENS, closes=_CLOSES
        )
        for person in people
        for weekday in range(5)
    )
    for person in people:
        person.locations.add(austin)
    service.practitioners.add(*people)
    patients = Patient.objects.bulk_create(
        (
            Patient(
                name=f"Runner {number:04}",
                email=f"runner{number}@patients.example",
                phone=f"512-556-{number:04}",
                birth_date=date(1950 + number % 50, 1 + number % 12, 1 + number % 28),
            )
            for number in range(PATIENTS)
        ),
        batch_size=1000,
    )
    today = days.local_date(now, austin.zone)
    ahead = [(p, start) for start in _starts(today, 1, WORKING_DAYS, austin) for p in people]
    behind = islice(
        ((p, start) for start in _starts(today, -1, None, austin) for p in people), PAST
    )
    booked = draw.sample(ahead, ACTIVE)
    cancelled = draw.sample(ahead, CANCELLED)
    statuses = Appointment.Status
    rows = (
        _visit(person, patients[number % PATIENTS], service, austin, start, status)
        for status, visits in (
            (statuses.FULFILLED, behind),
            (statuses.BOOKED, booked),
            (statuses.CANCELLED, cancelled),
        )
        for number, (person, start) in enumerate(visits)
    )
    while batch := list(islice(rows, 5_000)):
        Appointment.objects.bulk_create(batch, batch_size=500)
    CareTeamMember.objects.bulk_create(
        (
            CareTeamMember(patient=patient, practitioner=people[number % PRACTITIONERS], since=now)
            for number, patient in enumerate(patients)
        ),
        batch_size=1000,
    )


def _starts(today: date, step: int, days: int | None, location: Location) -> Iterator[datetime]:
    """Yield every start of each working day from tomorrow on, or from yesterday back."""
    found = 0
    for offset in count(1):
        day = today + timedelta(days=step * offset)
        if day.weekday() >= 5:
            continue
        for number in range(_PER_DAY):
            yield datetime.combine(day, _OPENS, location.zone) + timedelta(minutes=number * _PITCH)
        found += 1
        if found == days:
            return


def _visit(
    practitioner: Practitioner,
    patient: Patient,
    service: Service,
    location: Location,
    start: datetime,
    status: str,
) -> Appointment:
    end = start + timedelta(minutes=_MINUTES)
    return Appointment(
        practitioner=practitioner,
        patient=patient,
        service=service,
        location=location,
        start=start,
        end=end,
        busy_until=end + timedelta(minutes=service.buffer_after),
        time_zone=location.time_zone,
        status=status,
    )
