"""Filling in the intake page by page: every save keeps the answers and judges them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from clinic.models import Patient, Practice
from intake import between_visits, gate
from intake.answers import Answers
from intake.earlier import FOLLOW_UP_URL, answers_before
from intake.fields import in_words
from intake.findings import RULE_SET_VERSION
from intake.items import Item
from intake.layout import CONSTRAINT_MESSAGES
from intake.models import QuestionnaireResponse, SafetyAlert
from intake.questionnaire import Form, Page
from intake.responses import answer_for, broken_constraints, replace_answers, settle, value_of
from intake.triage import Triage


def save_page(
    response: QuestionnaireResponse,
    *,
    page: Page,
    items: list[dict[str, Any]],
    is_complete: bool,
    revision: int,
    language: str,
    practice: Practice,
    now: datetime,
) -> SafetyAlert | None:
    """Keep one page's answers, judge all of them, and return the alert that now stands, if any.

    `items` is the whole response with the page's answers in place. A danger sign on an unfinished
    page counts. Raises StaleRevision.
    """
    with transaction.atomic():
        response.keep(
            items,
            page=page,
            is_complete=is_complete,
            revision=revision,
            language=language,
            now=now,
        )
        outcome = judge(response, practice=practice, now=now)
        if page.key == gate.SAFETY_GROUP and is_complete:
            response.safety_answered_at = now
        response.rules = list(outcome.rule_ids)
        response.rule_set_version = RULE_SET_VERSION
        response.level = outcome.level
        response.save(update_fields=["safety_answered_at", "rules", "rule_set_version", "level"])
        return gate.raise_alert(response, outcome, patient=response.patient, now=now)


def judge(response: QuestionnaireResponse, *, practice: Practice, now: datetime) -> Triage:
    """The triage of the answers so far, as the safety gate judges its own."""
    return gate.standing(response, patient=response.patient, practice=practice, now=now)


def submit(
    response: QuestionnaireResponse, *, notice_version: str, practice: Practice, now: datetime
) -> None:
    """Close the answers; raises IncompleteResponse or StaleRevision."""
    with transaction.atomic():
        response.submit(
            today=now.astimezone(practice.zone).date(),
            notice_version=notice_version,
            rule_set_version=RULE_SET_VERSION,
            now=now,
        )
        if response.patient and response.questionnaire.url == FOLLOW_UP_URL:
            before = answers_before(response, response.patient)
            between_visits.ask_desk_if_worse(response, before, now=now)


def known_beforehand(
    form: Form, items: list[dict[str, Any]], *, patient: Patient | None, today: date
) -> list[dict[str, Any]]:
    """The items with what the clinic knows of the patient filled in where nothing was answered."""
    if patient is None:
        return items
    known: dict[str, Any] = {"about-birth-date": patient.birth_date}
    if patient.contact_relation != Patient.Contact.SELF:
        known["about-filler"] = patient.contact_relation
    given = Answers.from_response({"item": items})
    answers = {
        link_id: [answer_for(form.item(link_id), value)]
        for link_id, value in known.items()
        if value is not None
        and link_id in form
        and _is_answer(form.item(link_id), value)
        and not given.answered(link_id)
    }
    if not answers:
        return items
    return settle(form, replace_answers(form, items, answers), today=today)


def _is_answer(item: Item, value: Any) -> bool:
    """Would it be one? The questionnaire may be somebody else's, with options of its own."""
    return item.option(value) is not None if item.type == "choice" else item.type == "date"


@dataclass(frozen=True, slots=True)
class ReadBack:
    """One page of answers in words: pairs of question and answers, and what looks odd."""

    page: Page
    title: str
    is_done: bool
    answers: tuple[tuple[str, tuple[str, ...]], ...]
    warnings: tuple[str, ...]


def read_back(
    response: QuestionnaireResponse,
    *,
    language: str,
    placeholders: Mapping[str, str],
    today: date,
) -> list[ReadBack]:
    """Every page that is asked, with its answers as the patient gave them."""
    odd: dict[str, list[str]] = {}
    for item, key in broken_constraints(response.form, response.answers, today=today):
        odd.setdefault(item.link_id, []).append(str(CONSTRAINT_MESSAGES[key]))
    return [
        ReadBack(
            page,
            page.text.in_language(language),
            response.is_done(page),
            tuple(
                (item.text.filled(language, placeholders), words)
                for item, words in _in_words(page, response, language)
            ),
            tuple(warning for item in page.walk() for warning in odd.get(item.link_id, ())),
        )
        for page in response.pages()
    ]


def _in_words(
    page: Page, response: QuestionnaireResponse, language: str
) -> Iterator[tuple[Item, tuple[str, ...]]]:
    here = {item.link_id: item for item in page.walk()}
    answers = response.answers
    for element in _flat(response.items):
        item = here.get(element["linkId"])
        if item is None or item.is_hidden or not item.is_question:
            continue
        unit = item.unit_for(answers)
        values = (value_of(item, answer) for answer in element.get("answer", ()))
        words = [in_words(item, value, language) for value in values if value is not None]
        if unit is not None:
            words = [f"{word} {unit.in_language(language)}" for word in words]
        yield item, tuple(words)


def _flat(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for element in items:
        yield element
        for answer in element.get("answer", []):
            yield from _flat(answer.get("item", []))
        yield from _flat(element.get("item", []))
