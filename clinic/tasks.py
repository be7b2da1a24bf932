from celery import shared_task
from django.conf import settings
from django.utils import timezone

from clinic.mail import mailbox, outbox
from clinic.security import audit


@shared_task
def tick() -> None:
    outbox.tick(timezone.now())
    audit.seal()


@shared_task
def read_bounces() -> None:
    mailbox.read_bounces(settings.BOUNCES_URL, timezone.now())


@shared_task
def deliver_message(message_id: str) -> None:
    outbox.deliver(message_id, timezone.now())
