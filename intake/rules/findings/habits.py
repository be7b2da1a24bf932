"""Factors in strength, recovery, daily life, care so far and goals."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from intake.answers import Answers
from intake.rules import variables as v
from intake.rules.findings.finding import Severity, factor
from intake.rules.thresholds import OURS


@factor(
    "F-32",
    Severity.MODERATE,
    _("Low core strength work"),
    look=_("Front and side plank, bridge, back-endurance hold"),
    services=("corrective-exercise",),
    sources=("S0", "S1", "S2", "S4", "Ref33"),
    evidence=("strength-core", "strength-plank"),
)
def f_32(answers: Answers, today: dt.date) -> bool:
    return any([answers.has("strength-core", "d0"), answers.has("strength-plank", "no")])


@factor(
    "F-33",
    Severity.MODERATE,
    _("Low hip and glute strength work"),
    look=_("Single-leg squat, bridge"),
    services=("corrective-exercise",),
    sources=("S0", "S2", "S4"),
    evidence=("strength-hips",),
)
def f_33(answers: Answers, today: dt.date) -> bool:
    return answers.has("strength-hips", "d0")


@factor(
    "F-34",
    Severity.INFO,
    _("No regular warm-up"),
    look=_("Teach a dynamic warm-up"),
    services=("corrective-exercise",),
    sources=("S0", "S1", "S4"),
    evidence=("warmup",),
)
def f_34(answers: Answers, today: dt.date) -> bool:
    return answers.has("warmup", "never", "sometimes")


@factor(
    "F-35",
    Severity.INFO,
    _("No cool-down"),
    look=_("Teach cool-down, foam roll"),
    services=("corrective-exercise",),
    sources=("S1", "S4"),
    evidence=("cooldown",),
)
def f_35(answers: Answers, today: dt.date) -> bool:
    return answers.only("cooldown", "none")


@factor(
    "F-36",
    Severity.INFO,
    _("Low fluids or cramps"),
    look=_("Fluid plan"),
    services=("nutrition",),
    sources=("S2", "S3", "S4"),
    evidence=("hydration", "cramps"),
)
def f_36(answers: Answers, today: dt.date) -> bool:
    sometimes_with_cramps = answers.has("hydration", "sometimes") and answers.has("cramps", True)
    return any([answers.has("hydration", "no"), sometimes_with_cramps])


@factor(
    "F-37",
    Severity.INFO,
    _("Short sleep"),
    look=_("Sleep talk"),
    services=("pt-followup",),
    sources=("S3", "convention"),
    evidence=("sleep-hours", "impact-sleep"),
)
def f_37(answers: Answers, today: dt.date) -> bool:
    return any(
        [
            v.under(answers.number("sleep-hours"), 7),
            v.at_least(answers.number("impact-sleep"), OURS.sleep_hit_at_least),
        ]
    )


@factor(
    "F-38",
    Severity.INFO,
    _("Long sitting"),
    look=_("Breaks; hip-flexor work"),
    services=("corrective-exercise",),
    sources=("S4", "ours"),
    evidence=("sitting-hours",),
)
def f_38(answers: Answers, today: dt.date) -> bool:
    return v.at_least(answers.number("sitting-hours"), OURS.sitting_at_least)


@factor(
    "F-39",
    Severity.INFO,
    _("Diet with little anti-inflammatory food"),
    look=_("Brief diet advice"),
    services=("nutrition",),
    sources=("S2",),
    evidence=("food-days",),
)
def f_39(answers: Answers, today: dt.date) -> bool:
    return answers.has("food-days", "processed", "sweets") and answers.lacks(
        "food-days", "omega", "greens", "fruit"
    )


@factor(
    "F-40",
    Severity.INFO,
    _("Body weight may add load"),
    look=_("Neutral talk only if the patient agrees"),
    sources=("S4", "Ref15"),
    evidence=("about-height", "about-weight"),
)
def f_40(answers: Answers, today: dt.date) -> bool:
    return v.at_least(v.bmi(answers, today), 25)


@factor(
    "F-41",
    Severity.INFO,
    _("Earlier back pain"),
    look=_("Ask about the earlier course"),
    services=("pt-eval",),
    sources=("S4",),
    evidence=("onset-before",),
)
def f_41(answers: Answers, today: dt.date) -> bool:
    return answers.has("onset-before", "few", "many")


@factor(
    "F-42",
    Severity.MODERATE,
    _("Barriers to recovery (yellow flags)"),
    look=_("Reassure, agree goals, consider the clinic’s own STarT Back"),
    services=("pt-followup", "mind-body"),
    sources=("Ref40", "Ref36", "S3"),
    evidence=("mind-harm", "mind-mood", "mind-hope", "impact-sleep", "work-days", "onset-duration"),
)
def f_42(answers: Answers, today: dt.date) -> bool:
    return v.barriers(answers) >= OURS.barriers_at_least


@factor(
    "F-43",
    Severity.INFO,
    _("Looks for passive care only"),
    look=_("Explain the active part of care"),
    services=("pt-followup",),
    sources=("Ref36", "Ref40"),
    evidence=("tx-want",),
)
def f_43(answers: Answers, today: dt.date) -> bool:
    return answers.has("tx-want", "hands-on", "adjust", "massage") and answers.lacks(
        "tx-want", "cause", "exercise", "form", "return-plan", "lifestyle"
    )


@factor(
    "F-45",
    Severity.MODERATE,
    _("Frequent pain medicine"),
    look=_("Review dose and need"),
    services=("sports-doc",),
    sources=("S1", "ours"),
    evidence=("tx-medicine-days",),
)
def f_45(answers: Answers, today: dt.date) -> bool:
    return v.at_least(answers.number("tx-medicine-days"), OURS.medicine_days_at_least)


@factor(
    "F-48",
    Severity.MODERATE,
    _("Home care already tried without relief"),
    look=_("Move to supervised care"),
    services=("pt-eval", "corrective-exercise"),
    sources=("S2", "S4"),
    evidence=("tx-tried", "tx-helped", "onset-trend"),
    context=("tx-rest-length",),
)
def f_48(answers: Answers, today: dt.date) -> bool:
    return answers.has("tx-tried", "rest", "ice", "heat", "medicine", "stretching") and any(
        [answers.has("tx-helped", "none"), answers.has("onset-trend", "same", "worse")]
    )


@factor(
    "F-49",
    Severity.INFO,
    _("Asks about regenerative care"),
    look=_("Only after evaluation and 3 months or more of active care; show the regulator’s note"),
    services=("regen-consult",),
    sources=("S2", "Ref41"),
    evidence=("tx-want", "tx-tried"),
)
def f_49(answers: Answers, today: dt.date) -> bool:
    return any([answers.has("tx-want", "regenerative"), answers.has("tx-tried", "prp-cell")])


@factor(
    "F-50",
    Severity.MODERATE,
    _("Daily impact"),
    look=_("Name the band: under 30 low, 30 to 59 medium, 60 or more high (ours, not validated)"),
    amount=(v.impact, "{:.0f}/100"),
    sources=("S0", "ours"),
    evidence=v.IMPACT_ITEMS,
)
def f_50(answers: Answers, today: dt.date) -> bool:
    return v.at_least(v.impact(answers), OURS.impact_medium_at_least)


@factor(
    "F-54",
    Severity.INFO,
    _("Smokes"),
    look=_("Brief advice"),
    sources=("convention",),
    evidence=("med-smoke",),
)
def f_54(answers: Answers, today: dt.date) -> bool:
    return answers.has("med-smoke", "yes")
