import contextlib
import copy
import json
from pathlib import Path

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire as FhirQuestionnaire

from intake.answers import Answers
from intake.items import operation_outcome
from intake.questionnaire import Form, InvalidQuestionnaire, load_json

ROOT = Path(__file__).parents[2]
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


def make_content(*items, **fields):
    """A small Questionnaire of ours to break."""
    return {
        "resourceType": "Questionnaire",
        "url": "https://clinic.example/fhir/Questionnaire/small",
        "version": "1",
        "status": "active",
        "item": [{"linkId": "g", "type": "group", "text": "Group", "item": list(items)}],
    } | fields


def make_item(link_id="a", type_="boolean", **fields):
    return {"linkId": link_id, "type": type_, "text": "Question?"} | fields


def make_choice(link_id="c", *codes, **fields):
    options = [{"valueCoding": {"code": code, "display": code.title()}} for code in codes or "xy"]
    return make_item(link_id, "choice", answerOption=options, **fields)


def refused(content):
    """The rules by which it is refused, with their paths."""
    with pytest.raises(InvalidQuestionnaire) as caught:
        Form.parse(content)
    return {issue.rule: issue.path for issue in caught.value.issues}


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


@pytest.mark.parametrize(
    ("link_id", "low", "high", "unit"),
    [
        ("safety-pregnancy-weeks", 1, 45, "wk"),
        ("about-height", 100, 230, "cm"),
        ("about-weight", 25, 250, "kg"),
        ("pain-now", 0, 10, None),
        ("onset-first-age", 3, 110, "a"),
        ("run-days", 0, 14, None),
        ("load-now", 0, 400, None),
        ("load-long-30", 0, 250, None),
        ("load-rest-days", 0, 7, None),
        ("form-cadence", 100, 240, "{steps}/min"),
        ("sleep-hours", 0, 24, "h"),
        ("tx-medicine-days", 0, 14, "d"),
        ("work-days", 0, 28, "d"),
        ("activity-score", 0, 10, None),
    ],
)
def test_a_number_has_its_range_and_unit(link_id, low, high, unit):
    item = FORM.item(link_id)
    assert (item.min_value, item.max_value) == (low, high)
    codes = extension_values(
        RAW[link_id], "http://hl7.org/fhir/StructureDefinition/questionnaire-unit"
    )
    assert [coding["code"] for coding in codes] == ([unit] if unit else [])


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


def test_calculated_items_are_hidden_read_only_and_carry_their_expression():
    for link_id in LISTED:
        if link_id.startswith("calc-"):
            item = FORM.item(link_id)
            assert item.is_hidden
            assert item.read_only
            assert "calculatedExpression" in json.dumps(RAW[link_id])


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


# What is refused


def test_a_foreign_questionnaire_within_our_types_is_read():
    when = [{"question": "c", "operator": "=", "answerCoding": {"code": "x"}}]
    content = make_content(
        make_choice("c", enableWhen=[{"question": "n", "operator": ">", "answerDecimal": 1.5}]),
        make_item("n", "decimal"),
        make_item("t", "text", enableWhen=when, maxLength=100),
        make_item("s", "choice", answerOption=[{"valueString": "one"}, {"valueInteger": 2}]),
    )
    assert {item.link_id for item in Form.parse(content).walk()} == {"g", "c", "n", "t", "s"}


@pytest.mark.parametrize(
    ("rule", "items"),
    [
        ("que-2", [make_item("a"), make_item("a")]),
        ("que-1", [{"linkId": "e", "type": "group", "text": "Empty"}]),
        ("que-1", [make_item("d", "display", item=[make_item("b")])]),
        ("que-3", [make_item("d", "display", code=[{"code": "x"}])]),
        ("que-5", [make_item(answerOption=[{"valueString": "x"}])]),
        ("que-6", [make_item("d", "display", required=True)]),
        ("que-6", [make_item("d", "display", repeats=True)]),
        ("que-7", [make_item(enableWhen=[{"question": "b", "operator": "exists"}])]),
        ("que-9", [make_item("d", "display", readOnly=True)]),
        ("que-10", [make_item(maxLength=5)]),
        ("unsupported-type", [make_item(type_="quantity")]),
        ("unsupported-type", [make_item(type_="attachment")]),
        ("unsupported-type", [make_item(type_=["boolean"])]),
        ("unsupported-options", [make_item(type_="choice")]),
        ("unsupported-property", [make_choice(answerValueSet="https://else.example/vs")]),
        ("unsupported-property", [make_item(initial=[{"valueBoolean": True}])]),
        ("unsupported-modifier", [make_item(modifierExtension=[{"url": "x"}])]),
        ("unsupported-nesting", [make_item(item=[make_item("b")])]),
        ("unsupported-repeats", [make_item(type_="string", repeats=True)]),
        ("unsupported-link-id", [make_item("a b")]),
        ("unsupported-option", [make_item("c", "choice", answerOption=[{"valueTime": "12:00"}])]),
        ("option-unique", [make_choice("c", "x", "x")]),
        ("limit-options", [make_choice("c", *[f"o{n}" for n in range(201)])]),
        ("limit-items", [make_item(f"q{n}") for n in range(1001)]),
        ("limit-text", [make_item(text="x" * 4001)]),
        ("required", [make_item("")]),
        ("required", [make_item("x" * 101)]),
        ("required", [make_item(text="")]),
        ("structure", [make_item(required="yes")]),
        ("structure", [make_item(enableWhen={"question": "b"})]),
        ("hidden-required", [make_item(required=True, readOnly=True)]),
        (
            "unsupported-regex",
            [
                make_item(
                    type_="string",
                    extension=[
                        {
                            "url": "http://hl7.org/fhir/StructureDefinition/regex",
                            "valueString": "(a+)+$",
                        }
                    ],
                )
            ],
        ),
    ],
)
def test_a_broken_item_is_refused_with_its_rule_and_path(rule, items):
    assert refused(make_content(*items))[rule].startswith("Questionnaire.item[0]")


