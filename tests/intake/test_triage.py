import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake import evidence, triage, variables
from intake.answers import Answers
from intake.findings import FINDINGS
from intake.levels import Level
from intake.sources import SOURCES
from intake.thresholds import OURS

TODAY = dt.date(2026, 11, 22)


def born(years, *, days=0):
    """The birth date of somebody who turned `years` that many days ago; negative is ahead."""
    return dt.date(TODAY.year - years, TODAY.month, TODAY.day) - dt.timedelta(days=days)


def evaluate(**answers):
    return triage.evaluate(Answers.of(**answers), today=TODAY)


def holds(rule_id, answers):
    return triage.RULES[rule_id].applies(Answers.of(**answers), TODAY)


BONE = {
    "body_main": "sacrum",
    "onset_worse": ["impact", "one-leg"],
    "onset_how": "gradual",
    "safety_bone": ["past-stress-fracture"],
}
INFLAMMATORY = {
    "onset_first_age": 28,
    "onset_duration": "gt-1y",
    "onset_how": "gradual",
    "onset_better": ["moving"],
    "pain_night": "second-half",
}
ENERGY = {"food_enough": "skip", "load_recovered": "rarely"}
TEEN = {
    "about_birth_date": born(16),
    "onset_duration": "w2-6",
    "onset_worse": ["arch-back"],
}
NERVE_SIGNS = ["saddle-numb", "bladder-hard", "bladder-leak", "bowel-loss", "both-legs"]


def each(rule_id, link_id, codes, **others):
    """One row for every code of a rule's list, so that none can be forgotten."""
    return [(rule_id, {link_id: [code], **others}) for code in codes]


