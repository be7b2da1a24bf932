"""Conditions on answers, as objects: rules evaluate them, and `docs/rules.md` lists them.

``has("safety-bone", "aneurysm") & (AGE.at_least(65) | has("onset-trend", "worse"))``. A missing
answer makes a condition false; only `~` turns that into true.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from intake.answers import Answers
from intake.rules import variables

type Comparison = Callable[[float | None, float], bool]


class Condition:
    """A condition on somebody's answers, as of a day."""

    def holds(self, answers: Answers, today: dt.date) -> bool:
        raise NotImplementedError

    def mentions(self) -> Iterator[str]:
        """The linkId of each item that it reads, in the order of reading."""
        raise NotImplementedError

    def __and__(self, other: Condition) -> AllOf:
        return AllOf(*_parts(self, AllOf), *_parts(other, AllOf))

    def __or__(self, other: Condition) -> AnyOf:
        return AnyOf(*_parts(self, AnyOf), *_parts(other, AnyOf))

    def __invert__(self) -> Not:
        return Not(self)

    def __bool__(self) -> NoReturn:
        raise TypeError("Join conditions with & and |; `and`, `or` and `if` cannot see them.")


@dataclass(frozen=True)
class Choice(Condition):
    """A condition on the answers to one item."""

    link_id: str
    codes: tuple[str | bool, ...]

    def mentions(self) -> Iterator[str]:
        yield self.link_id


class Has(Choice):
    def holds(self, answers: Answers, today: dt.date) -> bool:
        return answers.has(self.link_id, *self.codes)


class Lacks(Choice):
    def holds(self, answers: Answers, today: dt.date) -> bool:
        return answers.lacks(self.link_id, *self.codes)


class Joined(Condition):
    def __init__(self, *parts: Condition) -> None:
        self.parts = parts

    def mentions(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.mentions()


class AllOf(Joined):
    def holds(self, answers: Answers, today: dt.date) -> bool:
        return all(part.holds(answers, today) for part in self.parts)


class AnyOf(Joined):
    def holds(self, answers: Answers, today: dt.date) -> bool:
        return any(part.holds(answers, today) for part in self.parts)


@dataclass(frozen=True)
class Not(Condition):
    condition: Condition

    def holds(self, answers: Answers, today: dt.date) -> bool:
        return not self.condition.holds(answers, today)

    def mentions(self) -> Iterator[str]:
        return self.condition.mentions()


@dataclass(frozen=True)
class Pattern(Condition):
    """A condition that several rules share, with its clinical name."""

    name: str
    condition: Condition

    def holds(self, answers: Answers, today: dt.date) -> bool:
        return self.condition.holds(answers, today)

    def mentions(self) -> Iterator[str]:
        return self.condition.mentions()


class Quantity:
    """A number computed from answers; None when its inputs are missing."""

    def measure(self, answers: Answers, today: dt.date) -> float | None:
        raise NotImplementedError

    def mentions(self) -> Iterator[str]:
        raise NotImplementedError

    def at_least(self, limit: float) -> Compared:
        return Compared(self, variables.at_least, limit)

    def at_most(self, limit: float) -> Compared:
        return Compared(self, variables.at_most, limit)

    def over(self, limit: float) -> Compared:
        return Compared(self, variables.over, limit)

    def under(self, limit: float) -> Compared:
        return Compared(self, variables.under, limit)


@dataclass(frozen=True)
class Compared(Condition):
    quantity: Quantity
    comparison: Comparison
    limit: float

    def holds(self, answers: Answers, today: dt.date) -> bool:
        return self.comparison(self.quantity.measure(answers, today), self.limit)

    def mentions(self) -> Iterator[str]:
        return self.quantity.mentions()


@dataclass(frozen=True)
class Number(Quantity):
    """The numeric answer to one item."""

    link_id: str

    def measure(self, answers: Answers, today: dt.date) -> float | None:
        return answers.number(self.link_id)

    def mentions(self) -> Iterator[str]:
        yield self.link_id


@dataclass(frozen=True)
class Derived(Quantity):
    """A number computed from several answers; `link_ids` are those that it reads."""

    name: str
    unit: str
    link_ids: tuple[str, ...]
    function: Callable[[Answers, dt.date], float | None]

    def measure(self, answers: Answers, today: dt.date) -> float | None:
        return self.function(answers, today)

    def mentions(self) -> Iterator[str]:
        yield from self.link_ids


@dataclass(frozen=True)
class Count(Quantity):
    """How many of the conditions hold."""

    name: str
    parts: tuple[Condition, ...]

    def measure(self, answers: Answers, today: dt.date) -> int:
        return sum(part.holds(answers, today) for part in self.parts)

    def mentions(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.mentions()


ALWAYS = AllOf()


def has(link_id: str, *codes: str | bool) -> Has:
    """The condition that any of `codes` is among the answers."""
    return Has(link_id, codes)


def lacks(link_id: str, *codes: str | bool) -> Lacks:
    """The condition that the item was answered, with none of `codes`."""
    return Lacks(link_id, codes)


def number(link_id: str) -> Number:
    return Number(link_id)


def _parts(condition: Condition, kind: type[Joined]) -> tuple[Condition, ...]:
    return condition.parts if isinstance(condition, kind) else (condition,)
