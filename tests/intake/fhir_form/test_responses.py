import copy
from datetime import date

import pytest
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as FhirResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.answers import Answers
from intake.fhir_form.extensions import HL7
from intake.fhir_form.questionnaire import Form
from intake.fhir_form.responses import (
    SIGNED,
    answer_for,
    missing,
    replace_answers,
    settle,
    validate_response,
)
from tests.intake.fhir_form.test_questionnaire import FORM
from tests.intake.html_form.test_forms import TODAY, fill_up_to
from tests.intake.small import make_choice, make_content, make_item

FULL = fill_up_to(14)


def make_response(items, *, form=FORM, status="completed", **fields):
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": form.canonical,
        "status": status,
        "item": items,
    } | fields


def rules(response, form=FORM, today=TODAY):
    return {issue.rule for issue in validate_response(form, response, today=today)}


def edited(edit):
    """The full response after `edit` changed its items by linkId in place."""
    items = copy.deepcopy(FULL)
    found = {}

    def collect(elements):
        for element in elements:
            found.setdefault(element["linkId"], element)
            collect(element.get("item", []))

    collect(items)
    edit(found)
    return make_response(items)


def group_of(found, link_id):
    return next(
        element
        for element in found.values()
        if any(child["linkId"] == link_id for child in element.get("item", []))
    )


def remove(found, link_id):
    group = group_of(found, link_id)
    group["item"] = [child for child in group["item"] if child["linkId"] != link_id]


def test_the_full_response_is_valid_here_and_as_fhir():
    response = make_response(FULL, authored="2026-06-01T13:00:00+00:00")
    assert rules(response) == set()
    assert FhirResponse.model_validate(response).status == "completed"


@pytest.mark.parametrize(
    ("rule", "edit"),
    [
        ("required", lambda found: remove(found, "pain-now")),
        ("required", lambda found: remove(found, "leg-side")),
        ("required", lambda found: remove(found, "activity")),
        ("required", lambda found: found["activity"]["item"].pop()),
        ("required", lambda found: found["safety"].update(item=[])),
        ("type", lambda found: found["pain-now"].update(answer=[{"valueString": "3"}])),
        ("type", lambda found: found["pain-now"].update(answer=[{"valueInteger": True}])),
        ("type", lambda found: found["pain-now"].update(answer=[{"valueInteger": 3.5}])),
        ("type", lambda found: found["about-birth-date"].update(answer=[{"valueDate": "1990"}])),
        (
            "option",
            lambda found: found["leg-side"].update(answer=[{"valueCoding": {"code": "up"}}]),
        ),
        ("option", lambda found: found["leg-side"].update(answer=[{"valueString": "left"}])),
        ("max-value", lambda found: found["pain-now"].update(answer=[{"valueInteger": 11}])),
        ("min-value", lambda found: found["pain-now"].update(answer=[{"valueInteger": -1}])),
        ("step", lambda found: found["sleep-hours"].update(answer=[{"valueDecimal": 6.3}])),
        ("cardinality", lambda found: found["leg-side"]["answer"].append(LEFT)),
        ("cardinality", lambda found: group_of(found, "leg-any")["item"].insert(0, LEG)),
        ("duplicate", lambda found: found["tx-want"]["answer"].append(CAUSE)),
        ("exclusive", lambda found: found["safety-nerve"]["answer"].append(UNSURE)),
        ("disabled", lambda found: found["leg-any"].update(answer=[{"valueBoolean": False}])),
        ("unknown-link-id", lambda found: found["safety"]["item"].append({"linkId": "zz"})),
        ("nesting", lambda found: found["safety"]["item"].append(found["leg-any"])),
        ("nesting", lambda found: found["leg-any"]["answer"][0].update(item=[LEG])),
        ("order", lambda found: found["safety"]["item"].reverse()),
        ("structure", lambda found: found["safety"].update(answer=[{"valueBoolean": True}])),
        ("structure", lambda found: found["safety"].update(item="x")),
        ("structure", lambda found: found["leg-any"].update(answer=True)),
        ("structure", lambda found: found["leg-any"].update(item=[{"linkId": "leg-pain"}])),
        ("must-be-true", lambda found: found["consent-true"].update(answer=[FALSE])),
        (
            "max-length",
            lambda found: found["goal-words"].update(answer=[{"valueString": "x" * 161}]),
        ),
        (
            "min-length",
            lambda found: found["consent-signature"].update(answer=[{"valueString": "A"}]),
        ),
        (
            "first-age-above-age",
            lambda found: found["onset-first-age"].update(answer=[{"valueInteger": 37}]),
        ),
        ("main-not-picked", lambda found: found["body-main"].update(answer=[TAILBONE])),
    ],
)
def test_a_broken_answer_is_named_by_its_rule(rule, edit):
    response = edited(edit)
    issues = validate_response(FORM, response, today=TODAY)
    assert rule in {issue.rule for issue in issues}
    assert all(issue.path.startswith("QuestionnaireResponse") for issue in issues)


