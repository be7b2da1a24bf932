"""Numbers computed from answers, and cross-checks between them.

The server is the authority on both; the FHIRPath in the questionnaire is for other systems.
Functions are found by the linkId of the calculated item or by the key of the constraint. A
foreign questionnaire that uses other keys has none of these.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from intake.answers import Answers
from intake.rules import variables


def _rounded(
    measure: Callable[[Answers], float | None], digits: int
) -> Callable[[Answers, dt.date], float | None]:
    def calculate(answers: Answers, today: dt.date) -> float | None:
        exact = measure(answers)
        return None if exact is None else round(exact, digits)

    return calculate


def _bmi(answers: Answers, today: dt.date) -> float | None:
    exact = variables.bmi(answers, today)
    return None if exact is None else round(exact, 1)


CALCULATIONS: Mapping[str, Callable[[Answers, dt.date], float | None]] = {
    "calc-age": variables.age,
    "calc-bmi": _bmi,
    "calc-load-ratio": _rounded(variables.load_ratio, 2),
    "calc-spike-pct": _rounded(variables.spike, 0),
    "calc-impact": _rounded(variables.impact, 1),
}
"""By linkId of the calculated item, with the rounding it is stored and shown in."""


def _not_below(higher: str, lower: str) -> Callable[[Answers, dt.date], bool]:
    def holds(answers: Answers, today: dt.date) -> bool:
        one, other = answers.number(higher), answers.number(lower)
        return one is None or other is None or one >= other

    return holds


def _first_age_is_possible(answers: Answers, today: dt.date) -> bool:
    first, now = answers.number("onset-first-age"), variables.age(answers, today)
    return first is None or now is None or first <= now


def _race_is_ahead(answers: Answers, today: dt.date) -> bool:
    race = answers.date("goal-event-date")
    return race is None or race >= today


PICKED_FROM = {"body-main": "body-regions", "tx-helped": "tx-tried"}
"""Choices limited to what was picked in another question (their own "none" apart)."""


def _was_picked(link_id: str) -> Callable[[Answers, dt.date], bool]:
    def holds(answers: Answers, today: dt.date) -> bool:
        picked = answers.values(PICKED_FROM[link_id])
        return set(answers.values(link_id)) - {"none"} <= set(picked)

    return holds


CONSTRAINTS: Mapping[str, Callable[[Answers, dt.date], bool]] = {
    "worst-below-average": _not_below("pain-worst", "pain-average"),
    "first-age-above-age": _first_age_is_possible,
    "run-above-week": _not_below("load-week-before", "load-onset-run"),
    "race-date-past": _race_is_ahead,
    "main-not-picked": _was_picked("body-main"),
    "helped-not-tried": _was_picked("tx-helped"),
}
"""By constraint key: true when the answers agree, or when one of them is missing."""
