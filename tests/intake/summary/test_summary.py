import datetime as dt

import pytest
from hypothesis import given

from intake.answers import Answers
from intake.fhir_form.questionnaire import Form
from intake.models.questionnaires import SHIPPED
from intake.rules import findings, triage
from intake.rules.findings import FINDINGS, RULE_SET_VERSION
from intake.rules.levels import Level
from intake.rules.triage import RULES
from intake.summary import charts, wording
from intake.summary.summary import CONSIDERATIONS_SHOWN, FACTORS_SHOWN, first_services, summarize
from tests.intake.people import SAFETY_CLEAR, TODAY, born, intakes

NOW = dt.datetime(2026, 11, 22, 18, 0, tzinfo=dt.UTC)
QUESTIONNAIRE = SHIPPED / "running-lbp-intake-1.0.0.json"
FORM = Form.loads(QUESTIONNAIRE.read_text())

RUNNER = SAFETY_CLEAR | {
    "about_filler": "self",
    "about_sex": "female",
    "about_birth_date": born(34),
    "pain_now": 4,
    "pain_average": 5,
    "pain_worst": 8,
    "pain_run": 7,
    "leg_any": True,
    "leg_pain": 4,
    "leg_side": "right",
    "leg_reach": "below-knee",
    "leg_feeling": ["tingling"],
    "body_regions": ["low-back-right", "buttock-right", "calf-right"],
    "body_main": "low-back-right",
    "body_numb": ["calf-right"],
    "onset_duration": "w2-6",
    "onset_how": "gradual",
    "onset_trend": "worse",
    "onset_worse": ["sitting", "bend-forward", "walking"],
    "run_unit": "km",
    "run_status": "reduced",
    "load_now": 12,
    "load_usual": 40,
    "load_long_30": 12,
    "load_onset_run": 16,
    "shoe_distance": "gt-500",
    "shoe_feel": ["worn"],
    "strength_core": "d0",
    "warmup": "never",
    "med_told": ["none"],
    "tx_tried": ["rest", "foam-roll"],
    "tx_helped": ["rest"],
    "tx_want": ["cause", "return-plan"],
    "tx_avoid": ["none"],
    "impact_sit": 6,
    "impact_bend": 5,
    "impact_walk": 2,
    "impact_sleep": 4,
    "impact_work": 3,
    "impact_run": 8,
    "activity_name": ["Run 5 km", "Tie my shoes"],
    "activity_score": [3, 6],
    "mind_harm": 7,
    "mind_mood": 3,
    "mind_hope": 8,
    "goal_main": "event",
    "goal_event_date": TODAY + dt.timedelta(days=36),
    "goal_words": "Start the half marathon with my sister.",
}


def make_summary(*, language="en", answered_in="en", hours=3, strict=False, **answers):
    return summarize(
        FORM,
        Answers.of(**RUNNER | answers),
        today=TODAY,
        now=NOW,
        language=language,
        answered_in=answered_in,
        safety_answered_at=NOW - dt.timedelta(hours=hours) if hours is not None else None,
        strict_public_advice=strict,
    )


def ids(lines):
    return [line.id for line in lines]


def test_the_strip_leads_with_the_rules_of_the_highest_level():
    summary = make_summary(safety_leg_power="worse")
    assert summary.level == Level.URGENT
    assert ids(summary.top_rules) == ["T-U3"]
    assert summary.top_rules[0].evidence == "leg getting weaker"
    assert "T-S1" in ids(summary.other_rules)
    assert "T-R0" not in ids(summary.other_rules)


def test_with_nothing_to_say_the_strip_says_so():
    summary = summarize(FORM, Answers.of(), today=TODAY, now=NOW, language="en", answered_in="en")
    assert ids(summary.top_rules) == ["T-R0"]
    assert summary.sentence == ""
    assert summary.impact is None
    assert summary.onset_run is None
    assert {number.value for number in summary.numbers} == {""}


def test_one_sentence_tells_the_story():
    assert make_summary().sentence == (
        "34-year-old woman, right low back and right buttock pain for 2 to 6 weeks, gradual, "
        "getting worse; leg: right, below the knee, tingling; "
        "running less (12 km a week, was 40 km); goal: a race in 5 weeks."
    )


