import os
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.models import AuditEvent, Patient
from clinic.security import audit
from desk.records.export import Exporter


class Command(BaseCommand):
    help = (
        "Write everything about one patient into a new zip file that only its owner can read: "
        "every row as JSON, the forms in words, FHIR resources, and who opened the record."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("patient", type=UUID, help="the patient's id")
        parser.add_argument("file", type=Path, help="the zip file to write; must not exist")
        parser.add_argument(
            "--with-private-answers",
            action="store_true",
            help="with answers about pregnancy, periods and immunity: for the patient's own hands",
        )

    def handle(
        self, *args: Any, patient: UUID, file: Path, with_private_answers: bool, **options: Any
    ) -> None:
        row = Patient.objects.filter(pk=patient, erased_at=None).first()
        if row is None:
            raise CommandError(f"There is no patient {patient}.")
        now = timezone.now()
        content = Exporter(row, now=now, with_private=with_private_answers).archive()
        try:
            written = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None
        audit.record(
            action=AuditEvent.Action.EXPORT, user=None, subject=row, patient_id=row.pk, now=now
        )
        with os.fdopen(written, "wb") as archive:
            archive.write(content)
        self.stdout.write(self.style.SUCCESS(f"Written to {file} ({len(content)} bytes)."))
