"""What a triage rule is, and how a predicate becomes one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from intake.answers import Answers
from intake.rules.levels import Level

type Predicate = Callable[[Answers, dt.date], bool]


@dataclass(frozen=True)
class Rule:
    """One line of the decision table.

    `evidence` names the items that can make it hold, `context` those worth reading beside them.
    """

    id: str
    level: Level
    why: Promise
    sources: tuple[str, ...]
    evidence: tuple[str, ...]
    context: tuple[str, ...]
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
    context: tuple[str, ...] = (),
) -> Callable[[Predicate], Predicate]:
    """Enter a predicate into the decision table, in the order of definition.

    `why` is read by clinicians; `sources` are keys of :data:`intake.rules.sources.SOURCES`.
    """

    def enter(predicate: Predicate) -> Predicate:
        if rule_id in RULES:
            raise ValueError(f"{rule_id} is defined twice")
        RULES[rule_id] = Rule(rule_id, level, why, sources, evidence, context, predicate)
        return predicate

    return enter