HOLDS = [
    *each("T-E1", "safety_nerve", NERVE_SIGNS),
    ("T-E1", {"safety_nerve": ["unsure", "bowel-loss"]}),
    ("T-E2", {"body_numb": ["calf-left", "saddle"], "safety_nerve": ["none"]}),
    *each("T-E3", "safety_body", ["chest-pain", "faint", "tearing", "belly-pulse"]),
    ("T-E4", {"safety_bone": ["aneurysm"], "onset_duration": "lt-3d"}),
    ("T-E4", {"safety_bone": ["aneurysm"], "onset_duration": "w1-2"}),
    ("T-E4", {"safety_bone": ["aneurysm"], "pain_worst": 7}),
    ("T-E4", {"safety_bone": ["aneurysm"], "pain_worst": 8}),
    ("T-E4", {"safety_bone": ["aneurysm"], "onset_trend": "worse"}),
    ("T-E5", {"safety_injury": "major"}),
    *each(
        "T-E6", "safety_leg_power", ["same", "worse", "foot-drop"], safety_cancer=["cancer-history"]
    ),
    *each("T-E7", "safety_leg_power", ["worse", "foot-drop"], safety_illness=["fever"]),
    *each("T-E7", "leg_feeling", ["numbness", "weakness"], safety_illness=["fever"]),
    *each(
        "T-E8",
        "safety_pregnancy_signs",
        ["bleeding", "fluid", "waves", "less-movement", "headache-vision"],
    ),
    ("T-U1", {"safety_nerve": ["unsure"]}),
    ("T-U2", {"safety_nerve": ["sexual-change"]}),
    ("T-U2", {"safety_nerve": ["sexual-change", "unsure"]}),
    *each("T-U3", "safety_leg_power", ["worse", "foot-drop"]),
    ("T-U4", {"safety_illness": ["fever"]}),
    *each("T-U5", "safety_illness", ["recent-infection", "weak-immunity"], onset_trend="worse"),
    *each(
        "T-U5",
        "safety_cancer",
        ["night-constant", "tired-unwell"],
        safety_illness=["recent-infection"],
    ),
    ("T-U5", {"safety_illness": ["weak-immunity"], "pain_pattern": "constant-same"}),
    ("T-U6", {"safety_illness": ["urine"]}),
    ("T-U7", {"safety_illness": ["dark-urine"]}),
    *[
        ("T-U8", {"safety_cancer": ["cancer-history", code]})
        for code in ("weight-loss", "night-constant", "tired-unwell", "lump")
    ],
    ("T-U8", {"safety_cancer": ["cancer-history"], "onset_trend": "worse"}),
    ("T-U8", {"safety_cancer": ["cancer-history"], "onset_worse": ["cough"]}),
    *each("T-U8", "body_main", ["upper-back", "mid-back"], safety_cancer=["cancer-history"]),
    *each(
        "T-U8", "leg_feeling", ["pain", "numbness", "tingling"], safety_cancer=["cancer-history"]
    ),
    ("T-U9", {"safety_cancer": ["weight-loss", "night-constant"]}),
    ("T-U9", {"safety_cancer": ["weight-loss", "tired-unwell"]}),
    ("T-U10", {"safety_cancer": ["lump"]}),
    *each("T-U11", "safety_bone", ["osteoporosis", "steroids"], safety_injury="minor"),
    ("T-U11", {"safety_injury": "minor", "about_birth_date": born(65)}),
    ("T-U11", {"safety_injury": "minor", "about_birth_date": born(66)}),
    ("T-U12", {"safety_bone": ["aneurysm"]}),
    ("T-U13", {"safety_bone": ["blood-thinner"], "safety_injury": "minor"}),
    *each(
        "T-U13",
        "onset_how",
        ["sudden-run", "sudden-other"],
        safety_bone=["blood-thinner"],
        onset_duration="lt-3d",
    ),
    ("T-U14", {"safety_body": ["cant-walk"]}),
    ("T-U15", {"pain_now": 9, "pain_pattern": "constant-same"}),
    ("T-U15", {"pain_now": 10, "pain_pattern": "constant-same"}),
    ("T-U16", {"about_birth_date": born(17), "safety_cancer": ["night-constant"]}),
    ("T-U16", {"about_birth_date": born(18, days=-1), "safety_cancer": ["night-constant"]}),
    (
        "T-U17",
        BONE | {"onset_worse": ["walking"], "safety_bone": ["hop-pain", "osteoporosis"]},
    ),
    ("T-U18", {"leg_side": "both", "safety_nerve": ["none"], "onset_duration": "w1-2"}),
    ("T-U18", {"leg_side": "both", "safety_nerve": ["none"], "onset_trend": "worse"}),
    *each("T-S1", "leg_reach", ["below-knee", "foot"], leg_any=True),
    *each("T-S1", "leg_feeling", ["tingling", "numbness", "weakness"], leg_any=True),
    ("T-S2", {"leg_any": True, "leg_pain": 7}),
    ("T-S2", {"leg_any": True, "leg_pain": 8}),
    *each("T-S3", "safety_leg_power", ["same", "unsure"]),
    ("T-S4", BONE),
    ("T-S5", ENERGY),
    *each("T-S6", "onset_worse", ["arch-back", "impact"], **{k: TEEN[k] for k in list(TEEN)[:2]}),
    ("T-S6", TEEN | {"onset_duration": "gt-1y"}),
    ("T-S7", {"about_birth_date": born(11)}),
    ("T-S7", {"about_birth_date": born(12, days=-1)}),
    *each(
        "T-S8",
        "safety_cancer",
        ["cancer-history", "weight-loss", "night-constant", "tired-unwell"],
    ),
    *each("T-S9", "safety_illness", ["recent-infection", "weak-immunity"]),
    *each("T-S10", "body_main", ["upper-back", "mid-back"]),
    *[
        ("T-S11", {"safety_bone": [bone], "onset_how": how})
        for bone in ("osteoporosis", "steroids")
        for how in ("sudden-run", "sudden-other")
    ],
    ("T-S12", {"onset_trend": "worse", "onset_duration": "w1-2"}),
    ("T-S12", {"onset_trend": "worse", "onset_duration": "w2-6"}),
    ("T-S13", {"pain_worst": 8}),
    ("T-S13", {"pain_worst": 9}),
    ("T-S13", {item.replace("-", "_"): 6 for item in variables.IMPACT_ITEMS}),
    ("T-S13", {item.replace("-", "_"): 6 for item in variables.IMPACT_ITEMS[:5]}),
    ("T-S13", {"impact_sleep": 8}),
    ("T-S13", {"work_days": 3}),
    *[
        ("T-S14", {"onset_duration": duration, "tx_tried": ["rest"], "onset_trend": trend})
        for duration in ("w6-12", "m3-12", "gt-1y")
        for trend in ("same", "worse")
    ],
    ("T-S15", {"onset_worse": ["cough"], "leg_any": True, "leg_reach": "foot"}),
    ("T-R1", INFLAMMATORY),
    ("T-R1", INFLAMMATORY | {"onset_first_age": 40}),
    ("T-R1", INFLAMMATORY | {"onset_duration": "m3-12"}),
    *each("T-R2", "safety_pregnancy", ["pregnant", "maybe", "postpartum", "prefer-not"]),
    *each("T-R3", "onset_duration", ["w1-2", "w2-6", "w6-12", "m3-12", "gt-1y"]),
    ("T-R0", {}),
]

