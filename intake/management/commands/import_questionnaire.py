import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from intake.fhir_form.items import operation_outcome
from intake.fhir_form.questionnaire import InvalidQuestionnaire, load_json
from intake.models import Questionnaire


class Command(BaseCommand):
    help = (
        "Validate a FHIR R4 Questionnaire and store it as a new version. When it is refused, "
        "nothing is stored, an OperationOutcome is printed and the exit code is 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--publish", action="store_true", help="use it from now on")

    def handle(self, *args: Any, file: Path, publish: bool, **options: Any) -> None:
        try:
            content = load_json(file.read_bytes())
            questionnaire = Questionnaire.objects.store(
                content, publish=publish, now=timezone.now()
            )
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        except InvalidQuestionnaire as error:
            self.stdout.write(json.dumps(operation_outcome(error.issues), indent=2))
            raise CommandError("The questionnaire was refused.") from error
        state = "published" if questionnaire.published_at else "stored"
        self.stdout.write(f"{questionnaire.form.canonical} is {state}.")
