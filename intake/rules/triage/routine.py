"""Rules that steer an ordinary visit."""

from django.utils.translation import gettext_lazy as _

from intake.rules.conditions import ALWAYS, has
from intake.rules.levels import Level
from intake.rules.patterns import DURATION, INFLAMMATORY_SIGNS
from intake.rules.triage.rule import Rule

RULES = (
    Rule(
        "T-R1",
        Level.ROUTINE,
        _(
            "Inflammatory back pain features: book with a clinician who can refer, "
            "never massage only"
        ),
        when=INFLAMMATORY_SIGNS.at_least(4) & DURATION.at_least(91),
        stops_running=None,
        restricts=("not-massage-first",),
        sources=("Ref13", "Ref14"),
    ),
    Rule(
        "T-R2",
        Level.ROUTINE,
        _("Pregnancy or recent birth, or not said: some services are restricted"),
        when=has("safety-pregnancy", "pregnant", "maybe", "postpartum", "prefer-not"),
        stops_running=None,
        is_private=True,
        sources=("ours", "S4"),
    ),
    Rule(
        "T-R3",
        Level.ROUTINE,
        _("Longer than a week: a professional check is advised"),
        when=DURATION.at_least(8),
        stops_running=None,
        sources=("S0",),
    ),
    Rule(
        "T-R0",
        Level.ROUTINE,
        _("No rule asks for an earlier visit"),
        when=ALWAYS,
        stops_running=None,
        is_default=True,
        sources=("S1", "S4"),
    ),
)
