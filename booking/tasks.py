from celery import shared_task
from django.utils import timezone

from booking import daily_sheet, matching
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


@shared_task
def tend_waitlist() -> None:
    """End the offers that ran out, and offer what is free to whoever waits for it."""
    matching.tend_waitlist(now=timezone.now())
