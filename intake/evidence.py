"""Which answers made a rule hold.

A clinician has to be able to check every rule against what the patient said, so evidence is not
written down a second time beside the rule: the rule is run over answers that note what it found.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple, Protocol

from intake.answers import Answers, Value


class Evidence(NamedTuple):
    link_id: str
    values: tuple[Value, ...]


class Judgement(Protocol):
    """A triage rule or a finding."""

    @property
    def evidence(self) -> tuple[str, ...]: ...

    @property
    def predicate(self) -> Callable[[Answers, dt.date], bool]: ...


class NotedAnswers(Answers):
    """Answers that note which items were looked at, and which values matched."""

    __slots__ = ("consulted", "matched")

    def __init__(self, answers: Answers) -> None:
        self._values = answers._values
        self.consulted: set[str] = set()
        self.matched: dict[str, list[Value]] = {}

    def has(self, link_id: str, *codes: str | bool) -> bool:
        self.consulted.add(link_id)
        found = [code for code in codes if super(NotedAnswers, self).has(link_id, code)]
        self._note(link_id, found)
        return bool(found)

    def lacks(self, link_id: str, *codes: str | bool) -> bool:
        return self.answered(link_id) and not super().has(link_id, *codes)

    def only(self, link_id: str, code: str | bool) -> bool:
        return super().only(link_id, code) and self.has(link_id, code)

    def number(self, link_id: str) -> float | None:
        return self._first(link_id, super().number(link_id))

    def date(self, link_id: str) -> dt.date | None:
        return self._first(link_id, super().date(link_id))

    def text(self, link_id: str) -> str:
        return self._first(link_id, super().text(link_id) or None) or ""

    def _first[V: Value](self, link_id: str, value: V | None) -> V | None:
        self.consulted.add(link_id)
        self._note(link_id, [] if value is None else [value])
        return value

    def _note(self, link_id: str, values: list[Value]) -> None:
        noted = self.matched.setdefault(link_id, [])
        noted.extend(value for value in values if value not in noted)


def behind(rule: Judgement, answers: Answers, *, today: dt.date) -> tuple[Evidence, ...]:
    """The answers behind a rule that holds, in the order the rule lists its items.

    Of an item that the rule looks at, only the values it looks for; of an item that is listed for
    context, everything that was answered.
    """
    noted = NotedAnswers(answers)
    rule.predicate(noted, today)
    shown = []
    for link_id in dict.fromkeys(rule.evidence):
        if link_id in noted.consulted:
            values = tuple(noted.matched.get(link_id, ()))
        else:
            values = answers.values(link_id)
        if values:
            shown.append(Evidence(link_id, values))
    return tuple(shown)