DOES_NOT_HOLD = [
    ("T-E1", {"safety_nerve": ["none"]}),
    ("T-E1", {"safety_nerve": ["unsure", "sexual-change"]}),
    ("T-E2", {"body_numb": ["none"]}),
    ("T-E2", {"body_numb": ["buttock-left"]}),
    ("T-E3", {"safety_body": ["none"]}),
    ("T-E3", {"safety_body": ["cant-walk"]}),
    ("T-E4", {"safety_bone": ["aneurysm"]}),
    ("T-E4", {"safety_bone": ["aneurysm"], "onset_duration": "w2-6", "pain_worst": 6}),
    ("T-E4", {"safety_bone": ["none"], "pain_worst": 10, "onset_trend": "worse"}),
    ("T-E5", {"safety_injury": "minor"}),
    ("T-E6", {"safety_cancer": ["cancer-history"], "safety_leg_power": "unsure"}),
    ("T-E6", {"safety_cancer": ["weight-loss"], "safety_leg_power": "worse"}),
    ("T-E7", {"safety_illness": ["fever"], "safety_leg_power": "same"}),
    ("T-E7", {"safety_illness": ["fever"], "leg_feeling": ["pain", "tingling"]}),
    ("T-E7", {"safety_illness": ["recent-infection"], "safety_leg_power": "worse"}),
    ("T-E8", {"safety_pregnancy_signs": ["none"]}),
    ("T-U1", {"safety_nerve": ["none"]}),
    *[("T-U2", {"safety_nerve": ["sexual-change", code]}) for code in NERVE_SIGNS],
    ("T-U3", {"safety_leg_power": "same"}),
    ("T-U3", {"safety_leg_power": "unsure"}),
    ("T-U4", {"safety_illness": ["none"]}),
    ("T-U5", {"safety_illness": ["recent-infection"], "onset_trend": "same"}),
    ("T-U5", {"safety_illness": ["recent-infection"], "pain_pattern": "constant-varies"}),
    ("T-U5", {"safety_illness": ["fever"], "onset_trend": "worse"}),
    ("T-U6", {"safety_illness": ["dark-urine"]}),
    ("T-U7", {"safety_illness": ["urine"]}),
    ("T-U8", {"safety_cancer": ["cancer-history"]}),
    ("T-U8", {"safety_cancer": ["cancer-history"], "leg_feeling": ["weakness"]}),
    ("T-U8", {"safety_cancer": ["cancer-history"], "body_main": "low-back-left"}),
    ("T-U8", {"safety_cancer": ["weight-loss", "lump"], "onset_trend": "worse"}),
    ("T-U9", {"safety_cancer": ["weight-loss"]}),
    ("T-U9", {"safety_cancer": ["night-constant", "tired-unwell"]}),
    ("T-U10", {"safety_cancer": ["weight-loss"]}),
    ("T-U11", {"safety_injury": "minor", "about_birth_date": born(65, days=-1)}),
    ("T-U11", {"safety_injury": "minor"}),
    ("T-U11", {"safety_injury": "no", "safety_bone": ["osteoporosis"]}),
    ("T-U12", {"safety_bone": ["blood-thinner"]}),
    (
        "T-U13",
        {"safety_bone": ["blood-thinner"], "onset_how": "sudden-run", "onset_duration": "d3-7"},
    ),
    (
        "T-U13",
        {"safety_bone": ["blood-thinner"], "onset_how": "gradual", "onset_duration": "lt-3d"},
    ),
    ("T-U13", {"safety_bone": ["blood-thinner"], "onset_how": "sudden-run"}),
    ("T-U13", {"safety_bone": ["none"], "safety_injury": "minor"}),
    ("T-U14", {"safety_body": ["none"]}),
    ("T-U15", {"pain_now": 8, "pain_pattern": "constant-same"}),
    ("T-U15", {"pain_now": 10, "pain_pattern": "constant-varies"}),
    ("T-U15", {"pain_pattern": "constant-same"}),
    ("T-U16", {"about_birth_date": born(18), "safety_cancer": ["night-constant"]}),
    ("T-U16", {"safety_cancer": ["night-constant"]}),
    ("T-U17", BONE | {"onset_worse": ["impact", "walking"]}),
    ("T-U17", BONE | {"safety_bone": ["hop-pain", "osteoporosis"]}),
    ("T-U18", {"leg_side": "both", "safety_nerve": ["none"], "onset_duration": "w2-6"}),
    ("T-U18", {"leg_side": "both", "safety_nerve": ["both-legs"], "onset_trend": "worse"}),
    ("T-U18", {"leg_side": "both", "onset_trend": "worse"}),
    ("T-U18", {"leg_side": "left", "safety_nerve": ["none"], "onset_trend": "worse"}),
    ("T-S1", {"leg_any": True, "leg_reach": "thigh", "leg_feeling": ["pain"]}),
    ("T-S1", {"leg_any": False, "leg_reach": "foot", "leg_feeling": ["tingling"]}),
    ("T-S2", {"leg_any": True, "leg_pain": 6}),
    ("T-S2", {"leg_any": True}),
    ("T-S2", {"leg_any": False, "leg_pain": 9}),
    ("T-S3", {"safety_leg_power": "no"}),
    ("T-S4", BONE | {"body_main": "calf-left"}),
    ("T-S4", BONE | {"onset_worse": ["impact"]}),
    ("T-S4", BONE | {"safety_bone": ["none"]}),
    ("T-S4", BONE | {"onset_how": "sudden-other"}),
    ("T-S4", BONE | {"onset_how": None}),
    ("T-S5", {"food_enough": "skip"}),
    ("T-S5", {"food_enough": "unsure", "load_recovered": "rarely"}),
    ("T-S6", TEEN | {"about_birth_date": born(18)}),
    ("T-S6", TEEN | {"onset_duration": "w1-2"}),
    ("T-S6", TEEN | {"onset_worse": ["sitting"]}),
    ("T-S7", {"about_birth_date": born(12)}),
    ("T-S7", {}),
    ("T-S8", {"safety_cancer": ["lump"]}),
    ("T-S9", {"safety_illness": ["fever"]}),
    ("T-S10", {"body_main": "low-back-center"}),
    ("T-S11", {"safety_bone": ["steroids"], "onset_how": "gradual"}),
    ("T-S11", {"safety_bone": ["aneurysm"], "onset_how": "sudden-run"}),
    ("T-S12", {"onset_trend": "worse", "onset_duration": "d3-7"}),
    ("T-S12", {"onset_trend": "same", "onset_duration": "gt-1y"}),
    ("T-S12", {"onset_trend": "worse"}),
    ("T-S13", {"pain_worst": 7, "impact_sleep": 7, "work_days": 2}),
    ("T-S13", {item.replace("-", "_"): 6 for item in variables.IMPACT_ITEMS[:4]}),
    (
        "T-S13",
        {item.replace("-", "_"): 6 for item in variables.IMPACT_ITEMS} | {"impact_run": 5},
    ),
    ("T-S14", {"onset_duration": "w2-6", "tx_tried": ["rest"], "onset_trend": "same"}),
    ("T-S14", {"onset_duration": "w6-12", "tx_tried": ["none"], "onset_trend": "same"}),
    ("T-S14", {"onset_duration": "w6-12", "tx_tried": ["rest"], "onset_trend": "better"}),
    ("T-S14", {"onset_duration": "w6-12", "onset_trend": "same"}),
    ("T-S15", {"onset_worse": ["cough"], "leg_any": False}),
    ("T-S15", {"onset_worse": ["sitting"], "leg_any": True, "leg_reach": "foot"}),
    ("T-R1", INFLAMMATORY | {"onset_first_age": 40, "onset_how": "unsure"}),
    ("T-R1", INFLAMMATORY | {"onset_duration": "w6-12"}),
    ("T-R1", INFLAMMATORY | {"onset_better": None}),
    ("T-R2", {"safety_pregnancy": "no"}),
    ("T-R3", {"onset_duration": "d3-7"}),
    ("T-R3", {}),
]


