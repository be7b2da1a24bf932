import json
from datetime import date

import pytest
from crispy_forms.utils import render_crispy_form
from django.http import QueryDict
from django.utils import translation

from intake.answers import Answers
from intake.fhir_form.questionnaire import Form
from intake.fhir_form.responses import validate_response
from intake.html_form.forms import QuestionForm
from tests.intake.fhir_form.test_questionnaire import FORM
from tests.intake.filled import page_data
from tests.intake.small import make_choice, make_content, make_item

TODAY = date(2026, 6, 1)


def posted(fields):
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


def make_form(number, fields=None, *, stored=(), form=FORM, language="en"):
    return QuestionForm(
        None if fields is None else posted(fields),
        questionnaire=form,
        items=form.pages()[number - 1].items,
        stored=list(stored),
        language=language,
        today=TODAY,
        placeholders={"emergency_number": "911"},
    )


def fill_up_to(last, **changes):
    """Stored items after honest answers to the pages 1 to `last`."""
    stored = []
    for page in FORM.pages()[:last]:
        form = make_form(page.number, page_data(FORM, page.number, **changes), stored=stored)
        assert form.is_valid(), (page.key, form.errors.as_json())
        stored = form.items
    return stored


def answers(form):
    return Answers.from_response({"item": form.items})


def codes(form, name):
    return [error.code for error in form.errors.as_data().get(name, [])]


def test_all_pages_filled_make_a_valid_response():
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": FORM.canonical,
        "status": "completed",
        "item": fill_up_to(14),
    }
    assert validate_response(FORM, response, today=TODAY) == []


def test_calculated_values_are_stored_with_the_answers():
    given = Answers.from_response({"item": fill_up_to(14)})
    assert given.number("calc-age") == 36
    assert given.number("calc-load-ratio") == 1.29
    assert given.number("calc-spike-pct") == 22
    assert given.number("calc-impact") == 31.7


def test_a_calculated_value_cannot_be_posted():
    form = make_form(2, page_data(FORM, 2) | {"calc-age": "5"})
    assert form.is_valid()
    assert answers(form).number("calc-age") == 36


def test_pounds_and_feet_become_kilograms_and_centimetres():
    fields = page_data(FORM, 2) | {
        "about-height_0": "",
        "about-height_1": "5",
        "about-height_2": "7",
        "about-weight_1": "141",
    }
    form = make_form(2, fields)
    assert form.is_valid()
    assert answers(form).number("about-height") == 170.2
    assert answers(form).number("about-weight") == 64


def test_two_different_heights_at_once_are_an_error():
    form = make_form(2, page_data(FORM, 2) | {"about-height_0": "170", "about-height_1": "5"})
    assert codes(form, "about-height") == ["both"]


@pytest.mark.parametrize(
    ("typed", "stored", "code"),
    [("18,5", 18.5, None), ("18.5", 18.5, None), ("0", 0, None), ("250", 250, None)]
    + [
        ("250.5", None, "max-value"),
        ("-1", None, "min-value"),
        ("1.234", None, "max-decimal-places"),
    ]
    + [(junk, None, "invalid") for junk in ("x", "NaN", "inf", "1" * 500, "1e999999999", "١٢x")],
)
def test_a_distance_is_read_and_limited_in_the_unit_chosen(typed, stored, code):
    form = make_form(6, page_data(FORM, 6) | {"load-now": typed, "run-unit": "mi"})
    assert codes(form, "load-now") == ([code] if code else [])
    assert answers(form).number("load-now") == stored


def test_the_limit_of_a_distance_follows_its_unit():
    fields = page_data(FORM, 6) | {"load-now": "300"}
    assert make_form(6, fields | {"run-unit": "km"}).is_valid()
    assert not make_form(6, fields | {"run-unit": "mi"}).is_valid()


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2021-06-01", None),
        ("2021-06-02", "max-value"),
        ("1916-06-01", None),
        ("1916-05-31", "min-value"),
        ("2026-06-02", "max-value"),
        ("24/05/1990", "invalid"),
        ("1990-02-30", "invalid"),
    ],
)
def test_a_birth_date_makes_somebody_5_to_110_years_old(typed, code):
    form = make_form(2, page_data(FORM, 2) | {"about-birth-date": typed})
    assert codes(form, "about-birth-date") == ([code] if code else [])


