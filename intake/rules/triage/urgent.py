"""Rules for being checked the same day."""

from django.utils.translation import gettext_lazy as _

from intake.rules import variables as v
from intake.rules.conditions import has, lacks, number
from intake.rules.levels import Level
from intake.rules.patterns import AGE, BONE_STRESS, DURATION
from intake.rules.thresholds import OURS
from intake.rules.triage.rule import Rule

RULES = (
    Rule(
        "T-U1",
        Level.URGENT,
        _("Unsure about bladder, bowel, or saddle signs: same-day call by a clinician"),
        when=has("safety-nerve", "unsure"),
        stops_running=Level.URGENT,
        messages=("M1", "M3"),
        sources=("Ref5", "convention"),
    ),
    Rule(
        "T-U2",
        Level.URGENT,
        _("Sexual change alone: unlikely to be cauda equina, but needs a same-day check"),
        when=has("safety-nerve", "sexual-change") & lacks("safety-nerve", *v.CAUDA_EQUINA_SIGNS),
        stops_running=Level.URGENT,
        sources=("Ref1",),
    ),
    Rule(
        "T-U3",
        Level.URGENT,
        _("Progressive weakness or foot drop"),
        when=has("safety-leg-power", "worse", "foot-drop"),
        stops_running=Level.URGENT,
        sources=("Ref5", "Ref9", "S2"),
    ),
    Rule(
        "T-U4",
        Level.URGENT,
        _("Fever with back pain"),
        when=has("safety-illness", "fever"),
        stops_running=Level.URGENT,
        sources=("Ref5", "Ref4"),
    ),
    Rule(
        "T-U5",
        Level.URGENT,
        _("Infection risk plus worrying pain (fever is often absent)"),
        when=has("safety-illness", "recent-infection", "weak-immunity")
        & (
            has("safety-cancer", "night-constant", "tired-unwell")
            | has("onset-trend", "worse")
            | has("pain-pattern", "constant-same")
        ),
        stops_running=Level.URGENT,
        sources=("Ref4", "Ref8"),
    ),
    Rule(
        "T-U6",
        Level.URGENT,
        _("Possible kidney or urinary cause"),
        when=has("safety-illness", "urine"),
        stops_running=None,
        sources=("convention",),
    ),
    Rule(
        "T-U7",
        Level.URGENT,
        _("Possible muscle breakdown after hard exercise: urgent care or emergency room today"),
        when=has("safety-illness", "dark-urine"),
        stops_running=None,
        sources=("convention",),
    ),
    Rule(
        "T-U8",
        Level.URGENT,
        _("Cancer history plus a feature of spread to the spine: contact within 24 hours"),
        when=has("safety-cancer", "cancer-history")
        & (
            has("safety-cancer", "weight-loss", "night-constant", "tired-unwell", "lump")
            | has("onset-trend", "worse")
            | has("onset-worse", "cough")
            | has("body-main", "upper-back", "mid-back")
            | has("leg-feeling", "pain", "numbness", "tingling")
        ),
        stops_running=None,
        sources=("Ref7",),
    ),
    Rule(
        "T-U9",
        Level.URGENT,
        _("Weight loss together with night pain or feeling ill"),
        when=has("safety-cancer", "weight-loss")
        & has("safety-cancer", "night-constant", "tired-unwell"),
        stops_running=None,
        sources=("Ref5", "Ref4"),
    ),
    Rule(
        "T-U10",
        Level.URGENT,
        _("New lump or change in back shape"),
        when=has("safety-cancer", "lump"),
        stops_running=None,
        sources=("Ref5",),
    ),
    Rule(
        "T-U11",
        Level.URGENT,
        _("Fragility fracture risk after a small injury"),
        when=has("safety-injury", "minor")
        & (has("safety-bone", "osteoporosis", "steroids") | AGE.at_least(OURS.older_adult_from)),
        stops_running=Level.URGENT,
        sources=("Ref4", "Ref6", "ours"),
    ),
    Rule(
        "T-U12",
        Level.URGENT,
        _("Known aneurysm"),
        # True already at the safety page, before T-E4 can be evaluated.
        when=has("safety-bone", "aneurysm"),
        stops_running=None,
        sources=("Ref10",),
    ),
    Rule(
        "T-U13",
        Level.URGENT,
        _("Possible bleed on a blood thinner"),
        when=has("safety-bone", "blood-thinner")
        & (
            has("safety-injury", "minor")
            | (has("onset-how", *v.SUDDEN) & DURATION.under(OURS.bleed_under))
        ),
        stops_running=None,
        sources=("convention",),
    ),
    Rule(
        "T-U14",
        Level.URGENT,
        _("Cannot stand or walk"),
        when=has("safety-body", "cant-walk"),
        stops_running=None,
        sources=("Ref5",),
    ),
    Rule(
        "T-U15",
        Level.URGENT,
        _("Severe pain that nothing changes"),
        when=number("pain-now").at_least(OURS.unchanging_pain_at_least)
        & has("pain-pattern", "constant-same"),
        stops_running=None,
        sources=("Ref5", "ours"),
    ),
    Rule(
        "T-U16",
        Level.URGENT,
        _("Child or teen with night pain"),
        when=AGE.under(OURS.adult_from) & has("safety-cancer", "night-constant"),
        stops_running=None,
        sources=("Ref4", "Ref6", "ours"),
    ),
    Rule(
        "T-U17",
        Level.URGENT,
        _("Suspected bone stress injury with pain on walking: no running, limit weight"),
        when=BONE_STRESS & has("onset-worse", "walking") & has("safety-bone", "hop-pain"),
        stops_running=Level.URGENT,
        sources=("Ref35",),
    ),
    Rule(
        "T-U18",
        Level.URGENT,
        _("Both legs marked later although the safety page said no: same-day call by a clinician"),
        when=has("leg-side", "both")
        & lacks("safety-nerve", "both-legs")
        & (DURATION.under(OURS.both_legs_new_under) | has("onset-trend", "worse")),
        stops_running=Level.URGENT,
        contradiction=_("Both legs marked, not on the safety page"),
        sources=("Ref5", "Ref3"),
    ),
)
