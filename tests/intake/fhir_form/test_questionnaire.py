import json
import re
from pathlib import Path

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire as FhirQuestionnaire

from intake.answers import Answers
from intake.fhir_form.extensions import HL7
from intake.fhir_form.questionnaire import Form
from tests.intake.small import make_choice, make_content, make_item

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "intake" / "questionnaires" / "running-lbp-intake-1.0.0.json"
CONTENT = json.loads(SHIPPED.read_text())
FORM = Form.parse(CONTENT)
# What the clinical specification lists, read from its tables and not from our JSON.
LISTED = json.loads((Path(__file__).parent / "clinical_items.json").read_text())

TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
OURS = "https://backstride.example/fhir/StructureDefinition"


def raw_items(elements=CONTENT["item"]):
    """Every element of the JSON, without our reader."""
    for element in elements:
        yield element
        yield from raw_items(element.get("item", []))


RAW = {element["linkId"]: element for element in raw_items()}


def spanish(element, name):
    for extension in element[f"_{name}"]["extension"]:
        parts = {part["url"]: part for part in extension["extension"]}
        if extension["url"] == TRANSLATION and parts["lang"]["valueCode"] == "es":
            return parts["content"]["valueString"]
    raise AssertionError("no Spanish")


def extension_values(element, url):
    return [
        next((value for key, value in extension.items() if key.startswith("value")), extension)
        for extension in element.get("extension", [])
        if extension["url"] == url
    ]


# The shipped intake


def test_the_counts_are_those_of_the_specification():
    groups = [link_id for link_id, row in LISTED.items() if "group" not in row]
    calculated = [link_id for link_id in LISTED if link_id.startswith("calc-")]
    types = [row["type"] for link_id, row in LISTED.items() if link_id not in groups]
    assert (len(groups), len(types), len(calculated)) == (14, 131, 5)
    questions = [kind for kind in types if kind not in ("group", "display")]
    displays = types.count("display")
    assert len(questions) - len(calculated) + displays == 125
    assert types.count("group") == 1


def test_the_intake_has_every_listed_item_and_nothing_else_but_help_texts():
    helps = {f"{link_id}-help" for link_id, row in LISTED.items() if "help" in row}
    assert set(RAW) == set(LISTED) | helps


def test_items_stand_in_the_listed_order_under_the_listed_group():
    order = [element["linkId"] for element in raw_items() if element["linkId"] in LISTED]
    expected = []
    for group in (link_id for link_id, row in LISTED.items() if "group" not in row):
        expected.append(group)
        expected += [link_id for link_id, row in LISTED.items() if row.get("group") == group]
    assert order == expected


@pytest.mark.parametrize("link_id", LISTED)
def test_an_item_is_as_listed(link_id):
    listed, element = LISTED[link_id], RAW[link_id]
    flags = listed.get("flags", [])
    assert element["type"] == listed["type"]
    assert element["text"] == listed["en"]
    assert spanish(element, "text") == listed["es"]
    if link_id != "activity":  # Required by its minimum of one.
        assert element.get("required", False) == ("R" in flags)
    assert element.get("repeats", False) == ("×n" in flags)
    assert bool(extension_values(element, f"{OURS}/follow-up")) == ("★" in flags)
    assert bool(extension_values(element, f"{OURS}/tell-us-more")) == ("opt" in flags)
    options = [
        [
            option["valueCoding"]["code"],
            option["valueCoding"]["display"],
            spanish(option["valueCoding"], "display"),
            *(["X"] if "extension" in option else []),
        ]
        for option in element.get("answerOption", [])
    ]
    assert options == listed.get("options", [])
    if "help" in listed:
        help_item = RAW[f"{link_id}-help"]
        assert [help_item["text"], spanish(help_item, "text")] == listed["help"]


@pytest.mark.parametrize("link_id", [key for key, row in LISTED.items() if "when" in row])
def test_a_condition_is_as_listed(link_id):
    element = RAW[link_id]
    written = " OR ".join(
        f"{condition['question']} {condition['operator']} {condition_value(condition)}"
        for condition in element["enableWhen"]
    )
    assert written == LISTED[link_id]["when"]
    assert element.get("enableBehavior") == ("any" if len(element["enableWhen"]) > 1 else None)


