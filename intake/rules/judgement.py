"""What a triage rule and a finding have in common."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from intake.answers import Answers
from intake.rules.conditions import Condition


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A statement about somebody's answers, and the condition `when` it is true.

    `sources` are keys of :data:`intake.rules.sources.SOURCES`. `context` names items worth reading
    beside those of `when`. `is_private` hides it from a guardian.
    """

    when: Condition
    sources: tuple[str, ...]
    context: tuple[str, ...] = ()
    is_private: bool = False

    @property
    def evidence(self) -> tuple[str, ...]:
        """The items that can make it hold."""
        return tuple(dict.fromkeys(self.when.mentions()))

    def applies(self, answers: Answers, today: dt.date) -> bool:
        return self.when.holds(answers, today)
