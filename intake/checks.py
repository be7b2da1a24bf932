"""Checks of the questionnaires for `manage.py check --deploy --database default`."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from clinic.languages import gaps
from intake.models import Questionnaire
from intake.models.questionnaires import shipped_forms
from intake.rules.messages import MESSAGES


@register(Tags.database, deploy=True)
def check_questionnaires(**kwargs: Any) -> list[CheckMessage]:
    """Return an error while a questionnaire that patient safety depends on is not published."""
    try:
        published = set(Questionnaire.objects.published().values_list("url", flat=True))
    except DatabaseError:
        return []  # clinic.E012 reports it.
    if not (missing := {form.url for form in shipped_forms()} - published):
        return []
    return [
        Error(
            f"Not published: {', '.join(sorted(missing))}.",
            hint="Run `manage.py setup`, which publishes what comes with the code.",
            id="intake.E001",
        )
    ]


@register(Tags.translation, deploy=True)
def check_languages(**kwargs: Any) -> list[CheckMessage]:
    """Warn of messages and questions without a translation to a registered language."""
    return gaps(_missing_texts, check_id="intake.W002")


def _missing_texts(language: str) -> Iterator[str]:
    if unworded := [name for name, worded in MESSAGES.items() if language not in worded]:
        yield f"{', '.join(unworded)} in intake/rules/messages.{language}.json"
    # Without a translation, the questionnaires are in the default language.
    if language == settings.LANGUAGE_CODE:
        return
    for form in shipped_forms():
        texts = [item.text for item in form.walk() if item.text.default]
        if not all(language in text.translations for text in texts):
            yield f"translations in {form.url}"
