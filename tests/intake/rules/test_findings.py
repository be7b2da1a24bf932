import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given

from intake.answers import Answers
from intake.rules import findings, triage, variables
from intake.rules.conditions import Choice
from intake.rules.findings import Kind, Severity
from intake.rules.sources import SOURCES
from intake.summary import evidence
from tests.factories import SHIPPED_TAGS
from tests.intake.people import BONE, ENERGY, INFLAMMATORY, TODAY, born, each, intakes, parts_of

QUESTIONNAIRES = Path(findings.__file__).parents[2] / "questionnaires"

LEG = {"leg_any": True, "leg_reach": "foot"}
NO_LEG = {"leg_any": False}
WALK = LEG | {"leg_walk": "worse-sit-helps", "about_birth_date": born(50)}
YOUNG = {"about_birth_date": born(24), "onset_worse": ["arch-back", "impact"]}
WORN = {"about_birth_date": born(50), "onset_worse": ["impact"], "pain_stiff_morning": "lt-30"}
FACET = {"about_birth_date": born(40), "onset_worse": ["standing"], **NO_LEG}
STRAIN = {"onset_how": "sudden-run", "onset_duration": "w2-6", **NO_LEG}
IMPACT = {item.replace("-", "_"): 3 for item in variables.IMPACT_ITEMS}
RACE = {"goal_main": "event", "goal_event_date": TODAY + dt.timedelta(days=42)}
SPONDYLO = {
    "onset_duration": "m3-12",
    "onset_first_age": 34,
    "onset_better": ["moving", "rest"],
    "med_family": True,
    "tx_medicine_effect": "big",
}