def condition_value(condition):
    match condition:
        case {"answerCoding": {"code": code}}:
            return code
        case {"answerBoolean": value}:
            return str(value).lower()
        case {"answerInteger": value}:
            return value


@pytest.mark.parametrize("link_id", [key for key, row in LISTED.items() if "limits" in row])
def test_limits_and_units_are_as_listed(link_id):
    item, listed = FORM.item(link_id), LISTED[link_id]["limits"]
    unit, _colon, limits = listed.rpartition(": ")
    codings = extension_values(RAW[link_id], f"{HL7}/questionnaire-unit")
    if unit == "run-unit":
        assert item.unit_choice.question == unit
    elif unit or not limits.startswith("hidden"):
        assert [coding["code"] for coding in codings] == ([unit] if unit else [])
    pattern, found = next(
        (pattern, found) for pattern in LIMITS if (found := re.match(pattern, limits))
    )
    LIMITS[pattern](item, *found.groups())
    assert (item.step == 0.5) == ("step 0.5" in listed)
    checks = [constraint.key for constraint in item.constraints]
    assert ("worst-below-average" in checks) == ("warn if < pain-average" in listed)
    assert ("first-age-above-age" in checks) == ("≤ age" in listed)


def is_range(item, low, high):
    assert (item.min_value, item.max_value) == (int(low), int(high))


def is_text(item, low, high):
    assert (item.min_length, item.max_length) == (low and int(low), int(high))


def is_hidden(item):
    assert item.is_hidden
    assert item.read_only
    assert "calculatedExpression" in json.dumps(RAW[item.link_id])


def is_must(item):
    assert item.must_be_true


def is_counted(item, low, high):
    assert item.repeats
    low, high = int(low), int(high)
    if item.type == "choice":
        assert item.required
        assert len(item.options) == high
    else:
        assert (item.min_occurs, item.max_occurs) == (low, high)


def is_born(item, youngest, oldest):
    assert item.from_today == (-int(oldest), -int(youngest))


def is_soon(item, years):
    # A date that has passed is pointed out, and let through.
    assert item.from_today[1] == int(years)
    assert [constraint.key for constraint in item.constraints] == ["race-date-past"]


LIMITS = {
    r"(?:(\d+)–|≤ )(\d+) characters": is_text,
    r"(\d+)–(\d+) answers": is_counted,
    r"minOccurs (\d+), maxOccurs (\d+)": is_counted,
    r"not in future; age (\d+)–(\d+)": is_born,
    r"today … \+(\d+) years": is_soon,
    r"hidden, read-only, calculated": is_hidden,
    r"must be true": is_must,
    r"(\d+)–(\d+)": is_range,
}


def test_every_zero_to_ten_question_is_a_scale_with_words_at_both_ends_in_both_languages():
    scales = [item for item in FORM.walk() if item.is_scale]
    assert len(scales) == 15
    for item in scales:
        for end in item.scale_ends:
            assert end.in_language("en") != end.in_language("es")


def test_only_the_four_checked_loinc_codes_are_shipped():
    codes = {
        link_id: coding["code"]
        for link_id, element in RAW.items()
        for coding in element.get("code", [])
        if coding["system"] == "http://loinc.org"
    }
    assert codes == {
        "pain-now": "72514-3",
        "about-weight": "3142-7",
        "safety-pregnancy": "11449-6",
        "med-smoke": "72166-2",
    }
    assert "snomed" not in SHIPPED.read_text().lower()


def test_the_intake_is_a_valid_fhir_questionnaire():
    assert FhirQuestionnaire.model_validate(CONTENT).version == "1.0.0"


def test_every_page_is_a_section_in_order():
    pages = FORM.pages()
    assert [page.number for page in pages] == list(range(1, 15))
    assert [page.key for page in pages] == [
        key for key, row in LISTED.items() if "group" not in row
    ]


# What is asked when


def test_a_question_is_asked_only_when_another_answer_brings_it_up():
    assert "leg-pain" not in FORM.enabled(Answers.of(leg_any=False))
    assert "leg-pain" in FORM.enabled(Answers.of(leg_any=True))
    assert "load-felt" not in FORM.enabled(Answers.of())


