"""The services a clinic starts with, as rows that it may edit."""

import json
from pathlib import Path

from clinic.languages import content
from intake.models import Questionnaire
from intake.rules.tags import Tag
from intake.workflow.answer_history import FOLLOW_UP_URL
from schedule.models.catalogue import Service

_FILE = Path(__file__).with_name("catalogue.json")
TEXTS = content(__file__, "catalogue")
"""The services' names and their texts for patients, by language and code."""


def load_catalogue(*, questionnaire: Questionnaire | None = None) -> list[Service]:
    """Create the services that are missing, leaving edited ones alone; return all of them."""
    entries = json.loads(_FILE.read_text())
    unlocked_by = {entry["slug"]: entry.pop("unlocked_by", []) for entry in entries}
    services: dict[str, Service] = {}
    new: list[Service] = []
    follow_up = Questionnaire.objects.published().filter(url=FOLLOW_UP_URL).first()
    for position, entry in enumerate(entries):
        for language, texts in TEXTS.items():
            for field, text in texts.get(entry["slug"], {}).items():
                entry.setdefault(field, {})[language] = text
        asks = follow_up if questionnaire and Tag.PROGRESS in entry["tags"] else questionnaire
        service, is_new = Service.objects.get_or_create(
            slug=entry["slug"],
            defaults={**entry, "position": position, "questionnaire": asks},
        )
        services[service.slug] = service
        if is_new:
            new.append(service)
    for service in new:
        service.unlocked_by.set([services[slug] for slug in unlocked_by[service.slug]])
    return list(services.values())
