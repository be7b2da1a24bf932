"""Where the clinical rules come from, by the short key that each rule carries."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

SOURCES = {
    "S0": _(
        "Source article on running and low back pain: causes, prevention, treatment, questions"
    ),
    "S1": _("Source article on running and low back pain: what causes it, how to treat it"),
    "S2": _("Source article on running and low back pain: understanding it, serious causes, care"),
    "S3": _("Source article on running and low back pain: gait, exercise, hands-on care, fluids"),
    "S4": _(
        "Source article on running and low back pain: why it hurts, how to strengthen, tailbone"
    ),
    "Ref1": _("GIRFT pathway for suspected cauda equina syndrome, primary and community care"),
    "Ref2": _("BMJ Best Practice, cauda equina syndrome, diagnosis approach"),
    "Ref3": _("One-year MRI series of 334 referrals for suspected cauda equina syndrome"),
    "Ref4": _("Finucane 2020, IFOMPT framework for spinal red flags, doi 10.2519/jospt.2020.9971"),
    "Ref5": _("NHS public advice on back pain (secondary reports)"),
    "Ref6": _("AHCPR red-flag table; Verhagen 2016, doi 10.1007/s00586-016-4684-0"),
    "Ref7": _("NICE CG75, replaced by NG234, metastatic spinal cord compression"),
    "Ref8": _("Reviews of vertebral osteomyelitis"),
    "Ref9": _("Summaries on radiculopathy with weakness (weak source)"),
    "Ref10": _("Patient and hospital pages on abdominal aortic aneurysm"),
    "Ref11": _("Leaflets on preterm labour and exercise in pregnancy"),
    "Ref12": _("Pages on adolescent spondylolysis"),
    "Ref13": _("ASAS criteria for inflammatory back pain, Ann Rheum Dis 2009;68:784"),
    "Ref14": _("NICE NG65, spondyloarthritis, recognition and referral"),
    "Ref15": _("Maselli 2020, low back pain in runners, BMC Musculoskelet Disord 21:343"),
    "Ref16": _("Frandsen 2025, single-run spikes and injury, doi 10.1136/bjsports-2024-109380"),
    "Ref17": _("Buist 2008, GRONORUN trial, PMID 17940147"),
    "Ref18": _("Ramskov 2018, Run Clever trial"),
    "Ref19": _("Anderson 2022, running cadence, doi 10.1186/s40798-022-00504-0"),
    "Ref33": _("Raabe and Chaudhari 2018, deep core weakness in a running model"),
    "Ref34": _("Review of sacral fatigue fractures, PMC4461718"),
    "Ref35": _("IOC consensus on REDs, clinical assessment tool 2, BJSM 57:17"),
    "Ref36": _("NICE NG59, low back pain and sciatica"),
    "Ref37": _("WHO 2023 guideline on chronic primary low back pain"),
    "Ref38": _("APTA 2021 low back pain guideline, doi 10.2519/jospt.2021.0304"),
    "Ref39": _("Vincent and Vincent 2017, running with pain, Curr Sports Med Rep 16:122"),
    "Ref40": _("New Zealand acute low back pain guide, yellow flags"),
    "Ref41": _("FDA 2021 consumer page on regenerative products"),
    "label": _("Labels of over-the-counter medicines"),
    "stenosis": _("Reviews of lumbar stenosis, vascular against neurogenic claudication"),
    "coccyx": _("Reviews of tailbone pain"),
    "convention": _("Clinical convention; a clinician has to confirm it"),
    "ours": _("The project's own choice; a clinician has to confirm it"),
}
