from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.operations import backups


class Command(BaseCommand):
    help = (
        "Write the whole database to a new file, while the clinic goes on working. Works on "
        "SQLite, and on PostgreSQL with its client programs. The file holds everything about "
        "every patient: keep it encrypted, and apart from SECRET_KEY."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            size = backups.make(file)
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"{file}: {size:,} bytes, checked."))
