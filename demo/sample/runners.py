"""Sample runners: invented people, and their answers to the intake (`runners.json`)."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from intake.fhir_form.questionnaire import Form
from intake.fhir_form.responses import answer_for, settle

_DATA = json.loads(Path(__file__).with_suffix(".json").read_text())
FIRST_NAMES: list[str] = _DATA["first_names"]
LAST_NAMES: list[str] = _DATA["last_names"]
WOMEN = frozenset(_DATA["women"])

# The questions for everybody, with the answers of a person with ordinary back pain.
EVERYBODY: dict[str, Any] = _DATA["everybody"]
# The answers that differ by story. The birth date and name come from the patient.
STORIES: dict[str, dict[str, Any]] = _DATA["stories"]
# The answers that differed at the first intake, for patients who come back.
FIRST_TIME: dict[str, dict[str, Any]] = _DATA["first_time"]

# Ages at which a story is realistic.
AGES = {"new-mother": range(22, 43), "masters-runner": range(50, 99), "early-riser": range(30, 50)}


def suits(story: str, *, name: str, age: int) -> bool:
    """Whether this person could have this story."""
    told_by = STORIES[story].get("about-sex")
    return age in AGES.get(story, range(120)) and (told_by is None or _sex(name) == told_by)


def answers_of(
    form: Form,
    story: str,
    *,
    name: str,
    birth_date: date,
    race_on: date,
    today: date,
    is_first_time: bool = False,
) -> list[dict[str, Any]]:
    """Return the story as QuestionnaireResponse items, only what the form asks of this person.

    ``is_first_time`` gives the answers from weeks earlier.
    """
    flat = {
        **EVERYBODY,
        "about-sex": _sex(name),
        **STORIES[story],
        **(FIRST_TIME.get(story, {}) if is_first_time else {}),
        "about-birth-date": birth_date,
        "consent-signature": name,
    }
    if flat["goal-main"] == "event":
        flat["goal-event-date"] = race_on
    return settle(form, _items(form.items, flat), today=today)


def _sex(name: str) -> str:
    return "female" if name.split()[0] in WOMEN else "male"


def _items(questions: Any, flat: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for question in questions:
        if question.type == "group":
            occurrences = flat.get(question.link_id, []) if question.repeats else [flat]
            found += [
                {"linkId": question.link_id, "item": children}
                for occurrence in occurrences
                if (children := _items(question.items, occurrence))
            ]
        elif question.link_id in flat and flat[question.link_id] != "":
            given = flat[question.link_id]
            values = given if isinstance(given, list) else [given]
            found.append(
                {
                    "linkId": question.link_id,
                    "answer": [answer_for(question, value) for value in values],
                }
            )
    return found
