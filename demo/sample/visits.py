"""A few weeks of visits around today, drawn with a fixed seed so that two runs agree."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings

from booking.appointments import mail_schedule
from booking.models import Appointment, StatusChange
from clinic.models import CareTeamMember, Patient, Practitioner
from demo.sample.runners import FIRST_NAMES, LAST_NAMES
from schedule import rules as rulebook
from schedule import slots
from schedule.models import Equipment, OpeningHours, Room, Service
from schedule.rules import Rulebook

PATIENTS = 160
PAST_DAYS, FUTURE_DAYS = 21, 21
_FIRST_VISITS = ("pt-eval", "sports-doc", "chiro-consult", "massage", "pelvic-health", "nutrition")


def create_patients() -> list[Patient]:
    patients = []
    languages = [code for code, _name in settings.LANGUAGES]
    for number in range(PATIENTS):
        first = FIRST_NAMES[number % len(FIRST_NAMES)]
        # A step that shares no factor with the list pairs each first name with new last names.
        last = LAST_NAMES[(number * 7 + number // len(FIRST_NAMES)) % len(LAST_NAMES)]
        patients.append(
            Patient(
                name=f"{first} {last}",
                email=f"runner{number}@patients.example" if number % 9 else "",
                phone=f"512-555-{1000 + number}",
                birth_date=date(1958 + (number * 7) % 45, 1 + number % 12, 1 + (number * 5) % 28),
                # One in four patients for each further language, the rest for the first.
                language=languages[number % 4 if number % 4 < len(languages) else 0],
            )
        )
    # A patient in another time zone who wants one reminder instead of three.
    patients[3].time_zone, patients[3].declined_reminders = "America/Denver", [2, 168]
    return Patient.objects.bulk_create(patients)


def create_visits(
    *,
    patients: list[Patient],
    services: dict[str, Service],
    rooms: list[Room],
    equipment: list[Equipment],
    now: datetime,
) -> list[Appointment]:
    """Create visits in every state from three weeks ago to three weeks ahead; return them all."""
    draw = random.Random(7)  # noqa: S311 - sample data, not a secret
    offered = {
        practitioner.pk: [s for s in services.values() if practitioner in s.practitioners.all()]
        for practitioner in Practitioner.objects.all()
    }
    seen: set[Patient] = set()
    queue: Iterator[Patient] = iter(())
    visits: list[Appointment] = []
    rules = rulebook.current()
    for hours, opens, closes in _shifts(now):
        start = opens
        while start < closes:
            fill = 0.75 if start <= now else max(0.2, 0.66 - (start - now).days * 0.025)
            if draw.random() > fill:
                start += timedelta(minutes=45)
                continue
            patient = next(queue, None)
            if patient is None:
                queue = iter(draw.sample(patients, len(patients)))
                patient = next(queue)
            choices = [
                s
                for s in offered[hours.practitioner_id]
                if s.booking_mode == Service.BookingMode.SELF
                and (patient in seen or s.slug in _FIRST_VISITS)
            ]
            if not choices:
                start += timedelta(minutes=30)
                continue
            service = draw.choice(choices)
            visit = _visit(service, hours, patient, rooms + equipment, start)
            if visit.end > closes:
                break
            if _is_against(rules, visit, now=now):
                start += timedelta(minutes=15)
                continue
            visit.status = _status(visit, now, draw)
            visits.append(visit)
            seen.add(patient)
            # The next start, on a quarter of an hour, after this visit's buffer.
            start = visit.busy_until + timedelta(minutes=-visit.busy_until.minute % 15)
    Appointment.objects.bulk_create(visits)
    _record_history(visits, now)
    for visit in visits:
        if visit.status == Appointment.Status.BOOKED:
            mail_schedule.plan_ahead(visit, now)
    return visits


def _shifts(now: datetime) -> Iterator[tuple[OpeningHours, datetime, datetime]]:
    everything = list(OpeningHours.objects.select_related("location", "practitioner"))
    for offset in range(-PAST_DAYS, FUTURE_DAYS + 1):
        for hours in everything:
            zone = hours.location.zone
            day = (now.astimezone(zone) + timedelta(days=offset)).date()
            if day.weekday() == hours.weekday:
                yield (
                    hours,
                    datetime.combine(day, hours.opens, zone),
                    datetime.combine(day, hours.closes, zone),
                )


def _visit(
    service: Service,
    hours: OpeningHours,
    patient: Patient,
    things: list[Room | Equipment],
    start: datetime,
) -> Appointment:
    end = start + timedelta(minutes=service.default_duration)
    here: dict[str, Any] = {
        thing.kind: thing for thing in things if thing.location_id == hours.location_id
    }
    return Appointment(
        patient=patient,
        service=service,
        practitioner=hours.practitioner,
        location=hours.location,
        room=here.get(service.room_kind),
        equipment=here.get(service.equipment_kind),
        start=start,
        end=end,
        busy_until=end + timedelta(minutes=service.buffer_after),
        buffer_before=service.buffer_before,
        time_zone=hours.location.time_zone,
    )


def _is_against(rules: Rulebook, visit: Appointment, *, now: datetime) -> bool:
    """Whether it lies on a holiday, in a break, or in a coming time for urgent patients."""
    place, pair = rules.places[visit.location_id], (visit.practitioner_id, visit.location_id)
    window = {"since": slots.floor_minute(visit.start), "until": slots.floor_minute(visit.end)}
    shut = [slots.day_span(holiday.date, place.zone) for holiday in place.holidays(**window)]
    shut += slots.spans([rest.shift for rest in rules.breaks.get(pair, ())], **window)
    if visit.start > now:
        shut += slots.spans([kept.shift for kept in rules.reserved.get(pair, ())], **window)
    return any(start < window["until"] and window["since"] < end for start, end in shut)


def _status(visit: Appointment, now: datetime, draw: random.Random) -> str:
    status = Appointment.Status
    chance = draw.random()
    if visit.end <= now:
        if chance < 0.06:
            return status.NOSHOW
        return status.CANCELLED if chance < 0.12 else status.FULFILLED
    if visit.start <= now:
        return status.ARRIVED
    return status.CANCELLED if chance < 0.08 else status.BOOKED


def _record_history(visits: list[Appointment], now: datetime) -> None:
    StatusChange.objects.bulk_create(
        StatusChange(
            appointment=visit,
            from_status=Appointment.Status.BOOKED,
            to_status=visit.status,
            at=min(visit.start, now),
        )
        for visit in visits
        if visit.status != Appointment.Status.BOOKED
    )
    for visit in visits:
        if visit.status == Appointment.Status.ARRIVED:
            visit.arrived_at = visit.start - timedelta(minutes=6)
    Appointment.objects.bulk_update(
        [v for v in visits if v.arrived_at], ["arrived_at"], batch_size=200
    )
    CareTeamMember.objects.bulk_create(
        CareTeamMember(patient_id=patient, practitioner_id=practitioner, since=now)
        for patient, practitioner in {
            (visit.patient_id, visit.practitioner_id) for visit in visits if visit.patient_id
        }
    )