@pytest.mark.parametrize(("rule_id", "answers"), HOLDS)
def test_the_rule_holds(rule_id, answers):
    assert holds(rule_id, answers)


@pytest.mark.parametrize(("rule_id", "answers"), DOES_NOT_HOLD)
def test_the_rule_does_not_hold(rule_id, answers):
    assert not holds(rule_id, answers)


def test_every_rule_is_tested_both_ways():
    assert {rule_id for rule_id, _ in HOLDS} == set(triage.RULES)
    assert {rule_id for rule_id, _ in DOES_NOT_HOLD} == set(triage.RULES) - {"T-R0"}


def test_all_45_rules_exist_under_their_public_ids():
    assert set(triage.RULES) == {
        *(f"T-E{number}" for number in range(1, 9)),
        *(f"T-U{number}" for number in range(1, 19)),
        *(f"T-S{number}" for number in range(1, 16)),
        *(f"T-R{number}" for number in range(4)),
    }
    assert len(triage.RULES) == 45


def test_a_rule_has_the_level_of_its_letter_and_known_sources():
    letters = {
        "E": Level.EMERGENCY,
        "U": Level.URGENT,
        "S": Level.SOON,
        "R": Level.ROUTINE,
    }
    for rule in triage.RULES.values():
        assert rule.level == letters[rule.id[2]]
        assert rule.sources
        assert set(rule.sources) <= set(SOURCES)


def test_nothing_answered_raises_nothing():
    assert evaluate().rule_ids == ("T-R0",)
    assert evaluate().level == Level.ROUTINE