HOLDS = [
    ("F-01", LEG),
    ("F-02", {"onset_worse": ["bend-forward", "sitting"]}),
    ("F-02", {"onset_worse": ["cough", "lifting"]}),
    ("F-02", {"med_told": ["disc"]}),
    *each("F-03", "onset_better", ["sitting", "bend-forward"], **WALK),
    *each("F-03", "onset_worse", ["standing", "arch-back"], **WALK),
    ("F-03", {"med_told": ["stenosis"]}),
    *each("F-04", "med_smoke", ["yes", "former"], leg_walk="worse-stop-helps"),
    ("F-04", {"leg_walk": "worse-stop-helps", "med_told": ["diabetes"]}),
    ("F-04", {"leg_walk": "worse-stop-helps", "about_birth_date": born(50)}),
    ("F-05", {"med_told": ["spondy"]}),
    ("F-05", YOUNG),
    ("F-06", {"med_told": ["ddd"]}),
    ("F-06", WORN),
    ("F-07", {"med_told": ["arthritis"]}),
    *each(
        "F-07",
        "onset_worse",
        ["arch-back", "standing", "downhill"],
        about_birth_date=born(40),
        leg_any=False,
    ),
    ("F-07", FACET | {"leg_any": True, "leg_reach": "thigh", "leg_feeling": ["pain"]}),
    ("F-08", STRAIN),
    ("F-08", STRAIN | {"onset_how": "sudden-other"}),
    ("F-09", {"pain_type": ["spasm"]}),
    ("F-09", {"mob_tight": ["low-back"], "onset_how": "sudden-run"}),
    ("F-10", {"mob_tight": ["hip-front"]}),
    ("F-10", {"form_notes": ["arch"]}),
    ("F-10", {"med_told": ["hyperlordosis"]}),
    ("F-10", {"sitting_hours": 6, "onset_worse": ["arch-back"]}),
    ("F-11", {"mob_tight": ["hamstring"]}),
    ("F-11", {"strength_hips": "d0"}),
    ("F-12", {"pain_type": ["stiff"]}),
    ("F-12", {"mob_tight": ["low-back"]}),
    *each("F-13", "onset_worse", ["one-leg", "turn-bed", "impact"], body_main="pelvis-left"),
    *each("F-13", "safety_pregnancy", ["pregnant", "postpartum"], body_main="pelvis-right"),
    ("F-14", {"body_main": "tailbone"}),
    *each("F-14", "onset_worse", ["sitting", "sit-to-stand"], body_regions=["tailbone"]),
    *each("F-15", "body_regions", ["groin-left", "groin-right"]),
    ("F-16", BONE),
    ("F-17", ENERGY),
    ("F-18", INFLAMMATORY),
    ("F-18", SPONDYLO),
    ("F-18", SPONDYLO | {"onset_first_age": 44, "med_told": ["joint-heel"]}),
    ("F-18", SPONDYLO | {"med_family": None, "med_told": ["psoriasis-ibd"]}),
    ("F-18", SPONDYLO | {"med_family": None, "med_told": ["axspa"]}),
    ("F-18", SPONDYLO | {"med_family": None, "pain_night": "second-half"}),
    ("F-18", SPONDYLO | {"med_family": None, "body_regions": ["buttock-left"]}),
    ("F-19", {"onset_settle": "ge-24h"}),
    ("F-19", {"onset_when": ["rest"], "pain_run": 6}),
    ("F-20", {"load_onset_run": 11.1, "load_long_30": 10}),
    ("F-21", {"load_week_before": 13, "load_usual": 10}),
    ("F-21", {"load_felt": "more"}),
    *each("F-22", "load_changes", ["distance", "speed", "hills", "days", "surface", "shoes"]),
    *each("F-23", "load_recovered", ["sometimes", "rarely"], load_rest_days=1),
    ("F-23", {"load_rest_days": 0, "load_recovered": "rarely"}),
    ("F-24", {"run_experience": "lt-6m"}),
    ("F-24", {"run_break": "yes"}),
    ("F-25", {"onset_push": "often"}),
    ("F-25", {"onset_push": "sometimes", "onset_trend": "worse"}),
    *each("F-26", "shoe_distance", ["300-500", "gt-500"]),
    ("F-26", {"shoe_distance": "unsure", "shoe_age": "gt-12m"}),
    ("F-26", {"shoe_feel": ["worn"]}),
    *each("F-27", "shoe_feel", ["tight-loose", "no-cushion", "no-support"]),
    *each("F-27", "foot_type", ["flat", "high"], shoe_fitted="no"),
    *each("F-28", "surface_main", ["concrete", "asphalt"]),
    *each("F-29", "form_notes", ["lean", "slouch"]),
    ("F-30", {"form_notes": ["long-steps"]}),
    ("F-30", {"form_cadence": 159}),
    *each("F-31", "form_notes", ["uneven", "heavy", "arms"]),
    ("F-31", {"med_told": ["asymmetry"]}),
    ("F-32", {"strength_core": "d0"}),
    ("F-32", {"strength_plank": "no"}),
    ("F-33", {"strength_hips": "d0"}),
    *each("F-34", "warmup", ["never", "sometimes"]),
    ("F-35", {"cooldown": ["none"]}),
    ("F-36", {"hydration": "no"}),
    ("F-36", {"hydration": "sometimes", "cramps": True}),
    ("F-37", {"sleep_hours": 6.5}),
    ("F-37", {"impact_sleep": 7}),
    ("F-38", {"sitting_hours": 6}),
    *each("F-39", "food_days", ["processed", "sweets"]),
    ("F-40", {"about_height": 200, "about_weight": 100, "about_birth_date": born(30)}),
    *each("F-41", "onset_before", ["few", "many"]),
    ("F-42", {"mind_harm": 7, "mind_mood": 7}),
    ("F-42", {"mind_hope": 3, "impact_sleep": 7}),
    ("F-42", {"work_days": 3, "onset_duration": "m3-12"}),
    *each("F-43", "tx_want", ["hands-on", "adjust", "massage"]),
    *each("F-44", "med_nsaid_caution", ["ulcer", "kidney", "heart", "asthma", "allergy"]),
    ("F-44", {"safety_bone": ["blood-thinner"]}),
    *each("F-44", "safety_pregnancy", ["pregnant", "maybe"]),
    ("F-44", {"about_birth_date": born(65)}),
    ("F-45", {"tx_medicine_days": 8}),
    *each("F-46", "safety_bone", ["osteoporosis", "steroids", "blood-thinner", "aneurysm"]),
    *each("F-46", "med_told", ["spondy", "axspa"]),
    *each("F-46", "safety_leg_power", ["same", "worse", "foot-drop"]),
    *each("F-46", "safety_pregnancy", ["pregnant", "maybe"]),
    ("F-46", {"tx_avoid": ["thrust"]}),
    ("F-46", BONE),
    ("F-46", {"about_birth_date": born(17)}),
    *each("F-47", "tx_avoid", ["thrust", "needles", "deep", "internal", "chaperone"]),
    *each(
        "F-48",
        "tx_tried",
        ["rest", "ice", "heat", "medicine", "stretching"],
        tx_helped=["none"],
    ),
    *each("F-48", "onset_trend", ["same", "worse"], tx_tried=["ice"]),
    ("F-49", {"tx_want": ["regenerative"]}),
    ("F-49", {"tx_tried": ["prp-cell"]}),
    ("F-50", IMPACT),
    ("F-51", {"about_birth_date": born(17)}),
    *each("F-52", "safety_pregnancy", ["pregnant", "maybe", "postpartum"]),
    ("F-53", RACE),
    ("F-53", RACE | {"goal_event_date": TODAY}),
    ("F-54", {"med_smoke": "yes"}),
    ("F-55", {"med_surgery": True}),
    *each("F-56", "run_status", ["reduced", "stopped"]),
    ("F-56", {"run_missed": 3}),
    *[
        ("F-57", {"form_checked": checked, "onset_when": [when]})
        for checked in ("never", "old")
        for when in ("run-start", "run-builds")
    ],
    ("F-57", {"form_checked": "never", "onset_worse": ["impact"]}),
]

