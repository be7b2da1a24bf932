"""What `manage.py check --deploy --database default` asks of the catalogue."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from clinic.languages import gaps
from intake.rules.tags import Tag
from schedule.models import Service
from schedule.shipped_catalogue import TEXTS


@register(Tags.database, deploy=True)
def check_tags(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to go live with a tag that no rule reads: its restriction would be lost."""
    try:
        tags = dict(Service.objects.values_list("slug", "tags"))
    except DatabaseError:
        return []  # clinic.E012 says so.
    return [
        Error(
            f"The service {slug} has unknown tags: {unknown}.",
            hint="Save the service in the admin with tags from the list.",
            id="schedule.E001",
        )
        for slug, carried in tags.items()
        if (unknown := ", ".join(str(tag) for tag in carried if tag not in Tag.values))
    ]


@register(Tags.translation, deploy=True)
def check_languages(**kwargs: Any) -> list[CheckMessage]:
    """Warn of services without a name in a registered language."""
    return gaps(_missing_texts, check_id="schedule.W001")


def _missing_texts(language: str) -> Iterator[str]:
    if unnamed := TEXTS[settings.LANGUAGE_CODE].keys() - TEXTS.get(language, {}).keys():
        yield f"{', '.join(sorted(unnamed))} in schedule/catalogue.{language}.json"
