"""Rules for being checked the same day."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from intake.answers import Answers
from intake.rules import variables as v
from intake.rules.levels import Level
from intake.rules.thresholds import OURS
from intake.rules.triage.rule import rule


@rule(
    "T-U1",
    Level.URGENT,
    _("Unsure about bladder, bowel, or saddle signs: same-day call by a clinician"),
    stops_running=Level.URGENT,
    messages=("M1", "M3"),
    sources=("Ref5", "convention"),
    evidence=("safety-nerve",),
)
def t_u1(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-nerve", "unsure")


@rule(
    "T-U2",
    Level.URGENT,
    _("Sexual change alone: unlikely to be cauda equina, but needs a same-day check"),
    stops_running=Level.URGENT,
    sources=("Ref1",),
    evidence=("safety-nerve",),
)
def t_u2(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-nerve", "sexual-change") and answers.lacks(
        "safety-nerve", *v.CAUDA_EQUINA_SIGNS
    )


@rule(
    "T-U3",
    Level.URGENT,
    _("Progressive weakness or foot drop"),
    stops_running=Level.URGENT,
    sources=("Ref5", "Ref9", "S2"),
    evidence=("safety-leg-power",),
)
def t_u3(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-leg-power", "worse", "foot-drop")


@rule(
    "T-U4",
    Level.URGENT,
    _("Fever with back pain"),
    stops_running=Level.URGENT,
    sources=("Ref5", "Ref4"),
    evidence=("safety-illness",),
)
def t_u4(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-illness", "fever")


@rule(
    "T-U5",
    Level.URGENT,
    _("Infection risk plus worrying pain (fever is often absent)"),
    stops_running=Level.URGENT,
    sources=("Ref4", "Ref8"),
    evidence=("safety-illness", "safety-cancer", "onset-trend", "pain-pattern"),
)
def t_u5(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-illness", "recent-infection", "weak-immunity") and any(
        [
            answers.has("safety-cancer", "night-constant", "tired-unwell"),
            answers.has("onset-trend", "worse"),
            answers.has("pain-pattern", "constant-same"),
        ]
    )


@rule(
    "T-U6",
    Level.URGENT,
    _("Possible kidney or urinary cause"),
    stops_running=None,
    sources=("convention",),
    evidence=("safety-illness",),
)
def t_u6(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-illness", "urine")


@rule(
    "T-U7",
    Level.URGENT,
    _("Possible muscle breakdown after hard exercise: urgent care or emergency room today"),
    stops_running=None,
    sources=("convention",),
    evidence=("safety-illness",),
)
def t_u7(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-illness", "dark-urine")


@rule(
    "T-U8",
    Level.URGENT,
    _("Cancer history plus a feature of spread to the spine: contact within 24 hours"),
    stops_running=None,
    sources=("Ref7",),
    evidence=("safety-cancer", "onset-trend", "onset-worse", "body-main", "leg-feeling"),
)
def t_u8(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-cancer", "cancer-history") and any(
        [
            answers.has("safety-cancer", "weight-loss", "night-constant", "tired-unwell", "lump"),
            answers.has("onset-trend", "worse"),
            answers.has("onset-worse", "cough"),
            answers.has("body-main", "upper-back", "mid-back"),
            answers.has("leg-feeling", "pain", "numbness", "tingling"),
        ]
    )


@rule(
    "T-U9",
    Level.URGENT,
    _("Weight loss together with night pain or feeling ill"),
    stops_running=None,
    sources=("Ref5", "Ref4"),
    evidence=("safety-cancer",),
)
def t_u9(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-cancer", "weight-loss") and answers.has(
        "safety-cancer", "night-constant", "tired-unwell"
    )


@rule(
    "T-U10",
    Level.URGENT,
    _("New lump or change in back shape"),
    stops_running=None,
    sources=("Ref5",),
    evidence=("safety-cancer",),
)
def t_u10(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-cancer", "lump")


@rule(
    "T-U11",
    Level.URGENT,
    _("Fragility fracture risk after a small injury"),
    stops_running=Level.URGENT,
    sources=("Ref4", "Ref6", "ours"),
    evidence=("safety-injury", "safety-bone", "about-birth-date"),
)
def t_u11(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-injury", "minor") and any(
        [
            answers.has("safety-bone", "osteoporosis", "steroids"),
            v.at_least(v.age(answers, today), OURS.older_adult_from),
        ]
    )


@rule(
    "T-U12",
    Level.URGENT,
    _("Known aneurysm"),
    stops_running=None,
    sources=("Ref10",),
    evidence=("safety-bone",),
)
def t_u12(answers: Answers, today: dt.date) -> bool:
    # True already at the safety page, before T-E4 can be judged.
    return answers.has("safety-bone", "aneurysm")


@rule(
    "T-U13",
    Level.URGENT,
    _("Possible bleed on a blood thinner"),
    stops_running=None,
    sources=("convention",),
    evidence=("safety-bone", "safety-injury", "onset-how", "onset-duration"),
)
def t_u13(answers: Answers, today: dt.date) -> bool:
    sudden_and_new = answers.has("onset-how", *v.SUDDEN) and v.under(
        v.days(answers), OURS.bleed_under
    )
    return answers.has("safety-bone", "blood-thinner") and any(
        [answers.has("safety-injury", "minor"), sudden_and_new]
    )


@rule(
    "T-U14",
    Level.URGENT,
    _("Cannot stand or walk"),
    stops_running=None,
    sources=("Ref5",),
    evidence=("safety-body",),
)
def t_u14(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-body", "cant-walk")


@rule(
    "T-U15",
    Level.URGENT,
    _("Severe pain that nothing changes"),
    stops_running=None,
    sources=("Ref5", "ours"),
    evidence=("pain-now", "pain-pattern"),
)
def t_u15(answers: Answers, today: dt.date) -> bool:
    return v.at_least(answers.number("pain-now"), OURS.unchanging_pain_at_least) and answers.has(
        "pain-pattern", "constant-same"
    )


@rule(
    "T-U16",
    Level.URGENT,
    _("Child or teen with night pain"),
    stops_running=None,
    sources=("Ref4", "Ref6", "ours"),
    evidence=("about-birth-date", "safety-cancer"),
)
def t_u16(answers: Answers, today: dt.date) -> bool:
    return v.under(v.age(answers, today), OURS.adult_from) and answers.has(
        "safety-cancer", "night-constant"
    )


@rule(
    "T-U17",
    Level.URGENT,
    _("Suspected bone stress injury with pain on walking: no running, limit weight"),
    stops_running=Level.URGENT,
    sources=("Ref35",),
    evidence=v.BONE_EVIDENCE,
)
def t_u17(answers: Answers, today: dt.date) -> bool:
    return (
        v.bone_suspect(answers, today)
        and answers.has("onset-worse", "walking")
        and answers.has("safety-bone", "hop-pain")
    )


@rule(
    "T-U18",
    Level.URGENT,
    _("Both legs marked later although the safety page said no: same-day call by a clinician"),
    stops_running=Level.URGENT,
    contradiction=_("Both legs marked, not on the safety page"),
    sources=("Ref5", "Ref3"),
    evidence=("leg-side", "safety-nerve", "onset-duration", "onset-trend"),
)
def t_u18(answers: Answers, today: dt.date) -> bool:
    return (
        answers.has("leg-side", "both")
        and answers.lacks("safety-nerve", "both-legs")
        and any(
            [
                v.under(v.days(answers), OURS.both_legs_new_under),
                answers.has("onset-trend", "worse"),
            ]
        )
    )