# The worked cases of the clinical specification. Case 23 is about sending the alert.
SAFETY_CLEAR = {
    "safety_nerve": ["none"],
    "safety_body": ["none"],
    "safety_injury": "no",
    "safety_leg_power": "no",
    "safety_illness": ["none"],
    "safety_cancer": ["none"],
    "safety_bone": ["none"],
    "safety_pregnancy": "no",
    "about_birth_date": born(30),
    "leg_any": False,
}
BONE_CASE = BONE | {"leg_any": False}

WORKED_CASES = [
    (1, {"safety_nerve": ["saddle-numb"]}, Level.EMERGENCY, {"T-E1"}, ()),
    (
        2,
        {"leg_any": True, "leg_feeling": ["numbness"], "body_numb": ["saddle"]},
        Level.EMERGENCY,
        {"T-E2", "T-S1"},
        (),
    ),
    (3, {"safety_nerve": ["sexual-change"]}, Level.URGENT, {"T-U2"}, ()),
    (
        4,
        {"safety_nerve": ["sexual-change", "bladder-hard"]},
        Level.EMERGENCY,
        {"T-E1"},
        {"T-U2"},
    ),
    (5, {"safety_body": ["tearing"]}, Level.EMERGENCY, {"T-E3"}, ()),
    (6, {"safety_illness": ["fever"]}, Level.URGENT, {"T-U4"}, {"T-E7"}),
    (
        7,
        {"safety_illness": ["fever"], "safety_leg_power": "worse"},
        Level.EMERGENCY,
        {"T-E7", "T-U3", "T-U4"},
        (),
    ),
    (
        8,
        {"safety_cancer": ["cancer-history"], "onset_trend": "worse"},
        Level.URGENT,
        {"T-U8", "T-S8"},
        (),
    ),
    (
        9,
        {"safety_cancer": ["cancer-history"], "safety_leg_power": "same"},
        Level.EMERGENCY,
        {"T-E6"},
        (),
    ),
    (
        10,
        {"safety_injury": "minor", "about_birth_date": born(70)},
        Level.URGENT,
        {"T-U11"},
        (),
    ),
    (11, {"safety_injury": "minor"}, Level.ROUTINE, (), {"T-U11"}),
    (
        12,
        {"safety_pregnancy": "pregnant", "safety_pregnancy_signs": ["waves"]},
        Level.EMERGENCY,
        {"T-E8"},
        (),
    ),
    (
        13,
        {"safety_pregnancy": "pregnant", "safety_pregnancy_signs": ["none"]},
        Level.ROUTINE,
        {"T-R2"},
        {"T-E8"},
    ),
    (14, BONE_CASE, Level.SOON, {"T-S4"}, {"T-U17"}),
    (
        15,
        BONE_CASE
        | {
            "safety_bone": ["past-stress-fracture", "hop-pain"],
            "onset_worse": ["impact", "one-leg", "walking"],
        },
        Level.URGENT,
        {"T-U17", "T-S4"},
        (),
    ),
    (
        16,
        {
            "leg_any": True,
            "leg_reach": "foot",
            "leg_feeling": ["tingling"],
            "leg_pain": 5,
            "onset_trend": "same",
        },
        Level.SOON,
        {"T-S1"},
        {"T-S2"},
    ),
    (
        17,
        {
            "about_birth_date": born(16),
            "onset_duration": "w2-6",
            "onset_worse": ["arch-back", "impact"],
        },
        Level.SOON,
        {"T-S6"},
        (),
    ),
    (18, INFLAMMATORY, Level.ROUTINE, {"T-R1"}, ()),
    (19, {"onset_duration": "d3-7", "pain_worst": 3}, Level.ROUTINE, {"T-R0"}, {"T-R3"}),
    (20, {"onset_duration": "w1-2", "pain_worst": 5}, Level.ROUTINE, {"T-R3"}, ()),
    (
        22,
        {"leg_any": True, "leg_side": "both", "onset_duration": "d3-7"},
        Level.URGENT,
        {"T-U18"},
        (),
    ),
]


@pytest.mark.parametrize(
    ("answers", "level", "rules", "absent"),
    [case[1:] for case in WORKED_CASES],
    ids=[f"case {case[0]}" for case in WORKED_CASES],
)
def test_worked_case(answers, level, rules, absent):
    result = evaluate(**SAFETY_CLEAR | answers)
    assert result.level == level
    assert set(rules) <= set(result.rule_ids)
    assert not set(absent) & set(result.rule_ids)


def test_the_most_urgent_rules_come_first():
    result = evaluate(safety_illness=["fever"], safety_leg_power="worse", onset_duration="gt-1y")
    assert result.rule_ids == ("T-E7", "T-U3", "T-U4", "T-R3", "T-R0")


