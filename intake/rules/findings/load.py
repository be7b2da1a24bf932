"""Factors in training load, shoes, ground and running form."""

from django.utils.translation import gettext_lazy as _

from intake.rules.conditions import has, number
from intake.rules.findings.finding import Severity, factor
from intake.rules.patterns import DAYS_TO_RACE, LOAD_RATIO, SPIKE
from intake.rules.tags import Tag
from intake.rules.thresholds import OURS

FINDINGS = (
    factor(
        "F-19",
        Severity.MODERATE,
        _("Pain is easily stirred up"),
        when=has("onset-settle", "ge-24h")
        | (has("onset-when", "rest") & number("pain-run").at_least(OURS.stirred_up_pain_at_least)),
        look=_("Start with a low dose of load and touch"),
        services=(Tag.LOAD,),
        sources=("Ref39", "S2"),
    ),
    factor(
        "F-20",
        Severity.HIGH,
        _("Single-run spike before onset"),
        when=SPIKE.over(10),
        look=_("Show the band; agree on the longest next run"),
        services=(Tag.LOAD,),
        amount=(SPIKE, "+{:.0f} %"),
        sources=("Ref16", "S1", "S2", "S4"),
    ),
    factor(
        "F-21",
        Severity.INFO,
        _("Weekly load jump before onset"),
        when=LOAD_RATIO.at_least(OURS.load_ratio_at_least) | has("load-felt", "more"),
        look=_("Context only; weekly ratios did not predict injury"),
        services=(Tag.LOAD,),
        sources=("Ref16", "Ref17", "S0", "S1"),
    ),
    factor(
        "F-22",
        Severity.MODERATE,
        _("Sudden change in training"),
        when=has("load-changes", "distance", "speed", "hills", "days", "surface", "shoes"),
        look=_("Timeline talk"),
        services=(Tag.LOAD,),
        sources=("S1", "S2"),
        context=("onset-trigger",),
    ),
    factor(
        "F-23",
        Severity.MODERATE,
        _("Overtraining or too little recovery"),
        when=number("load-rest-days").at_most(OURS.rest_days_at_most)
        & has("load-recovered", "sometimes", "rarely"),
        look=_("Recovery plan"),
        services=(Tag.LOAD,),
        sources=("S0", "S1", "S3", "S4"),
        context=("sleep-hours",),
    ),
    factor(
        "F-24",
        Severity.MODERATE,
        _("New or returning runner"),
        when=has("run-experience", "lt-6m") | has("run-break", "yes"),
        look=_("Run-walk plan"),
        services=(Tag.LOAD,),
        sources=("S4",),
    ),
    factor(
        "F-25",
        Severity.MODERATE,
        _("Runs through pain"),
        when=has("onset-push", "often")
        | (has("onset-push", "sometimes") & has("onset-trend", "worse")),
        look=_("Agree pain limits"),
        services=(Tag.LOAD,),
        sources=("S2", "S3"),
    ),
    factor(
        "F-26",
        Severity.MODERATE,
        _("Worn shoes"),
        when=has("shoe-distance", "300-500", "gt-500")
        | (has("shoe-distance", "unsure") & has("shoe-age", "gt-12m"))
        | has("shoe-feel", "worn"),
        look=_("Check shoes"),
        services=(Tag.SHOES,),
        sources=("S1", "S4"),
    ),
    factor(
        "F-27",
        Severity.MODERATE,
        _("Poor fit, support, or cushion"),
        when=has("shoe-feel", "tight-loose", "no-cushion", "no-support")
        | (has("shoe-fitted", "no") & has("foot-type", "flat", "high")),
        look=_("Fit and foot check"),
        services=(Tag.SHOES,),
        sources=("S0", "S1", "S2", "S3", "S4"),
    ),
    factor(
        "F-28",
        Severity.INFO,
        _("Mostly hard ground"),
        when=has("surface-main", "concrete", "asphalt"),
        look=_("Try softer ground for some runs"),
        services=(Tag.LOAD,),
        sources=("S2", "S4"),
    ),
    factor(
        "F-29",
        Severity.MODERATE,
        _("Forward lean or rounded back may add load"),
        when=has("form-notes", "lean", "slouch"),
        look=_("Video from the side"),
        services=(Tag.GAIT, Tag.RUNNING_FORM),
        sources=("S0", "S1", "S3", "S4"),
    ),
    factor(
        "F-30",
        Severity.MODERATE,
        _("Overstride or low step rate"),
        when=has("form-notes", "long-steps")
        | (number("form-cadence").over(0) & number("form-cadence").under(OURS.cadence_under)),
        look=_("Video; trial of 5 to 10 % more steps"),
        services=(Tag.GAIT, Tag.RUNNING_FORM),
        sources=("S1", "S2", "S3", "Ref19", "ours"),
    ),
    factor(
        "F-31",
        Severity.INFO,
        _("Uneven or hard landing, tense arms"),
        when=has("form-notes", "uneven", "heavy", "arms") | has("med-told", "asymmetry"),
        look=_("Leg length, pelvis drop, arm swing"),
        services=(Tag.GAIT,),
        sources=("S4", "Ref15"),
    ),
    factor(
        "F-53",
        Severity.INFO,
        _("Race date is near"),
        when=has("goal-main", "event")
        & DAYS_TO_RACE.at_least(0)
        & DAYS_TO_RACE.at_most(OURS.race_within),
        look=_("Agree on the race decision"),
        services=(Tag.LOAD,),
        sources=("S0", "ours"),
    ),
    factor(
        "F-56",
        Severity.MODERATE,
        _("Running cut down or stopped"),
        when=has("run-status", "reduced", "stopped")
        | number("run-missed").at_least(OURS.missed_runs_at_least),
        look=_("Graded return"),
        services=(Tag.LOAD,),
        sources=("S0", "S3", "ours"),
        context=("load-now",),
    ),
    factor(
        "F-57",
        Severity.INFO,
        _("Running form never checked"),
        when=has("form-checked", "never", "old")
        & (has("onset-when", "run-start", "run-builds") | has("onset-worse", "impact")),
        look=_("Gait analysis"),
        services=(Tag.GAIT,),
        sources=("S3",),
    ),
)