@pytest.mark.parametrize(
    ("answers", "beginning"),
    [
        ({"about_sex": "male", "about_birth_date": born(16)}, "16-year-old boy, "),
        ({"about_sex": "intersex"}, "34-year-old, "),
        ({"about_birth_date": None}, "Right low back and right buttock pain for "),
        (
            {"body_main": None, "body_regions": None},
            "34-year-old woman, low back pain for 2 to 6 weeks",
        ),
        ({"onset_duration": None}, "34-year-old woman, right low back and right buttock pain, "),
    ],
)
def test_the_sentence_leaves_out_what_was_not_answered(answers, beginning):
    assert make_summary(**answers).sentence.startswith(beginning)


@pytest.mark.parametrize(
    ("days", "words"), [(36, "in 5 weeks"), (14, "in 2 weeks"), (13, "in 13 days"), (1, "in 1 day")]
)
def test_the_race_is_told_in_weeks_or_when_near_in_days(days, words):
    summary = make_summary(goal_event_date=TODAY + dt.timedelta(days=days))
    assert summary.sentence.endswith(f"goal: a race {words}.")


def test_distances_are_told_in_the_patients_own_unit():
    assert "12 mi a week, was 40 mi" in make_summary(run_unit="mi").sentence


def test_every_number_has_its_scale():
    numbers = {number.id: number for number in make_summary().numbers}
    assert (numbers["pain-worst"].value, numbers["pain-worst"].scale) == ("8", "/10")
    assert (numbers["calc-impact"].value, numbers["calc-impact"].scale) == ("47", "/100")
    assert (numbers["activity-score"].value, numbers["activity-score"].scale) == ("4.5", "/10")


def test_no_leg_symptom_is_a_zero_and_no_answer_is_none():
    without = {number.id: number.value for number in make_summary(leg_any=False).numbers}
    unanswered = {number.id: number.value for number in make_summary(pain_run=None).numbers}
    assert without["leg-pain"] == "0"
    assert unanswered["pain-run"] == ""


@pytest.mark.parametrize(
    ("hours", "age", "is_stale"),
    [
        (0.5, "30 min", False),
        (3, "3 h", False),
        (47, "47 h", False),
        (72, "3 days", False),
        (14 * 24, "14 days", False),
        (14 * 24 + 1, "14 days", True),
        (None, "", True),
    ],
)
def test_safety_answers_older_than_fourteen_days_are_to_be_asked_again(hours, age, is_stale):
    summary = make_summary(hours=hours)
    assert summary.safety_age == age
    assert summary.is_safety_stale is is_stale


def test_the_signed_threshold_says_when_the_summary_calls_safety_answers_old(monkeypatch):
    monkeypatch.setattr("intake.summary.summary.SAFETY_ANSWERS_LAST", dt.timedelta(days=10))
    assert make_summary(hours=11 * 24).is_safety_stale


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ({"body_numb": ["saddle"]}, "Saddle numbness"),
        ({"leg_side": "both"}, "Both legs"),
        ({"leg_feeling": ["weakness"]}, "Leg weakness"),
        ({"pain_worst": 4}, "Worst pain"),
    ],
)
def test_contradictions_are_named(answers, word):
    assert [c for c in make_summary(**answers).contradictions if c.startswith(word)]


def test_answers_that_agree_have_no_contradiction():
    assert make_summary().contradictions == ()


def test_marks_tell_who_needs_other_care():
    summary = make_summary(
        about_birth_date=born(16),
        about_filler="guardian",
        safety_pregnancy="maybe",
        tx_avoid=["chaperone"],
        answered_in="es",
    )
    assert summary.marks == (
        "Minor",
        "May be pregnant",
        "Wants a chaperone",
        "Answered in Spanish",
    )
    assert summary.filled_in_by == "filled in by a parent or guardian"
    assert make_summary().marks == ()


def test_considerations_and_factors_are_capped_and_the_rest_is_behind_more():
    many = make_summary(
        pain_type=["spasm", "stiff"],
        mob_tight=["hip-front", "hamstring"],
        body_regions=["groin-left"],
        onset_settle="ge-24h",
        onset_push="often",
        strength_hips="d0",
    )
    assert len(many.considerations) == CONSIDERATIONS_SHOWN
    assert len(many.factors) == FACTORS_SHOWN
    shown = {*ids(many.considerations), *ids(many.factors)}
    assert many.more
    assert not shown & set(ids(many.more))
    assert len(set(ids(many.all_lines))) == len(many.all_lines)