LEFT = {"valueCoding": {"code": "right"}}
CAUSE = {"valueCoding": {"code": "cause"}}
UNSURE = {"valueCoding": {"code": "unsure"}}
TAILBONE = {"valueCoding": {"code": "tailbone"}}
FALSE = {"valueBoolean": False}
LEG = {"linkId": "leg-any", "answer": [{"valueBoolean": True}]}


def test_answers_of_a_fourth_activity_are_too_many():
    def edit(found):
        group = group_of(found, "activity")
        index = group["item"].index(found["activity"])
        group["item"][index:index] = [copy.deepcopy(found["activity"])] * 2

    assert "cardinality" in rules(edited(edit))


def test_a_response_in_progress_may_be_unfinished_but_not_wrong():
    begun = make_response(fill_up_to(3), status="in-progress")
    assert rules(begun) == set()
    assert "required" in rules(begun | {"status": "completed"})


def test_a_response_to_another_questionnaire_or_without_a_status_is_refused():
    assert rules(make_response(FULL, questionnaire="https://other.example/q|1")) == {
        "questionnaire"
    }
    assert rules(make_response(FULL, status="done")) == {"required"}


@pytest.mark.parametrize("junk", [None, [], "x", {}, {"resourceType": "Patient"}])
def test_something_else_is_refused(junk):
    assert rules(junk) == {"structure"}


def test_dates_are_measured_from_the_day_the_response_was_written():
    response = make_response(FULL, authored="1994-06-01T00:00:00Z")
    assert "max-value" in rules(response, today=None)
    assert "max-value" not in rules(response | {"authored": "2026-06-01"}, today=None)


def test_a_display_text_or_a_system_named_on_one_side_does_not_matter():
    def edit(found):
        coding = found["leg-side"]["answer"][0]["valueCoding"]
        coding |= {"display": "Left", "system": "https://x.example"}

    assert rules(edited(edit)) == set()


def typed(item, *answers, **fields):
    """The rules that a completed response with these answers to one question breaks."""
    form = Form.parse(make_content(item))
    element = {"linkId": item["linkId"], "answer": list(answers)}
    response = make_response([{"linkId": "g", "item": [element]}], form=form, **fields)
    return rules(response, form=form)


def limited(type_, name, **value):
    extension = {"url": f"{HL7}/{name}", **value}
    return make_item("a", type_, extension=[extension])


KG = {"value": 5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}


