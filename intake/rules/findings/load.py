"""Factors in training load, shoes, ground and running form."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from intake.answers import Answers
from intake.rules import variables as v
from intake.rules.findings.finding import Severity, factor
from intake.rules.thresholds import OURS


@factor(
    "F-19",
    Severity.MODERATE,
    _("Pain is easily stirred up"),
    look=_("Start with a low dose of load and touch"),
    services=("load-plan",),
    sources=("Ref39", "S2"),
    evidence=("onset-settle", "onset-when", "pain-run"),
)
def f_19(answers: Answers, today: dt.date) -> bool:
    rest_and_run = answers.has("onset-when", "rest") and v.at_least(
        answers.number("pain-run"), OURS.stirred_up_pain_at_least
    )
    return any([answers.has("onset-settle", "ge-24h"), rest_and_run])


@factor(
    "F-20",
    Severity.HIGH,
    _("Single-run spike before onset"),
    look=_("Show the band; agree on the longest next run"),
    services=("load-plan",),
    amount=(v.spike, "+{:.0f} %"),
    sources=("Ref16", "S1", "S2", "S4"),
    evidence=("load-onset-run", "load-long-30"),
)
def f_20(answers: Answers, today: dt.date) -> bool:
    return v.over(v.spike(answers), 10)


@factor(
    "F-21",
    Severity.INFO,
    _("Weekly load jump before onset"),
    look=_("Context only; weekly ratios did not predict injury"),
    services=("load-plan",),
    sources=("Ref16", "Ref17", "S0", "S1"),
    evidence=("load-week-before", "load-usual", "load-felt"),
)
def f_21(answers: Answers, today: dt.date) -> bool:
    return any(
        [
            v.at_least(v.load_ratio(answers), OURS.load_ratio_at_least),
            answers.has("load-felt", "more"),
        ]
    )


@factor(
    "F-22",
    Severity.MODERATE,
    _("Sudden change in training"),
    look=_("Timeline talk"),
    services=("load-plan",),
    sources=("S1", "S2"),
    evidence=("load-changes",),
    context=("onset-trigger",),
)
def f_22(answers: Answers, today: dt.date) -> bool:
    return answers.has("load-changes", "distance", "speed", "hills", "days", "surface", "shoes")


@factor(
    "F-23",
    Severity.MODERATE,
    _("Overtraining or too little recovery"),
    look=_("Recovery plan"),
    services=("load-plan",),
    sources=("S0", "S1", "S3", "S4"),
    evidence=("load-rest-days", "load-recovered"),
    context=("sleep-hours",),
)
def f_23(answers: Answers, today: dt.date) -> bool:
    return v.at_most(answers.number("load-rest-days"), OURS.rest_days_at_most) and answers.has(
        "load-recovered", "sometimes", "rarely"
    )


@factor(
    "F-24",
    Severity.MODERATE,
    _("New or returning runner"),
    look=_("Run-walk plan"),
    services=("load-plan",),
    sources=("S4",),
    evidence=("run-experience", "run-break"),
)
def f_24(answers: Answers, today: dt.date) -> bool:
    return any([answers.has("run-experience", "lt-6m"), answers.has("run-break", "yes")])


@factor(
    "F-25",
    Severity.MODERATE,
    _("Runs through pain"),
    look=_("Agree pain limits"),
    services=("load-plan",),
    sources=("S2", "S3"),
    evidence=("onset-push", "onset-trend"),
)
def f_25(answers: Answers, today: dt.date) -> bool:
    sometimes_and_worse = answers.has("onset-push", "sometimes") and answers.has(
        "onset-trend", "worse"
    )
    return any([answers.has("onset-push", "often"), sometimes_and_worse])


@factor(
    "F-26",
    Severity.MODERATE,
    _("Worn shoes"),
    look=_("Check shoes"),
    services=("footwear",),
    sources=("S1", "S4"),
    evidence=("shoe-distance", "shoe-age", "shoe-feel"),
)
def f_26(answers: Answers, today: dt.date) -> bool:
    old_by_age = answers.has("shoe-distance", "unsure") and answers.has("shoe-age", "gt-12m")
    return any(
        [
            answers.has("shoe-distance", "300-500", "gt-500"),
            old_by_age,
            answers.has("shoe-feel", "worn"),
        ]
    )


@factor(
    "F-27",
    Severity.MODERATE,
    _("Poor fit, support, or cushion"),
    look=_("Fit and foot check"),
    services=("footwear",),
    sources=("S0", "S1", "S2", "S3", "S4"),
    evidence=("shoe-feel", "shoe-fitted", "foot-type"),
)
def f_27(answers: Answers, today: dt.date) -> bool:
    unfitted = answers.has("shoe-fitted", "no") and answers.has("foot-type", "flat", "high")
    return any([answers.has("shoe-feel", "tight-loose", "no-cushion", "no-support"), unfitted])


@factor(
    "F-28",
    Severity.INFO,
    _("Mostly hard ground"),
    look=_("Try softer ground for some runs"),
    services=("load-plan",),
    sources=("S2", "S4"),
    evidence=("surface-main",),
)
def f_28(answers: Answers, today: dt.date) -> bool:
    return answers.has("surface-main", "concrete", "asphalt")


@factor(
    "F-29",
    Severity.MODERATE,
    _("Forward lean or rounded back may add load"),
    look=_("Video from the side"),
    services=("gait-analysis", "form-education"),
    sources=("S0", "S1", "S3", "S4"),
    evidence=("form-notes",),
)
def f_29(answers: Answers, today: dt.date) -> bool:
    return answers.has("form-notes", "lean", "slouch")


@factor(
    "F-30",
    Severity.MODERATE,
    _("Overstride or low step rate"),
    look=_("Video; trial of 5 to 10 % more steps"),
    services=("gait-analysis", "form-education"),
    sources=("S1", "S2", "S3", "Ref19", "ours"),
    evidence=("form-notes", "form-cadence"),
)
def f_30(answers: Answers, today: dt.date) -> bool:
    cadence = answers.number("form-cadence")
    low_cadence = v.over(cadence, 0) and v.under(cadence, OURS.cadence_under)
    return any([answers.has("form-notes", "long-steps"), low_cadence])


@factor(
    "F-31",
    Severity.INFO,
    _("Uneven or hard landing, tense arms"),
    look=_("Leg length, pelvis drop, arm swing"),
    services=("gait-analysis",),
    sources=("S4", "Ref15"),
    evidence=("form-notes", "med-told"),
)
def f_31(answers: Answers, today: dt.date) -> bool:
    return any(
        [
            answers.has("form-notes", "uneven", "heavy", "arms"),
            answers.has("med-told", "asymmetry"),
        ]
    )


@factor(
    "F-53",
    Severity.INFO,
    _("Race date is near"),
    look=_("Agree on the race decision"),
    services=("load-plan",),
    sources=("S0", "ours"),
    evidence=("goal-main", "goal-event-date"),
)
def f_53(answers: Answers, today: dt.date) -> bool:
    race_on = answers.date("goal-event-date")
    return (
        answers.has("goal-main", "event")
        and race_on is not None
        and 0 <= (race_on - today).days <= OURS.race_within
    )


@factor(
    "F-56",
    Severity.MODERATE,
    _("Running cut down or stopped"),
    look=_("Graded return"),
    services=("load-plan",),
    sources=("S0", "S3", "ours"),
    evidence=("run-status", "run-missed"),
    context=("load-now",),
)
def f_56(answers: Answers, today: dt.date) -> bool:
    return any(
        [
            answers.has("run-status", "reduced", "stopped"),
            v.at_least(answers.number("run-missed"), OURS.missed_runs_at_least),
        ]
    )


@factor(
    "F-57",
    Severity.INFO,
    _("Running form never checked"),
    look=_("Gait analysis"),
    services=("gait-analysis",),
    sources=("S3",),
    evidence=("form-checked", "onset-when", "onset-worse"),
)
def f_57(answers: Answers, today: dt.date) -> bool:
    return answers.has("form-checked", "never", "old") and any(
        [answers.has("onset-when", "run-start", "run-builds"), answers.has("onset-worse", "impact")]
    )