@pytest.mark.parametrize(
    ("rule_id", "answers"),
    [
        ("T-S8", {"safety_cancer": ["weight-loss"]}),
        ("T-S10", {"body_main": "mid-back"}),
        ("T-S15", {"onset_worse": ["cough"], "leg_any": True, "leg_reach": "foot"}),
    ],
)
def test_strict_public_advice_raises_three_rules_to_urgent(rule_id, answers):
    given_answers = Answers.of(**SAFETY_CLEAR | answers)
    relaxed = triage.evaluate(given_answers, today=TODAY)
    strict = triage.evaluate(given_answers, today=TODAY, strict_public_advice=True)
    assert relaxed.level == Level.SOON
    assert strict.level == Level.URGENT
    assert strict.rules[0].id == rule_id
    assert strict.rules[0].level == Level.URGENT
    assert strict.messages[0] == "M3"
    assert triage.RULES[rule_id].level == Level.SOON


def test_strict_public_advice_leaves_other_soon_rules_alone():
    given_answers = Answers.of(**SAFETY_CLEAR | {"safety_leg_power": "same"})
    strict = triage.evaluate(given_answers, today=TODAY, strict_public_advice=True)
    assert strict.level == Level.SOON


@pytest.mark.parametrize(
    ("answers", "messages"),
    [
        ({"safety_nerve": ["saddle-numb"]}, ("M1",)),
        ({"safety_pregnancy_signs": ["fluid"]}, ("M2",)),
        ({"safety_pregnancy_signs": ["fluid"], "safety_nerve": ["unsure"]}, ("M2",)),
        ({"safety_pregnancy_signs": ["fluid"], "safety_body": ["faint"]}, ("M1", "M2")),
        ({"safety_nerve": ["unsure"]}, ("M1", "M3", "M5")),
        ({"safety_illness": ["urine"]}, ("M3",)),
        ({"safety_illness": ["fever"]}, ("M3", "M5")),
        ({"safety_leg_power": "foot-drop"}, ("M3", "M5")),
        ({"safety_injury": "minor", "safety_bone": ["steroids"]}, ("M3", "M5")),
        ({"safety_cancer": ["lump"]}, ("M3",)),
        ({"safety_leg_power": "unsure"}, ("M4",)),
        ({"leg_any": True, "leg_pain": 7}, ("M4", "M5")),
        (BONE, ("M4", "M5")),
        (TEEN, ("M4", "M5")),
        ({"onset_duration": "d3-7", "pain_worst": 4}, ("M7",)),
        ({"onset_duration": "d3-7", "pain_worst": 5}, ("M6",)),
        ({"onset_duration": "w1-2", "pain_worst": 4}, ("M6",)),
        ({"onset_duration": "d3-7"}, ("M6",)),
        ({}, ("M6",)),
    ],
)
def test_the_messages_shown(answers, messages):
    assert evaluate(**answers).messages == messages


COMPLETE = SAFETY_CLEAR | {
    "pain_run": 5,
    "onset_worse": ["sitting"],
    "onset_how": "gradual",
    "body_main": "low-back-left",
    "med_told": ["none"],
    "tx_avoid": ["none"],
    "consent_signature": "Ana Ruiz",
}


def test_a_healthy_adult_with_a_complete_intake_is_not_restricted():
    assert evaluate(**COMPLETE).restrictions == frozenset()


@pytest.mark.parametrize(
    ("answers", "restrictions"),
    [
        (
            {"safety_body": ["faint"]},
            {"no-booking", "not-massage-first", "gait-locked"},
        ),
        (
            {"safety_cancer": ["lump"]},
            {"urgent-only", "not-massage-first", "gait-locked"},
        ),
        ({"leg_any": True, "leg_pain": 7}, {"soon-only", "not-massage-first"}),
        (INFLAMMATORY, {"not-massage-first"}),
        ({"pain_run": 6}, {"gait-locked"}),
        ({"pain_run": None}, {"gait-locked"}),
        ({"consent_signature": None}, {"intake-incomplete"}),
        ({"safety_pregnancy": "postpartum"}, set()),
        *(
            ({"safety_pregnancy": code}, {"pregnancy", "no-thrust", "no-regenerative"})
            for code in ("pregnant", "maybe", "prefer-not", None)
        ),
        ({"about_birth_date": born(17)}, {"minor", "no-thrust", "no-regenerative"}),
        ({"about_birth_date": born(18)}, set()),
        ({"about_birth_date": None}, {"no-thrust", "no-regenerative"}),
        ({"tx_avoid": ["thrust"]}, {"no-thrust"}),
        ({"tx_avoid": None}, {"no-thrust"}),
        ({"med_told": None}, {"no-thrust"}),
        ({"body_main": None}, {"no-thrust"}),
    ],
)
def test_restrictions(answers, restrictions):
    assert evaluate(**COMPLETE | answers).restrictions == restrictions