@pytest.mark.parametrize(("typed", "code"), [("6.5", None), ("7", None), ("6.3", "step")])
def test_sleep_is_told_in_half_hours(typed, code):
    form = make_form(9, page_data(FORM, 9) | {"sleep-hours": typed}, stored=fill_up_to(8))
    assert codes(form, "sleep-hours") == ([code] if code else [])


def test_none_of_these_beside_a_sign_is_an_error_and_the_sign_is_kept():
    form = make_form(1, page_data(FORM, 1, safety__nerve=["saddle-numb", "none"]))
    assert codes(form, "safety-nerve") == ["exclusive"]
    assert "None of these" in form.errors["safety-nerve"][0]
    assert answers(form).values("safety-nerve") == ("saddle-numb",)


def test_an_unfinished_page_keeps_what_was_answered():
    form = make_form(1, {"safety-nerve": ["bladder-leak"]})
    assert codes(form, "safety-body") == ["required"]
    assert answers(form).has("safety-nerve", "bladder-leak")


@pytest.mark.parametrize("junk", ["no-such-code", "none\x00", "", "<script>", "x" * 10_000])
def test_an_option_that_was_never_offered_is_an_error(junk):
    form = make_form(1, page_data(FORM, 1, safety__injury=junk))
    assert not form.is_valid()
    assert junk == "" or junk not in form.errors["safety-injury"][0]
    assert not answers(form).answered("safety-injury")


def test_a_text_is_limited_and_a_nul_byte_refused():
    long = make_form(10, page_data(FORM, 10) | {"med-surgery-what": "x" * 121})
    assert codes(long, "med-surgery-what") == ["max-length"]
    nul = make_form(13, page_data(FORM, 13) | {"goal-notes": "a\x00b"})
    assert codes(nul, "goal-notes") == ["null_characters_not_allowed"]


def test_a_question_of_the_same_page_is_hidden_until_an_answer_brings_it_up():
    form = make_form(3)
    assert not form.questions["leg-pain"].is_shown
    assert form.questions["leg-any"].is_shown
    clauses = json.loads(form.questions["leg-pain"].depends_on)
    assert clauses == [
        {"all": True, "of": [{"questions": ["leg-any"], "operator": "=", "value": True}]}
    ]


def test_a_question_that_another_page_rules_out_is_not_on_the_page():
    assert "body-numb" not in make_form(4, stored=fill_up_to(3, leg__feeling=["pain"])).fields
    assert "body-numb" in make_form(4, stored=fill_up_to(3)).fields


def test_newly_asked_questions_are_news_and_not_errors():
    shown = make_form(3)
    fields = page_data(FORM, 3, **dict.fromkeys(LEG_QUESTIONS)) | {"_asked": shown.asked}
    form = make_form(3, fields)
    assert not form.is_valid()
    assert form.has_only_news
    assert [field.name for field in form.news] == [
        name.replace("__", "-") for name in LEG_QUESTIONS
    ]
    assert all(form.questions[field.name].is_shown for field in form.news)
    again = make_form(3, fields | {"_asked": form.asked})
    assert not again.has_only_news
    assert codes(again, "leg-pain") == ["required"]


LEG_QUESTIONS = ("leg__pain", "leg__side", "leg__reach", "leg__feeling", "leg__walk")


def test_an_answer_to_a_question_that_is_not_asked_is_dropped_without_complaint():
    form = make_form(3, page_data(FORM, 3, leg__any="false", leg__pain="junk"))
    assert form.is_valid()
    assert not answers(form).answered("leg-side")


def test_taking_back_an_answer_drops_what_it_had_brought_up_on_other_pages():
    stored = fill_up_to(4)
    assert Answers.from_response({"item": stored}).answered("body-numb")
    form = make_form(3, page_data(FORM, 3, leg__any="false"), stored=stored)
    assert form.is_valid()
    assert not answers(form).answered("body-numb")


