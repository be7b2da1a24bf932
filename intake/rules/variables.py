"""The named quantities that several clinical rules share.

Each is a plain function over :class:`~intake.answers.Answers`. A quantity whose inputs are
missing is ``None`` and a condition whose inputs are missing is false. ``today`` is the day the
answers were given, in the clinic's zone.
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

BONE_EVIDENCE = (
    "body-main",
    "onset-worse",
    "onset-when",
    "onset-how",
    "safety-bone",
    "safety-pregnancy",
    "periods",
    "food-enough",
    "about-height",
    "about-weight",
    "load-long-30",
    "load-onset-run",
    "load-usual",
    "load-week-before",
    "load-felt",
    "load-changes",
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
    """Whole years; a birthday on 29 February is kept on 1 March. None for a date to come."""
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
    """Distance of the week before the pain over the usual week."""
    usual = answers.number("load-usual")
    before = answers.number("load-week-before")
    if not usual or before is None:
        return None
    return _exact(before / usual)


def spike(answers: Answers) -> float | None:
    """How far the run of the onset went beyond the longest of the 30 days before, in percent."""
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


def load_up(answers: Answers) -> bool:
    return any(
        [
            over(spike(answers), 10),  # Ref16: more injuries beyond ten percent.
            at_least(load_ratio(answers), OURS.load_ratio_at_least),
            answers.has("load-felt", "more"),
            answers.has("load-changes", "distance", "speed", "hills", "days"),
        ]
    )


def energy_signs(answers: Answers, today: dt.date) -> int:
    """How many signs of low energy availability there are (after Ref35)."""
    periods_stopped = answers.has("periods", "missed-3", "not-started")
    return sum(
        [
            answers.has("safety-bone", "past-stress-fracture"),
            periods_stopped and at_least(age(answers, today), 15),
            answers.has("food-enough", "skip", "lose"),
            under(bmi(answers, today), 18.5),
            answers.has("load-recovered", "rarely"),
            answers.has("safety-cancer", "tired-unwell"),
        ]
    )


def bone_risks(answers: Answers, today: dt.date) -> int:
    """How many risks for a bone stress injury there are (Ref34, Ref35)."""
    return sum(
        [
            answers.has("safety-bone", "osteoporosis"),
            answers.has("safety-bone", "steroids"),
            answers.has("safety-bone", "past-stress-fracture"),
            answers.has("periods", "missed-3"),
            answers.has("food-enough", "skip", "lose"),
            under(bmi(answers, today), 18.5),
            load_up(answers),
            answers.has("safety-pregnancy", "postpartum"),
        ]
    )


def bone_place(answers: Answers) -> bool:
    return answers.has("body-main", *BONE_PLACES)


def bone_sign(answers: Answers) -> bool:
    on_impact = answers.has("onset-worse", "impact")
    return any(
        [
            answers.has("safety-bone", "hop-pain"),
            on_impact and answers.has("onset-worse", "one-leg", "walking"),
            on_impact and answers.has("onset-when", "rest"),
        ]
    )


def bone_suspect(answers: Answers, today: dt.date) -> bool:
    """Does the picture fit a bone stress injury of sacrum, pelvis, hip or low back?"""
    return (
        bone_place(answers)
        and bone_sign(answers)
        and bone_risks(answers, today) >= OURS.bone_risks_at_least
        and answers.lacks("onset-how", "sudden-other")
    )


def inflammatory_signs(answers: Answers) -> int:
    """How many of the five ASAS features of inflammatory back pain are present (Ref13)."""
    return sum(
        [
            under(answers.number("onset-first-age"), 40),
            answers.has("onset-how", "gradual"),
            answers.has("onset-better", "moving"),
            answers.lacks("onset-better", "rest", "lying"),
            answers.has("pain-night", "second-half"),
        ]
    )


def spondyloarthritis_signs(answers: Answers) -> int:
    """How many further features of spondyloarthritis are present (Ref14)."""
    return sum(
        [
            under(answers.number("onset-first-age"), 35),
            answers.has("pain-night", "second-half"),
            answers.has("body-regions", "buttock-left", "buttock-right"),
            answers.has("onset-better", "moving"),
            answers.has("tx-medicine-effect", "big"),
            answers.has("med-family", True),
            answers.has("med-told", "joint-heel"),
            answers.has("med-told", "psoriasis-ibd"),
            answers.has("med-told", "axspa"),
        ]
    )


def nerve_leg(answers: Answers) -> bool:
    """Do the leg symptoms look like a nerve's: below the knee, or felt as more than pain?"""
    return answers.has("leg-any", True) and any(
        [
            answers.has("leg-reach", "below-knee", "foot"),
            answers.has("leg-feeling", "tingling", "numbness", "weakness"),
        ]
    )


def no_nerve_leg(answers: Answers) -> bool:
    """Was the leg question answered, and is there no nerve-type symptom?"""
    return answers.answered("leg-any") and not nerve_leg(answers)


def claudication(answers: Answers) -> bool:
    """Leg symptoms that come with standing and walking and go with sitting or bending."""
    return (
        answers.has("leg-any", True)
        and answers.has("leg-walk", "worse-sit-helps")
        and any(
            [
                answers.has("onset-better", "sitting", "bend-forward"),
                answers.has("onset-worse", "standing", "arch-back"),
            ]
        )
    )


def barriers(answers: Answers) -> int:
    """How many psychosocial barriers to recovery ("yellow flags") there are (Ref40)."""
    return sum(
        [
            at_least(answers.number("mind-harm"), OURS.worry_at_least),
            at_least(answers.number("mind-mood"), OURS.low_mood_at_least),
            at_most(answers.number("mind-hope"), OURS.hope_at_most),
            at_least(answers.number("impact-sleep"), OURS.sleep_hit_at_least),
            at_least(answers.number("work-days"), OURS.work_days_at_least),
            at_least(days(answers), 91),
        ]
    )


def no_thrust(answers: Answers, today: dt.date) -> bool:
    """Is there a reason against a quick thrust to the spine (finding F-46)?

    Booking restricts on the same condition, so it stands here for both.
    """
    return any(
        [
            answers.has("safety-bone", "osteoporosis", "steroids", "blood-thinner", "aneurysm"),
            answers.has("med-told", "spondy", "axspa"),
            answers.has("safety-leg-power", "same", "worse", "foot-drop"),
            answers.has("safety-pregnancy", *PREGNANT),
            answers.has("tx-avoid", "thrust"),
            bone_suspect(answers, today),
            under(age(answers, today), OURS.adult_from),
        ]
    )


def _exact(value: float) -> float:
    # 13.2 km after 12 km is exactly ten percent more on paper, and a little more in binary.
    return round(value, 6)
