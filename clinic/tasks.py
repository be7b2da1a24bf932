from celery import shared_task
from django.utils import timezone

from clinic import audit, outbox


@shared_task
def tick() -> None:
    outbox.tick(timezone.now())
    audit.seal()


@shared_task
def deliver_message(message_id: str) -> None:
    outbox.deliver(message_id, timezone.now())
