import pytest

from intake.answers import Answers
from intake.rules import triage, variables
from intake.rules.conditions import ALWAYS
from intake.rules.findings import FINDINGS
from intake.rules.levels import Level
from intake.rules.sources import SOURCES
from tests.intake.people import (
    BONE,
    ENERGY,
    INFLAMMATORY,
    NERVE_SIGNS,
    TEEN,
    TODAY,
    born,
    each,
)


def holds(rule_id, answers):
    return triage.RULES[rule_id].applies(Answers.of(**answers), TODAY)


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


def test_the_rules_of_a_level_are_numbered_without_a_gap():
    for letter, first in (("E", 1), ("U", 1), ("S", 1), ("R", 0)):
        numbers = sorted(int(rule_id[3:]) for rule_id in triage.RULES if rule_id[2] == letter)
        assert numbers == list(range(first, first + len(numbers)))


# What a rule does beyond its level, as a clinician signs it.
STOPS_RUNNING = {
    Level.SOON: {"T-S2", "T-S4", "T-S6"},
    Level.URGENT: {
        *("T-U1", "T-U2", "T-U3", "T-U4", "T-U5", "T-U11", "T-U17", "T-U18"),
        *("T-S1", "T-S3", "T-S11", "T-S15"),
    },
}
URGENT_UNDER_STRICT_ADVICE = {"T-S8", "T-S10", "T-S15"}
PRIVATE = {"T-E8", "T-R2", "F-52"}
OWN_MESSAGES = {"T-E8": ("M2",), "T-U1": ("M1", "M3")}
RESTRICTS = {"T-R1": ("not-massage-first",)}
CONTRADICTS = {"T-U18"}
DEFAULT = {"T-R0"}


def test_what_a_rule_does_is_signed():
    rules = triage.RULES.values()
    for level in Level:
        stops = {rule.id for rule in rules if rule.stops_running == level}
        assert stops == STOPS_RUNNING.get(level, set())
    strict = {rule.id: rule.strict_level for rule in rules if rule.strict_level}
    assert strict == dict.fromkeys(URGENT_UNDER_STRICT_ADVICE, Level.URGENT)
    assert {one.id for one in (*rules, *FINDINGS.values()) if one.is_private} == PRIVATE
    assert {rule.id: rule.messages for rule in rules if rule.messages} == OWN_MESSAGES
    assert {rule.id: rule.restricts for rule in rules if rule.restricts} == RESTRICTS
    assert {rule.id for rule in rules if rule.contradiction} == CONTRADICTS
    assert {rule.id for rule in rules if rule.is_default} == DEFAULT


def test_a_rule_has_to_say_whether_it_stops_running():
    with pytest.raises(TypeError, match="stops_running"):
        triage.Rule("T-U99", Level.URGENT, "It forgot", when=ALWAYS, sources=("ours",))


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


@pytest.mark.parametrize(("rule_id", "answers"), HOLDS)
def test_the_listed_evidence_alone_makes_the_rule_hold(rule_id, answers):
    rule = triage.RULES[rule_id]
    given_answers = Answers.of(**answers)
    listed = Answers({link_id: given_answers.values(link_id) for link_id in rule.evidence})
    assert rule.applies(listed, TODAY)
