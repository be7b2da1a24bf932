"""The parts of a questionnaire: texts, options, conditions and items.

Values that :mod:`intake.fhir_form.parsing` reads out of a FHIR R4 Questionnaire. Nothing here knows
JSON, forms or the database.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from intake.answers import Answers
from intake.fhir_form.patterns import Pattern
from intake.values import Code, Quantity, Value, written

OWN = "https://backstride.example/fhir"
"""Base of the extensions and codes that FHIR has no word for; see docs/questionnaire.md."""

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}

# Seconds a person needs for one question, by kind; used only to say how long is left.
SECONDS = {
    "choice": 6,
    "choices": 9,
    "scale": 3,
    "boolean": 4,
    "integer": 5,
    "decimal": 7,
    "date": 6,
    "dateTime": 9,
    "time": 6,
    "string": 9,
    "text": 9,
    "url": 9,
    "open-choice": 9,
    "quantity": 8,
}

# Longer lists are a select: radio buttons would push the next question off the screen.
MAX_RADIOS = 15

# A scale with more marks than this does not fit the width of a phone.
MAX_MARKS = 11


@dataclass(frozen=True, slots=True)
class Issue:
    """One error in a resource: where (a FHIRPath), which rule, and a sentence for staff.

    Words never quote an answer, so an issue may be logged.
    """

    path: str
    rule: str
    message: str


def operation_outcome(issues: list[Issue] | tuple[Issue, ...]) -> dict[str, Any]:
    """The issues as a FHIR R4 OperationOutcome."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "not-supported" if issue.rule.startswith("unsupported") else "invariant",
                "details": {
                    "coding": [{"system": f"{OWN}/CodeSystem/rule", "code": issue.rule}],
                    "text": issue.message,
                },
                "expression": [issue.path],
            }
            for issue in issues
        ],
    }


@dataclass(frozen=True, slots=True)
class Text:
    """A text in the questionnaire's own language, with its translations by language tag."""

    default: str
    translations: Mapping[str, str] = field(default_factory=dict, hash=False)

    def in_language(self, language: str) -> str:
        """The best translation: ``es-MX`` falls back to ``es``, then to the default."""
        for tag in (language, language.split("-")[0]):
            if tag in self.translations:
                return self.translations[tag]
        return self.default

    def after(self, prefix: str) -> Text:
        """The text in every language with the same number or letter before it."""
        return Text(
            f"{prefix} {self.default}".strip(),
            {language: f"{prefix} {text}" for language, text in self.translations.items()},
        )

    def filled(self, language: str, placeholders: Mapping[str, str]) -> str:
        """The text with each known ``{name}`` replaced; unknown ones stay as they are.

        Not ``str.format``: a questionnaire comes from outside and must not reach attributes.
        """
        return re.sub(
            r"\{([a-z_]+)\}",
            lambda match: placeholders.get(match[1], match[0]),
            self.in_language(language),
        )


