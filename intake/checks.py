"""What `manage.py check --deploy --database default` asks of the questionnaires."""

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from intake.models import Questionnaire
from intake.models.questionnaires import shipped_urls


@register(Tags.database, deploy=True)
def check_questionnaires(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to go live while a questionnaire that the safety of patients rests on is missing."""
    try:
        published = set(Questionnaire.objects.published().values_list("url", flat=True))
    except DatabaseError:
        return []  # clinic.E012 says so.
    if not (missing := shipped_urls() - published):
        return []
    return [
        Error(
            f"Not published: {', '.join(sorted(missing))}.",
            hint="Run `manage.py setup`, which publishes what comes with the code.",
            id="intake.E001",
        )
    ]
