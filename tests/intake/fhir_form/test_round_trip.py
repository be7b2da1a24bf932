"""Questionnaires from anywhere: imported, asked through the real form, stored, exported, judged."""

import json
import random
from pathlib import Path

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire as FhirQuestionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as FhirResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.answers import Answers
from intake.fhir_form.extensions import HL7
from intake.fhir_form.questionnaire import Form
from intake.fhir_form.responses import validate_response
from intake.values import TYPES
from tests.intake.answering import TODAY, fill_in, fill_page, page_form, sent_again
from tests.intake.fhir_form.test_questionnaire import FORM
from tests.intake.small import make_content, make_item

FOREIGN = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parent / "foreign").glob("*.json"))
}


def make_response(form, items):
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": form.canonical,
        "status": "completed",
        "authored": "2026-06-01T10:00:00+00:00",
    } | ({"item": items} if items else {})


def check_round_trip(form, items):
    response = make_response(form, items)
    assert validate_response(form, response, today=TODAY) == []
    FhirResponse.model_validate(response)
    assert sent_again(form, items) == items


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("seed", range(12))
def test_a_foreign_questionnaire_is_asked_stored_and_valid(name, seed):
    FhirQuestionnaire.model_validate(FOREIGN[name])
    form = Form.parse(FOREIGN[name])
    check_round_trip(form, fill_in(form, random.Random(seed)))


@pytest.mark.parametrize("seed", range(3))
def test_the_shipped_intake_comes_back_as_it_went(seed):
    people = random.Random(seed)
    stored = []
    for page in FORM.pages():
        stored = one_who_agrees(page, stored, people).items
    check_round_trip(FORM, stored)


def one_who_agrees(page, stored, people):
    """Answers may contradict each other, which the form notices: then think again."""
    for _try in range(200):
        try:
            return fill_page(FORM, page, stored, people)
        except AssertionError as error:
            last = error
    raise last


def test_a_question_below_another_waits_for_its_answer():
    form = Form.parse(FOREIGN["intake_at_home"])
    assert "2.1.1" not in form.enabled(Answers())
    assert "2.1.1" in form.enabled(Answers({"2.1": ["L"]}))
    page = form.pages()[1]
    fields = {"2.1": "L", "2.1.1": "true", "2.1.1.1": "2020-02-29", "2.2": ["ice"]}
    asked = page_form(form, page, [], fields)
    assert asked.is_valid()
    operated = asked.items[0]["item"][0]["answer"][0]["item"][0]["answer"][0]
    assert operated["item"] == [{"linkId": "2.1.1.1", "answer": [{"valueDate": "2020-02-29"}]}]
    gone = page_form(form, page, asked.items, fields | {"2.1": ""})
    assert gone.is_valid()
    assert not Answers.from_response({"item": gone.items}).answered("2.1.1.1")


def test_conditions_inside_an_occurrence_look_at_that_occurrence():
    form = Form.parse(FOREIGN["medicines"])
    fields = {
        "any": "true",
        "medicine:0:medicine-name": "One",
        "medicine:0:medicine-still": "false",
        "medicine:0:medicine-stopped": "2026-01-01",
        "medicine:1:medicine-name": "Two",
        "medicine:1:medicine-still": "true",
        "medicine:1:medicine-stopped": "2026-01-01",
        "medicine:1:medicine-dose:0:dose-time": "08:00",
        "medicine:1:medicine-dose:0:dose-amount": "0,5",
    }
    pages = form.pages()
    begun = page_form(form, pages[0], [], {"any": "true"})
    assert begun.is_valid()
    asked = page_form(form, pages[1], begun.items, fields)
    assert asked.is_valid(), asked.errors
    one, two = (element["item"] for element in asked.items if element["linkId"] == "medicine")
    assert [item["linkId"] for item in one] == [
        "medicine-source",
        "medicine-name",
        "medicine-still",
        "medicine-stopped",
    ]
    assert [item["linkId"] for item in two] == [
        "medicine-source",
        "medicine-name",
        "medicine-still",
        "medicine-dose",
    ]
    assert two[3]["item"] == [
        {"linkId": "dose-time", "answer": [{"valueTime": "08:00:00"}]},
        {"linkId": "dose-amount", "answer": [{"valueDecimal": 0.5}]},
    ]
    # Seen from outside the group any occurrence will do.
    assert "stopped-why" in form.enabled(Answers.from_response({"item": asked.items}))
    wrong = json.loads(json.dumps(asked.items))
    wrong[2]["item"].insert(3, one[3])
    rules = {issue.rule for issue in validate_response(form, make_response(form, wrong))}
    assert rules == {"disabled"}


def test_what_stood_in_a_spare_occurrence_is_no_answer():
    form = Form.parse(FOREIGN["medicines"])
    begun = page_form(form, form.pages()[0], [], {"any": "true"})
    assert begun.is_valid()
    fields = {
        "medicine:0:medicine-name": "One",
        "medicine:0:medicine-still": "true",
        "medicine:0:medicine-dose:0:dose-amount": "1",
    }
    asked = page_form(form, form.pages()[1], begun.items, fields)
    assert asked.is_valid()
    assert not Answers.from_response({"item": asked.items}).answered("dose-amount")
    two = fields | {"medicine:0:medicine-dose:0:dose-amount": "2"}
    assert page_form(form, form.pages()[1], begun.items, two).is_valid()


