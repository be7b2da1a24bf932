"""What to know before touching or treating."""

from django.utils.translation import gettext_lazy as _

from intake.rules import variables as v
from intake.rules.conditions import has
from intake.rules.findings.finding import Severity, caution
from intake.rules.patterns import AGE, NO_THRUST
from intake.rules.tags import Tag
from intake.rules.thresholds import OURS

FINDINGS = (
    caution(
        "F-44",
        Severity.HIGH,
        _("Anti-inflammatory medicine caution"),
        when=has("med-nsaid-caution", "ulcer", "kidney", "heart", "asthma", "allergy")
        | has("safety-bone", "blood-thinner")
        | has("safety-pregnancy", *v.PREGNANT)
        | AGE.at_least(OURS.older_adult_from),
        look=_("Do not suggest NSAIDs; ask pharmacist or doctor"),
        sources=("S1", "S4", "label"),
        context=("med-medicines",),
    ),
    caution(
        "F-46",
        Severity.HIGH,
        _("No spinal thrust until a clinician agrees"),
        when=NO_THRUST,
        look=_("No visit with thrust; a clinician may lift this with a reason"),
        sources=("Ref4", "convention"),
    ),
    caution(
        "F-47",
        Severity.INFO,
        _("Care limits asked by the patient"),
        when=has("tx-avoid", "thrust", "needles", "deep", "internal", "chaperone"),
        look=_("Respect; plan a chaperone"),
        sources=("convention",),
    ),
    caution(
        "F-51",
        Severity.HIGH,
        _("Minor"),
        when=AGE.under(OURS.adult_from),
        look=_("Guardian present; adolescent rules; no regenerative consultation"),
        sources=("convention",),
        context=("guardian-relation",),
    ),
    caution(
        "F-52",
        Severity.HIGH,
        _("Pregnant or recently gave birth"),
        when=has("safety-pregnancy", "pregnant", "maybe", "postpartum"),
        look=_("Positioning; bone stress risk after birth"),
        is_private=True,
        services=(Tag.PELVIC_HEALTH, Tag.USUAL_FIRST_VISIT),
        sources=("S4", "Ref34"),
        context=("safety-pregnancy-weeks",),
    ),
    caution(
        "F-55",
        Severity.MODERATE,
        _("Earlier back, hip, or pelvic surgery"),
        when=has("med-surgery", True),
        look=_("Ask operation and restrictions"),
        services=(Tag.USUAL_FIRST_VISIT, Tag.DOCTOR),
        sources=("convention", "S2"),
        context=("med-surgery-what",),
    ),
)
