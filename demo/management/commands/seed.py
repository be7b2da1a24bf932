from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from demo.sample import marker
from demo.sample.clinic import create_clinic


class Command(BaseCommand):
    help = "Fill an empty database with the sample clinic."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--size",
            choices=["small", "large"],
            default="small",
            help="large: 20 practitioners, 100,000 past visits and 10,000 ahead",
        )

    def handle(self, *args: Any, size: str, **options: Any) -> None:
        try:
            is_empty = marker.is_empty_or_raise()
        except marker.NotASample as error:
            raise CommandError(str(error)) from None
        if not is_empty:
            raise CommandError("The sample clinic is already there; `demo --fresh` starts over.")
        with transaction.atomic():
            create_clinic(size=size, now=timezone.now())
        if options["verbosity"]:
            self.stdout.write(f"Seeded the {size} sample clinic.")