def test_what_nobody_is_asked_is_answered_when_it_comes_up():
    hidden = {"url": f"{HL7}/questionnaire-hidden", "valueBoolean": True}
    form = Form.parse(
        make_content(
            make_item("a"),
            make_item(
                "b",
                "string",
                extension=[hidden],
                initial=[{"valueString": "edition 2"}],
                enableWhen=[{"question": "a", "operator": "=", "answerBoolean": True}],
            ),
        )
    )
    (page,) = form.pages()
    for answer, words in (("true", ("edition 2",)), ("false", ())):
        asked = page_form(form, page, [], {"a": answer})
        assert asked.is_valid()
        assert Answers.from_response({"item": asked.items}).values("b") == words


@st.composite
def questionnaires(draw):
    """Any questionnaire that we ask: groups in groups, questions in questions, repeats, limits."""
    numbers = iter(range(1000))
    asked = []

    def maybe(**fields):
        return {name: value for name, value in fields.items() if draw(st.booleans())}

    def extension(name, **value):
        return {"url": f"{HL7}/{name}", **value}

    def condition():
        link_id, kind, options = draw(st.sampled_from(asked))
        if draw(st.booleans()):
            return {
                "question": link_id,
                "operator": "exists",
                "answerBoolean": draw(st.booleans()),
            }
        operator = draw(st.sampled_from(["=", "!=", "<", ">", "<=", ">="]))
        equal = draw(st.sampled_from(["=", "!="]))
        match kind:
            case "boolean":
                return {"question": link_id, "operator": equal, "answerBoolean": True}
            case "choice" | "open-choice":
                code = draw(st.sampled_from(options))
                return {"question": link_id, "operator": equal, "answerCoding": {"code": code}}
            case "integer":
                return {"question": link_id, "operator": operator, "answerInteger": 7}
            case "decimal":
                return {"question": link_id, "operator": operator, "answerDecimal": 7.5}
            case "date":
                return {"question": link_id, "operator": operator, "answerDate": "2001-01-01"}
            case "dateTime":
                moment = "2026-06-15T12:00:00Z"
                return {"question": link_id, "operator": operator, "answerDateTime": moment}
            case "time":
                return {"question": link_id, "operator": operator, "answerTime": "12:00:00"}
            case "quantity":
                quantity = {"value": 7, "code": "kg"}
                return {"question": link_id, "operator": operator, "answerQuantity": quantity}
        return {"question": link_id, "operator": operator, "answerString": "a"}

    def conditions():
        if not asked or draw(st.integers(0, 2)):
            return {}
        found = [condition() for _ in range(draw(st.integers(1, 2)))]
        return {"enableWhen": found, "enableBehavior": draw(st.sampled_from(["all", "any"]))}

    def question(depth):
        link_id = f"q{next(numbers)}"
        kind = draw(st.sampled_from(sorted(TYPES)))
        item = {"linkId": link_id, "type": kind, "text": f"Question {link_id}?"}
        item |= maybe(required=True) | conditions()
        options, extensions = [], []
        match kind:
            case "choice" | "open-choice":
                options = [f"c{n}" for n in range(draw(st.integers(1, 5)))]
                item["answerOption"] = [{"valueCoding": {"code": code}} for code in options]
                item |= maybe(repeats=True)
            case "integer":
                extensions = [extension("minValue", valueInteger=0)]
                extensions += [extension("maxValue", valueInteger=draw(st.integers(0, 20)))]
            case "decimal":
                extensions = [extension("maxDecimalPlaces", valueInteger=draw(st.integers(0, 3)))]
            case "string":
                item |= maybe(maxLength=draw(st.integers(1, 40)))
                if draw(st.booleans()):
                    item.pop("maxLength", None)
                    extensions = [extension("regex", valueString="[A-Z]{2}")]
            case "quantity":
                units = draw(st.sampled_from([["kg"], ["kg", "g"]]))
                extensions = [
                    extension("questionnaire-unitOption", valueCoding={"code": unit})
                    for unit in units
                ]
        if kind not in ("boolean", "choice", "open-choice") and draw(st.integers(0, 3)) == 0:
            item["repeats"] = True
        if extensions:
            item["extension"] = extensions
        asked.append((link_id, kind, options))
        if not item.get("repeats") and depth < 3 and draw(st.integers(0, 4)) == 0:
            item["item"] = [question(depth + 1)]
        return item

    def group(depth):
        item = {"linkId": f"g{next(numbers)}", "type": "group", "text": "Group"}
        item |= conditions() | maybe(required=True)
        if depth and draw(st.booleans()):
            item["repeats"] = True
        count = draw(st.integers(1, 4))
        item["item"] = [
            group(depth + 1) if depth < 3 and draw(st.integers(0, 3)) == 0 else question(depth)
            for _ in range(count)
        ]
        return item

    items = [
        group(0) if draw(st.booleans()) else question(0) for _ in range(draw(st.integers(1, 3)))
    ]
    return make_content(make_item()) | {"item": items}


# A fifth of the usual: each example is a dozen forms, rendered and read.
@settings(
    max_examples=settings.default.max_examples // 5,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(content=questionnaires(), people=st.randoms(use_true_random=False))
def test_any_questionnaire_is_asked_stored_and_comes_back_as_it_went(content, people):
    FhirQuestionnaire.model_validate(content)
    form = Form.parse(content)
    check_round_trip(form, fill_in(form, people))