@pytest.mark.parametrize(
    ("rule", "condition"),
    [
        ("enable-when-question", {"question": "zz", "operator": "=", "answerBoolean": True}),
        ("enable-when-question", {"question": "g", "operator": "=", "answerBoolean": True}),
        ("enable-when-answer", {"question": "c", "operator": "=", "answerCoding": {"code": "z"}}),
        ("enable-when-answer", {"question": "c", "operator": "=", "answerBoolean": True}),
        ("unsupported-condition", {"question": "c", "operator": "~", "answerBoolean": True}),
        ("unsupported-condition", {"question": "c", "operator": "=", "answerTime": "12:00"}),
        ("unsupported-condition", "c"),
    ],
)
def test_a_condition_on_nothing_is_refused(rule, condition):
    path = refused(make_content(make_choice("c"), make_item("a", enableWhen=[condition])))[rule]
    assert path == "Questionnaire.item[0].item[1].enableWhen[0]"


def test_several_conditions_need_a_behavior():
    condition = {"question": "c", "operator": "=", "answerCoding": {"code": "x"}}
    item = make_item("a", enableWhen=[condition, condition])
    assert "que-12" in refused(make_content(make_choice("c"), item))


def test_conditions_in_a_circle_are_refused():
    ask = {"operator": "=", "answerBoolean": True}
    items = [
        make_item("a", enableWhen=[ask | {"question": "b"}]),
        make_item("b", enableWhen=[ask | {"question": "c"}]),
        make_item("c", enableWhen=[ask | {"question": "a"}]),
    ]
    assert "enable-when-loop" in refused(make_content(*items))
    assert "enable-when-loop" in refused(
        make_content(make_item("a", enableWhen=[ask | {"question": "a"}]))
    )


def test_a_group_that_depends_on_its_own_child_is_refused():
    content = make_content(make_item("a"))
    content["item"][0]["enableWhen"] = [{"question": "a", "operator": "=", "answerBoolean": True}]
    assert "enable-when-loop" in refused(content)


def test_a_look_into_a_repeating_group_is_refused():
    condition = {"question": "b", "operator": "=", "answerBoolean": True}
    group = {"linkId": "r", "type": "group", "repeats": True, "item": [make_item("b")]}
    content = make_content(group, make_item("a", enableWhen=[condition]))
    assert "unsupported-condition" in refused(content)


def test_deep_nesting_is_refused_and_not_followed():
    item = make_item("leaf")
    for level in range(20):
        item = {"linkId": f"g{level}", "type": "group", "text": "x", "item": [item]}
    assert "limit-depth" in refused(make_content(item))


@pytest.mark.parametrize("name", ["url", "version", "status"])
def test_a_questionnaire_without_identity_is_refused(name):
    content = make_content(make_item())
    del content[name]
    assert refused(content) == {"required": f"Questionnaire.{name}"}


@pytest.mark.parametrize("content", [None, [], "x", {}, {"resourceType": "Patient"}])
def test_something_else_is_refused(content):
    assert "structure" in refused(content)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        "x" * 2_000_001,
    ],
)
def test_text_that_is_not_sane_json_is_refused(text):
    with pytest.raises(InvalidQuestionnaire):
        load_json(text)


@pytest.mark.parametrize("value", ["a\x00b", "\ud800", float("nan"), float("inf")])
def test_what_no_database_stores_is_refused(value):
    assert "structure" in refused(make_content(make_item(), purpose=value))


def test_a_single_broken_value_anywhere_is_read_or_refused_and_never_a_crash():
    content = make_content(
        make_choice("c", repeats=True),
        make_item("a", enableWhen=[{"question": "c", "operator": "exists", "answerBoolean": True}]),
        make_item("s", "string", maxLength=5),
    )
    tried = 0
    for path in walk_paths(content):
        for junk in (None, 7, "x", [], {}, [None], [[]], {"x": 1}, True, -1.5):
            broken = copy.deepcopy(content)
            target = broken
            for step in path[:-1]:
                target = target[step]
            target[path[-1]] = junk
            with contextlib.suppress(InvalidQuestionnaire):
                Form.parse(broken)
            tried += 1
    assert tried > 300


def walk_paths(value, path=()):
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        if isinstance(child, dict | list):
            yield from walk_paths(child, (*path, key))
        else:
            yield (*path, key)


def test_issues_become_an_operation_outcome():
    with pytest.raises(InvalidQuestionnaire) as caught:
        Form.parse(make_content(make_item(type_="quantity")))
    outcome = operation_outcome(caught.value.issues)
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["expression"] == ["Questionnaire.item[0].item[0].type"]
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "unsupported-type"
