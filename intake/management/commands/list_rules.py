from typing import Any

from django.core.management.base import BaseCommand

from intake.rules_listing import markdown


class Command(BaseCommand):
    help = "Print every clinical rule for a clinician to read: docs/rules.md is its output."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(markdown(), ending="")
