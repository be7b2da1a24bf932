"""Rules that steer an ordinary visit."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from intake.answers import Answers
from intake.rules import variables as v
from intake.rules.levels import Level
from intake.rules.triage.rule import rule


@rule(
    "T-R1",
    Level.ROUTINE,
    _("Inflammatory back pain features: book with a clinician who can refer, never massage only"),
    stops_running=None,
    restricts=("not-massage-first",),
    sources=("Ref13", "Ref14"),
    evidence=("onset-first-age", "onset-how", "onset-better", "pain-night", "onset-duration"),
)
def t_r1(answers: Answers, today: dt.date) -> bool:
    return v.inflammatory_signs(answers) >= 4 and v.at_least(v.days(answers), 91)


@rule(
    "T-R2",
    Level.ROUTINE,
    _("Pregnancy or recent birth, or not said: some services are restricted"),
    stops_running=None,
    is_private=True,
    sources=("ours", "S4"),
    evidence=("safety-pregnancy",),
)
def t_r2(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-pregnancy", "pregnant", "maybe", "postpartum", "prefer-not")


@rule(
    "T-R3",
    Level.ROUTINE,
    _("Longer than a week: a professional check is advised"),
    stops_running=None,
    sources=("S0",),
    evidence=("onset-duration",),
)
def t_r3(answers: Answers, today: dt.date) -> bool:
    return v.at_least(v.days(answers), 8)


@rule(
    "T-R0",
    Level.ROUTINE,
    _("No rule asks for an earlier visit"),
    stops_running=None,
    is_default=True,
    sources=("S1", "S4"),
)
def t_r0(answers: Answers, today: dt.date) -> bool:
    return True