DOES_NOT_HOLD = [
    ("F-01", NO_LEG),
    ("F-02", {"onset_worse": ["bend-forward", "walking"]}),
    ("F-03", WALK | {"onset_better": ["moving"]}),
    ("F-03", WALK | {"about_birth_date": born(49), "onset_better": ["sitting"]}),
    ("F-04", {"leg_walk": "worse-stop-helps", "about_birth_date": born(49), "med_smoke": "no"}),
    ("F-04", {"leg_walk": "worse-sit-helps", "med_smoke": "yes"}),
    ("F-05", YOUNG | {"about_birth_date": born(25)}),
    ("F-05", YOUNG | {"onset_worse": ["arch-back"]}),
    ("F-06", WORN | {"about_birth_date": born(49)}),
    ("F-06", WORN | {"pain_stiff_morning": "ge-30"}),
    ("F-07", FACET | {"about_birth_date": born(39)}),
    ("F-07", FACET | LEG),
    ("F-07", FACET | {"leg_any": None}),
    ("F-08", STRAIN | {"onset_duration": "w6-12"}),
    ("F-08", STRAIN | {"onset_how": "gradual"}),
    ("F-08", STRAIN | LEG),
    ("F-08", STRAIN | {"leg_any": None}),
    ("F-09", {"mob_tight": ["low-back"], "onset_how": "sudden-other"}),
    ("F-10", {"sitting_hours": 5.5, "onset_worse": ["arch-back"]}),
    ("F-10", {"sitting_hours": 9, "onset_worse": ["sitting"]}),
    ("F-11", {"mob_tight": ["calf"], "strength_hips": "d1"}),
    ("F-12", {"pain_type": ["ache"], "mob_tight": ["glute"]}),
    ("F-13", {"body_main": "sacrum", "onset_worse": ["one-leg"]}),
    ("F-13", {"body_main": "pelvis-left", "safety_pregnancy": "maybe"}),
    ("F-14", {"body_regions": ["tailbone"], "onset_worse": ["walking"]}),
    ("F-15", {"body_regions": ["hip-left"]}),
    ("F-16", BONE | {"body_main": "thigh-back-left"}),
    ("F-17", {"food_enough": "skip"}),
    ("F-18", INFLAMMATORY | {"onset_duration": "w6-12"}),
    ("F-18", SPONDYLO | {"onset_first_age": 45, "med_told": ["joint-heel", "axspa"]}),
    ("F-18", SPONDYLO | {"med_family": False}),
    ("F-19", {"onset_when": ["rest"], "pain_run": 5, "onset_settle": "lt-24h"}),
    ("F-20", {"load_onset_run": 11, "load_long_30": 10}),
    ("F-20", {"load_onset_run": 11, "load_long_30": 0}),
    ("F-21", {"load_week_before": 12.9, "load_usual": 10}),
    ("F-22", {"load_changes": ["strength"]}),
    ("F-23", {"load_rest_days": 2, "load_recovered": "rarely"}),
    ("F-23", {"load_rest_days": 1, "load_recovered": "mostly"}),
    ("F-24", {"run_experience": "m6-24", "run_break": "no"}),
    ("F-25", {"onset_push": "sometimes", "onset_trend": "same"}),
    ("F-26", {"shoe_distance": "lt-300", "shoe_age": "gt-12m"}),
    ("F-26", {"shoe_distance": "unsure", "shoe_age": "m6-12"}),
    ("F-27", {"shoe_fitted": "no", "foot_type": "regular"}),
    ("F-27", {"shoe_fitted": "yes", "foot_type": "flat"}),
    ("F-28", {"surface_main": "mix"}),
    ("F-29", {"form_notes": ["heavy"]}),
    ("F-30", {"form_cadence": 160}),
    ("F-30", {"form_cadence": 0}),
    ("F-31", {"form_notes": ["lean"]}),
    ("F-32", {"strength_core": "d1", "strength_plank": "unsure"}),
    ("F-33", {"strength_hips": "d1"}),
    ("F-34", {"warmup": "always"}),
    ("F-35", {"cooldown": ["stretch"]}),
    ("F-36", {"hydration": "sometimes", "cramps": False}),
    ("F-36", {"hydration": "yes", "cramps": True}),
    ("F-37", {"sleep_hours": 7, "impact_sleep": 6}),
    ("F-38", {"sitting_hours": 5.5}),
    *[("F-39", {"food_days": ["processed", code]}) for code in ("omega", "greens", "fruit")],
    ("F-40", {"about_height": 200, "about_weight": 99, "about_birth_date": born(30)}),
    ("F-41", {"onset_before": "first"}),
    ("F-42", {"mind_harm": 7, "mind_mood": 6, "mind_hope": 4, "impact_sleep": 6, "work_days": 2}),
    *[
        ("F-43", {"tx_want": ["massage", code]})
        for code in ("cause", "exercise", "form", "return-plan", "lifestyle")
    ],
    ("F-44", {"med_nsaid_caution": ["none"], "about_birth_date": born(64)}),
    ("F-44", {"safety_pregnancy": "postpartum"}),
    ("F-45", {"tx_medicine_days": 7}),
    ("F-46", {"safety_leg_power": "unsure", "about_birth_date": born(18)}),
    ("F-46", {"safety_bone": ["past-stress-fracture"], "med_told": ["disc"]}),
    ("F-47", {"tx_avoid": ["none"]}),
    ("F-48", {"tx_tried": ["ice"], "tx_helped": ["ice"], "onset_trend": "better"}),
    ("F-48", {"tx_tried": ["pt"], "tx_helped": ["none"]}),
    ("F-49", {"tx_want": ["cause"]}),
    ("F-50", IMPACT | {"impact_run": 2}),
    ("F-51", {"about_birth_date": born(18)}),
    ("F-52", {"safety_pregnancy": "prefer-not"}),
    ("F-53", RACE | {"goal_event_date": TODAY + dt.timedelta(days=43)}),
    ("F-53", RACE | {"goal_event_date": TODAY - dt.timedelta(days=1)}),
    ("F-53", {"goal_main": "event"}),
    ("F-54", {"med_smoke": "former"}),
    ("F-55", {"med_surgery": False}),
    ("F-56", {"run_status": "full-pain", "run_missed": 2}),
    ("F-57", {"form_checked": "recent", "onset_worse": ["impact"]}),
    ("F-57", {"form_checked": "never", "onset_when": ["after"]}),
]


