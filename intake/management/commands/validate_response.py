import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from intake.fhir_form.items import Issue, operation_outcome
from intake.fhir_form.questionnaire import Form, InvalidQuestionnaire, load_json
from intake.fhir_form.responses import validate_response
from intake.models import Questionnaire


class Command(BaseCommand):
    help = (
        "Validate a FHIR R4 QuestionnaireResponse against its Questionnaire, the stored one or "
        "the file given. When it is not valid an OperationOutcome is printed and the exit code "
        "is 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--questionnaire", type=Path, help="judge against this file")

    def handle(self, *args: Any, file: Path, questionnaire: Path | None, **options: Any) -> None:
        try:
            response = load_json(file.read_bytes())
            form = Form.loads(questionnaire.read_bytes()) if questionnaire else _stored(response)
            issues = validate_response(form, response)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        except InvalidQuestionnaire as error:
            issues = error.issues
        if issues:
            self.stdout.write(json.dumps(operation_outcome(issues), indent=2))
            raise CommandError("The response is not valid.")
        self.stdout.write("The response is valid.")


def _stored(response: Any) -> Form:
    """The questionnaire the response names by canonical; without a version, the newest."""
    canonical = response.get("questionnaire") if isinstance(response, dict) else None
    url, _bar, version = canonical.partition("|") if isinstance(canonical, str) else ("", "", "")
    stored = Questionnaire.objects.filter(url=url).order_by("-published_at", "-created_at")
    found = stored.filter(version=version).first() if version else stored.first()
    if found is None:
        raise InvalidQuestionnaire(
            [
                Issue(
                    "QuestionnaireResponse.questionnaire",
                    "questionnaire",
                    "No such questionnaire is stored; give it with --questionnaire.",
                )
            ]
        )
    return found.form