@pytest.mark.parametrize(
    ("item", "answer", "broken"),
    [
        (make_item("a", "time"), {"valueTime": "08:30:00"}, None),
        (make_item("a", "time"), {"valueTime": "8:30"}, "type"),
        (make_item("a", "time"), {"valueTime": "25:00:00"}, "type"),
        (make_item("a", "dateTime"), {"valueDateTime": "2026-02-28T08:30:00-06:00"}, None),
        (make_item("a", "dateTime"), {"valueDateTime": "2026-02-30T08:30:00Z"}, "type"),
        (make_item("a", "dateTime"), {"valueDateTime": "2026-02-28T08:30:00"}, "type"),
        (make_item("a", "date"), {"valueDate": "2026-02-29"}, "type"),
        (make_item("a", "url"), {"valueUri": "urn:oid:1.2"}, None),
        (make_item("a", "url"), {"valueUri": "no address"}, "type"),
        (make_item("a", "url"), {"valueString": "https://x.example"}, "type"),
        (make_item("a", "integer"), {"valueInteger": 2**31}, "type"),
        (make_item("a", "integer"), {"valueInteger": 1, "valueString": "1"}, "type"),
        (make_item("a", "quantity"), {"valueQuantity": KG}, None),
        (make_item("a", "quantity"), {"valueQuantity": {"value": "5"}}, "type"),
        (make_item("a", "quantity"), {"valueQuantity": KG | {"comparator": "<"}}, "type"),
        (limited("quantity", "maxValue", valueInteger=4), {"valueQuantity": KG}, "max-value"),
        (limited("time", "minValue", valueTime="09:00:00"), {"valueTime": "08:00:00"}, "min-value"),
        (limited("string", "regex", valueString="[0-9]+"), {"valueString": "12"}, None),
        (limited("string", "regex", valueString="[0-9]+"), {"valueString": "12a"}, "pattern"),
        (limited("integer", "regex", valueString="[0-9]"), {"valueInteger": 12}, "pattern"),
        (make_item("a", "string"), {"valueString": "x" * 4001}, "max-length"),
        (make_item("a", "string"), {"valueString": " "}, "min-length"),
    ],
)
def test_an_answer_of_any_type_is_valid_or_named_by_its_rule(item, answer, broken):
    assert typed(item, answer) == ({broken} if broken else set())


def test_beside_options_a_free_text_is_an_answer_to_an_open_choice_only():
    free, coded = {"valueString": "x"}, {"valueCoding": {"code": "x"}}
    open_ = make_choice("c") | {"type": "open-choice"}
    assert typed(open_, free) == typed(open_, coded) == typed(make_choice("c"), coded) == set()
    assert typed(make_choice("c"), free) == {"option"}
    # The word and the code that reads the same are two answers, and only the code is the option.
    condition = {"question": "c", "operator": "=", "answerCoding": {"code": "x"}}
    form = Form.parse(make_content(open_, make_item("b", enableWhen=[condition])))
    for answer, is_asked in ((free, False), (coded, True)):
        answers = Answers.from_response({"item": [{"linkId": "c", "answer": [answer]}]})
        assert ("b" in form.enabled(answers)) is is_asked


def test_too_few_answers_are_wrong_only_once_the_response_is_final():
    item = limited("string", "questionnaire-minOccurs", valueInteger=2) | {"repeats": True}
    one = {"valueString": "x"}
    assert typed(item, one) == {"too-few"}
    assert typed(item, one, status="in-progress") == set()
    assert typed(item, one, one) == set()


def test_a_required_group_needs_an_answer_to_any_of_its_questions():
    group = {"linkId": "r", "type": "group", "required": True, "item": [make_item("b")]}
    form = Form.parse(make_content(make_item("a"), group))
    assert rules(make_response([], form=form), form=form) == {"required"}
    assert [item.link_id for item in missing(form, Answers())] == ["b"]
    answered = [
        {"linkId": "g", "item": [{"linkId": "r", "item": [{"linkId": "b", "answer": [FALSE]}]}]}
    ]
    assert rules(make_response(answered, form=form), form=form) == set()


SIGNATURE = {
    "type": [{"code": "1.2.840.10065.1.12.1.7"}],
    "when": "2026-06-01T10:00:00Z",
    "who": {"display": "Ana Ruiz"},
}


