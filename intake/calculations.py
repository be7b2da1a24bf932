"""Numbers worked out from answers, and cross-checks between them.

The server is the authority on both; the FHIRPath in the questionnaire is for other systems.
Functions are found by the linkId of the calculated item or by the key of the constraint. A
foreign questionnaire that uses other keys simply has none of these.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from intake.answers import Answers

IMPACT_ITEMS = (
    "impact-sit",
    "impact-bend",
    "impact-walk",
    "impact-sleep",
    "impact-work",
    "impact-run",
)
IMPACT_ITEMS_NEEDED = 5


def age(answers: Answers, today: dt.date) -> int | None:
    """Whole years since the birth date."""
    born = answers.date("about-birth-date")
    if born is None or born > today:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def bmi(answers: Answers, today: dt.date) -> float | None:
    """kg/m², one decimal; not worked out for minors or in pregnancy, where it misleads."""
    height, weight = answers.number("about-height"), answers.number("about-weight")
    years = age(answers, today)
    if not height or not weight or years is None or years < 18:
        return None
    if answers.has("safety-pregnancy", "pregnant"):
        return None
    return round(weight / (height / 100) ** 2, 1)


def load_ratio(answers: Answers, today: dt.date) -> float | None:
    """The week before the pain over a usual week, two decimals."""
    week, usual = answers.number("load-week-before"), answers.number("load-usual")
    return round(week / usual, 2) if week is not None and usual else None


def spike_percent(answers: Answers, today: dt.date) -> float | None:
    """How much longer the run of the onset was than the longest of 30 days, whole per cent."""
    run, longest = answers.number("load-onset-run"), answers.number("load-long-30")
    return round((run / longest - 1) * 100) if run is not None and longest else None


def impact(answers: Answers, today: dt.date) -> float | None:
    """Daily impact score, 0 to 100, higher is worse: the mean of at least five of six scales."""
    scores = [score for item in IMPACT_ITEMS if (score := answers.number(item)) is not None]
    if len(scores) < IMPACT_ITEMS_NEEDED:
        return None
    return round(sum(scores) / len(scores) * 10, 1)


CALCULATIONS: Mapping[str, Callable[[Answers, dt.date], float | None]] = {
    "calc-age": age,
    "calc-bmi": bmi,
    "calc-load-ratio": load_ratio,
    "calc-spike-pct": spike_percent,
    "calc-impact": impact,
}


def _not_below(higher: str, lower: str) -> Callable[[Answers, dt.date], bool]:
    def holds(answers: Answers, today: dt.date) -> bool:
        one, other = answers.number(higher), answers.number(lower)
        return one is None or other is None or one >= other

    return holds


def _first_age_is_possible(answers: Answers, today: dt.date) -> bool:
    first, now = answers.number("onset-first-age"), age(answers, today)
    return first is None or now is None or first <= now


def _race_is_ahead(answers: Answers, today: dt.date) -> bool:
    race = answers.date("goal-event-date")
    return race is None or race >= today


def _main_place_was_marked(answers: Answers, today: dt.date) -> bool:
    return set(answers.values("body-main")) <= set(answers.values("body-regions"))


def _help_was_tried(answers: Answers, today: dt.date) -> bool:
    return set(answers.values("tx-helped")) - {"none"} <= set(answers.values("tx-tried"))


CONSTRAINTS: Mapping[str, Callable[[Answers, dt.date], bool]] = {
    "worst-below-average": _not_below("pain-worst", "pain-average"),
    "first-age-above-age": _first_age_is_possible,
    "run-above-week": _not_below("load-week-before", "load-onset-run"),
    "race-date-past": _race_is_ahead,
    "main-not-picked": _main_place_was_marked,
    "helped-not-tried": _help_was_tried,
}
"""By constraint key: true when the answers agree, or when one of them is missing."""
