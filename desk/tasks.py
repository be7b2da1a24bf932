from celery import shared_task
from django.utils import timezone

from booking.waitlist import matching
from clinic.security import guardianship
from desk import daily_sheet
from desk.records import retention


@shared_task
def sweep() -> None:
    """Delete expired data, plan the next daily sheets, and end guardians' access."""
    now = timezone.now()
    daily_sheet.plan(now)
    guardianship.end_guardians_access(now=now)
    retention.sweep(now=now)


@shared_task
def process_waitlist() -> None:
    """End expired offers, and offer free times to waitlist entries."""
    matching.process_waitlist(now=timezone.now())
