from celery import shared_task
from django.utils import timezone

from booking.models import Appointment
from intake import gate


@shared_task
def sweep() -> None:
    """Delete holds that ran out, and answers of visitors who never booked."""
    now = timezone.now()
    Appointment.objects.drop_lapsed(now=now)
    gate.forget_unclaimed(now=now)
