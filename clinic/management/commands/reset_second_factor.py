from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.models import AuditEvent, User
from clinic.security import accounts, audit


class Command(BaseCommand):
    help = (
        "Forget an account's authenticator and recovery codes and sign it out everywhere, for "
        "the manager who lost both and has no colleague to do it in the admin. The next sign-in "
        "sets up a new one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError(f"No account has the address {email}.")
        accounts.reset_second_factor(user)
        audit.record(
            action=AuditEvent.Action.CHANGE, user=None, subject=user, fields=["second_factor"]
        )
        self.stdout.write(self.style.SUCCESS("At the next sign-in a new one is set up."))