def test_evidence_is_short_on_the_page_and_whole_behind_it():
    line = next(
        one
        for one in make_summary(
            onset_worse=["sitting", "bend-forward", "lifting", "cough"], med_told=["disc"]
        ).considerations
        if one.id == "F-02"
    )
    assert line.evidence == "worse: sitting, bending forward, lifting, cough or strain"
    assert "told: herniated disc" in line.all_evidence
    assert line.look
    assert line.sources


def test_the_spike_is_in_the_heading_and_in_a_plot():
    summary = make_summary()
    spike = next(line for line in summary.factors if line.id == "F-20")
    assert spike.heading.endswith("+33 %")
    assert spike.evidence == "onset run 16 km, longest before 12 km"
    assert summary.onset_run.text == "Onset run 16 km, 33 % over the longest before (12 km)."


def test_before_you_touch_names_cautions_and_what_was_stated():
    summary = make_summary(
        safety_bone=["blood-thinner"],
        med_allergies="latex",
        med_medicines="apixaban",
        med_surgery=True,
        med_surgery_what="disc 2019",
    )
    assert {"F-44", "F-46", "F-55"} <= set(ids(summary.cautions))
    assert summary.cautions_stated == (
        "Allergies: latex",
        "Bone and bleeding: blood thinner",
        "Takes: apixaban",
    )


def test_before_you_touch_says_when_nothing_was_named():
    assert make_summary().cautions_stated == (
        "No allergy stated",
        "No bone or bleeding risk named",
    )


def test_care_so_far_wishes_worries_and_own_words():
    summary = make_summary()
    assert summary.tried == (("rest from running", True), ("foam roller", False))
    assert summary.wants == ("find the cause", "a plan to run again")
    assert summary.worries == ("fear of harm 7/10", "low mood 3/10", "hope 8/10")
    assert summary.activities == ("Run 5 km 3/10", "Tie my shoes 6/10")
    assert summary.own_words == "Start the half marathon with my sister."


@pytest.mark.parametrize(
    ("answers", "services"),
    [
        ({"safety_nerve": ["saddle-numb"]}, ()),
        ({"safety_cancer": ["lump"]}, ("by_phone", "doctor", "usual_first_visit")),
        ({}, ("usual_first_visit", "doctor")),
    ],
)
def test_the_first_services_follow_the_level(answers, services):
    assert make_summary(**answers).first_services == services


def test_gait_analysis_is_not_suggested_while_running_hurts_much():
    def services(pain_run):
        answers = Answers.of(**SAFETY_CLEAR, form_notes=["lean"], pain_run=pain_run)
        found = findings.evaluate(answers, today=TODAY)
        return first_services(triage.evaluate(answers, today=TODAY), found)

    assert services(5) == ("usual_first_visit", "gait", "running_form")
    assert services(6) == ("usual_first_visit", "running_form")


def test_checks_come_from_the_considerations_shown():
    summary = make_summary()
    assert summary.checks == tuple(line.look for line in summary.considerations)


def test_unanswered_safety_questions_are_named_and_only_those_asked():
    summary = make_summary(safety_cancer=None, safety_pregnancy=None)
    assert summary.unanswered_safety == ("cancer signs", "pregnancy")
    assert "pregnancy warning signs" in make_summary(safety_pregnancy="pregnant").unanswered_safety
    assert make_summary().unanswered_safety == ()


def test_the_rule_set_is_named():
    assert make_summary().rule_set_version == RULE_SET_VERSION


def test_strict_public_advice_reaches_the_strip():
    answers = {"leg_any": False, "onset_trend": "same", "pain_worst": 5}
    assert make_summary(**answers, safety_cancer=["weight-loss"]).level == Level.SOON
    assert make_summary(**answers, safety_cancer=["weight-loss"], strict=True).level == Level.URGENT


def test_option_texts_follow_the_readers_language():
    assert make_summary(language="es").wants == (
        "encontrar la causa",
        "un plan para volver a correr",
    )


@given(intakes())
def test_any_answers_make_a_summary(answers):
    summary = summarize(
        FORM, Answers(answers), today=TODAY, now=NOW, language="en", answered_in="en"
    )
    assert len(summary.top_rules) + len(summary.other_rules) >= 1
    assert all(line.all_evidence for line in summary.all_lines if line.id != "T-R0")


