import contextlib
import copy

import pytest

from intake.items import operation_outcome
from intake.questionnaire import Form, InvalidQuestionnaire, load_json
from tests.intake.small import make_choice, make_content, make_item


def refused(content):
    """The rules by which it is refused, with their paths."""
    with pytest.raises(InvalidQuestionnaire) as caught:
        Form.parse(content)
    return {issue.rule: issue.path for issue in caught.value.issues}


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
