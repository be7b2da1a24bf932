"""Two waitlist entries, one of which gets an offer within a minute, and a weekly series."""

from datetime import date, datetime, time, timedelta

from booking.models import Appointment, Series, WaitlistEntry
from booking.series.planning import free_around, lay_out
from booking.series.recurrence import every
from clinic.models import Location, Practitioner, User
from schedule.models import Service

WEEKS = 4


def create_waitlist(visits: list[Appointment], *, service: Service, now: datetime) -> None:
    """Create two waitlist entries: one is for evenings, when nobody works yet.

    They joined some time ago, so no mail about that is due any more.
    """
    soon = [
        visit
        for visit in sorted(visits, key=lambda visit: visit.start, reverse=True)
        if visit.status == Appointment.Status.BOOKED and visit.patient and visit.patient.email
    ]
    today = now.date()
    for visit, parts, waited in ((soon[0], ["evening"], 12), (soon[1], ["morning"], 3)):
        assert visit.patient is not None
        WaitlistEntry.objects.create(
            patient=visit.patient,
            service=service,
            minutes=service.default_duration,
            parts=parts,
            first_day=today,
            last_day=today + timedelta(days=45),
            intake_response=visit.intake_response,
            joined_at=now - timedelta(days=waited),
        )


def create_series(
    visits: list[Appointment],
    *,
    service: Service,
    practitioner: Practitioner,
    location: Location,
    by: User,
    now: datetime,
) -> Series:
    """Book weekly visits from next Tuesday on, each at ten or at the nearest free time."""
    patient = next(
        visit.patient
        for visit in visits
        if visit.status == Appointment.Status.FULFILLED and visit.patient and visit.patient.email
    )
    readings = [(day, time(10)) for day in every(1, first=_next_tuesday(now), count=WEEKS)]
    free = free_around(
        readings,
        service=service,
        practitioner=practitioner,
        location=location,
        minutes=service.default_duration,
        now=now,
    )
    starts = [
        visit.nearest for visit in lay_out(readings, free=free, zone=location.zone) if visit.nearest
    ]
    return Series.objects.book(
        patient=patient,
        service=service,
        location=location,
        practitioner=practitioner,
        starts=starts,
        weeks=1,
        by=by,
        now=now,
    )


def _next_tuesday(now: datetime) -> date:
    return now.date() + timedelta(days=7 + (1 - now.weekday()) % 7)
