from celery import shared_task
from django.utils import timezone

from booking import daily_sheet
from booking.models import Appointment
from clinic.ratelimit import forget_empty_buckets
from intake import gate


@shared_task
def sweep() -> None:
    """Delete holds that ran out, answers of visitors who never booked, addresses not limited.

    And owe the next daily sheets.
    """
    now = timezone.now()
    daily_sheet.plan(now)
    Appointment.objects.drop_lapsed(now=now)
    gate.forget_unclaimed(now=now)
    forget_empty_buckets(now=now)
