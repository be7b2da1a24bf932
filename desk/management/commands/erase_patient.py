import sys
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.models import Patient
from desk.records import erasure
from desk.records.erasure import CannotErase


class Command(BaseCommand):
    help = (
        "Erase one patient for good: answers, alerts' details, mails, links, notes, reasons and "
        "every word in visits. Bare visits stay, without a name, to be counted; so does the record "
        "of access. Run `export_patient` first. Backups keep the patient until they expire."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("patient", type=UUID, help="the patient's id")
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--cancel", action="store_true", help="cancel visits still to come")

    def handle(
        self,
        *args: Any,
        patient: UUID,
        dry_run: bool,
        yes: bool,
        cancel: bool,
        **options: Any,
    ) -> None:
        row = Patient.objects.filter(pk=patient).first()
        if row is None:
            raise CommandError(f"There is no patient {patient}.")
        try:
            planned = erasure.erase(row, now=timezone.now(), cancels=cancel, is_rehearsal=True)
            self._tell(planned)
            if dry_run:
                return
            if not yes and not self._is_sure(row):
                raise CommandError("Nothing was erased.")
            erasure.erase(row, now=timezone.now(), cancels=cancel)
        except CannotErase as error:
            raise CommandError(str(error)) from None
        erasure.compact()
        self.stdout.write(self.style.SUCCESS(f"Patient {patient} is erased."))

    def _tell(self, planned: erasure.Erasure) -> None:
        if planned.cancelled:
            self.stdout.write(f"visits to cancel: {planned.cancelled}")
        for label, count in sorted(planned.deleted.items()):
            self.stdout.write(f"{label}: {count} deleted")
        for label, count in sorted(planned.emptied.items()):
            self.stdout.write(f"{label}: {count} kept without words")

    def _is_sure(self, patient: Patient) -> bool:
        if not sys.stdin.isatty():
            raise CommandError("Say --yes when nobody is there to answer.")
        return input(f"Type the patient's initials ({patient.initials}) to erase: ") == (
            patient.initials
        )
