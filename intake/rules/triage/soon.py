"""Rules for being seen within three working days."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from intake.answers import Answers
from intake.rules import variables as v
from intake.rules.levels import Level
from intake.rules.thresholds import OURS
from intake.rules.triage.rule import rule


@rule(
    "T-S1",
    Level.SOON,
    _("Nerve-type leg symptoms without progression"),
    stops_running=Level.URGENT,
    sources=("S2", "S0", "Ref5"),
    evidence=("leg-reach", "leg-feeling", "leg-any"),
)
def t_s1(answers: Answers, today: dt.date) -> bool:
    return v.nerve_leg(answers)


@rule(
    "T-S2",
    Level.SOON,
    _("Severe radiating pain: stop running until seen"),
    stops_running=Level.SOON,
    sources=("S4", "ours"),
    evidence=("leg-pain", "leg-any"),
)
def t_s2(answers: Answers, today: dt.date) -> bool:
    return answers.has("leg-any", True) and v.at_least(
        answers.number("leg-pain"), OURS.leg_pain_severe_at_least
    )


@rule(
    "T-S3",
    Level.SOON,
    _("Stable or uncertain weakness"),
    stops_running=Level.URGENT,
    sources=("S2",),
    evidence=("safety-leg-power",),
)
def t_s3(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-leg-power", "same", "unsure")


@rule(
    "T-S4",
    Level.SOON,
    _("Suspected bone stress injury: stop running"),
    stops_running=Level.SOON,
    sources=("Ref35", "Ref34", "S2"),
    evidence=v.BONE_EVIDENCE,
)
def t_s4(answers: Answers, today: dt.date) -> bool:
    return v.bone_suspect(answers, today)


@rule(
    "T-S5",
    Level.SOON,
    _("Possible low energy availability"),
    stops_running=None,
    sources=("Ref35",),
    evidence=(
        "safety-bone",
        "periods",
        "food-enough",
        "about-height",
        "about-weight",
        "load-recovered",
        "safety-cancer",
    ),
)
def t_s5(answers: Answers, today: dt.date) -> bool:
    return v.energy_signs(answers, today) >= OURS.energy_signs_at_least


@rule(
    "T-S6",
    Level.SOON,
    _("Adolescent: pars stress injury to exclude"),
    stops_running=Level.SOON,
    sources=("Ref12", "ours"),
    evidence=("about-birth-date", "onset-duration", "onset-worse"),
)
def t_s6(answers: Answers, today: dt.date) -> bool:
    return (
        v.under(v.age(answers, today), OURS.adult_from)
        and v.at_least(v.days(answers), OURS.teen_pain_at_least)
        and answers.has("onset-worse", "arch-back", "impact")
    )


@rule(
    "T-S7",
    Level.SOON,
    _("Young child with back pain: specialist children's view"),
    stops_running=None,
    sources=("ours",),
    evidence=("about-birth-date",),
)
def t_s7(answers: Answers, today: dt.date) -> bool:
    return v.under(v.age(answers, today), OURS.young_child_under)


@rule(
    "T-S8",
    Level.SOON,
    _("One isolated cancer-type flag"),
    stops_running=None,
    strict_level=Level.URGENT,
    sources=("Ref5", "Ref4"),
    evidence=("safety-cancer",),
)
def t_s8(answers: Answers, today: dt.date) -> bool:
    return answers.has(
        "safety-cancer", "cancer-history", "weight-loss", "night-constant", "tired-unwell"
    )


@rule(
    "T-S9",
    Level.SOON,
    _("Infection risk, no other sign"),
    stops_running=None,
    sources=("Ref4",),
    evidence=("safety-illness",),
)
def t_s9(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-illness", "recent-infection", "weak-immunity")


@rule(
    "T-S10",
    Level.SOON,
    _("Main pain above the low back"),
    stops_running=None,
    strict_level=Level.URGENT,
    sources=("Ref5", "Ref6"),
    evidence=("body-main",),
)
def t_s10(answers: Answers, today: dt.date) -> bool:
    return answers.has("body-main", "upper-back", "mid-back")


@rule(
    "T-S11",
    Level.SOON,
    _("Sudden pain with fragile bone"),
    stops_running=Level.URGENT,
    sources=("Ref4", "Ref6"),
    evidence=("safety-bone", "onset-how"),
)
def t_s11(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-bone", "osteoporosis", "steroids") and answers.has(
        "onset-how", *v.SUDDEN
    )


@rule(
    "T-S12",
    Level.SOON,
    _("Getting worse after a week"),
    stops_running=None,
    sources=("S1", "S2"),
    evidence=("onset-trend", "onset-duration"),
)
def t_s12(answers: Answers, today: dt.date) -> bool:
    return answers.has("onset-trend", "worse") and v.at_least(v.days(answers), 8)


@rule(
    "T-S13",
    Level.SOON,
    _("Severe pain or large effect on daily life"),
    stops_running=None,
    sources=("S0", "S1", "ours"),
    evidence=("pain-worst", *v.IMPACT_ITEMS, "work-days"),
)
def t_s13(answers: Answers, today: dt.date) -> bool:
    return any(
        [
            v.at_least(answers.number("pain-worst"), OURS.worst_pain_severe_at_least),
            v.at_least(v.impact(answers), OURS.impact_high_at_least),
            v.at_least(answers.number("impact-sleep"), OURS.sleep_hit_severe_at_least),
            v.at_least(answers.number("work-days"), OURS.work_days_at_least),
        ]
    )


@rule(
    "T-S14",
    Level.SOON,
    _("More than 6 weeks without relief from care"),
    stops_running=None,
    sources=("S1", "S4"),
    evidence=("onset-duration", "tx-tried", "onset-trend"),
)
def t_s14(answers: Answers, today: dt.date) -> bool:
    tried_something = answers.answered("tx-tried") and not answers.only("tx-tried", "none")
    return (
        v.at_least(v.days(answers), 43)
        and tried_something
        and answers.has("onset-trend", "same", "worse")
    )


@rule(
    "T-S15",
    Level.SOON,
    _("Cough or strain pain with leg symptoms"),
    stops_running=Level.URGENT,
    strict_level=Level.URGENT,
    sources=("Ref5",),
    evidence=("onset-worse", "leg-reach", "leg-feeling", "leg-any"),
)
def t_s15(answers: Answers, today: dt.date) -> bool:
    return answers.has("onset-worse", "cough") and v.nerve_leg(answers)
