"""Views that the benchmark requests through all of the project's middleware."""

from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.utils import timezone

from bench import ceiling
from booking.models import Appointment
from clinic.models import Practitioner
from schedule.models import Service


class Question(NamedTuple):
    """The inputs of a search; read once, since reading them is not measured."""

    service: Service
    practitioner: Practitioner
    now: datetime


@cache
def question() -> Question:
    return Question(
        service=Service.objects.get(slug="load-plan"),
        practitioner=Practitioner.objects.get(name="Practitioner 07"),
        now=timezone.now(),
    )


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def free_starts(request: HttpRequest, days: int) -> HttpResponse:
    service, practitioner, now = question()
    search = Appointment.objects.search(
        service, since=now, until=now + timedelta(days=days), now=now
    )
    found = search.starts([practitioner])
    return JsonResponse([free.start.timestamp() for free in found], safe=False)


def least_work(request: HttpRequest, days: int) -> HttpResponse:
    service, practitioner, now = question()
    found = ceiling.starts(
        service=service,
        practitioner=practitioner,
        since=now + timedelta(minutes=service.min_notice_minutes),
        until=now + timedelta(days=days),
    )
    return JsonResponse(found, safe=False)


def write(request: HttpRequest) -> HttpResponse:
    """Run the posted SQL; only the benchmark serves this view."""
    with connection.cursor() as cursor:
        cursor.execute(request.POST["sql"])
    return HttpResponse()


urlpatterns = [
    path("bench/write/", write),
    path("bench/empty/", empty),
    path("bench/free-starts/<int:days>/", free_starts),
    path("bench/least-work/<int:days>/", least_work),
    path("", include("clinic.urls")),
]