def test_not_equal_is_false_while_the_question_is_unanswered():
    assert "tx-helped" not in FORM.enabled(Answers.of())
    assert "tx-helped" not in FORM.enabled(Answers.of(tx_tried=["none"]))
    assert "tx-helped" in FORM.enabled(Answers.of(tx_tried=["ice"]))


def test_an_age_below_eighteen_brings_up_the_guardian():
    assert "guardian-name" in FORM.enabled(Answers.of(calc_age=17))
    assert "guardian-name" not in FORM.enabled(Answers.of(calc_age=18))
    assert "guardian-name" in FORM.enabled(Answers.of(calc_age=40, about_filler="guardian"))
    assert "minor-assent" not in FORM.enabled(Answers.of(calc_age=40, about_filler="guardian"))


def test_an_answer_that_is_no_longer_asked_brings_nothing_up():
    answers = Answers.of(leg_any=False, leg_feeling=["numbness"])
    assert "body-numb" not in FORM.enabled(answers)
    assert "body-numb" in FORM.enabled(Answers.of(leg_any=True, leg_feeling=["numbness"]))


@pytest.mark.parametrize(
    ("operator", "given", "expected"),
    [
        ("=", 5, True),
        ("=", 4, False),
        ("!=", 4, True),
        ("!=", 5, False),
        (">", 6, True),
        (">", 5, False),
        ("<", 4, True),
        ("<", 5, False),
        (">=", 5, True),
        (">=", 4, False),
        ("<=", 5, True),
        ("<=", 6, False),
    ],
)
def test_an_operator_compares(operator, given, expected):
    condition = {"question": "a", "operator": operator, "answerInteger": 5}
    form = Form.parse(
        make_content(make_item("a", "integer"), make_item("b", enableWhen=[condition]))
    )
    assert ("b" in form.enabled(Answers.of(a=given))) is expected


@pytest.mark.parametrize(("wanted", "answers"), [(True, {"a": 1}), (False, {})])
def test_exists_asks_whether_anything_was_answered(wanted, answers):
    condition = {"question": "a", "operator": "exists", "answerBoolean": wanted}
    form = Form.parse(
        make_content(make_item("a", "integer"), make_item("b", enableWhen=[condition]))
    )
    assert "b" in form.enabled(Answers.of(**answers))
    assert "b" not in form.enabled(Answers.of(**({} if wanted else {"a": 1})))


def test_all_and_any_combine_conditions():
    conditions = [
        {"question": "c", "operator": "=", "answerCoding": {"code": "x"}},
        {"question": "c", "operator": "=", "answerCoding": {"code": "y"}},
    ]
    form = Form.parse(
        make_content(
            make_choice("c", "x", "y", repeats=True),
            make_item("all", enableWhen=conditions, enableBehavior="all"),
            make_item("any", enableWhen=conditions, enableBehavior="any"),
        )
    )
    assert "any" in form.enabled(Answers.of(c=["x"]))
    assert "all" not in form.enabled(Answers.of(c=["x"]))
    assert "all" in form.enabled(Answers.of(c=["x", "y"]))


def test_children_of_a_group_that_is_not_asked_are_not_asked():
    condition = {"question": "a", "operator": "=", "answerBoolean": True}
    inner = {"linkId": "i", "type": "group", "enableWhen": [condition], "item": [make_item("b")]}
    form = Form.parse(make_content(make_item("a"), inner))
    assert "b" not in form.enabled(Answers.of(a=False))
    assert "b" in form.enabled(Answers.of(a=True))


def test_a_placeholder_is_filled_and_anything_else_in_braces_left_alone():
    banner = FORM.item("safety-banner")
    spanish_text = FORM.text(banner, "es-MX", {"emergency_number": "911"})
    assert spanish_text.endswith("llame ahora al 911.")
    odd = Form.parse(make_content(make_item(text="{0.__class__} {{ x }} {name}")))
    assert odd.text(odd.item("a"), "en", {"name": "you"}) == "{0.__class__} {{ x }} you"


def test_loose_questions_share_a_page_beside_groups():
    content = make_content(make_item("b"), title="Short form")
    content["item"] += [make_item("x"), make_item("y")]
    pages = Form.parse(content).pages()
    assert [(page.key, [item.link_id for item in page.items]) for page in pages] == [
        ("g", ["b"]),
        ("2", ["x", "y"]),
    ]
    assert pages[1].text.default == "Short form"
