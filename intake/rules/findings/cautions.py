"""What to know before touching or treating."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from intake.answers import Answers
from intake.rules import variables as v
from intake.rules.findings.finding import Severity, caution
from intake.rules.thresholds import OURS


@caution(
    "F-44",
    Severity.HIGH,
    _("Anti-inflammatory medicine caution"),
    look=_("Do not suggest NSAIDs; ask pharmacist or doctor"),
    sources=("S1", "S4", "label"),
    evidence=("med-nsaid-caution", "safety-bone", "safety-pregnancy", "about-birth-date"),
    context=("med-medicines",),
)
def f_44(answers: Answers, today: dt.date) -> bool:
    return any(
        [
            answers.has("med-nsaid-caution", "ulcer", "kidney", "heart", "asthma", "allergy"),
            answers.has("safety-bone", "blood-thinner"),
            answers.has("safety-pregnancy", *v.PREGNANT),
            v.at_least(v.age(answers, today), OURS.older_adult_from),
        ]
    )


@caution(
    "F-46",
    Severity.HIGH,
    _("No spinal thrust until a clinician agrees"),
    look=_("Hide chiro-adjust; a clinician may lift this with a reason"),
    sources=("Ref4", "convention"),
    evidence=(
        "med-told",
        "safety-leg-power",
        "safety-pregnancy",
        "tx-avoid",
        "about-birth-date",
        *v.BONE_EVIDENCE,
    ),
)
def f_46(answers: Answers, today: dt.date) -> bool:
    return v.no_thrust(answers, today)


@caution(
    "F-47",
    Severity.INFO,
    _("Care limits asked by the patient"),
    look=_("Respect; plan a chaperone"),
    sources=("convention",),
    evidence=("tx-avoid",),
)
def f_47(answers: Answers, today: dt.date) -> bool:
    return answers.has("tx-avoid", "thrust", "needles", "deep", "internal", "chaperone")


@caution(
    "F-51",
    Severity.HIGH,
    _("Minor"),
    look=_("Guardian present; adolescent rules; no regenerative consultation"),
    sources=("convention",),
    evidence=("about-birth-date",),
    context=("guardian-relation",),
)
def f_51(answers: Answers, today: dt.date) -> bool:
    return v.under(v.age(answers, today), OURS.adult_from)


@caution(
    "F-52",
    Severity.HIGH,
    _("Pregnant or recently gave birth"),
    look=_("Positioning; bone stress risk after birth"),
    is_private=True,
    services=("pelvic-health", "pt-eval"),
    sources=("S4", "Ref34"),
    evidence=("safety-pregnancy",),
    context=("safety-pregnancy-weeks",),
)
def f_52(answers: Answers, today: dt.date) -> bool:
    return answers.has("safety-pregnancy", "pregnant", "maybe", "postpartum")


@caution(
    "F-55",
    Severity.MODERATE,
    _("Earlier back, hip, or pelvic surgery"),
    look=_("Ask operation and restrictions"),
    services=("pt-eval", "sports-doc"),
    sources=("convention", "S2"),
    evidence=("med-surgery",),
    context=("med-surgery-what",),
)
def f_55(answers: Answers, today: dt.date) -> bool:
    return answers.has("med-surgery", True)
