from celery import shared_task
from django.utils import timezone

from booking import retention


@shared_task
def sweep() -> None:
    """Delete what is not kept any longer."""
    retention.sweep(now=timezone.now())
