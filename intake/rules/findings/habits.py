"""Factors in strength, recovery, daily life, care so far and goals."""

from django.utils.translation import gettext_lazy as _

from intake.rules.conditions import has, lacks, number
from intake.rules.findings.finding import Severity, factor
from intake.rules.patterns import BARRIERS, BMI, IMPACT
from intake.rules.tags import Tag
from intake.rules.thresholds import OURS

FINDINGS = (
    factor(
        "F-32",
        Severity.MODERATE,
        _("Low core strength work"),
        when=has("strength-core", "d0") | has("strength-plank", "no"),
        look=_("Front and side plank, bridge, back-endurance hold"),
        services=(Tag.EXERCISE,),
        sources=("S0", "S1", "S2", "S4", "Ref33"),
    ),
    factor(
        "F-33",
        Severity.MODERATE,
        _("Low hip and glute strength work"),
        when=has("strength-hips", "d0"),
        look=_("Single-leg squat, bridge"),
        services=(Tag.EXERCISE,),
        sources=("S0", "S2", "S4"),
    ),
    factor(
        "F-34",
        Severity.INFO,
        _("No regular warm-up"),
        when=has("warmup", "never", "sometimes"),
        look=_("Teach a dynamic warm-up"),
        services=(Tag.EXERCISE,),
        sources=("S0", "S1", "S4"),
    ),
    factor(
        "F-35",
        Severity.INFO,
        _("No cool-down"),
        when=has("cooldown", "none"),
        look=_("Teach cool-down, foam roll"),
        services=(Tag.EXERCISE,),
        sources=("S1", "S4"),
    ),
    factor(
        "F-36",
        Severity.INFO,
        _("Low fluids or cramps"),
        when=has("hydration", "no") | (has("hydration", "sometimes") & has("cramps", True)),
        look=_("Fluid plan"),
        services=(Tag.NUTRITION,),
        sources=("S2", "S3", "S4"),
    ),
    factor(
        "F-37",
        Severity.INFO,
        _("Short sleep"),
        when=number("sleep-hours").under(7)
        | number("impact-sleep").at_least(OURS.sleep_hit_at_least),
        look=_("Sleep talk"),
        services=(Tag.FOLLOW_UP,),
        sources=("S3", "convention"),
    ),
    factor(
        "F-38",
        Severity.INFO,
        _("Long sitting"),
        when=number("sitting-hours").at_least(OURS.sitting_at_least),
        look=_("Breaks; hip-flexor work"),
        services=(Tag.EXERCISE,),
        sources=("S4", "ours"),
    ),
    factor(
        "F-39",
        Severity.INFO,
        _("Diet with little anti-inflammatory food"),
        when=has("food-days", "processed", "sweets")
        & lacks("food-days", "omega", "greens", "fruit"),
        look=_("Brief diet advice"),
        services=(Tag.NUTRITION,),
        sources=("S2",),
    ),
    factor(
        "F-40",
        Severity.INFO,
        _("Body weight may add load"),
        when=BMI.at_least(25),
        look=_("Neutral talk only if the patient agrees"),
        sources=("S4", "Ref15"),
    ),
    factor(
        "F-41",
        Severity.INFO,
        _("Earlier back pain"),
        when=has("onset-before", "few", "many"),
        look=_("Ask about the earlier course"),
        services=(Tag.USUAL_FIRST_VISIT,),
        sources=("S4",),
    ),
    factor(
        "F-42",
        Severity.MODERATE,
        _("Barriers to recovery (yellow flags)"),
        when=BARRIERS.at_least(OURS.barriers_at_least),
        look=_("Reassure, agree goals, consider the clinic’s own STarT Back"),
        services=(Tag.FOLLOW_UP, Tag.GROUP),
        sources=("Ref40", "Ref36", "S3"),
    ),
    factor(
        "F-43",
        Severity.INFO,
        _("Looks for passive care only"),
        when=has("tx-want", "hands-on", "adjust", "massage")
        & lacks("tx-want", "cause", "exercise", "form", "return-plan", "lifestyle"),
        look=_("Explain the active part of care"),
        services=(Tag.FOLLOW_UP,),
        sources=("Ref36", "Ref40"),
    ),
    factor(
        "F-45",
        Severity.MODERATE,
        _("Frequent pain medicine"),
        when=number("tx-medicine-days").at_least(OURS.medicine_days_at_least),
        look=_("Review dose and need"),
        services=(Tag.DOCTOR,),
        sources=("S1", "ours"),
    ),
    factor(
        "F-48",
        Severity.MODERATE,
        _("Home care already tried without relief"),
        when=has("tx-tried", "rest", "ice", "heat", "medicine", "stretching")
        & (has("tx-helped", "none") | has("onset-trend", "same", "worse")),
        look=_("Move to supervised care"),
        services=(Tag.USUAL_FIRST_VISIT, Tag.EXERCISE),
        sources=("S2", "S4"),
        context=("tx-rest-length",),
    ),
    factor(
        "F-49",
        Severity.INFO,
        _("Asks about regenerative care"),
        when=has("tx-want", "regenerative") | has("tx-tried", "prp-cell"),
        look=_(
            "Only after evaluation and 3 months or more of active care; show the regulator’s note"
        ),
        services=(Tag.REGENERATIVE_ADVICE,),
        sources=("S2", "Ref41"),
    ),
    factor(
        "F-50",
        Severity.MODERATE,
        _("Daily impact"),
        when=IMPACT.at_least(OURS.impact_medium_at_least),
        look=_(
            "Name the band: under 30 low, 30 to 59 medium, 60 or more high (ours, not validated)"
        ),
        amount=(IMPACT, "{:.0f}/100"),
        sources=("S0", "ours"),
    ),
    factor(
        "F-54",
        Severity.INFO,
        _("Smokes"),
        when=has("med-smoke", "yes"),
        look=_("Brief advice"),
        sources=("convention",),
    ),
)
