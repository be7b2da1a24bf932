"""The home page, with what can be booked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from booking.appointments.models import Appointment
from clinic.models import Location, Practitioner
from intake.rules.tags import Tag
from schedule.models import Service

LOOK_AHEAD = timedelta(days=14)


@dataclass(frozen=True)
class NextFree:
    """The soonest start of the usual first visit, on the wall clock of its place."""

    service: Service
    location: Location
    local_start: datetime


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    locations = Location.objects.filter(is_active=True)
    return render(
        request,
        "booking/flow/home.html",
        {
            "locations": locations,
            "practitioners": Practitioner.objects.filter(is_active=True),
            "next_free": _next_free({place.pk: place for place in locations}, now=timezone.now()),
        },
    )


@require_safe
def services(request: HttpRequest) -> HttpResponse:
    active = list(Service.objects.filter(is_active=True))
    bookable = [s for s in active if s.booking_mode == Service.BookingMode.SELF]
    return render(
        request,
        "booking/flow/services.html",
        {
            "first_visits": [s for s in bookable if s.is_first_visit],
            "later_visits": [s for s in bookable if not s.is_first_visit],
            "arranged": [s for s in active if s.booking_mode != Service.BookingMode.SELF],
        },
    )


def _next_free(places: dict[int, Location], *, now: datetime) -> NextFree | None:
    active = Service.objects.filter(is_active=True)
    service = next((s for s in active if Tag.USUAL_FIRST_VISIT in s.tags), None)
    if service is None:
        return None
    search = Appointment.objects.search(service, since=now, until=now + LOOK_AHEAD, now=now)
    soonest = next((start for start in search.starts() if start.location_id in places), None)
    if soonest is None:
        return None
    place = places[soonest.location_id]
    return NextFree(service, place, soonest.start.astimezone(place.zone))
