"""What may be behind the pain: patterns worth considering, never a diagnosis."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from intake.answers import Answers
from intake.rules import variables as v
from intake.rules.findings.finding import Severity, consideration
from intake.rules.thresholds import OURS


@consideration(
    "F-01",
    Severity.HIGH,
    _("Nerve-root irritation (sciatica pattern)"),
    look=_(
        "Neuro screen (power, reflexes, touch), straight-leg raise, slump; "
        "doctor if there is a deficit"
    ),
    services=("pt-eval", "sports-doc"),
    sources=("S1", "S2", "S4", "Ref36"),
    evidence=("leg-reach", "leg-feeling", "leg-any"),
    context=("leg-side", "leg-pain", "body-regions"),
)
def f_01(answers: Answers, today: dt.date) -> bool:
    return v.nerve_leg(answers)


@consideration(
    "F-02",
    Severity.MODERATE,
    _("Disc-related pain"),
    look=_("Repeated movements, slump, neuro screen"),
    services=("pt-eval", "corrective-exercise"),
    sources=("S0", "S1", "S2", "S4"),
    evidence=("onset-worse", "med-told"),
    context=("med-imaging",),
)
def f_02(answers: Answers, today: dt.date) -> bool:
    movements = answers.count("onset-worse", ["bend-forward", "sitting", "cough", "lifting"])
    return any([movements >= OURS.disc_signs_at_least, answers.has("med-told", "disc")])


@consideration(
    "F-03",
    Severity.HIGH,
    _("Spinal stenosis pattern"),
    look=_("Walk test with sitting relief, pulses (rule out a blood-flow cause), neuro screen"),
    services=("pt-eval", "sports-doc"),
    sources=("S1", "S2", "stenosis"),
    evidence=("leg-any", "leg-walk", "onset-better", "onset-worse", "about-birth-date", "med-told"),
)
def f_03(answers: Answers, today: dt.date) -> bool:
    pattern = v.claudication(answers) and v.at_least(v.age(answers, today), OURS.stenosis_from)
    return any([pattern, answers.has("med-told", "stenosis")])


@consideration(
    "F-04",
    Severity.HIGH,
    _("Leg artery cause to exclude"),
    look=_("Pulses, ankle-brachial index"),
    services=("sports-doc",),
    sources=("stenosis",),
    evidence=("leg-walk", "med-smoke", "med-told", "about-birth-date"),
)
def f_04(answers: Answers, today: dt.date) -> bool:
    return answers.has("leg-walk", "worse-stop-helps") and any(
        [
            answers.has("med-smoke", "yes", "former"),
            answers.has("med-told", "diabetes"),
            v.at_least(v.age(answers, today), OURS.artery_from),
        ]
    )


@consideration(
    "F-05",
    Severity.HIGH,
    _("Spondylolisthesis or pars stress"),
    look=_(
        "Extension and single-leg extension tests, step palpation, hamstring length; "
        "imaging decision by a doctor"
    ),
    services=("pt-eval", "sports-doc"),
    sources=("S2", "Ref12"),
    evidence=("onset-worse", "about-birth-date", "med-told"),
)
def f_05(answers: Answers, today: dt.date) -> bool:
    young_with_signs = (
        answers.has("onset-worse", "arch-back")
        and answers.has("onset-worse", "impact")
        and v.under(v.age(answers, today), OURS.pars_under)
    )
    return any([answers.has("med-told", "spondy"), young_with_signs])


@consideration(
    "F-06",
    Severity.INFO,
    _("Disc wear"),
    look=_("Movement exam; explain that age change is common"),
    services=("pt-eval", "load-plan"),
    sources=("S2", "S4"),
    evidence=("about-birth-date", "onset-worse", "pain-stiff-morning", "med-told"),
)
def f_06(answers: Answers, today: dt.date) -> bool:
    pattern = (
        v.at_least(v.age(answers, today), OURS.disc_wear_from)
        and answers.has("onset-worse", "impact")
        and answers.has("pain-stiff-morning", "lt-30")
    )
    return any([answers.has("med-told", "ddd"), pattern])


@consideration(
    "F-07",
    Severity.MODERATE,
    _("Joint (facet) or arthritis pattern"),
    look=_("Extension-rotation test, hip screen"),
    services=("pt-eval", "manual-therapy"),
    sources=("S4",),
    evidence=("onset-worse", "about-birth-date", "med-told", "leg-any", "leg-reach", "leg-feeling"),
)
def f_07(answers: Answers, today: dt.date) -> bool:
    pattern = (
        answers.has("onset-worse", "arch-back", "standing", "downhill")
        and v.no_nerve_leg(answers)
        and v.at_least(v.age(answers, today), OURS.facet_from)
    )
    return any([answers.has("med-told", "arthritis"), pattern])


@consideration(
    "F-08",
    Severity.MODERATE,
    _("Muscle strain or ligament sprain"),
    look=_("Palpation, movement, resisted tests"),
    services=("pt-eval", "heat-cold-coaching"),
    sources=("S2", "S3", "S4"),
    evidence=("onset-how", "onset-duration", "leg-any", "leg-reach", "leg-feeling"),
    context=("onset-trigger", "body-main"),
)
def f_08(answers: Answers, today: dt.date) -> bool:
    return (
        answers.has("onset-how", *v.SUDDEN)
        and v.no_nerve_leg(answers)
        and v.under(v.days(answers), OURS.strain_under)
    )


@consideration(
    "F-09",
    Severity.MODERATE,
    _("Paraspinal muscle spasm"),
    look=_("Palpation, breathing and guarding"),
    services=("manual-therapy", "massage", "heat-cold-coaching"),
    sources=("S3", "S4"),
    evidence=("pain-type", "mob-tight", "onset-how"),
    context=("cramps",),
)
def f_09(answers: Answers, today: dt.date) -> bool:
    tight_and_sudden = answers.has("mob-tight", "low-back") and answers.has(
        "onset-how", "sudden-run"
    )
    return any([answers.has("pain-type", "spasm"), tight_and_sudden])


@consideration(
    "F-10",
    Severity.MODERATE,
    _("Hip-flexor tightness or deep low-back curve"),
    look=_("Thomas test, hip extension in gait video, pelvic control"),
    services=("corrective-exercise", "manual-therapy"),
    sources=("S1", "S4", "Ref15"),
    evidence=("mob-tight", "form-notes", "med-told", "sitting-hours", "onset-worse"),
)
def f_10(answers: Answers, today: dt.date) -> bool:
    sits_and_arches = v.at_least(
        answers.number("sitting-hours"), OURS.sitting_at_least
    ) and answers.has("onset-worse", "arch-back")
    return any(
        [
            answers.has("mob-tight", "hip-front"),
            answers.has("form-notes", "arch"),
            answers.has("med-told", "hyperlordosis"),
            sits_and_arches,
        ]
    )


@consideration(
    "F-11",
    Severity.MODERATE,
    _("Tight or weak hamstrings"),
    look=_("Straight-leg length, bridge test"),
    services=("corrective-exercise",),
    sources=("S1", "S3", "S4", "Ref15"),
    evidence=("mob-tight", "strength-hips"),
)
def f_11(answers: Answers, today: dt.date) -> bool:
    return any([answers.has("mob-tight", "hamstring"), answers.has("strength-hips", "d0")])


@consideration(
    "F-12",
    Severity.INFO,
    _("Stiff spine or restricted soft tissue"),
    look=_("Segment mobility"),
    services=("manual-therapy", "mind-body"),
    sources=("S3", "S4"),
    evidence=("pain-type", "mob-tight"),
)
def f_12(answers: Answers, today: dt.date) -> bool:
    return any([answers.has("pain-type", "stiff"), answers.has("mob-tight", "low-back")])


@consideration(
    "F-13",
    Severity.MODERATE,
    _("Sacroiliac or pelvic girdle"),
    look=_("Sacroiliac provocation cluster, active straight-leg raise"),
    services=("pt-eval", "pelvic-health"),
    sources=("S4",),
    evidence=("body-main", "onset-worse", "safety-pregnancy"),
)
def f_13(answers: Answers, today: dt.date) -> bool:
    return answers.has("body-main", "pelvis-left", "pelvis-right") and any(
        [
            answers.has("onset-worse", "one-leg", "turn-bed", "impact"),
            answers.has("safety-pregnancy", "pregnant", "postpartum"),
        ]
    )


@consideration(
    "F-14",
    Severity.MODERATE,
    _("Tailbone pain"),
    look=_("External palpation; internal exam only with separate consent and chaperone"),
    services=("tailbone-eval",),
    sources=("S4", "coccyx"),
    evidence=("body-main", "body-regions", "onset-worse"),
    context=("onset-trigger", "sitting-hours"),
)
def f_14(answers: Answers, today: dt.date) -> bool:
    marked_and_sitting = answers.has("body-regions", "tailbone") and answers.has(
        "onset-worse", "sitting", "sit-to-stand"
    )
    return any([answers.has("body-main", "tailbone"), marked_and_sitting])


@consideration(
    "F-15",
    Severity.MODERATE,
    _("Hip joint source"),
    look=_("Hip rotation, FADIR and FABER; femoral neck bone stress to exclude in runners"),
    services=("pt-eval", "sports-doc"),
    sources=("S4", "Ref35"),
    evidence=("body-regions",),
)
def f_15(answers: Answers, today: dt.date) -> bool:
    return answers.has("body-regions", "groin-left", "groin-right")


@consideration(
    "F-16",
    Severity.CRITICAL,
    _("Bone stress injury (sacrum, pelvis, lumbar)"),
    look=_(
        "No running. Gentle percussion or hop only if the clinician judges it safe; MRI decision"
    ),
    services=("sports-doc",),
    sources=("S2", "Ref35", "Ref34"),
    evidence=(*v.BONE_EVIDENCE,),
)
def f_16(answers: Answers, today: dt.date) -> bool:
    return v.bone_suspect(answers, today)


@consideration(
    "F-17",
    Severity.HIGH,
    _("Low energy availability (REDs)"),
    look=_("Screening by a qualified clinician (CAT2)"),
    services=("sports-doc", "nutrition"),
    sources=("Ref35",),
    evidence=(
        "food-enough",
        "periods",
        "about-height",
        "about-weight",
        "safety-bone",
        "load-recovered",
        "safety-cancer",
        "about-birth-date",
    ),
)
def f_17(answers: Answers, today: dt.date) -> bool:
    return v.energy_signs(answers, today) >= OURS.energy_signs_at_least


@consideration(
    "F-18",
    Severity.HIGH,
    _("Inflammatory back pain"),
    look=_("Consider rheumatology referral; do not rule out on one sign"),
    services=("sports-doc",),
    sources=("Ref13", "Ref14"),
    evidence=(
        "onset-duration",
        "onset-first-age",
        "onset-how",
        "onset-better",
        "pain-night",
        "body-regions",
        "tx-medicine-effect",
        "med-family",
        "med-told",
    ),
)
def f_18(answers: Answers, today: dt.date) -> bool:
    early_with_features = (
        v.under(answers.number("onset-first-age"), 45) and v.spondyloarthritis_signs(answers) >= 4
    )
    return v.at_least(v.days(answers), 91) and any(
        [v.inflammatory_signs(answers) >= 4, early_with_features]
    )
