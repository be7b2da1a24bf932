"""Validate, prune and order the items of a FHIR R4 QuestionnaireResponse against its form.

`items` always means the nested ``item`` list as it is stored: groups hold items, questions hold
``answer`` lists of one ``value[x]`` each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from intake import values
from intake.answers import Answers
from intake.fhir_form.extensions import HL7, extensions_of, is_unreadable
from intake.fhir_form.items import Issue, Item
from intake.fhir_form.limits import broken_limits
from intake.fhir_form.parsing import MAX_DEPTH
from intake.fhir_form.questionnaire import Form
from intake.rules.calculations import CALCULATIONS, CONSTRAINTS
from intake.values import Value

FINAL = ("completed", "amended")
STATUSES = ("in-progress", *FINAL, "entered-in-error", "stopped")

# Items and answers together; far more than a person types.
MAX_ELEMENTS = 10_000

# Extension that records the signature of a response.
SIGNED = f"{HL7}/questionnaireresponse-signature"


def value_of(item: Item, answer: Mapping[str, Any]) -> Value | None:
    """The answer's value when it is one of the item's options or has its type, else None."""
    found = values.read_any(answer)
    if found is None:
        return None
    kind, value = found
    if item.type in ("choice", "open-choice"):
        option = next((o for o in item.options if _is_option(answer, o.answer)), None)
        is_free = item.type == "open-choice" and kind == "String"
        return option.value if option else value if is_free else None
    return value if kind == values.TYPES.get(item.type) else None


def answer_for(item: Item, value: Value) -> dict[str, Any]:
    """A value as a stored answer; for a choice it must be one of the options."""
    if item.type in ("choice", "open-choice"):
        option = item.option(value)
        if option is not None:
            return option.answer
        if item.type == "choice" or not isinstance(value, str):
            raise ValueError(f"not an option of {item.link_id}")
        return {"valueString": value}
    return values.written(values.TYPES[item.type], value)


def validate_response(form: Form, response: Any, *, today: dt.date | None = None) -> list[Issue]:
    """Return every issue of a QuestionnaireResponse; an empty list means valid.

    A required answer may be missing while the response is in progress. Dates that are limited
    relative to today are measured from `today`, or else from the day it was ``authored``.
    """
    path = "QuestionnaireResponse"
    if not isinstance(response, dict) or response.get("resourceType") != path:
        return [Issue(path, "structure", "Not a QuestionnaireResponse.")]
    if is_unreadable(response):
        return [Issue(path, "structure", "Nested too deep, or with unreadable characters.")]
    issues = [*_header(form, response), *_signature(form, response)]
    structure = [*_structure(response.get("item", []), path)]
    if _count(response.get("item", [])) > MAX_ELEMENTS:
        structure = [Issue(path, "limit-items", f"More than {MAX_ELEMENTS} items.")]
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
        found: dict[str, list[dict[str, Any]]] = {}
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
            found.setdefault(link_id, []).append(element)
            yield from self._item(expected[positions[link_id]], element, where)
        for item in expected:
            yield from self._occurrences(item, found.get(item.link_id, []), path)

    def _occurrences(self, item: Item, found: list[dict[str, Any]], path: str) -> Iterator[Issue]:
        is_repeating_group = item.type == "group" and item.repeats
        count = len(found)
        if count > 1 and not is_repeating_group:
            yield Issue(path, "cardinality", f"`{item.link_id}` occurs more than once.")
        if item.link_id not in self.enabled:
            return
        if is_repeating_group and item.max_occurs is not None and count > item.max_occurs:
            yield Issue(path, "cardinality", f"`{item.link_id}` occurs too often.")
        if not self.is_final:
            return
        is_askable = any(q.is_question and q.link_id in self.enabled for q in item.walk())
        needed = max(item.min_occurs, int(item.required)) if is_repeating_group else 0
        if item.type == "group" and not is_askable:
            return
        if count < needed or (count == 0 and item.is_question and item.required):
            yield Issue(path, "required", f"`{item.link_id}` is missing.")
        elif item.type == "group" and item.required and not has_answers(found):
            yield Issue(path, "required", f"`{item.link_id}` has no answer in it.")
        elif count == 0 and item.type == "group" and not item.repeats:
            # The required questions of a group that is missing were never visited.
            yield from self.items(item.items, [], path)

    def _item(self, item: Item, element: dict[str, Any], path: str) -> Iterator[Issue]:
        if item.link_id not in self.enabled:
            yield Issue(path, "disabled", "It is not asked with these answers.")
            return
        if item.type == "group":
            if "answer" in element:
                yield Issue(f"{path}.answer", "structure", "A group has no answer.")
            inner = self._within(item, element) if item.repeats else self
            yield from inner.items(item.items, element.get("item", []), path)
            return
        if "item" in element or (item.type == "display" and "answer" in element):
            yield Issue(path, "structure", "Nothing is nested here.")
            return
        yield from self._question(item, element.get("answer", []), path)

    def _question(self, item: Item, given: list[dict[str, Any]], path: str) -> Iterator[Issue]:
        if not given and item.required and self.is_final:
            yield Issue(path, "required", f"`{item.link_id}` is missing.")
        understood = []
        for index, answer in enumerate(given):
            where = f"{path}.answer[{index}]"
            value = value_of(item, answer)
            if value is None:
                is_choice = item.type in ("choice", "open-choice")
                yield Issue(
                    where,
                    "option" if is_choice else "type",
                    "Not one of the options." if is_choice else f"Not of type {item.type}.",
                )
            else:
                understood.append(value)
            if item.items:
                yield from self.items(item.items, answer.get("item", []), where)
            elif "item" in answer:
                yield Issue(where, "nesting", "Nothing is asked below this answer.")
        if understood:
            for rule in broken_limits(
                item, tuple(understood), answers=self.answers, today=self.today
            ):
                if rule != "too-few" or self.is_final:
                    yield Issue(f"{path}.answer", rule, f"Breaks the rule `{rule}` of the form.")

    def _within(self, group: Item, element: dict[str, Any]) -> _Check:
        """The same check with the answers as seen from one occurrence of a repeating group."""
        scoped = self.answers.within(inside(group), element)
        return _Check(self.form, scoped, self.today, is_final=self.is_final)

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
    """Return the cross-checks that fail: the item that carries each, and its key.

    A failed check that is not an error only asks the person to look again.
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
    ours = {
        link_id
        for link_id in CALCULATIONS
        if link_id in form and form.item(link_id).type in ("integer", "decimal")
    }
    for _ in range(len(CALCULATIONS) + MAX_DEPTH):
        answers = Answers.from_response({"item": items})
        calculated = {
            link_id: value
            for link_id in ours
            if (value := CALCULATIONS[link_id](answers, today)) is not None
        }
        renewed = Answers(
            {link_id: answers.values(link_id) for link_id in answers.link_ids() - ours}
            | {link_id: [value] for link_id, value in calculated.items()}
        )
        settled = _Settling(form, renewed, ours, calculated).items(form.items, items)
        if settled == items:
            break
        items = settled
    return items