def test_after_the_safety_gate_alone_chiropractic_is_not_bookable():
    gate = SAFETY_CLEAR | {"onset_duration": "w1-2", "pain_worst": 4, "pain_run": 3}
    assert evaluate(**gate).restrictions == {"no-thrust", "intake-incomplete"}


def test_evidence_names_only_the_answers_that_the_rule_found():
    answers = Answers.of(
        safety_cancer=["cancer-history", "lump"],
        onset_worse=["sitting", "cough"],
        onset_trend="same",
        body_main="low-back-left",
    )
    assert evidence.behind(triage.RULES["T-U8"], answers, today=TODAY) == (
        ("safety-cancer", ("cancer-history", "lump")),
        ("onset-worse", ("cough",)),
    )


def test_evidence_shows_items_listed_for_context_in_full():
    answers = Answers.of(body_numb=["saddle", "foot-left"], safety_nerve=["sexual-change"])
    assert evidence.behind(triage.RULES["T-E2"], answers, today=TODAY) == (
        ("body-numb", ("saddle",)),
        ("safety-nerve", ("sexual-change",)),
    )


RED_FLAGS = [
    *(("safety-nerve", code) for code in [*NERVE_SIGNS, "unsure", "sexual-change"]),
    *(
        ("safety-body", code)
        for code in ("chest-pain", "faint", "tearing", "belly-pulse", "cant-walk")
    ),
    *(
        ("safety-illness", code)
        for code in ("fever", "recent-infection", "weak-immunity", "urine", "dark-urine")
    ),
    *(
        ("safety-cancer", code)
        for code in ("cancer-history", "weight-loss", "night-constant", "lump", "tired-unwell")
    ),
    *(
        ("safety-bone", code)
        for code in (
            "osteoporosis",
            "steroids",
            "past-stress-fracture",
            "hop-pain",
            "blood-thinner",
            "aneurysm",
        )
    ),
    *(("safety-pregnancy-signs", code) for code in ("bleeding", "fluid", "waves")),
    *(("onset-worse", code) for code in ("arch-back", "impact", "walking", "one-leg", "cough")),
    *(("leg-feeling", code) for code in ("tingling", "numbness", "weakness")),
    ("body-numb", "saddle"),
]

SINGLE_CHOICES = {
    "safety-injury": ["no", "minor", "major"],
    "safety-leg-power": ["no", "same", "worse", "foot-drop", "unsure"],
    "safety-pregnancy": ["no", "pregnant", "postpartum", "prefer-not"],
    "onset-duration": list(variables.DURATION_DAYS),
    "onset-how": ["sudden-run", "sudden-other", "gradual", "unsure"],
    "onset-trend": ["better", "same", "worse"],
    "leg-side": ["left", "both"],
    "leg-reach": ["thigh", "below-knee", "foot"],
    "body-main": ["sacrum", "low-back-left", "mid-back"],
    "pain-pattern": ["comes-goes", "constant-same"],
    "food-enough": ["yes", "skip"],
    "leg-any": [True, False],
    "pain-worst": list(range(11)),
    "pain-now": list(range(11)),
    "about-birth-date": [born(11), born(16), born(30), born(70)],
}


@st.composite
def intakes(draw):
    answers = {
        link_id: [draw(st.sampled_from(options))]
        for link_id, options in SINGLE_CHOICES.items()
        if draw(st.booleans())
    }
    for link_id, code in draw(st.lists(st.sampled_from(RED_FLAGS), unique=True, max_size=6)):
        answers.setdefault(link_id, []).append(code)
    return answers


@given(intakes(), st.sampled_from(RED_FLAGS), st.booleans())
def test_a_further_red_flag_never_lowers_the_level(answers, flag, strict):
    link_id, code = flag
    with_flag = answers | {link_id: sorted({*answers.get(link_id, []), code})}
    before = triage.evaluate(Answers(answers), today=TODAY, strict_public_advice=strict)
    after = triage.evaluate(Answers(with_flag), today=TODAY, strict_public_advice=strict)
    assert after.level >= before.level


@given(intakes())
def test_evidence_is_found_for_every_rule_that_holds(answers):
    for rule in triage.evaluate(Answers(answers), today=TODAY).rules:
        shown = evidence.behind(rule, Answers(answers), today=TODAY)
        assert bool(shown) == (rule.id != "T-R0")
        assert {item.link_id for item in shown} <= {*rule.evidence, *rule.context}


@pytest.mark.parametrize(("rule_id", "answers"), HOLDS)
def test_the_listed_evidence_alone_makes_the_rule_hold(rule_id, answers):
    rule = triage.RULES[rule_id]
    given_answers = Answers.of(**answers)
    listed = Answers({link_id: given_answers.values(link_id) for link_id in rule.evidence})
    assert rule.applies(listed, TODAY)


