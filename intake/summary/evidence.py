"""Which answers made a rule true.

A clinician must be able to check every rule against the patient's answers. So evidence is not
listed a second time beside the rule: it is computed from the rule itself.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from intake.answers import Answers
from intake.rules.judgement import Judgement
from intake.values import Value

# Values of a context item that are not worth showing.
NOTHING: tuple[Value, ...] = ("none", "nothing", "unsure", False)

type Given = tuple[str, Value]


class Evidence(NamedTuple):
    link_id: str
    values: tuple[Value, ...]


def behind(rule: Judgement, answers: Answers, *, today: dt.date) -> tuple[Evidence, ...]:
    """The answers behind a rule that holds, in the order the rule lists its items.

    An answer counts when it belongs to a smallest set of answers that makes the rule hold, so an
    alternative that is not true is not shown. Context follows, as it was answered.
    """
    given = [(link_id, value) for link_id in rule.evidence for value in answers.values(link_id)]
    given = list(dict.fromkeys(given))
    found = [
        Evidence(link_id, values)
        for link_id in dict.fromkeys(rule.evidence)
        if (
            values := tuple(
                value
                for value in dict.fromkeys(answers.values(link_id))
                if _is_needed((link_id, value), given, rule, today)
            )
        )
    ]
    beside = [
        Evidence(link_id, values)
        for link_id in rule.context
        if (values := tuple(v for v in answers.values(link_id) if v not in NOTHING))
    ]
    return (*found, *beside)


def _is_needed(answer: Given, given: list[Given], rule: Judgement, today: dt.date) -> bool:
    """Whether the rule needs this answer after all answers that it does not need are removed.

    The order of removal decides which of two alternatives is left, so both orders are tried.
    Answers to the same item are removed last, since they count together.
    """
    elsewhere = [other for other in given if other[0] != answer[0]]
    beside = [other for other in given if other[0] == answer[0] and other != answer]
    for order in ([*elsewhere, *beside], [*reversed(elsewhere), *beside]):
        kept = given
        for other in order:
            fewer = [one for one in kept if one != other]
            if _holds(rule, fewer, today):
                kept = fewer
        if not _holds(rule, [one for one in kept if one != answer], today):
            return True
    return False


def _holds(rule: Judgement, given: list[Given], today: dt.date) -> bool:
    values: dict[str, list[Value]] = {}
    for link_id, value in given:
        values.setdefault(link_id, []).append(value)
    return rule.applies(Answers(values), today)
