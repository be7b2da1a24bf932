from celery import shared_task
from django.utils import timezone

from booking import daily_sheet, matching, retention


@shared_task
def sweep() -> None:
    """Delete what is not kept any longer, and owe the next daily sheets."""
    now = timezone.now()
    daily_sheet.plan(now)
    retention.sweep(now=now)


@shared_task
def tend_waitlist() -> None:
    """End the offers that ran out, and offer what is free to whoever waits for it."""
    matching.tend_waitlist(now=timezone.now())
