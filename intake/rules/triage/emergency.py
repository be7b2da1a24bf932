"""Rules that send a person to emergency care now."""

from django.utils.translation import gettext_lazy as _

from intake.rules import variables as v
from intake.rules.conditions import has, number
from intake.rules.levels import Level
from intake.rules.patterns import DURATION
from intake.rules.thresholds import OURS
from intake.rules.triage.rule import Rule

CAUDA_EQUINA_SOURCES = ("Ref1", "Ref2", "Ref5", "Ref4")

RULES = (
    Rule(
        "T-E1",
        Level.EMERGENCY,
        _("Possible cauda equina compression"),
        when=has("safety-nerve", *v.CAUDA_EQUINA_SIGNS),
        stops_running=None,
        sources=CAUDA_EQUINA_SOURCES,
    ),
    Rule(
        "T-E2",
        Level.EMERGENCY,
        _("Saddle numbness marked on the body chart, even if the safety page said none"),
        when=has("body-numb", "saddle"),
        stops_running=None,
        sources=CAUDA_EQUINA_SOURCES,
        context=("safety-nerve",),
    ),
    Rule(
        "T-E3",
        Level.EMERGENCY,
        _("Possible heart, lung, or aortic emergency"),
        when=has("safety-body", "chest-pain", "faint", "tearing", "belly-pulse"),
        stops_running=None,
        sources=("Ref5", "Ref10"),
    ),
    Rule(
        "T-E4",
        Level.EMERGENCY,
        _("Known aneurysm with new, strong, or growing pain"),
        when=has("safety-bone", "aneurysm")
        & (
            DURATION.under(OURS.aneurysm_new_under)
            | number("pain-worst").at_least(OURS.aneurysm_pain_at_least)
            | has("onset-trend", "worse")
        ),
        stops_running=None,
        sources=("Ref10",),
    ),
    Rule(
        "T-E5",
        Level.EMERGENCY,
        _("Major injury in the last 4 weeks"),
        when=has("safety-injury", "major"),
        stops_running=None,
        sources=("Ref5", "Ref4", "Ref6"),
    ),
    Rule(
        "T-E6",
        Level.EMERGENCY,
        _("Cancer history with leg weakness: possible cord or cauda equina compression"),
        when=has("safety-cancer", "cancer-history")
        & has("safety-leg-power", "same", "worse", "foot-drop"),
        stops_running=None,
        sources=("Ref7",),
    ),
    Rule(
        "T-E7",
        Level.EMERGENCY,
        _("Possible spinal infection with nerve signs"),
        when=has("safety-illness", "fever")
        & (
            has("safety-leg-power", "worse", "foot-drop")
            | has("leg-feeling", "numbness", "weakness")
        ),
        stops_running=None,
        sources=("Ref4", "Ref8"),
    ),
    Rule(
        "T-E8",
        Level.EMERGENCY,
        _("Pregnancy warning sign: maternity unit first"),
        when=has(
            "safety-pregnancy-signs",
            "bleeding",
            "fluid",
            "waves",
            "less-movement",
            "headache-vision",
        ),
        stops_running=None,
        messages=("M2",),
        is_private=True,
        sources=("Ref11",),
    ),
)
