"""Rules for being seen within three working days."""

from django.utils.translation import gettext_lazy as _

from intake.rules import variables as v
from intake.rules.conditions import has, lacks, number
from intake.rules.levels import Level
from intake.rules.patterns import AGE, BONE_STRESS, DURATION, ENERGY_SIGNS, IMPACT, NERVE_LEG
from intake.rules.thresholds import OURS
from intake.rules.triage.rule import Rule

RULES = (
    Rule(
        "T-S1",
        Level.SOON,
        _("Nerve-type leg symptoms without progression"),
        when=NERVE_LEG,
        stops_running=Level.URGENT,
        sources=("S2", "S0", "Ref5"),
    ),
    Rule(
        "T-S2",
        Level.SOON,
        _("Severe radiating pain: stop running until seen"),
        when=number("leg-pain").at_least(OURS.leg_pain_severe_at_least) & has("leg-any", True),
        stops_running=Level.SOON,
        sources=("S4", "ours"),
    ),
    Rule(
        "T-S3",
        Level.SOON,
        _("Stable or uncertain weakness"),
        when=has("safety-leg-power", "same", "unsure"),
        stops_running=Level.URGENT,
        sources=("S2",),
    ),
    Rule(
        "T-S4",
        Level.SOON,
        _("Suspected bone stress injury: stop running"),
        when=BONE_STRESS,
        stops_running=Level.SOON,
        sources=("Ref35", "Ref34", "S2"),
    ),
    Rule(
        "T-S5",
        Level.SOON,
        _("Possible low energy availability"),
        when=ENERGY_SIGNS.at_least(OURS.energy_signs_at_least),
        stops_running=None,
        sources=("Ref35",),
    ),
    Rule(
        "T-S6",
        Level.SOON,
        _("Adolescent: pars stress injury to exclude"),
        when=AGE.under(OURS.adult_from)
        & DURATION.at_least(OURS.teen_pain_at_least)
        & has("onset-worse", "arch-back", "impact"),
        stops_running=Level.SOON,
        sources=("Ref12", "ours"),
    ),
    Rule(
        "T-S7",
        Level.SOON,
        _("Young child with back pain: specialist children's view"),
        when=AGE.under(OURS.young_child_under),
        stops_running=None,
        sources=("ours",),
    ),
    Rule(
        "T-S8",
        Level.SOON,
        _("One isolated cancer-type flag"),
        when=has(
            "safety-cancer", "cancer-history", "weight-loss", "night-constant", "tired-unwell"
        ),
        stops_running=None,
        strict_level=Level.URGENT,
        sources=("Ref5", "Ref4"),
    ),
    Rule(
        "T-S9",
        Level.SOON,
        _("Infection risk, no other sign"),
        when=has("safety-illness", "recent-infection", "weak-immunity"),
        stops_running=None,
        sources=("Ref4",),
    ),
    Rule(
        "T-S10",
        Level.SOON,
        _("Main pain above the low back"),
        when=has("body-main", "upper-back", "mid-back"),
        stops_running=None,
        strict_level=Level.URGENT,
        sources=("Ref5", "Ref6"),
    ),
    Rule(
        "T-S11",
        Level.SOON,
        _("Sudden pain with fragile bone"),
        when=has("safety-bone", "osteoporosis", "steroids") & has("onset-how", *v.SUDDEN),
        stops_running=Level.URGENT,
        sources=("Ref4", "Ref6"),
    ),
    Rule(
        "T-S12",
        Level.SOON,
        _("Getting worse after a week"),
        when=has("onset-trend", "worse") & DURATION.at_least(8),
        stops_running=None,
        sources=("S1", "S2"),
    ),
    Rule(
        "T-S13",
        Level.SOON,
        _("Severe pain or large effect on daily life"),
        when=number("pain-worst").at_least(OURS.worst_pain_severe_at_least)
        | IMPACT.at_least(OURS.impact_high_at_least)
        | number("impact-sleep").at_least(OURS.sleep_hit_severe_at_least)
        | number("work-days").at_least(OURS.work_days_at_least),
        stops_running=None,
        sources=("S0", "S1", "ours"),
    ),
    Rule(
        "T-S14",
        Level.SOON,
        _("More than 6 weeks without relief from care"),
        when=DURATION.at_least(43)
        & lacks("tx-tried", "none")
        & has("onset-trend", "same", "worse"),
        stops_running=None,
        sources=("S1", "S4"),
    ),
    Rule(
        "T-S15",
        Level.SOON,
        _("Cough or strain pain with leg symptoms"),
        when=has("onset-worse", "cough") & NERVE_LEG,
        stops_running=Level.URGENT,
        strict_level=Level.URGENT,
        sources=("Ref5",),
    ),
)
