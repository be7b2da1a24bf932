from typing import Any

from django.core.management.base import BaseCommand

from intake.derived_questionnaires import derived


class Command(BaseCommand):
    help = "Write the follow-up, re-screen and check-in questionnaires anew from the intake."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        for path, text in derived():
            path.write_text(text)
            self.stdout.write(f"Wrote {path.name}.")
