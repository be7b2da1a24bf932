"""Rules that send a person to emergency care now."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from intake.answers import Answers
from intake.rules import variables as v
from intake.rules.levels import Level
from intake.rules.thresholds import OURS
from intake.rules.triage.rule import rule

CAUDA_EQUINA_SOURCES = ("Ref1", "Ref2", "Ref5", "Ref4")


@rule(
    "T-E1",
    Level.EMERGENCY,
    _("Possible cauda equina compression"),
    stops_running=None,
    sources=CAUDA_EQUINA_SOURCES,
    evidence=("safety-nerve",),
)
def t_e1(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-nerve", *v.CAUDA_EQUINA_SIGNS)


@rule(
    "T-E2",
    Level.EMERGENCY,
    _("Saddle numbness marked on the body chart, even if the safety page said none"),
    stops_running=None,
    sources=CAUDA_EQUINA_SOURCES,
    evidence=("body-numb",),
    context=("safety-nerve",),
)
def t_e2(answers: Answers, today: dt.date) -> bool:
    return answers.has("body-numb", "saddle")


@rule(
    "T-E3",
    Level.EMERGENCY,
    _("Possible heart, lung, or aortic emergency"),
    stops_running=None,
    sources=("Ref5", "Ref10"),
    evidence=("safety-body",),
)
def t_e3(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-body", "chest-pain", "faint", "tearing", "belly-pulse")


@rule(
    "T-E4",
    Level.EMERGENCY,
    _("Known aneurysm with new, strong, or growing pain"),
    stops_running=None,
    sources=("Ref10",),
    evidence=("safety-bone", "onset-duration", "pain-worst", "onset-trend"),
)
def t_e4(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-bone", "aneurysm") and any(
        [
            v.under(v.days(answers), OURS.aneurysm_new_under),
            v.at_least(answers.number("pain-worst"), OURS.aneurysm_pain_at_least),
            answers.has("onset-trend", "worse"),
        ]
    )


@rule(
    "T-E5",
    Level.EMERGENCY,
    _("Major injury in the last 4 weeks"),
    stops_running=None,
    sources=("Ref5", "Ref4", "Ref6"),
    evidence=("safety-injury",),
)
def t_e5(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-injury", "major")


@rule(
    "T-E6",
    Level.EMERGENCY,
    _("Cancer history with leg weakness: possible cord or cauda equina compression"),
    stops_running=None,
    sources=("Ref7",),
    evidence=("safety-cancer", "safety-leg-power"),
)
def t_e6(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-cancer", "cancer-history") and answers.has(
        "safety-leg-power", "same", "worse", "foot-drop"
    )


@rule(
    "T-E7",
    Level.EMERGENCY,
    _("Possible spinal infection with nerve signs"),
    stops_running=None,
    sources=("Ref4", "Ref8"),
    evidence=("safety-illness", "safety-leg-power", "leg-feeling"),
)
def t_e7(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-illness", "fever") and any(
        [
            answers.has("safety-leg-power", "worse", "foot-drop"),
            answers.has("leg-feeling", "numbness", "weakness"),
        ]
    )


@rule(
    "T-E8",
    Level.EMERGENCY,
    _("Pregnancy warning sign: maternity unit first"),
    stops_running=None,
    messages=("M2",),
    is_private=True,
    sources=("Ref11",),
    evidence=("safety-pregnancy-signs",),
)
def t_e8(answers: Answers, today: dt.date) -> bool:
    return answers.has(
        "safety-pregnancy-signs", "bleeding", "fluid", "waves", "less-movement", "headache-vision"
    )