def test_the_main_place_must_be_one_of_those_marked():
    form = make_form(4, page_data(FORM, 4, body__main="foot-left"), stored=fill_up_to(3))
    assert codes(form, "body-main") == ["main-not-picked"]


def test_only_what_was_tried_can_have_helped_but_nothing_may_have():
    stored = fill_up_to(10)
    odd = make_form(11, page_data(FORM, 11, tx__helped=["massage"]), stored=stored)
    assert codes(odd, "tx-helped") == ["helped-not-tried"]
    assert make_form(11, page_data(FORM, 11, tx__helped=["none"]), stored=stored).is_valid()


def test_an_odd_pair_is_pointed_out_and_let_through():
    form = make_form(3, page_data(FORM, 3, pain__worst="2"))
    assert form.is_valid()
    assert form.questions["pain-worst"].warnings


def test_one_activity_is_needed_and_spare_ones_may_stay_empty():
    stored = fill_up_to(11)
    one = {"activity:1:activity__name": None, "activity:1:activity__score": None}
    form = make_form(12, page_data(FORM, 12, **one), stored=stored)
    assert form.is_valid()
    assert answers(form).values("activity-name") == ("Run 5 km",)
    none = make_form(
        12,
        page_data(FORM, 12, **one)
        | {"activity:0:activity-name": "", "activity:0:activity-score": ""},
        stored=stored,
    )
    assert codes(none, "activity:0:activity-name") == ["required"]


def test_a_half_filled_activity_needs_its_other_half():
    form = make_form(
        12, page_data(FORM, 12) | {"activity:1:activity-score": ""}, stored=fill_up_to(11)
    )
    assert codes(form, "activity:1:activity-score") == ["required"]


def test_consent_must_be_given_to_go_on():
    form = make_form(14, page_data(FORM, 14, consent__privacy=None), stored=fill_up_to(13))
    assert codes(form, "consent-privacy") == ["required"]


def test_a_minor_is_asked_for_the_guardian():
    stored = fill_up_to(13, about__birth__date="2012-01-01", onset__first__age="9")
    form = make_form(14, page_data(FORM, 14), stored=stored)
    assert codes(form, "guardian-name") == ["required"]
    assert "minor-assent" in form.fields


def test_stored_answers_come_back_as_the_form_s_initial_values():
    stored = fill_up_to(14)
    for page in FORM.pages():
        again = make_form(page.number, stored=stored)
        html = render_crispy_form(again)
        assert html.count(" checked") == sum(
            len(value) if isinstance(value, list) else 1
            for name, value in page_data(FORM, page.number).items()
            if name in again.fields and hasattr(again.fields[name], "choices")
        ) + sum(field.question.item.must_be_true for field in again.fields.values())


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_page_renders_every_word_it_asks_in_the_language(language):
    stored = fill_up_to(14)
    with translation.override(language):
        for page in FORM.pages():
            form = make_form(page.number, stored=stored, language=language)
            html = render_crispy_form(form)
            for name, question in form.questions.items():
                assert str(form[name].label) == FORM.text(question.item, language)
                for option in question.item.options:
                    assert f'value="{option.value}"' in html
                if question.item.scale_ends:
                    assert question.item.scale_ends[1].in_language(language) in html
    assert "{emergency_number}" not in html


def test_words_of_a_foreign_questionnaire_are_never_run_as_a_template():
    hostile = '{% load log %}{{ form }}<5 & "'
    inner = {
        "linkId": "i",
        "type": "group",
        "text": hostile,
        "item": [make_item("b", text=hostile)],
    }
    form = Form.parse(make_content(make_item("d", "display", text=hostile), inner, make_choice()))
    html = render_crispy_form(make_form(1, form=form))
    assert html.count("{% load log %}{{ form }}&lt;5 &amp; &quot;") == 3


def test_every_region_of_the_chart_is_a_label_of_its_checkbox():
    stored = fill_up_to(3)
    html = render_crispy_form(make_form(4, stored=stored))
    for link_id in ("body-regions", "body-numb"):
        for index, option in enumerate(FORM.item(link_id).options):
            if option.value != "none":
                label = f'<label class="region region-{option.value}" for="id_{link_id}_{index}">'
                assert label in html
