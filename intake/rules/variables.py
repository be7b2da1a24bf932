"""Numbers computed from answers, and the lists of codes that several clinical rules share.

A number whose inputs are missing is ``None``, and a comparison with it is false. ``today`` is the
day the answers were given, in the clinic's zone.
"""

from __future__ import annotations

import datetime as dt

from intake.answers import Answers
from intake.rules.thresholds import OURS

# Lower bound of each answer in days, so that "at least a week" is a plain comparison.
DURATION_DAYS = {
    "lt-3d": 0,
    "d3-7": 3,
    "w1-2": 8,
    "w2-6": 15,
    "w6-12": 43,
    "m3-12": 91,
    "gt-1y": 366,
}

IMPACT_ITEMS = (
    "impact-sit",
    "impact-bend",
    "impact-walk",
    "impact-sleep",
    "impact-work",
    "impact-run",
)

IMPACT_ITEMS_NEEDED = 5

BONE_PLACES = (
    "sacrum",
    "pelvis-left",
    "pelvis-right",
    "buttock-left",
    "buttock-right",
    "groin-left",
    "groin-right",
    "low-back-left",
    "low-back-center",
    "low-back-right",
)

CAUDA_EQUINA_SIGNS = ("saddle-numb", "bladder-hard", "bladder-leak", "bowel-loss", "both-legs")

SUDDEN = ("sudden-run", "sudden-other")

PREGNANT = ("pregnant", "maybe")

KM_PER_MILE = 1.609344


def at_least(value: float | None, limit: float) -> bool:
    return value is not None and value >= limit


def at_most(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit


def over(value: float | None, limit: float) -> bool:
    return value is not None and value > limit


def under(value: float | None, limit: float) -> bool:
    return value is not None and value < limit


def age(answers: Answers, today: dt.date) -> int | None:
    """Whole years; a birthday on 29 February counts on 1 March. None for a future date."""
    born = answers.date("about-birth-date")
    if born is None or born > today:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def bmi(answers: Answers, today: dt.date) -> float | None:
    """kg/m². Not used in pregnancy or before 18, when the usual bands do not apply."""
    height = answers.number("about-height")
    weight = answers.number("about-weight")
    if not height or not weight or answers.has("safety-pregnancy", *PREGNANT):
        return None
    if under(age(answers, today), OURS.adult_from):
        return None
    return _exact(weight / (height / 100) ** 2)


def days(answers: Answers) -> int | None:
    """How long this spell has lasted: the lower bound of the chosen span, in days."""
    return DURATION_DAYS.get(answers.text("onset-duration"))


def load_ratio(answers: Answers) -> float | None:
    """Distance of the week before the pain, divided by that of the usual week."""
    usual = answers.number("load-usual")
    before = answers.number("load-week-before")
    if not usual or before is None:
        return None
    return _exact(before / usual)


def spike(answers: Answers) -> float | None:
    """By how many percent the run of the onset exceeded the longest of the 30 days before."""
    longest = answers.number("load-long-30")
    onset = answers.number("load-onset-run")
    if not longest or onset is None:
        return None
    return _exact((onset - longest) * 100 / longest)


def impact(answers: Answers) -> float | None:
    """Daily impact, 0 to 100, higher is worse; at least five of the six items are needed.

    Our own score; it has not been validated.
    """
    scores = [score for item in IMPACT_ITEMS if (score := answers.number(item)) is not None]
    if len(scores) < IMPACT_ITEMS_NEEDED:
        return None
    return _exact(sum(scores) * 10 / len(scores))


def activity(answers: Answers) -> float | None:
    """Mean of the patient's own activities, 0 to 10, 10 being as before the pain."""
    scores = answers.numbers("activity-score")
    return _exact(sum(scores) / len(scores)) if scores else None


def _exact(value: float) -> float:
    # 13.2 km after 12 km is exactly ten percent more, but a little more in binary arithmetic.
    return round(value, 6)
