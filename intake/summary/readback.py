"""Answers with the texts of their form, as the patient saw and gave them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from intake.answers import Answers
from intake.fhir_form.items import Item
from intake.fhir_form.questionnaire import Form, Page
from intake.fhir_form.responses import broken_constraints, value_of
from intake.html_form.fields import in_words
from intake.html_form.layout import CONSTRAINT_MESSAGES
from intake.models import EarlierAnswers, QuestionnaireResponse


@dataclass(frozen=True, slots=True)
class ReadBack:
    """One page of answers in words: pairs of question and answers, and what looks odd.

    ``withheld`` says whether there are answers that this reader does not see.
    """

    page: Page
    title: str
    is_done: bool
    answers: tuple[tuple[str, tuple[str, ...]], ...]
    warnings: tuple[str, ...]
    withheld: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A question with different answers in two versions; empty means not answered."""

    question: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def read_back(
    response: QuestionnaireResponse | EarlierAnswers,
    *,
    language: str,
    placeholders: Mapping[str, str],
    today: date,
    withheld: Collection[str] = (),
) -> list[ReadBack]:
    """Return every page that is asked, with its answers as the patient gave them.

    The answers to the linkIds in ``withheld`` are left out.
    """
    odd: dict[str, list[str]] = {}
    for item, key in broken_constraints(response.form, response.answers, today=today):
        odd.setdefault(item.link_id, []).append(str(CONSTRAINT_MESSAGES[key]))
    given = list(_answers_in_words(response.form, response.items, language))
    still_open = response.open_pages()
    return [
        ReadBack(
            page,
            page.text.in_language(language),
            page not in still_open,
            tuple(
                (item.text.filled(language, placeholders), words)
                for item, words in given
                if item in here and item.link_id not in withheld
            ),
            tuple(warning for item in here for warning in odd.get(item.link_id, ())),
            any(item in here and item.link_id in withheld for item, _words in given),
        )
        for page in response.pages()
        for here in [tuple(page.walk())]
    ]


def differences(
    form: Form,
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    *,
    language: str,
    placeholders: Mapping[str, str],
    page: Page | None = None,
    withheld: Collection[str] = (),
) -> list[Difference]:
    """Return the changes between two versions of the answers, in form order; of one page or all.

    Occurrences of a repeating group are compared by their position. The linkIds in ``withheld``
    are left out.
    """
    was, now = (_by_place(form, items, language) for items in (before, after))
    here = None if page is None else {item.link_id for item in page.walk()}
    order = {item.link_id: position for position, item in enumerate(form.walk())}
    return [
        Difference(
            form.item(link_id).text.filled(language, placeholders),
            was.get((link_id, index), ()),
            now.get((link_id, index), ()),
        )
        for link_id, index in sorted(was.keys() | now.keys(), key=lambda key: (order[key[0]], key))
        if was.get((link_id, index)) != now.get((link_id, index))
        and (here is None or link_id in here)
        and link_id not in withheld
    ]


def given_on(page: Page, items: list[dict[str, Any]]) -> list[Any]:
    """The answers stored for one page, as plain values that can be compared."""
    here = {
        item.link_id
        for item in page.walk()
        if item.is_question and not item.is_hidden and not item.read_only
    }
    return [
        [element["linkId"], element.get("answer", [])]
        for element in _flat(items)
        if element["linkId"] in here
    ]


def _by_place(
    form: Form, items: list[dict[str, Any]], language: str
) -> dict[tuple[str, int], tuple[str, ...]]:
    places: dict[tuple[str, int], tuple[str, ...]] = {}
    for item, words in _answers_in_words(form, items, language):
        index = sum(link_id == item.link_id for link_id, _index in places)
        places[item.link_id, index] = words
    return places


def _answers_in_words(
    form: Form, items: list[dict[str, Any]], language: str
) -> Iterator[tuple[Item, tuple[str, ...]]]:
    answers = Answers.from_response({"item": items})
    for element in _flat(items):
        if element["linkId"] not in form:
            continue
        item = form.item(element["linkId"])
        if item.is_hidden or not item.is_question:
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
