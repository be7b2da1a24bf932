from celery import shared_task
from django.utils import timezone

from booking import daily_sheet, retention


@shared_task
def sweep() -> None:
    """Delete what is not kept any longer, and owe the next daily sheets."""
    now = timezone.now()
    daily_sheet.plan(now)
    retention.sweep(now=now)