@pytest.mark.parametrize(
    ("birth_date", "today", "age"),
    [
        (dt.date(1990, 11, 22), TODAY, 36),
        (dt.date(1990, 11, 23), TODAY, 35),
        (dt.date(2008, 2, 29), dt.date(2026, 2, 28), 17),
        (dt.date(2008, 2, 29), dt.date(2026, 3, 1), 18),
        (dt.date(2026, 11, 23), TODAY, None),
    ],
)
def test_age_in_whole_years(birth_date, today, age):
    assert variables.age(Answers.of(about_birth_date=birth_date), today) == age


def test_bmi_is_not_used_for_minors_or_in_pregnancy():
    body = {"about_height": 170, "about_weight": 50}
    adult = body | {"about_birth_date": born(30)}
    assert variables.bmi(Answers.of(**adult), TODAY) == pytest.approx(17.3, abs=0.01)
    assert variables.bmi(Answers.of(**body, about_birth_date=born(17)), TODAY) is None
    assert variables.bmi(Answers.of(**adult, safety_pregnancy="pregnant"), TODAY) is None
    assert variables.bmi(Answers.of(about_height=170), TODAY) is None
    assert variables.bmi(Answers.of(about_height=0, about_weight=50), TODAY) is None


def test_missed_periods_count_as_an_energy_sign_from_fifteen_years():
    answers = {"periods": "not-started", "food_enough": "lose"}
    assert holds("T-S5", answers | {"about_birth_date": born(15)})
    assert not holds("T-S5", answers | {"about_birth_date": born(15, days=-1)})


@pytest.mark.parametrize(
    ("onset", "longest", "percent"),
    [
        (16, 12, 33.333333),
        (13.2, 12, 10),
        (11, 10, 10),
        (12, 12, 0),
        (10, 0, None),
        (None, 8, None),
    ],
)
def test_the_spike_compares_the_onset_run_with_the_longest_before(onset, longest, percent):
    answers = Answers.of(load_onset_run=onset, load_long_30=longest)
    assert variables.spike(answers) == percent


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"load_onset_run": 11, "load_long_30": 10}, False),
        ({"load_onset_run": 11.1, "load_long_30": 10}, True),
        ({"load_week_before": 39, "load_usual": 30}, True),
        ({"load_week_before": 38.9, "load_usual": 30}, False),
        ({"load_week_before": 39, "load_usual": 0}, False),
        ({"load_felt": "more"}, True),
        ({"load_felt": "same"}, False),
        *(({"load_changes": [code]}, True) for code in ("distance", "speed", "hills", "days")),
        ({"load_changes": ["surface", "shoes", "strength"]}, False),
    ],
)
def test_load_up(answers, expected):
    assert variables.load_up(Answers.of(**answers)) is expected


@pytest.mark.parametrize("place", variables.BONE_PLACES)
def test_every_bone_place_is_suspected(place):
    assert holds("T-S4", BONE | {"body_main": place})


@pytest.mark.parametrize(
    "risk",
    [
        {"safety_bone": ["hop-pain", "osteoporosis"]},
        {"safety_bone": ["hop-pain", "steroids"]},
        {"safety_bone": ["hop-pain", "past-stress-fracture"]},
        {"periods": "missed-3"},
        {"food_enough": "skip"},
        {"food_enough": "lose"},
        {"about_height": 170, "about_weight": 53, "about_birth_date": born(30)},
        {"load_felt": "more"},
        {"safety_pregnancy": "postpartum"},
    ],
)
def test_each_bone_risk_suffices(risk):
    without = {"body_main": "sacrum", "onset_how": "gradual", "safety_bone": ["hop-pain"]}
    assert not holds("T-S4", without)
    assert holds("T-S4", without | risk)


@pytest.mark.parametrize(
    ("sign", "suspected"),
    [
        ({"onset_worse": ["impact", "one-leg"]}, True),
        ({"onset_worse": ["impact", "walking"]}, True),
        ({"onset_worse": ["impact"], "onset_when": ["rest"]}, True),
        ({"onset_worse": ["impact"], "onset_when": ["after"]}, False),
        ({"onset_worse": ["one-leg", "walking"], "onset_when": ["rest"]}, False),
    ],
)
def test_the_signs_of_a_bone_stress_injury(sign, suspected):
    without = {"body_main": "sacrum", "onset_how": "gradual", "safety_bone": ["osteoporosis"]}
    assert holds("T-S4", without | sign) is suspected


def test_our_own_cut_offs_name_existing_rules_and_an_author():
    elsewhere = {"gait-locked", "M7", "summary"}
    for row in OURS.rows():
        assert row.used_by
        assert set(row.used_by) <= {*triage.RULES, *FINDINGS, *elsewhere}
    assert OURS.version
    assert OURS.author
