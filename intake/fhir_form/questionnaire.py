"""A questionnaire as the rest of the code uses it: pages, texts, and what is asked when.

The same evaluation serves the form on the server, the stored answers and the FHIR export, so an
item that is not enabled is neither asked nor stored. Any FHIR R4 Questionnaire within the types
of :mod:`intake.fhir_form.parsing` works, not only ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import groupby
from typing import Any

from intake import values
from intake.answers import Answers
from intake.fhir_form.extensions import HL7, extensions_of
from intake.fhir_form.items import Condition, Issue, Item, Text
from intake.fhir_form.parsing import Reader
from intake.values import Quantity, Value

MAX_BYTES = 2_000_000

SIGNATURE_REQUIRED = f"{HL7}/questionnaire-signatureRequired"
# linkId of the question whose answer, a typed name, signs the form.
SIGNATURE = "consent-signature"


class InvalidQuestionnaire(ValueError):
    """The questionnaire is refused; `issues` say where and by which rule."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__(f"{len(issues)} issues in the Questionnaire")
        self.issues = issues


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the form: a top-level group, or top-level questions that stand together.

    `number` counts from 1 over all pages, enabled or not, so an address never shifts.
    """

    number: int
    text: Text
    items: tuple[Item, ...]
    group: Item | None

    @property
    def key(self) -> str:
        """The name of the page in stored progress: the linkId of its group."""
        return self.group.link_id if self.group else str(self.number)

    def walk(self) -> Iterator[Item]:
        for item in self.items:
            yield from item.walk()

    def is_asked(self, enabled: frozenset[str]) -> bool:
        """Whether the page asks anything, given the enabled linkIds."""
        return any(
            item.link_id in enabled and item.type != "group" and not item.is_hidden
            for item in self.walk()
        )


class Form:
    """A parsed questionnaire. Immutable; make one with :meth:`parse`."""

    def __init__(
        self,
        *,
        url: str,
        version: str,
        title: Text,
        items: tuple[Item, ...],
        needs_signature: bool = False,
    ) -> None:
        self.url = url
        self.version = version
        self.title = title
        self.items = items
        self.needs_signature = needs_signature
        self._by_id: dict[str, Item] = {}
        self._parents: dict[str, Item] = {}
        for item in self.walk():
            self._by_id[item.link_id] = item
            for child in item.items:
                self._parents[child.link_id] = item
        self._order = tuple(_sorter(self.walk()).static_order())

    @classmethod
    def parse(cls, questionnaire: Mapping[str, Any]) -> Form:
        """Read a FHIR R4 Questionnaire; raises InvalidQuestionnaire with every issue found."""
        reader = Reader()
        items = reader.read(questionnaire)
        issues = reader.issues or [*_cross_check(questionnaire, items)]
        if issues:
            raise InvalidQuestionnaire(issues)
        title = reader.title(questionnaire)
        return cls(
            url=questionnaire["url"],
            version=questionnaire["version"],
            title=title,
            items=items,
            needs_signature=SIGNATURE_REQUIRED in extensions_of(questionnaire),
        )

    @classmethod
    def loads(cls, text: str | bytes) -> Form:
        """Like :meth:`parse`, from JSON text of up to MAX_BYTES."""
        return cls.parse(load_json(text))

    @property
    def canonical(self) -> str:
        """``url|version``, as a QuestionnaireResponse refers to it."""
        return f"{self.url}|{self.version}"

    def walk(self) -> Iterator[Item]:
        """Every item in document order, help texts excepted."""
        for item in self.items:
            yield from item.walk()

    def item(self, link_id: str) -> Item:
        """The item; raises KeyError when there is none."""
        return self._by_id[link_id]

    def lineage(self, link_id: str) -> Iterator[Item]:
        """The item and the groups around it, innermost first."""
        item: Item | None = self._by_id[link_id]
        while item is not None:
            yield item
            item = self._parents.get(item.link_id)

    def conditions(self, item: Item) -> tuple[Condition, ...]:
        """The item's own conditions, and after them that the question it stands below is answered.

        That last condition must hold whatever the item's ``enableBehavior`` is.
        """
        parent = self._parents.get(item.link_id)
        if parent is None or not parent.is_question or item.type == "display":
            return item.conditions
        return (*item.conditions, Condition(parent.link_id, "exists", True))

    def __contains__(self, link_id: object) -> bool:
        return link_id in self._by_id

    def pages(self) -> tuple[Page, ...]:
        """One page for each top-level group; loose top-level questions share a page."""
        pages: list[Page] = []
        for is_group, run in groupby(self.items, key=lambda item: item.type == "group"):
            if is_group:
                for group in run:
                    # A repeating group is part of a page, never a page of its own.
                    items = (group,) if group.repeats else group.items
                    pages.append(Page(len(pages) + 1, group.text, items, group))
            else:
                pages.append(Page(len(pages) + 1, self.title, tuple(run), None))
        return tuple(pages)

    def enabled(self, answers: Answers) -> frozenset[str]:
        """The linkIds that are asked, given these answers.

        An answer to a question that is itself not enabled counts as not given, a child of a
        group that is not enabled is not enabled, nor is a question below one without an answer.

        Inside an occurrence of a repeating group pass ``answers.within(…)``: its own answers then
        decide. Seen from outside, a condition holds when it holds in any occurrence.
        """
        enabled: set[str] = set()

        def given(link_id: str) -> tuple[Value, ...]:
            return answers.values(link_id) if link_id in enabled else ()

        for link_id in self._order:
            item, parent = self._by_id[link_id], self._parents.get(link_id)
            if parent is not None and (
                parent.link_id not in enabled
                or (parent.is_question and item.type != "display" and not given(parent.link_id))
            ):
                continue
            if item.is_enabled_by(given):
                enabled.add(link_id)
        return frozenset(enabled)

    def text(self, item: Item, language: str, placeholders: Mapping[str, str] | None = None) -> str:
        """The item's words in a language, ``{placeholders}`` filled in."""
        return item.text.filled(language, placeholders or {})


