from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from clinic.models import Message, Patient
from clinic.operations import backups


class Command(BaseCommand):
    help = (
        "Replace everything in the database by a backup. Without --yes nothing is changed: it "
        "says what would be lost. Mails that were due before now are not sent, since they may "
        "have left already; the clinic is told. Stop the web server first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--yes", action="store_true", help="do it")

    def handle(self, *args: Any, file: Path, yes: bool, **options: Any) -> None:
        try:
            if not yes:
                backups.check(file)
                self.stdout.write(f"{file} is a whole backup. {self._what_is_lost()}")
                self.stdout.write("Nothing was changed. Add --yes to replace it all.")
                return
            skipped = backups.restore(file, now=timezone.now())
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            self.style.SUCCESS(f"Restored. {skipped} mails that were due before are not sent.")
        )

    def _what_is_lost(self) -> str:
        try:
            patients, mails = Patient.objects.count(), Message.objects.count()
        except DatabaseError:
            return "The database is empty."
        return f"The database now holds {patients} patients and {mails} mails: these would go."