@pytest.mark.parametrize(
    ("signature", "status", "broken"),
    [
        (SIGNATURE, "completed", set()),
        (SIGNATURE, "amended", set()),
        (None, "in-progress", set()),
        (None, "completed", {"signature"}),
        (SIGNATURE, "in-progress", {"signature"}),
        (SIGNATURE | {"when": "2026-06-01"}, "completed", {"signature"}),
        (SIGNATURE | {"who": "Ana"}, "completed", {"signature"}),
        (SIGNATURE | {"type": []}, "completed", {"signature"}),
        ("Ana", "completed", {"signature"}),
    ],
)
def test_a_signature_is_whole_and_under_something_finished(signature, status, broken):
    needed = [{"url": f"{HL7}/questionnaire-signatureRequired", "valueCodeableConcept": {}}]
    form = Form.parse(make_content(make_item("consent-signature", "string"), extension=needed))
    signed = (
        {} if signature is None else {"extension": [{"url": SIGNED, "valueSignature": signature}]}
    )
    assert rules(make_response([], form=form, status=status, **signed), form=form) == broken


def test_a_response_of_endless_length_is_refused_at_once():
    items = [{"linkId": "activity", "item": []}] * 10_001
    assert rules(make_response(items)) == {"limit-items"}
    assert rules(make_response(FULL, authored="yesterday")) == {"type"}


def test_settling_renews_calculated_values_and_drops_what_is_not_asked():
    items = [
        {
            "linkId": "about",
            "item": [
                {"linkId": "calc-age", "answer": [{"valueInteger": 99}]},
                {"linkId": "about-birth-date", "answer": [{"valueDate": "2010-06-02"}]},
            ],
        },
        {
            "linkId": "consent",
            "item": [{"linkId": "minor-assent", "answer": [{"valueBoolean": True}]}],
        },
    ]
    settled = settle(FORM, items, today=TODAY)
    answers = Answers.from_response({"item": settled})
    assert answers.number("calc-age") == 15
    assert answers.has("minor-assent", True)
    grown = settle(FORM, settled, today=date(2028, 6, 2))
    assert not Answers.from_response({"item": grown}).answered("minor-assent")


def test_replacing_an_answer_keeps_the_order_of_the_form():
    form = Form.parse(make_content(make_item("a"), make_choice("c"), make_item("b")))
    items = replace_answers(form, [], {"b": [FALSE]})
    items = replace_answers(form, items, {"c": [{"valueCoding": {"code": "x"}}]})
    items = replace_answers(form, items, {"a": [FALSE]})
    assert [item["linkId"] for item in items[0]["item"]] == ["a", "c", "b"]
    assert replace_answers(form, items, {"a": [], "b": [], "c": []}) == []


def test_what_is_missing_is_listed_in_the_order_of_the_form():
    answers = Answers.from_response({"item": fill_up_to(2)})
    names = [item.link_id for item in missing(FORM, answers)]
    assert names[:3] == ["pain-now", "pain-average", "pain-worst"]
    assert "leg-pain" not in names
    assert missing(FORM, Answers.from_response({"item": FULL})) == []


def some_value(item):
    match item.type:
        case "choice":
            return st.sampled_from([option.value for option in item.options])
        case "boolean":
            return st.booleans()
        case "date":
            return st.dates(date(1900, 1, 1), date(2030, 1, 1))
        case "integer":
            return st.integers(0, 40)
        case "decimal":
            return st.integers(0, 60)
    return st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1)


@st.composite
def any_items(draw):
    """Answers to any of the questions, fitting together or not."""
    questions = [item for item in FORM.walk() if item.is_question and item not in ACTIVITY]
    changes = {
        item.link_id: [answer_for(item, draw(some_value(item)))]
        for item in draw(st.lists(st.sampled_from(questions), unique=True))
    }
    return replace_answers(FORM, [], changes)


ACTIVITY = FORM.item("activity").items


@given(any_items())
@settings(max_examples=100)
def test_whatever_was_answered_settles_into_what_the_form_asks(items):
    settled = settle(FORM, items, today=TODAY)
    assert settle(FORM, settled, today=TODAY) == settled
    found = rules(make_response(settled, status="in-progress"))
    assert not found & {"disabled", "order", "nesting", "structure", "type", "option"}
