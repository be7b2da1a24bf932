from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.mail import mailbox


class Command(BaseCommand):
    help = (
        "Take in what mail servers write to the mailbox of BOUNCES_URL about mails that they "
        "could not deliver. The scheduler does this every five minutes by itself."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.BOUNCES_URL:
            raise CommandError("Set BOUNCES_URL to imaps://user:password@host/INBOX.")
        try:
            count = mailbox.read_bounces(settings.BOUNCES_URL, timezone.now())
        except mailbox.MailboxError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"{count} bounces"))