def holds(finding_id, answers):
    return findings.FINDINGS[finding_id].applies(Answers.of(**answers), TODAY)


@pytest.mark.parametrize(("finding_id", "answers"), HOLDS)
def test_the_finding_holds(finding_id, answers):
    assert holds(finding_id, answers)


@pytest.mark.parametrize(("finding_id", "answers"), DOES_NOT_HOLD)
def test_the_finding_does_not_hold(finding_id, answers):
    assert not holds(finding_id, answers)


def test_every_finding_is_tested_both_ways():
    assert {finding_id for finding_id, _ in HOLDS} == set(findings.FINDINGS)
    assert {finding_id for finding_id, _ in DOES_NOT_HOLD} == set(findings.FINDINGS)


def test_findings_are_numbered_without_a_gap():
    count = len(findings.FINDINGS)
    assert set(findings.FINDINGS) == {f"F-{number:02}" for number in range(1, count + 1)}


def test_nothing_answered_finds_nothing():
    assert findings.evaluate(Answers.of(), today=TODAY) == ()


# Worked cases of the clinical specification that name a finding.
@pytest.mark.parametrize(
    ("case", "answers", "expected"),
    [
        (14, BONE, {"F-16"}),
        (
            17,
            {
                "about_birth_date": born(16),
                "onset_duration": "w2-6",
                "onset_worse": ["arch-back", "impact"],
            },
            {"F-05", "F-51"},
        ),
        (18, INFLAMMATORY, {"F-18"}),
        (21, {"load_onset_run": 16, "load_long_30": 12}, {"F-20"}),
    ],
)
def test_worked_case(case, answers, expected):
    found = {finding.id for finding in findings.evaluate(Answers.of(**answers), today=TODAY)}
    assert expected <= found


def test_the_most_severe_findings_come_first_then_by_id():
    answers = Answers.of(**BONE, strength_core="d0", med_smoke="yes", pain_type=["spasm"])
    found = findings.evaluate(answers, today=TODAY)
    assert [finding.id for finding in found] == ["F-16", "F-46", "F-09", "F-32", "F-54"]