class _Settling:
    """One pass of :func:`settle`, with the answers as seen from one scope."""

    def __init__(
        self, form: Form, answers: Answers, ours: set[str], calculated: Mapping[str, float]
    ) -> None:
        self.form = form
        self.answers = answers
        self.ours = ours
        self.calculated = calculated
        self.enabled = form.enabled(answers)

    def items(
        self, expected: tuple[Item, ...], items: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        settled = []
        for item in expected:
            if item.link_id not in self.enabled:
                continue
            found = [element for element in items if element["linkId"] == item.link_id]
            if item.link_id in self.ours:
                if item.link_id in self.calculated:
                    answer = answer_for(item, self.calculated[item.link_id])
                    settled.append({"linkId": item.link_id, "answer": [answer]})
            elif item.type == "group":
                # An absent group may still have to hold a calculated value.
                for element in found or ([] if item.repeats else [{"linkId": item.link_id}]):
                    inner = self._within(item, element) if item.repeats else self
                    children = inner.items(item.items, element.get("item", []))
                    if children:
                        settled.append({"linkId": item.link_id, "item": children})
            else:
                settled.extend(
                    self._question(item, element) for element in found if element.get("answer")
                )
        return settled

    def _question(self, item: Item, element: dict[str, Any]) -> dict[str, Any]:
        if not item.items:
            return element
        first, *others = element["answer"]
        return element | {
            "answer": [below(first, self.items(item.items, first.get("item", []))), *others]
        }

    def _within(self, group: Item, element: dict[str, Any]) -> _Settling:
        scoped = self.answers.within(inside(group), element)
        return _Settling(self.form, scoped, self.ours, self.calculated)


def inside(group: Item) -> set[str]:
    """The linkIds of everything in a group."""
    return {item.link_id for item in group.walk()} - {group.link_id}


def below(answer: Mapping[str, Any], items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the answer with its nested items replaced."""
    bare = {name: value for name, value in answer.items() if name != "item"}
    return bare | ({"item": items} if items else {})


def has_answers(items: Iterable[Mapping[str, Any]]) -> bool:
    return any(element.get("answer") or has_answers(element.get("item", [])) for element in items)


def initial_items(form: Form, *, today: dt.date) -> list[dict[str, Any]]:
    """The items of a new response: the form's initial answers."""
    return with_initial(form, [], before=frozenset(), today=today)


def with_initial(
    form: Form, items: list[dict[str, Any]], *, before: frozenset[str], today: dt.date
) -> list[dict[str, Any]]:
    """The items with the initial answers of what is asked now and was not `before`.

    Repeating groups are left out: an occurrence gets its initial answers when it is added.
    """
    for _ in range(MAX_DEPTH):
        answers = Answers.from_response({"item": items})
        enabled = form.enabled(answers)
        changes = {
            item.link_id: [answer_for(item, value) for value in item.initial]
            for item in form.walk()
            if item.initial
            and item.link_id in enabled - before
            and not answers.answered(item.link_id)
            and not any(g.repeats and g.type == "group" for g in form.lineage(item.link_id))
        }
        if not changes:
            break
        items = settle(form, replace_answers(form, items, changes), today=today)
        before = before | enabled
    return items


def replace_answers(
    form: Form, items: list[dict[str, Any]], changes: Mapping[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """The items with some answers replaced, nested and ordered as the form is.

    `changes` gives, by linkId, the new ``answer`` list of a question, or the new occurrences
    (each ``{"linkId": …, "item": […]}``) of a repeating group; an empty list removes.
    """
    return replace_in(form.items, items, changes)


def replace_in(
    expected: tuple[Item, ...],
    items: list[dict[str, Any]],
    changes: Mapping[str, list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """Like :func:`replace_answers`, for the items of one group or occurrence."""
    replaced = []
    for item in expected:
        found = [element for element in items if element["linkId"] == item.link_id]
        if item.type == "group" and item.repeats:
            replaced.extend(changes.get(item.link_id, found))
        elif item.type == "group":
            held = found[0].get("item", []) if found else []
            children = replace_in(item.items, held, changes)
            if children:
                replaced.append({"linkId": item.link_id, "item": children})
        elif item.items:
            old = found[0].get("answer", []) if found else []
            new = changes.get(item.link_id, old)
            if new:
                held = old[0].get("item", []) if old else []
                first = below(new[0], replace_in(item.items, held, changes))
                replaced.append({"linkId": item.link_id, "answer": [first, *new[1:]]})
        elif item.link_id not in changes:
            replaced.extend(found)
        elif changes[item.link_id]:
            replaced.append({"linkId": item.link_id, "answer": changes[item.link_id]})
    return replaced


def missing(form: Form, answers: Answers, link_ids: Iterable[str] | None = None) -> list[Item]:
    """The required items that are enabled and have no answer, in form order.

    Of a repeating group only whether there is an occurrence at all: the form and
    :func:`validate_response` look into each.
    """
    wanted = None if link_ids is None else set(link_ids)
    return [
        item
        for item in _missing(form.items, answers, form.enabled(answers))
        if wanted is None or item.link_id in wanted
    ]


def _missing(items: Iterable[Item], answers: Answers, enabled: frozenset[str]) -> Iterator[Item]:
    for item in items:
        if item.link_id not in enabled:
            continue
        if item.type != "group":
            if item.is_question and item.required and not answers.answered(item.link_id):
                yield item
            yield from _missing(item.items, answers, enabled)
            continue
        is_empty = not any(map(answers.answered, inside(item)))
        if not item.repeats:
            found = [*_missing(item.items, answers, enabled)]
            yield from found
            if item.required and is_empty and not found:
                yield from _first_question(item, enabled)
        elif is_empty and (item.required or item.min_occurs):
            needed = [q for q in item.walk() if q.required and q.is_question]
            yield from needed or _first_question(item, enabled)


def _first_question(group: Item, enabled: frozenset[str]) -> list[Item]:
    return [item for item in group.walk() if item.is_question and item.link_id in enabled][:1]


def _header(form: Form, response: Mapping[str, Any]) -> Iterator[Issue]:
    if response.get("status") not in STATUSES:
        yield Issue("QuestionnaireResponse.status", "required", f"One of {', '.join(STATUSES)}.")
    asked = response.get("questionnaire")
    if asked not in (form.canonical, form.url):
        yield Issue(
            "QuestionnaireResponse.questionnaire", "questionnaire", f"Expected {form.canonical}."
        )
    if "authored" in response and _authored_on(response) is None:
        yield Issue("QuestionnaireResponse.authored", "type", "Not a date or time.")


def _signature(form: Form, response: Mapping[str, Any]) -> Iterator[Issue]:
    """Check a signature: it names who, when and in which role, and the response is finished."""
    signatures = extensions_of(response).get(SIGNED, [])
    is_final = response.get("status") in FINAL
    path = "QuestionnaireResponse.extension"
    if signatures and not is_final and response.get("status") != "entered-in-error":
        yield Issue(path, "signature", "Answers in progress are not signed.")
    for signature in signatures:
        parts = signature if isinstance(signature, dict) else {}
        is_whole = (
            isinstance(parts.get("type"), list)
            and bool(parts["type"])
            and isinstance(parts.get("who"), dict)
            and values.read("DateTime", parts.get("when")) is not None
        )
        if not is_whole:
            yield Issue(path, "signature", "A signature has a type, who and when.")
    if form.needs_signature and is_final and not signatures:
        yield Issue(path, "signature", "The form has to be signed.")


def _count(items: Any) -> int:
    """Count all items, those below answers included."""
    if isinstance(items, dict):
        return 1 + _count(items.get("item")) + _count(items.get("answer"))
    return sum(map(_count, items)) if isinstance(items, list) else 0


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
        else:
            for number, answer in enumerate(given):
                yield from _structure(answer.get("item", []), f"{where}.answer[{number}]")
        yield from _structure(element.get("item", []), where)


def _authored_on(response: Mapping[str, Any]) -> dt.date | None:
    authored = response.get("authored")
    try:
        return dt.date.fromisoformat(authored[:10]) if isinstance(authored, str) else None
    except ValueError:
        return None


def _is_option(answer: Mapping[str, Any], option: Mapping[str, Any]) -> bool:
    """Whether the values are equal, ignoring displays and a system that only one side names."""
    match answer, option:
        case {"valueCoding": {"code": code} as given}, {"valueCoding": coding}:
            systems = {coding.get("system"), given.get("system")} - {None, ""}
            return code == coding["code"] and len(systems) <= 1
    return values.read_any(answer) == values.read_any(option)
