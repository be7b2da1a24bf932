from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from booking.sample.clinic import create_clinic
from clinic.models import Patient, Practice


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
        if Practice.objects.exists() or Patient.objects.exists():
            if Practice.current().is_demo:
                raise CommandError(
                    "The sample clinic is already there; `demo --fresh` starts over."
                )
            raise CommandError("This database belongs to a real clinic: seed needs an empty one.")
        with transaction.atomic():
            create_clinic(size=size, now=timezone.now())
        if options["verbosity"]:
            self.stdout.write(f"Seeded the {size} sample clinic.")
