"""The words of important change, at and around each limit, and what is compared with what."""

import datetime as dt
import json

import pytest

from intake.answers import Answers
from intake.fhir_form.questionnaire import Form
from intake.rules.levels import Level
from intake.summary import charts
from intake.summary.change import Intake, compare
from tests.intake.people import SAFETY_CLEAR, TODAY
from tests.intake.summary.test_summary import FORM, QUESTIONNAIRE, RUNNER

THEN = TODAY - dt.timedelta(weeks=5)
IMPACTS = ("sit", "bend", "walk", "sleep", "work", "run")


def make_intake(day=TODAY, *, level=Level.ROUTINE, form=FORM, **answers):
    return Intake(form, Answers.of(**(SAFETY_CLEAR | answers)), level, day)


def change_of(then, now):
    return compare(make_intake(THEN, **then), make_intake(**now))


def word(change, link_id):
    return next(one.word for one in change.measures if one.id == link_id)


@pytest.mark.parametrize("name", ["pain_average", "pain_worst", "leg_pain"])
@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        (8, 6, "better"),  # two points
        (8, 7, "no clear change"),
        (3, 2, "better"),  # a third of the first value
        (4, 3, "no clear change"),  # a quarter
        (5, 7, "worse"),
        (3, 4, "worse"),
        (5, 5, "no clear change"),
        (0, 1, "no clear change"),
        (0, 2, "worse"),
    ],
)
def test_pain_has_changed_by_two_points_or_three_tenths(name, then, now, said):
    told = [{"leg_any": True, name: score} for score in (then, now)]
    assert word(change_of(*told), name.replace("_", "-")) == said


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        (5, 3, "better"),
        (3, 2, "better"),  # 10 points, a third
        (4, 3, "no clear change"),  # 10 points, a quarter
        (2, 3, "worse"),
        (1, 1, "no clear change"),
    ],
)
def test_daily_impact_has_changed_by_ten_points_and_three_tenths(then, now, said):
    then, now = ({f"impact_{part}": score for part in IMPACTS} for score in (then, now))
    assert word(change_of(then, now), "calc-impact") == said


def test_activities_are_matched_by_their_text_and_new_ones_listed_apart():
    change = change_of(
        {"activity_name": ["Run 10 km", "sit"], "activity_score": [3, 5]},
        {"activity_name": ["run  10 KM", "climb"], "activity_score": [5, 2]},
    )
    (measure,) = change.measures
    assert (measure.then, measure.now, measure.word) == ("3/10", "5/10", "better")
    assert change.new_activities == ("climb 2/10",)


@pytest.mark.parametrize(
    ("then", "now", "said", "has_spread"),
    [
        (["low-back-right", "calf-right"], ["low-back-right"], "pulled back to the back", False),
        (["low-back-right"], ["low-back-right", "thigh-back-right"], "spread", True),
        (["thigh-back-left"], ["calf-left"], "spread", True),
        (["calf-left"], ["thigh-back-left"], "", False),
        (["low-back-left"], ["low-back-right"], "", False),
        (["calf-left"], [], "", False),
    ],
)
def test_places_are_compared_as_sets_and_by_how_far_they_reach(then, now, said, has_spread):
    places = change_of({"body_regions": then}, {"body_regions": now}).places
    assert places.word.startswith(said)
    assert bool(places.word) == bool(said)
    assert places.has_spread is has_spread
    assert len(places.gone) == len(set(then) - set(now))
    assert len(places.new) == len(set(now) - set(then))
    assert len(places.same) == len(set(now) & set(then))


def test_load_is_shown_without_a_judgement_and_a_change_of_unit_is_said():
    change = change_of(
        {"run_unit": "km", "load_now": 12, "run_days": 3, "run_missed": 5},
        {"run_unit": "mi", "load_now": 12, "run_days": 4, "run_missed": 0},
    )
    assert {(one.then, one.now, one.word) for one in change.measures} == {
        ("12 km", "12 mi", ""),
        ("3", "4", ""),
        ("5", "0", ""),
    }
    assert change.notes == ("Distances in km then, in mi now.",)


def test_a_new_safety_sign_and_both_levels_are_named():
    change = compare(
        make_intake(THEN, level=Level.ROUTINE),
        make_intake(level=Level.URGENT, safety_illness=["fever"]),
    )
    assert (change.level_then, change.level_now) == (Level.ROUTINE, Level.URGENT)
    assert change.new_rules
    back = compare(make_intake(THEN, safety_illness=["fever"]), make_intake())
    assert back.new_rules == ()


def test_factors_and_treatments_are_sorted_into_gone_still_and_new():
    change = change_of(
        RUNNER | {"tx_tried": ["rest"], "strength_core": "d0"},
        RUNNER | {"tx_tried": ["rest", "pt", "heat"], "tx_helped": ["pt"], "strength_core": "d3"},
    )
    assert len(change.treatments) == 2
    assert [one.endswith("(helped)") for one in change.treatments] == [True, False]
    assert set(change.factors.gone).isdisjoint(change.factors.still)
    same = compare(make_intake(**RUNNER), make_intake(**RUNNER))
    assert same.factors.still
    assert same.factors.gone == same.factors.new == ()


@pytest.mark.parametrize(
    ("worst", "impact", "is_said"), [(0, 0, True), (1, 0, False), (0, 1, False)]
)
def test_recovered_is_said_only_without_pain_and_with_almost_no_impact(worst, impact, is_said):
    now = {f"impact_{part}": impact for part in IMPACTS} | {"pain_worst": worst}
    assert change_of({}, now).has_recovered is is_said


def test_another_version_of_the_form_is_said():
    other = Form.parse(json.loads(QUESTIONNAIRE.read_text()) | {"version": "0.9.0"})
    change = compare(make_intake(THEN, form=other), make_intake())
    assert change.notes == ("Another version of the form was asked then.",)


def test_one_line_says_how_the_pain_went():
    change = change_of({"pain_average": 6}, {"pain_average": 3})
    assert change.sentence == "Average pain went from 6 to 3 in 5 weeks."
    assert change_of({}, {"pain_average": 3}).sentence == ""


def dated(day, **answers):
    return charts.Dated(day, Answers.of(**answers))


def test_the_trend_needs_two_intakes_that_tell_the_pain():
    one = dated(TODAY, pain_average=3)
    assert charts.trend([one]) is None
    assert charts.trend([dated(THEN), one]) is None


def test_the_trend_keeps_distances_to_one_scale_and_words_to_each_unit():
    plot = charts.trend(
        [
            dated(THEN, pain_average=6, pain_worst=9, run_unit="mi", load_now=10),
            dated(TODAY, pain_average=3, run_unit="km", load_now=16.09344),
        ],
        events=[(TODAY - dt.timedelta(days=7), "race"), (TODAY, "race")],
    )
    first, last = plot.points
    assert first.bar_height == last.bar_height
    assert (first.distance, first.average, first.worst) == ("10 mi", "6", "9")
    assert first.y_worst < first.y_average < last.y_average == last.y_worst
    assert first.x < plot.events[0].x < last.x
    assert len(plot.events) == 1
    assert plot.text == "Average pain 6 at first, 3 now, told 2 times."
