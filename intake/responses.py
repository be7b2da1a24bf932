"""Validate, prune and order the items of a FHIR R4 QuestionnaireResponse against its form.

`items` always means the nested ``item`` list as it is stored: groups hold items, questions hold
``answer`` lists of one ``value[x]`` each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from intake.answers import Answers, Value
from intake.calculations import CALCULATIONS, CONSTRAINTS
from intake.extensions import is_unreadable
from intake.items import Issue, Item
from intake.questionnaire import Form

FINAL = ("completed", "amended")
STATUSES = ("in-progress", *FINAL, "entered-in-error", "stopped")

VALUE_NAMES = {
    "boolean": "valueBoolean",
    "integer": "valueInteger",
    "decimal": "valueDecimal",
    "date": "valueDate",
    "string": "valueString",
    "text": "valueString",
}


def value_of(item: Item, answer: Mapping[str, Any]) -> Value | None:
    """The answer's value when it has the item's type, else None."""
    if item.type == "choice":
        option = next((o for o in item.options if _is_option(answer, o.answer)), None)
        return option.value if option else None
    value = answer.get(VALUE_NAMES[item.type])
    match item.type, value:
        case "boolean", bool():
            return value
        case "integer" | "decimal", bool():
            return None
        case ("integer" | "decimal", int()) | ("decimal", float()) | ("string" | "text", str()):
            return value
        case "date", str() if len(value) == len("2026-10-01"):
            try:
                return dt.date.fromisoformat(value)
            except ValueError:
                return None
    return None


def answer_for(item: Item, value: Value) -> dict[str, Any]:
    """A value as a stored answer; for a choice it must be one of the options."""
    if item.type == "choice":
        option = item.option(value)
        if option is None:
            raise ValueError(f"not an option of {item.link_id}")
        return option.answer
    if isinstance(value, dt.date):
        value = value.isoformat()
    return {VALUE_NAMES[item.type]: value}


def broken_limits(
    item: Item, values: tuple[Value, ...], *, answers: Answers, today: dt.date | None
) -> Iterator[str]:
    """The rules that these values of one item break, by name.

    `answers` are needed for units that another question decides. Limits relative to today are
    left out when `today` is None.
    """
    if len(values) > 1 and any(
        option.is_exclusive and option.value in values for option in item.options
    ):
        yield "exclusive"
    if len(set(values)) < len(values):
        yield "duplicate"
    if not item.repeats and len(values) > 1:
        yield "cardinality"
    if item.repeats and (
        len(values) < item.min_occurs
        or (item.max_occurs is not None and len(values) > item.max_occurs)
    ):
        yield "cardinality"
    for value in values:
        yield from _broken_by(item, value, answers=answers, today=today)


def _broken_by(
    item: Item, value: Value, *, answers: Answers, today: dt.date | None
) -> Iterator[str]:
    low, high = bounds(item, answers=answers, today=today)
    if isinstance(value, bool):
        if item.must_be_true and not value:
            yield "must-be-true"
    elif isinstance(value, str):
        if item.max_length is not None and len(value) > item.max_length:
            yield "max-length"
        if item.type != "choice" and len(value.strip()) < (item.min_length or 1):
            yield "min-length"
    elif item.type != "choice":
        if low is not None and value < low:  # type: ignore[operator]
            yield "min-value"
        if high is not None and value > high:  # type: ignore[operator]
            yield "max-value"
        if isinstance(value, int | float):
            yield from _broken_by_number(item, value)


def _broken_by_number(item: Item, value: float) -> Iterator[str]:
    exact = Decimal(str(value))
    places = -int(exact.normalize().as_tuple().exponent)
    if item.max_decimal_places is not None and places > item.max_decimal_places:
        yield "max-decimal-places"
    if item.step and exact % Decimal(str(item.step)):
        yield "step"


def bounds(
    item: Item, *, answers: Answers, today: dt.date | None
) -> tuple[Value | None, Value | None]:
    """The smallest and largest value allowed now, in the unit the person chose."""
    low, high = item.min_value, item.max_value
    if item.unit_choice:
        chosen = answers.text(item.unit_choice.question)
        if chosen in item.unit_choice.units:
            high = item.unit_choice.units[chosen][1]
    if today is not None:
        first, last = (None if y is None else _years_from(today, y) for y in item.from_today)
        low, high = low if first is None else first, high if last is None else last
    return low, high


def validate_response(form: Form, response: Any, *, today: dt.date | None = None) -> list[Issue]:
    """Everything wrong with a QuestionnaireResponse; an empty list means valid.

    A required answer may be missing while the response is in progress. Dates that are limited
    relative to today are measured from `today`, or else from the day it was ``authored``.
    """
    path = "QuestionnaireResponse"
    if not isinstance(response, dict) or response.get("resourceType") != path:
        return [Issue(path, "structure", "Not a QuestionnaireResponse.")]
    if is_unreadable(response):
        return [Issue(path, "structure", "Nested too deep, or with unreadable characters.")]
    issues = [*_header(form, response)]
    structure = [*_structure(response.get("item", []), path)]
    if structure:
        return issues + structure
    if today is None:
        today = _authored_on(response)
    answers = Answers.from_response(response)
    check = _Check(form, answers, today, is_final=response.get("status") in FINAL)
    return [*issues, *check.items(form.items, response.get("item", []), path), *check.agreement()]


class _Check:
    """One pass over a structurally sound response."""

    def __init__(
        self, form: Form, answers: Answers, today: dt.date | None, *, is_final: bool
    ) -> None:
        self.form = form
        self.answers = answers
        self.today = today
        self.is_final = is_final
        self.enabled = form.enabled(answers)

    def items(
        self, expected: tuple[Item, ...], items: list[dict[str, Any]], path: str
    ) -> Iterator[Issue]:
        positions = {item.link_id: position for position, item in enumerate(expected)}
        counts: dict[str, int] = {}
        last = -1
        for index, element in enumerate(items):
            where = f"{path}.item[{index}]"
            link_id = element["linkId"]
            if link_id not in positions:
                known = link_id in self.form
                yield Issue(
                    f"{where}.linkId",
                    "nesting" if known else "unknown-link-id",
                    "It belongs elsewhere in the form." if known else "The form has no such item.",
                )
                continue
            if positions[link_id] < last:
                yield Issue(where, "order", "Items follow the order of the form.")
            last = max(last, positions[link_id])
            counts[link_id] = counts.get(link_id, 0) + 1
            yield from self._item(expected[positions[link_id]], element, where)
        for item in expected:
            yield from self._occurrences(item, counts.get(item.link_id, 0), path)

    def _occurrences(self, item: Item, count: int, path: str) -> Iterator[Issue]:
        is_repeating_group = item.type == "group" and item.repeats
        if count > 1 and not is_repeating_group:
            yield Issue(path, "cardinality", f"`{item.link_id}` occurs more than once.")
        if item.link_id not in self.enabled:
            return
        if is_repeating_group and item.max_occurs is not None and count > item.max_occurs:
            yield Issue(path, "cardinality", f"`{item.link_id}` occurs too often.")
        if not self.is_final:
            return
        needed = max(item.min_occurs, int(item.required)) if is_repeating_group else 0
        if count < needed or (count == 0 and item.is_question and item.required):
            yield Issue(path, "required", f"`{item.link_id}` is missing.")
        elif count == 0 and item.type == "group" and not item.repeats:
            # A left-out group hides the required questions in it.
            yield from self.items(item.items, [], path)

    def _item(self, item: Item, element: dict[str, Any], path: str) -> Iterator[Issue]:
        if item.link_id not in self.enabled:
            yield Issue(path, "disabled", "It is not asked with these answers.")
            return
        if item.type == "group":
            if "answer" in element:
                yield Issue(f"{path}.answer", "structure", "A group has no answer.")
            yield from self.items(item.items, element.get("item", []), path)
            return
        if "item" in element or (item.type == "display" and "answer" in element):
            yield Issue(path, "structure", "Nothing is nested here.")
            return
        given = element.get("answer", [])
        if not given and item.required and self.is_final:
            yield Issue(path, "required", f"`{item.link_id}` is missing.")
        values = []
        for index, answer in enumerate(given):
            value = value_of(item, answer)
            if value is None:
                is_choice = item.type == "choice"
                yield Issue(
                    f"{path}.answer[{index}]",
                    "option" if is_choice else "type",
                    "Not one of the options." if is_choice else f"Not of type {item.type}.",
                )
            else:
                values.append(value)
        if values:
            for rule in broken_limits(item, tuple(values), answers=self.answers, today=self.today):
                yield Issue(f"{path}.answer", rule, f"Breaks the rule `{rule}` of the form.")

    def agreement(self) -> Iterator[Issue]:
        if self.today is None:
            return
        for item, key in broken_constraints(
            self.form, self.answers, today=self.today, errors_only=True
        ):
            yield Issue(f"QuestionnaireResponse.item({item.link_id})", key, "Answers disagree.")


def broken_constraints(
    form: Form, answers: Answers, *, today: dt.date, errors_only: bool = False
) -> Iterator[tuple[Item, str]]:
    """Cross-checks that fail: the item that carries each, and its key.

    Checks that are not errors only ask the person to look again.
    """
    for item in form.walk():
        for constraint in item.constraints:
            holds = CONSTRAINTS.get(constraint.key)
            if (
                holds is not None
                and (constraint.is_error or not errors_only)
                and answers.answered(item.link_id)
                and not holds(answers, today)
            ):
                yield item, constraint.key


def settle(form: Form, items: list[dict[str, Any]], *, today: dt.date) -> list[dict[str, Any]]:
    """The items with calculated ones renewed, disabled ones dropped and all in form order.

    Removing an answer can change a calculated value, which can disable another question; it is
    repeated until nothing changes.
    """
    for _ in range(len(CALCULATIONS) + 2):
        answers = Answers.from_response({"item": items})
        calculated = {
            link_id: value
            for link_id, calculate in CALCULATIONS.items()
            if link_id in form and (value := calculate(answers, today)) is not None
        }
        enabled = form.enabled(
            Answers(
                {
                    link_id: answers.values(link_id)
                    for link_id in answers.link_ids() - CALCULATIONS.keys()
                }
                | {link_id: [value] for link_id, value in calculated.items()}
            )
        )
        settled = _settled(form.items, items, enabled, calculated)
        if settled == items:
            break
        items = settled
    return items


def _settled(
    expected: tuple[Item, ...],
    items: list[dict[str, Any]],
    enabled: frozenset[str],
    calculated: Mapping[str, float],
) -> list[dict[str, Any]]:
    settled = []
    for item in expected:
        if item.link_id not in enabled:
            continue
        found = [element for element in items if element["linkId"] == item.link_id]
        if item.link_id in CALCULATIONS:
            if item.link_id in calculated:
                answer = answer_for(item, calculated[item.link_id])
                settled.append({"linkId": item.link_id, "answer": [answer]})
        elif item.type == "group":
            # An absent group may still have to hold a calculated value.
            for element in found or ([] if item.repeats else [{"linkId": item.link_id}]):
                children = _settled(item.items, element.get("item", []), enabled, calculated)
                if children:
                    settled.append({"linkId": item.link_id, "item": children})
        else:
            settled.extend(element for element in found if element.get("answer"))
    return settled


def replace_answers(
    form: Form, items: list[dict[str, Any]], changes: Mapping[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """The items with some answers replaced, nested and ordered as the form is.

    `changes` gives, by linkId, the new ``answer`` list of a question, or the new occurrences
    (each ``{"linkId": …, "item": […]}``) of a repeating group; an empty list removes.
    """
    return _replaced(form.items, items, changes)


def _replaced(
    expected: tuple[Item, ...],
    items: list[dict[str, Any]],
    changes: Mapping[str, list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    replaced = []
    for item in expected:
        found = [element for element in items if element["linkId"] == item.link_id]
        if item.type == "group" and not item.repeats:
            held = found[0].get("item", []) if found else []
            children = _replaced(item.items, held, changes)
            if children:
                replaced.append({"linkId": item.link_id, "item": children})
        elif item.link_id not in changes:
            replaced.extend(found)
        elif item.type == "group":
            replaced.extend(changes[item.link_id])
        elif changes[item.link_id]:
            replaced.append({"linkId": item.link_id, "answer": changes[item.link_id]})
    return replaced


def missing(form: Form, answers: Answers, link_ids: Iterable[str] | None = None) -> list[Item]:
    """Required questions that are enabled and have no answer, in form order.

    Children of a repeating group count as answered when any occurrence has them; the form and
    :func:`validate_response` look at each.
    """
    enabled = form.enabled(answers)
    wanted = None if link_ids is None else set(link_ids)
    return [
        item
        for item in form.walk()
        if item.is_question
        and item.required
        and item.link_id in enabled
        and not answers.answered(item.link_id)
        and (wanted is None or item.link_id in wanted)
    ]


def _header(form: Form, response: Mapping[str, Any]) -> Iterator[Issue]:
    if response.get("status") not in STATUSES:
        yield Issue("QuestionnaireResponse.status", "required", f"One of {', '.join(STATUSES)}.")
    asked = response.get("questionnaire")
    if asked not in (form.canonical, form.url):
        yield Issue(
            "QuestionnaireResponse.questionnaire", "questionnaire", f"Expected {form.canonical}."
        )


def _structure(items: Any, path: str) -> Iterator[Issue]:
    if not isinstance(items, list):
        yield Issue(f"{path}.item", "structure", "`item` is a list.")
        return
    for index, element in enumerate(items):
        where = f"{path}.item[{index}]"
        if not isinstance(element, dict) or not isinstance(element.get("linkId"), str):
            yield Issue(where, "structure", "An item has a linkId.")
            continue
        given = element.get("answer", [])
        if not isinstance(given, list) or not all(isinstance(a, dict) for a in given):
            yield Issue(f"{where}.answer", "structure", "`answer` is a list of objects.")
        elif any("item" in answer for answer in given):
            yield Issue(f"{where}.answer", "nesting", "Answers hold no items in this form.")
        yield from _structure(element.get("item", []), where)


def _authored_on(response: Mapping[str, Any]) -> dt.date | None:
    authored = response.get("authored")
    try:
        return dt.date.fromisoformat(authored[:10]) if isinstance(authored, str) else None
    except ValueError:
        return None


def _is_option(answer: Mapping[str, Any], option: Mapping[str, Any]) -> bool:
    """Same value; a coding's display does not count, nor a system that only one side names."""
    match answer, option:
        case {"valueCoding": {"code": code} as given}, {"valueCoding": coding}:
            systems = {coding.get("system"), given.get("system")} - {None}
            return code == coding["code"] and len(systems) <= 1
    (name, value), *_ = option.items()
    return name in answer and type(answer[name]) is type(value) and answer[name] == value


def _years_from(day: dt.date, years: int) -> dt.date:
    # 29 February meets 1 March in a common year, as birthdays do.
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return dt.date(day.year + years, 3, 1)
