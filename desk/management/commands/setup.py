from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from intake.models import Questionnaire


class Command(BaseCommand):
    help = (
        "Put into an installation what every clinic needs: the shipped questionnaires, published. "
        "Safe to repeat; run it after every `migrate`."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        before = Questionnaire.objects.published().count()
        Questionnaire.objects.publish_shipped(now=timezone.now())
        added = Questionnaire.objects.published().count() - before
        if options["verbosity"]:
            self.stdout.write(f"Published {added} of the shipped questionnaires.")
