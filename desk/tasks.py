from celery import shared_task
from django.utils import timezone

from booking.waitlist import matching
from clinic.security import guardianship
from desk import daily_sheet
from desk.records import retention


@shared_task
def sweep() -> None:
    """Delete what is not kept any longer, owe the next daily sheets, end guardians' access."""
    now = timezone.now()
    daily_sheet.plan(now)
    guardianship.end_guardians_access(now=now)
    retention.sweep(now=now)


@shared_task
def process_waitlist() -> None:
    """End the offers that ran out, and offer what is free to whoever waits for it."""
    matching.process_waitlist(now=timezone.now())
