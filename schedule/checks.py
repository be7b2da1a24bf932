"""What `manage.py check --deploy` asks of the catalogue."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register

from clinic.languages import gaps
from schedule.shipped_catalogue import TEXTS


@register(Tags.translation, deploy=True)
def check_languages(**kwargs: Any) -> list[CheckMessage]:
    """Warn of services without a name in a registered language."""
    return gaps(_missing_texts, check_id="schedule.W001")


def _missing_texts(language: str) -> Iterator[str]:
    if unnamed := TEXTS[settings.LANGUAGE_CODE].keys() - TEXTS.get(language, {}).keys():
        yield f"{', '.join(sorted(unnamed))} in schedule/catalogue.{language}.json"