def test_only_a_bone_stress_injury_is_critical():
    critical = [f.id for f in findings.FINDINGS.values() if f.severity == Severity.CRITICAL]
    assert critical == ["F-16"]


def test_findings_have_known_sources_services_and_a_kind():
    for finding in findings.FINDINGS.values():
        assert finding.sources
        assert set(finding.sources) <= set(SOURCES)
        for tag in finding.services:
            assert sum(tag in tags for tags in SHIPPED_TAGS.values()) == 1, tag
        assert finding.evidence
    considered = [f.id for f in findings.FINDINGS.values() if f.kind == Kind.CONSIDERATION]
    assert considered == [f"F-{number:02}" for number in range(1, 19)]


def test_no_heading_names_a_diagnosis_or_a_fault():
    forbidden = ("diagnosis", "you have", "bad form", "poor posture", "degenerat", "cleared")
    for finding in findings.FINDINGS.values():
        words = f"{finding.heading} {finding.look}".lower()
        assert not any(word in words for word in forbidden), finding.id


@given(intakes())
def test_every_finding_that_holds_shows_evidence(answers):
    for finding in findings.evaluate(Answers(answers), today=TODAY):
        assert evidence.behind(finding, Answers(answers), today=TODAY), finding.id


@pytest.mark.parametrize(("finding_id", "answers"), HOLDS)
def test_the_listed_evidence_alone_makes_the_finding_hold(finding_id, answers):
    finding = findings.FINDINGS[finding_id]
    given_answers = Answers.of(**answers)
    listed = Answers({link_id: given_answers.values(link_id) for link_id in finding.evidence})
    assert finding.applies(listed, TODAY)


@pytest.mark.parametrize(
    ("finding_id", "answers", "shown"),
    [
        (
            "F-02",
            {"onset_worse": ["sitting", "walking", "cough"], "med_told": ["diabetes"]},
            (("onset-worse", ("sitting", "cough")),),
        ),
        (
            "F-37",
            {"sleep_hours": 6.5, "impact_sleep": 4},
            (("sleep-hours", (6.5,)),),
        ),
        (
            "F-46",
            {"tx_avoid": ["thrust", "needles"], "about_birth_date": born(40), "periods": "regular"},
            (("tx-avoid", ("thrust",)),),
        ),
        (
            "F-56",
            {"run_status": "reduced", "run_missed": 1, "load_now": 12},
            (("run-status", ("reduced",)), ("load-now", (12,))),
        ),
    ],
)
def test_only_the_answers_that_make_the_finding_hold_are_evidence(finding_id, answers, shown):
    finding = findings.FINDINGS[finding_id]
    assert evidence.behind(finding, Answers.of(**answers), today=TODAY) == shown


def options(item):
    yield item
    for child in item.get("item", ()):
        yield from options(child)


def questionnaire():
    """linkId to the set of its option codes, None for questions without options."""
    content = json.loads((QUESTIONNAIRES / "running-lbp-intake-1.0.0.json").read_text())
    known = {}
    for top in content["item"]:
        for item in options(top):
            codes = {option["valueCoding"]["code"] for option in item.get("answerOption", ())}
            known[item["linkId"]] = codes or None
    return known


RULES_AND_FINDINGS = [*triage.RULES.values(), *findings.FINDINGS.values()]


@pytest.mark.parametrize("rule", RULES_AND_FINDINGS, ids=lambda rule: rule.id)
def test_rules_refer_only_to_questions_and_options_that_exist(rule):
    known = questionnaire()
    assert set(rule.evidence) | set(rule.context) <= set(known)
    for part in parts_of(rule.when):
        if isinstance(part, Choice):
            assert set(part.codes) <= (known[part.link_id] or {True, False}), part


def test_ids_are_given_once():
    rules = (triage.emergency, triage.urgent, triage.soon, triage.routine)
    kinds = (findings.considerations, findings.load, findings.habits, findings.cautions)
    defined = [one.id for module in rules for one in module.RULES]
    defined += [one.id for module in kinds for one in module.FINDINGS]
    assert len(defined) == len(set(defined)) == len(RULES_AND_FINDINGS)


def test_the_lists_of_codes_are_the_questionnaires():
    known = questionnaire()
    assert set(variables.DURATION_DAYS) == known["onset-duration"]
    assert set(variables.BONE_PLACES) <= known["body-main"]
    assert set(variables.CAUDA_EQUINA_SIGNS) <= known["safety-nerve"]
