"""What may be behind the pain: patterns worth considering, never a diagnosis."""

from django.utils.translation import gettext_lazy as _

from intake.rules import variables as v
from intake.rules.conditions import Count, has, number
from intake.rules.findings.finding import Severity, consideration
from intake.rules.patterns import (
    AGE,
    BONE_STRESS,
    CLAUDICATION,
    DURATION,
    ENERGY_SIGNS,
    INFLAMMATORY_SIGNS,
    NERVE_LEG,
    NO_NERVE_LEG,
    SPONDYLOARTHRITIS_SIGNS,
)
from intake.rules.tags import Tag
from intake.rules.thresholds import OURS

FINDINGS = (
    consideration(
        "F-01",
        Severity.HIGH,
        _("Nerve-root irritation (sciatica pattern)"),
        when=NERVE_LEG,
        look=_(
            "Neuro screen (power, reflexes, touch), straight-leg raise, slump; "
            "doctor if there is a deficit"
        ),
        services=(Tag.USUAL_FIRST_VISIT, Tag.DOCTOR),
        sources=("S1", "S2", "S4", "Ref36"),
        context=("leg-side", "leg-pain", "body-regions"),
    ),
    consideration(
        "F-02",
        Severity.MODERATE,
        _("Disc-related pain"),
        when=Count(
            "aggravating movements",
            tuple(
                has("onset-worse", code) for code in ("bend-forward", "sitting", "cough", "lifting")
            ),
        ).at_least(OURS.disc_signs_at_least)
        | has("med-told", "disc"),
        look=_("Repeated movements, slump, neuro screen"),
        services=(Tag.USUAL_FIRST_VISIT, Tag.EXERCISE),
        sources=("S0", "S1", "S2", "S4"),
        context=("med-imaging",),
    ),
    consideration(
        "F-03",
        Severity.HIGH,
        _("Spinal stenosis pattern"),
        when=(CLAUDICATION & AGE.at_least(OURS.stenosis_from)) | has("med-told", "stenosis"),
        look=_("Walk test with sitting relief, pulses (rule out a blood-flow cause), neuro screen"),
        services=(Tag.USUAL_FIRST_VISIT, Tag.DOCTOR),
        sources=("S1", "S2", "stenosis"),
    ),
    consideration(
        "F-04",
        Severity.HIGH,
        _("Leg artery cause to exclude"),
        when=has("leg-walk", "worse-stop-helps")
        & (
            has("med-smoke", "yes", "former")
            | has("med-told", "diabetes")
            | AGE.at_least(OURS.artery_from)
        ),
        look=_("Pulses, ankle-brachial index"),
        services=(Tag.DOCTOR,),
        sources=("stenosis",),
    ),
    consideration(
        "F-05",
        Severity.HIGH,
        _("Spondylolisthesis or pars stress"),
        when=has("med-told", "spondy")
        | (
            has("onset-worse", "arch-back")
            & has("onset-worse", "impact")
            & AGE.under(OURS.pars_under)
        ),
        look=_(
            "Extension and single-leg extension tests, step palpation, hamstring length; "
            "imaging decision by a doctor"
        ),
        services=(Tag.USUAL_FIRST_VISIT, Tag.DOCTOR),
        sources=("S2", "Ref12"),
    ),
    consideration(
        "F-06",
        Severity.INFO,
        _("Disc wear"),
        when=has("med-told", "ddd")
        | (
            AGE.at_least(OURS.disc_wear_from)
            & has("onset-worse", "impact")
            & has("pain-stiff-morning", "lt-30")
        ),
        look=_("Movement exam; explain that age change is common"),
        services=(Tag.USUAL_FIRST_VISIT, Tag.LOAD),
        sources=("S2", "S4"),
    ),
    consideration(
        "F-07",
        Severity.MODERATE,
        _("Joint (facet) or arthritis pattern"),
        when=has("med-told", "arthritis")
        | (
            has("onset-worse", "arch-back", "standing", "downhill")
            & AGE.at_least(OURS.facet_from)
            & NO_NERVE_LEG
        ),
        look=_("Extension-rotation test, hip screen"),
        services=(Tag.USUAL_FIRST_VISIT, Tag.MANUAL_THERAPY),
        sources=("S4",),
    ),
    consideration(
        "F-08",
        Severity.MODERATE,
        _("Muscle strain or ligament sprain"),
        when=has("onset-how", *v.SUDDEN) & DURATION.under(OURS.strain_under) & NO_NERVE_LEG,
        look=_("Palpation, movement, resisted tests"),
        services=(Tag.USUAL_FIRST_VISIT, Tag.SELF_CARE),
        sources=("S2", "S3", "S4"),
        context=("onset-trigger", "body-main"),
    ),
    consideration(
        "F-09",
        Severity.MODERATE,
        _("Paraspinal muscle spasm"),
        when=has("pain-type", "spasm")
        | (has("mob-tight", "low-back") & has("onset-how", "sudden-run")),
        look=_("Palpation, breathing and guarding"),
        services=(Tag.MANUAL_THERAPY, Tag.MASSAGE, Tag.SELF_CARE),
        sources=("S3", "S4"),
        context=("cramps",),
    ),
    consideration(
        "F-10",
        Severity.MODERATE,
        _("Hip-flexor tightness or deep low-back curve"),
        when=has("mob-tight", "hip-front")
        | has("form-notes", "arch")
        | has("med-told", "hyperlordosis")
        | (
            number("sitting-hours").at_least(OURS.sitting_at_least)
            & has("onset-worse", "arch-back")
        ),
        look=_("Thomas test, hip extension in gait video, pelvic control"),
        services=(Tag.EXERCISE, Tag.MANUAL_THERAPY),
        sources=("S1", "S4", "Ref15"),
    ),
    consideration(
        "F-11",
        Severity.MODERATE,
        _("Tight or weak hamstrings"),
        when=has("mob-tight", "hamstring") | has("strength-hips", "d0"),
        look=_("Straight-leg length, bridge test"),
        services=(Tag.EXERCISE,),
        sources=("S1", "S3", "S4", "Ref15"),
    ),
    consideration(
        "F-12",
        Severity.INFO,
        _("Stiff spine or restricted soft tissue"),
        when=has("pain-type", "stiff") | has("mob-tight", "low-back"),
        look=_("Segment mobility"),
        services=(Tag.MANUAL_THERAPY, Tag.GROUP),
        sources=("S3", "S4"),
    ),
    consideration(
        "F-13",
        Severity.MODERATE,
        _("Sacroiliac or pelvic girdle"),
        when=has("body-main", "pelvis-left", "pelvis-right")
        & (
            has("onset-worse", "one-leg", "turn-bed", "impact")
            | has("safety-pregnancy", "pregnant", "postpartum")
        ),
        look=_("Sacroiliac provocation cluster, active straight-leg raise"),
        services=(Tag.USUAL_FIRST_VISIT, Tag.PELVIC_HEALTH),
        sources=("S4",),
    ),
    consideration(
        "F-14",
        Severity.MODERATE,
        _("Tailbone pain"),
        when=has("body-main", "tailbone")
        | (has("body-regions", "tailbone") & has("onset-worse", "sitting", "sit-to-stand")),
        look=_("External palpation; internal exam only with separate consent and chaperone"),
        services=(Tag.TAILBONE,),
        sources=("S4", "coccyx"),
        context=("onset-trigger", "sitting-hours"),
    ),
    consideration(
        "F-15",
        Severity.MODERATE,
        _("Hip joint source"),
        when=has("body-regions", "groin-left", "groin-right"),
        look=_("Hip rotation, FADIR and FABER; femoral neck bone stress to exclude in runners"),
        services=(Tag.USUAL_FIRST_VISIT, Tag.DOCTOR),
        sources=("S4", "Ref35"),
    ),
    consideration(
        "F-16",
        Severity.CRITICAL,
        _("Bone stress injury (sacrum, pelvis, lumbar)"),
        when=BONE_STRESS,
        look=_(
            "No running. Gentle percussion or hop only if the clinician judges it safe; "
            "MRI decision"
        ),
        services=(Tag.DOCTOR,),
        sources=("S2", "Ref35", "Ref34"),
    ),
    consideration(
        "F-17",
        Severity.HIGH,
        _("Low energy availability (REDs)"),
        when=ENERGY_SIGNS.at_least(OURS.energy_signs_at_least),
        look=_("Screening by a qualified clinician (CAT2)"),
        services=(Tag.DOCTOR, Tag.NUTRITION),
        sources=("Ref35",),
    ),
    consideration(
        "F-18",
        Severity.HIGH,
        _("Inflammatory back pain"),
        when=DURATION.at_least(91)
        & (
            INFLAMMATORY_SIGNS.at_least(4)
            | (number("onset-first-age").under(45) & SPONDYLOARTHRITIS_SIGNS.at_least(4))
        ),
        look=_("Consider rheumatology referral; do not rule out on one sign"),
        services=(Tag.DOCTOR,),
        sources=("Ref13", "Ref14"),
    ),
)
