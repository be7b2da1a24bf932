from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clinic.security import audit


class Command(BaseCommand):
    help = (
        "Check the sealed audit chain. Prints each altered or missing row and fails when there "
        "is one; also says how many of the newest rows no tick has sealed yet."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        faults, unsealed = audit.verify()
        for fault in faults:
            self.stderr.write(fault)
        self.stdout.write(f"{unsealed} rows are not sealed yet")
        if faults:
            raise CommandError(f"The audit chain is broken in {len(faults)} places.")
        self.stdout.write(self.style.SUCCESS("The sealed chain is whole."))
