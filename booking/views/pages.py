"""The front door: home and what can be booked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from booking.models import Service
from clinic.models import Location, Practitioner


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "booking/home.html",
        {
            "locations": Location.objects.filter(is_active=True),
            "practitioners": Practitioner.objects.filter(is_active=True),
        },
    )


@require_safe
def services(request: HttpRequest) -> HttpResponse:
    active = list(Service.objects.filter(is_active=True))
    bookable = [s for s in active if s.booking_mode == Service.BookingMode.SELF]
    return render(
        request,
        "booking/services.html",
        {
            "first_visits": [s for s in bookable if s.is_first_visit],
            "later_visits": [s for s in bookable if not s.is_first_visit],
            "arranged": [s for s in active if s.booking_mode != Service.BookingMode.SELF],
        },
    )
