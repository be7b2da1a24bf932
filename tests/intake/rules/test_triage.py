import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.answers import Answers
from intake.rules import triage
from intake.rules.levels import Level
from tests.intake.people import (
    BONE,
    INFLAMMATORY,
    RED_FLAGS,
    SAFETY_CLEAR,
    TEEN,
    TODAY,
    born,
    intakes,
)


def evaluate(**answers):
    return triage.evaluate(Answers.of(**answers), today=TODAY)


def test_nothing_answered_raises_nothing():
    assert evaluate().rule_ids == ("T-R0",)
    assert evaluate().level == Level.ROUTINE


# The worked cases of the clinical specification. Case 23 is about sending the alert.
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
        *(
            ({item: None}, {"no-thrust"})
            for item in (
                "safety_bone",
                "safety_leg_power",
                "body_main",
                "onset_worse",
                "onset_how",
                "med_told",
                "tx_avoid",
            )
        ),
    ],
)
def test_restrictions(answers, restrictions):
    assert evaluate(**COMPLETE | answers).restrictions == restrictions


def test_after_the_safety_gate_alone_chiropractic_is_not_bookable():
    gate = SAFETY_CLEAR | {"onset_duration": "w1-2", "pain_worst": 4, "pain_run": 3}
    assert evaluate(**gate).restrictions == {"no-thrust", "intake-incomplete"}


@given(intakes(), st.sampled_from(RED_FLAGS), st.booleans())
def test_a_further_red_flag_never_lowers_the_level(answers, flag, strict):
    link_id, code = flag
    with_flag = answers | {link_id: sorted({*answers.get(link_id, []), code})}
    before = triage.evaluate(Answers(answers), today=TODAY, strict_public_advice=strict)
    after = triage.evaluate(Answers(with_flag), today=TODAY, strict_public_advice=strict)
    assert after.level >= before.level