def load_json(text: str | bytes) -> Any:
    """Parse JSON from outside; raises InvalidQuestionnaire unless it is safe to read."""
    if len(text) > MAX_BYTES:
        raise InvalidQuestionnaire(
            [Issue("$", "limit-size", f"More than {MAX_BYTES // 1_000_000} MB.")]
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidQuestionnaire([Issue("$", "json", "Not readable as JSON.")]) from error


def _sorter(items: Iterator[Item]) -> TopologicalSorter[str]:
    """Sort each item after its parent and after the questions in its conditions."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for item in items:
        sorter.add(item.link_id, *(condition.question for condition in item.conditions))
        for child in item.items:
            sorter.add(child.link_id, item.link_id)
    return sorter


def _cross_check(questionnaire: Mapping[str, Any], items: tuple[Item, ...]) -> Iterator[Issue]:
    """Check what needs the whole questionnaire: references between items."""
    paths: dict[str, str] = {}
    for path, link_id in _paths(questionnaire, "Questionnaire"):
        if link_id in paths:
            yield Issue(f"{path}.linkId", "que-2", "The linkId occurs twice.")
        paths[link_id] = path
    by_id = {item.link_id: item for top in items for item in top.walk()}
    for link_id, path in paths.items():
        # The parts of a question are fields of their own, named by the text before the colon.
        if ":" in link_id and link_id.partition(":")[0] in paths:
            yield Issue(f"{path}.linkId", "unsupported-link-id", "Another linkId, and a colon.")
    sound = True
    for item in by_id.values():
        path = paths[item.link_id]
        for index, condition in enumerate(item.conditions):
            where = f"{path}.enableWhen[{index}]"
            question = by_id.get(condition.question)
            if question is None or not question.is_question:
                sound = False
                yield Issue(where, "enable-when-question", "There is no such question.")
            elif not _fits(condition, question):
                yield Issue(where, "enable-when-answer", "No such answer can be given.")
        if item.unit_choice and item.unit_choice.question not in by_id:
            yield Issue(path, "unit-choice", "There is no such question.")
    if sound:
        try:
            _sorter(iter(by_id.values())).prepare()
        except CycleError as error:
            first = error.args[1][0]
            yield Issue(f"{paths[first]}.enableWhen", "enable-when-loop", "It depends on itself.")
    if SIGNATURE_REQUIRED in extensions_of(questionnaire) and SIGNATURE not in by_id:
        yield Issue(
            "Questionnaire.extension",
            "unsupported-signature",
            f"Who has to sign types a name: add a text question `{SIGNATURE}`.",
        )


def _fits(condition: Condition, question: Item) -> bool:
    """Whether the value in the condition is a possible answer."""
    value = condition.value
    if condition.operator == "exists":
        return True
    if question.type in ("choice", "open-choice"):
        is_order = condition.operator not in ("=", "!=")
        if question.option(value) is not None or (
            is_order and any(type(option.value) is type(value) for option in question.options)
        ):
            return True
    match question.type:
        case "choice":
            return False
        case "decimal":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "quantity":
            measures = {unit.key for unit in question.units}
            return isinstance(value, Quantity) and (
                not value.measure or not measures or value.measure in measures
            )
    kind = "String" if question.type == "open-choice" else values.TYPES[question.type]
    return values.is_a(kind, value)


def _paths(element: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for index, child in enumerate(element.get("item", ())):
        here = f"{path}.item[{index}]"
        yield here, child["linkId"]
        yield from _paths(child, here)
