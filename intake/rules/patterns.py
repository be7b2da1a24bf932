"""What several clinical rules share: quantities to compare, and patterns of signs."""

from __future__ import annotations

import datetime as dt

from intake.answers import Answers
from intake.rules import variables as v
from intake.rules.conditions import Count, Derived, Pattern, has, lacks, number
from intake.rules.thresholds import OURS

AGE = Derived("age", "years", ("about-birth-date",), v.age)

DURATION = Derived(
    "pain this time", "days", ("onset-duration",), lambda answers, today: v.days(answers)
)

BMI = Derived(
    "BMI",
    "kg/m²",
    ("about-height", "about-weight", "safety-pregnancy", "about-birth-date"),
    v.bmi,
)

SPIKE = Derived(
    "run when the pain began, beyond the longest of the 30 days before",
    "percent",
    ("load-onset-run", "load-long-30"),
    lambda answers, today: v.spike(answers),
)

LOAD_RATIO = Derived(
    "distance of the week before the pain",
    "times the usual week",
    ("load-week-before", "load-usual"),
    lambda answers, today: v.load_ratio(answers),
)

IMPACT = Derived(
    "daily impact score", "of 100", v.IMPACT_ITEMS, lambda answers, today: v.impact(answers)
)


def _days_to_race(answers: Answers, today: dt.date) -> int | None:
    race = answers.date("goal-event-date")
    return None if race is None else (race - today).days


DAYS_TO_RACE = Derived("race ahead in", "days", ("goal-event-date",), _days_to_race)

LOAD_UP = Pattern(
    "training load went up",
    SPIKE.over(10)  # Ref16: more injuries beyond ten percent.
    | LOAD_RATIO.at_least(OURS.load_ratio_at_least)
    | has("load-felt", "more")
    | has("load-changes", "distance", "speed", "hills", "days"),
)

# After Ref35.
ENERGY_SIGNS = Count(
    "signs of low energy availability",
    (
        has("safety-bone", "past-stress-fracture"),
        has("periods", "missed-3", "not-started") & AGE.at_least(15),
        has("food-enough", "skip", "lose"),
        BMI.under(18.5),
        has("load-recovered", "rarely"),
        has("safety-cancer", "tired-unwell"),
    ),
)

# Ref34, Ref35.
BONE_RISKS = Count(
    "risks for a bone stress injury",
    (
        has("safety-bone", "osteoporosis"),
        has("safety-bone", "steroids"),
        has("safety-bone", "past-stress-fracture"),
        has("periods", "missed-3"),
        has("food-enough", "skip", "lose"),
        BMI.under(18.5),
        LOAD_UP,
        has("safety-pregnancy", "postpartum"),
    ),
)

BONE_STRESS = Pattern(
    "picture of a bone stress injury of sacrum, pelvis, hip or low back",
    has("body-main", *v.BONE_PLACES)
    & (
        (has("onset-worse", "impact") & has("onset-worse", "one-leg", "walking"))
        | (has("onset-worse", "impact") & has("onset-when", "rest"))
        | has("safety-bone", "hop-pain")
    )
    & lacks("onset-how", "sudden-other")
    & BONE_RISKS.at_least(OURS.bone_risks_at_least),
)

# The five features of ASAS, Ref13.
INFLAMMATORY_SIGNS = Count(
    "features of inflammatory back pain",
    (
        number("onset-first-age").under(40),
        has("onset-how", "gradual"),
        has("onset-better", "moving"),
        lacks("onset-better", "rest", "lying"),
        has("pain-night", "second-half"),
    ),
)

# Ref14.
SPONDYLOARTHRITIS_SIGNS = Count(
    "further features of spondyloarthritis",
    (
        number("onset-first-age").under(35),
        has("pain-night", "second-half"),
        has("body-regions", "buttock-left", "buttock-right"),
        has("onset-better", "moving"),
        has("tx-medicine-effect", "big"),
        has("med-family", True),
        has("med-told", "joint-heel"),
        has("med-told", "psoriasis-ibd"),
        has("med-told", "axspa"),
    ),
)

NERVE_LEG = Pattern(
    "nerve-type leg symptoms",
    (
        has("leg-reach", "below-knee", "foot")
        | has("leg-feeling", "tingling", "numbness", "weakness")
    )
    & has("leg-any", True),
)

NO_NERVE_LEG = Pattern(
    "no nerve-type leg symptoms",
    has("leg-any", False) | (has("leg-any", True) & ~NERVE_LEG),
)

CLAUDICATION = Pattern(
    "legs worse with standing and walking, relieved by sitting or bending",
    has("leg-any", True)
    & has("leg-walk", "worse-sit-helps")
    & (
        has("onset-better", "sitting", "bend-forward") | has("onset-worse", "standing", "arch-back")
    ),
)

# Ref40.
BARRIERS = Count(
    "barriers to recovery (yellow flags)",
    (
        number("mind-harm").at_least(OURS.worry_at_least),
        number("mind-mood").at_least(OURS.low_mood_at_least),
        number("mind-hope").at_most(OURS.hope_at_most),
        number("impact-sleep").at_least(OURS.sleep_hit_at_least),
        number("work-days").at_least(OURS.work_days_at_least),
        DURATION.at_least(91),
    ),
)

# Finding F-46 reports it, and it restricts booking.
NO_THRUST = Pattern(
    "reason against a quick thrust to the spine",
    has("med-told", "spondy", "axspa")
    | has("safety-leg-power", "same", "worse", "foot-drop")
    | has("safety-pregnancy", *v.PREGNANT)
    | has("tx-avoid", "thrust")
    | AGE.under(OURS.adult_from)
    | has("safety-bone", "osteoporosis", "steroids", "blood-thinner", "aneurysm")
    | BONE_STRESS,
)