def test_every_shorter_wording_belongs_to_an_option_that_exists():
    for link_id, codes in wording.SHORT.items():
        item = FORM.item(link_id)
        known = {option.value for option in item.options} or {"true", "false"}
        assert set(codes) <= known, link_id
    regions = {option.value for option in FORM.item("body-numb").options} - {"none"}
    assert set(wording.REGIONS) == regions
    assert set(wording.LABELS) <= {item.link_id for item in FORM.walk()}


def test_no_evidence_is_told_in_more_words_than_a_glance_takes():
    # What a rule looks for has a short form wherever the patient's own option text is long.
    looked_for = {link for rule in [*RULES.values(), *FINDINGS.values()] for link in rule.evidence}
    long = [
        (item.link_id, option.value)
        for item in FORM.walk()
        if item.link_id in looked_for
        for option in item.options
        if len(wording.answer(FORM, item.link_id, option.value).split()) > 8
    ]
    assert long == []


def test_the_body_map_marks_pain_numbness_and_the_main_place():
    drawn = charts.body_map(Answers.of(**RUNNER))
    marks = {place.name: (place.hurts, place.is_numb, place.is_main) for place in drawn.places}
    assert marks == {
        "right low back": (True, False, True),
        "right buttock": (True, False, False),
        "right lower leg": (True, True, False),
    }
    assert drawn.text == (
        "Pain: right low back, right buttock, right lower leg. Most: right low back. "
        "Numb or tingling: right lower leg."
    )


def test_every_region_can_be_drawn():
    regions = sorted(wording.REGIONS)
    drawn = charts.body_map(Answers.of(body_regions=regions, body_numb=regions))
    assert {place.name for place in drawn.places} == {
        str(name) for name in wording.REGIONS.values()
    }


def test_an_empty_body_map_says_so():
    assert charts.body_map(Answers.of()).text == "No place marked."


@pytest.mark.parametrize(("longest", "onset"), [(12, 16), (12, 12), (20, 5), (5, 40), (10, 20)])
def test_the_onset_run_fits_its_frame_and_is_true_to_scale(longest, onset):
    plot = charts.onset_run(Answers.of(load_long_30=longest, load_onset_run=onset, run_unit="km"))
    assert plot.onset.width / plot.longest.width == pytest.approx(onset / longest, abs=0.02)
    for x in [plot.left + plot.onset.width, *(mark.x for mark in plot.marks)]:
        assert x <= charts.PLOT_WIDTH
    tenth, third, double = (mark.x - plot.left for mark in plot.marks)
    assert tenth == pytest.approx(plot.longest.width * 1.1, abs=0.2)
    assert third == pytest.approx(plot.longest.width * 1.3, abs=0.2)
    assert double == pytest.approx(plot.longest.width * 2, abs=0.2)


def test_the_onset_run_needs_both_distances():
    assert charts.onset_run(Answers.of(load_long_30=12)) is None
    assert charts.onset_run(Answers.of(load_long_30=0, load_onset_run=5)) is None


def test_an_onset_run_no_longer_than_before_is_told_so():
    plot = charts.onset_run(Answers.of(load_long_30=12, load_onset_run=12, run_unit="km"))
    assert plot.text == "Onset run 12 km, not over the longest before (12 km)."


def test_the_impact_plot_has_a_dot_for_each_answer_on_one_scale():
    plot = charts.impact_plot(Answers.of(impact_sit=0, impact_run=10))
    assert [(dot.label, dot.score) for dot in plot.dots] == [("sitting", 0), ("running", 10)]
    assert [dot.x for dot in plot.dots] == [plot.ticks[0].x, plot.ticks[-1].x]
    assert plot.dots[0].y < plot.dots[1].y < plot.height
    assert plot.text == "Daily impact is highest for running, 10 of 10."


def test_a_foreign_questionnaire_still_makes_a_page():
    form = Form.parse(
        {
            "resourceType": "Questionnaire",
            "status": "active",
            "url": "https://clinic.example/fhir/Questionnaire/other",
            "version": "1",
            "item": [{"linkId": "mood", "type": "string", "text": "How are you?"}],
        }
    )
    answers = Answers.of(mood="Well", body_regions=["elbow"], body_main="elbow")
    summary = summarize(form, answers, today=TODAY, now=NOW, language="en", answered_in="en")
    assert summary.level == Level.ROUTINE
    assert summary.body_map.places == ()
