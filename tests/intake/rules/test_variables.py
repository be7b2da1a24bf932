import datetime as dt

import pytest

from intake.answers import Answers
from intake.rules import patterns, triage, variables
from intake.rules.conditions import Compared
from intake.rules.findings import FINDINGS
from intake.rules.thresholds import OURS
from tests.intake.people import (
    BONE,
    TODAY,
    born,
    parts_of,
)


def holds(rule_id, answers):
    return triage.RULES[rule_id].applies(Answers.of(**answers), TODAY)


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
    assert patterns.LOAD_UP.holds(Answers.of(**answers), TODAY) is expected


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
    elsewhere = {"gait-locked", "M7", "summary", "new safety check"}
    elsewhere |= {"form mail", "visit move", "waitlist offer"}
    for row in OURS.rows():
        assert row.used_by
        assert set(row.used_by) <= {*triage.RULES, *FINDINGS, *elsewhere}
    for row in OURS.rows():
        for rule_id in set(row.used_by) - elsewhere:
            rule = triage.RULES.get(rule_id) or FINDINGS[rule_id]
            limits = {part.limit for part in parts_of(rule.when) if isinstance(part, Compared)}
            words = str(getattr(rule, "look", ""))
            assert row.value in limits or str(row.value) in words, (rule_id, row.name)
    assert OURS.version
    assert OURS.author