@dataclass(frozen=True, slots=True)
class Option:
    """One permitted answer of a choice: a coding's code, or a plain text, integer, date, time."""

    value: Value
    text: Text
    type: str = "Coding"
    system: str = ""
    is_exclusive: bool = False

    @property
    def key(self) -> str:
        """The value of the option in a web form; unique within its question."""
        return str(self.value)

    @property
    def answer(self) -> dict[str, Any]:
        """The option as a QuestionnaireResponse answer, as it is stored."""
        return written(self.type, self.value, system=self.system)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that a quantity may be given in."""

    text: Text
    system: str = ""
    code: str = ""

    @property
    def key(self) -> str:
        return self.code or self.text.default

    def of(self, value: float) -> Quantity:
        return Quantity(value, self.text.default, self.system, self.code)


@dataclass(frozen=True, slots=True)
class Condition:
    """One ``enableWhen``."""

    question: str
    operator: str
    value: Value

    def holds(self, values: tuple[Value, ...]) -> bool:
        """Whether any answer to the question meets the condition.

        An unanswered question meets only ``exists = false``; ``!=`` needs an answer that differs.
        """
        if self.operator == "exists":
            return bool(values) == self.value
        return any(self._compares(value) for value in values)

    def _compares(self, value: Value) -> bool:
        expected = self.value
        if isinstance(value, Quantity) and isinstance(expected, Quantity):
            if expected.measure and value.measure != expected.measure:
                return False
            value, expected = value.value, expected.value
        return _comparable(value, expected) and OPERATORS[self.operator](value, expected)


@dataclass(frozen=True, slots=True)
class UnitChoice:
    """The unit of a number is the answer to another question, each with its own upper limit."""

    question: str
    units: Mapping[str, tuple[Text, float]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A cross-check between answers, found by its key in intake.rules.calculations."""

    key: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A question, group or display text.

    `items` holds the children that a person sees as items of their own; a help text is `help`.
    A question's own questions are asked once it is answered, since that is where FHIR keeps
    their answers. Years in `from_today` are the earliest and latest date relative to the day of
    answering.
    """

    link_id: str
    type: str
    text: Text
    items: tuple[Item, ...] = ()
    help: Text | None = None
    required: bool = False
    repeats: bool = False
    read_only: bool = False
    is_hidden: bool = False
    is_optional_detail: bool = False
    is_follow_up: bool = False
    must_be_true: bool = False
    options: tuple[Option, ...] = ()
    initial: tuple[Value, ...] = ()
    conditions: tuple[Condition, ...] = ()
    enable_all: bool = True
    min_value: Value | None = None
    max_value: Value | None = None
    from_today: tuple[int | None, int | None] = (None, None)
    max_decimal_places: int | None = None
    step: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_occurs: int = 0
    max_occurs: int | None = None
    pattern: Pattern | None = None
    entry_format: str = ""
    unit: Text | None = None
    units: tuple[Unit, ...] = ()
    unit_choice: UnitChoice | None = None
    scale_ends: tuple[Text, Text] | None = None
    controls: frozenset[str] = frozenset()
    constraints: tuple[Constraint, ...] = ()
    observation: Mapping[str, Any] | None = field(default=None, hash=False)

    @property
    def is_question(self) -> bool:
        return self.type not in ("group", "display")

    @property
    def is_scale(self) -> bool:
        is_one = self.type == "integer" and not self.repeats
        return "slider" in self.controls and is_one and bool(self.marks)

    @property
    def is_select(self) -> bool:
        """Whether one of many options is picked from a select."""
        is_long = len(self.options) > MAX_RADIOS and "radio-button" not in self.controls
        is_one = self.type == "choice" and not self.repeats
        return is_one and ("drop-down" in self.controls or is_long)

    @property
    def marks(self) -> tuple[int, ...]:
        """The numbers on a scale, or none when it has no ends or too many."""
        low, high = self.min_value, self.max_value
        if not isinstance(low, int) or not isinstance(high, int):
            return ()
        marks = range(low, high + 1, int(self.step or 1))
        return tuple(marks) if len(marks) <= MAX_MARKS else ()

    @property
    def is_list(self) -> bool:
        """Whether it takes several answers, each in a field of its own."""
        return self.repeats and self.is_question and not self.options

    @property
    def seconds(self) -> int:
        """Roughly how many seconds a person needs to answer it."""
        kind = "scale" if self.is_scale else self.type
        return SECONDS.get("choices" if kind == "choice" and self.repeats else kind, 0)

    def unit_for(self, answers: Answers) -> Text | None:
        """The unit this person counts in, where another answer decides it."""
        if self.unit_choice is None:
            return self.unit
        chosen = self.unit_choice.units.get(answers.text(self.unit_choice.question))
        return chosen[0] if chosen else None

    def option(self, value: Value) -> Option | None:
        """The option with this value. Beside free text only a code is a code."""
        is_strict = self.type == "open-choice"
        for option in self.options:
            if (
                option.value == value
                and isinstance(option.value, bool) == isinstance(value, bool)
                and (not is_strict or isinstance(option.value, Code) == isinstance(value, Code))
            ):
                return option
        return None

    def walk(self) -> Iterator[Item]:
        """The item and everything below it, in document order."""
        yield self
        for child in self.items:
            yield from child.walk()

    def is_enabled_by(self, values: Callable[[str], tuple[Value, ...]]) -> bool:
        """Whether its own conditions hold; those of its parents are not checked."""
        if not self.conditions:
            return True
        combine = all if self.enable_all else any
        return combine(condition.holds(values(condition.question)) for condition in self.conditions)


def _comparable(value: Value, other: Value) -> bool:
    if isinstance(value, bool) or isinstance(other, bool):
        return isinstance(value, bool) and isinstance(other, bool)
    if isinstance(value, int | float):
        return isinstance(other, int | float)
    return type(value) is type(other)
