"""Data for the front desk's home page: today's numbers, and the next visits."""

from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from booking.appointments.status import EXPECTED, TAKES_PLACE, Status
from booking.models import Appointment, WaitlistEntry
from clinic import days
from clinic.models import DeskTask, Message, Practice
from intake.models import QuestionnaireResponse, SafetyAlert


def counts(*, now: datetime) -> dict[str, int]:
    """Return today's numbers, where today is the practice's calendar day.

    ``visits`` and ``arrived`` are today's; ``forms_missing`` are today's visits whose intake is
    not finished; the others count what needs a person now.
    """
    zone = Practice.current().zone
    today = days.local_date(now, zone)
    start, end = days.instants(today, today, zone)
    unfinished = Q(intake_response__status=QuestionnaireResponse.Status.IN_PROGRESS)
    visits = Appointment.objects.filter(start__gte=start, start__lt=end).aggregate(
        visits=Count("pk", filter=Q(status__in=TAKES_PLACE)),
        arrived=Count("pk", filter=Q(status=Status.ARRIVED)),
        forms_missing=Count(
            "pk", filter=Q(status=Status.BOOKED) & (Q(intake_response=None) | unfinished)
        ),
    )
    failed = Message.objects.filter(state=Message.State.FAILED, expires_at__gt=now)
    return {
        **visits,
        "open_alerts": SafetyAlert.objects.open().count(),
        "late_mail": Message.objects.late(now).count(),
        "failed_mail": failed.count(),
        "waiting": WaitlistEntry.objects.waiting().count(),
        "desk_tasks": DeskTask.objects.open().count(),
    }


def coming(*, now: datetime, most: int = 10) -> QuerySet[Appointment]:
    """Return visits of patients who are expected or here, by start, from half an hour ago on."""
    return (
        Appointment.objects.filter(status__in=EXPECTED, start__gte=now - timedelta(minutes=30))
        .select_related("patient", "practitioner")
        .order_by("start")[:most]
    )
