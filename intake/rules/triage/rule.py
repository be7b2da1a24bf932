"""What a triage rule is, and how a predicate becomes one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from intake.answers import Answers
from intake.rules.levels import Level

type Predicate = Callable[[Answers, dt.date], bool]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One line of the decision table, with all that follows when it holds.

    `why` is read by clinicians. `sources` are keys of :data:`intake.rules.sources.SOURCES`.
    `evidence` names the items that can make it hold, `context` those worth reading beside them.

    `stops_running` is the lowest level at which the patient is told to stop running, None for
    never. Every rule has to say it: a default would let a new rule forget it.
    `strict_level` is its level for clinics that follow strict public advice.
    `messages` are shown in place of the message of its level.
    `restricts` are codes that booking maps to services.
    `is_private` hides it from a guardian. `contradiction` says which answers disagree.
    """

    id: str
    level: Level
    why: Promise
    predicate: Predicate
    stops_running: Level | None
    sources: tuple[str, ...]
    evidence: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    strict_level: Level | None = None
    messages: tuple[str, ...] = ()
    restricts: tuple[str, ...] = ()
    is_private: bool = False
    contradiction: Promise | None = None
    is_default: bool = False

    def applies(self, answers: Answers, today: dt.date) -> bool:
        return self.predicate(answers, today)


RULES: dict[str, Rule] = {}


def rule(
    rule_id: str, level: Level, why: Promise, *, stops_running: Level | None, **attributes: Any
) -> Callable[[Predicate], Predicate]:
    """Enter a predicate into the decision table, in the order of definition."""

    def enter(predicate: Predicate) -> Predicate:
        if rule_id in RULES:
            raise ValueError(f"{rule_id} is defined twice")
        RULES[rule_id] = Rule(
            id=rule_id,
            level=level,
            why=why,
            predicate=predicate,
            stops_running=stops_running,
            **attributes,
        )
        return predicate

    return enter
