"""What a triage level and a triage rule are."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..answers import Answers

type Predicate = Callable[[Answers, dt.date], bool]


class Level(enum.IntEnum):
    """How soon to be seen. A higher number is more urgent."""

    ROUTINE = 0
    SOON = 1
    URGENT = 2
    EMERGENCY = 3

    @property
    def word(self) -> Promise:
        return LEVEL_WORDS[self]

    @property
    def shape(self) -> str:
        """A character that tells the levels apart without colour."""
        return "●▲■◆"[self]


LEVEL_WORDS = {
    Level.ROUTINE: _("Routine"),
    Level.SOON: _("Soon"),
    Level.URGENT: _("Urgent"),
    Level.EMERGENCY: _("Emergency"),
}


@dataclass(frozen=True)
class Rule:
    """One line of the decision table. `evidence` names the items that can make it true."""

    id: str
    level: Level
    why: Promise
    sources: tuple[str, ...]
    evidence: tuple[str, ...]
    predicate: Predicate

    def applies(self, answers: Answers, today: dt.date) -> bool:
        return self.predicate(answers, today)


RULES: dict[str, Rule] = {}


def rule(
    rule_id: str,
    level: Level,
    why: Promise,
    *,
    sources: tuple[str, ...],
    evidence: tuple[str, ...] = (),
) -> Callable[[Predicate], Predicate]:
    """Enter a predicate into the decision table, in the order of definition.

    `why` is read by clinicians; `sources` are keys of :data:`intake.sources.SOURCES`.
    """

    def enter(predicate: Predicate) -> Predicate:
        if rule_id in RULES:
            raise ValueError(f"{rule_id} is defined twice")
        RULES[rule_id] = Rule(rule_id, level, why, sources, evidence, predicate)
        return predicate

    return enter
