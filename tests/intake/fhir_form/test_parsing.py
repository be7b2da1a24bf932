import contextlib
import copy
import json
import time

import pytest

from intake.fhir_form.extensions import HL7, SDC
from intake.fhir_form.items import operation_outcome
from intake.fhir_form.questionnaire import Form, InvalidQuestionnaire, load_json
from tests.intake.small import make_choice, make_content, make_item


def refused(content):
    """The rules by which it is refused, with their paths."""
    with pytest.raises(InvalidQuestionnaire) as caught:
        Form.parse(content)
    return {issue.rule: issue.path for issue in caught.value.issues}


def with_extension(name, **value):
    return make_item("s", "string", extension=[{"url": f"{HL7}/{name}", **value}])


def spanish(content):
    parts = [{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": content}]
    return {"extension": [{"url": f"{HL7}/translation", "extension": parts}]}


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
        ("que-4", [make_choice("c", answerValueSet="#vs")]),
        ("que-5", [make_item(answerValueSet="#vs")]),
        ("que-8", [make_item("d", "display", initial=[{"valueString": "x"}])]),
        ("que-10", [make_item(type_="date", maxLength=5)]),
        ("que-11", [make_choice("c", initial=[{"valueCoding": {"code": "x"}}])]),
        ("que-13", [make_item(type_="string", initial=[{"valueString": w} for w in "ab"])]),
        (
            "que-13",
            [
                make_item(
                    "c",
                    "choice",
                    answerOption=[{"valueString": word, "initialSelected": True} for word in "ab"],
                )
            ],
        ),
        ("unsupported-type", [make_item(type_="reference")]),
        ("unsupported-type", [make_item(type_="attachment")]),
        ("unsupported-type", [make_item(type_=["boolean"])]),
        ("unsupported-options", [make_item(type_="choice")]),
        (
            "unsupported-value-set",
            [make_item(type_="choice", answerValueSet="https://else.example/vs")],
        ),
        ("unsupported-value-set", [make_item(type_="choice", answerValueSet="#missing")]),
        ("unsupported-value-set", [make_item(type_="choice", answerValueSet=7)]),
        ("unsupported-property", [make_item(enableWhenMagic=True)]),
        (
            "unsupported-expression",
            [
                make_item(
                    extension=[
                        {
                            "url": f"{SDC}/sdc-questionnaire-enableWhenExpression",
                            "valueExpression": {},
                        }
                    ]
                )
            ],
        ),
        ("initial-type", [make_item(initial=[{"valueString": "yes"}])]),
        ("initial-type", [make_item(type_="decimal", initial=[{"valueDecimal": "1"}])]),
        ("unsupported-markup", [make_item(text="Is it <b>bad</b>?")]),
        ("unsupported-markup", [make_item(text="<script>alert(1)</script>")]),
        ("unsupported-markup", [make_item(_text=spanish("¿Es <i>malo</i>?"))]),
        (
            "unsupported-markup",
            [
                make_item(
                    "c",
                    "choice",
                    answerOption=[{"valueCoding": {"code": "x", "display": "<img src=x>"}}],
                )
            ],
        ),
        ("unsupported-modifier", [make_item(modifierExtension=[{"url": "x"}])]),
        ("unsupported-nesting", [make_choice("c", repeats=True, item=[make_item("b")])]),
        ("unsupported-repeats", [make_item(repeats=True)]),
        ("unsupported-link-id", [make_item("a b")]),
        ("unsupported-option", [make_item("c", "choice", answerOption=[{"valueReference": {}}])]),
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
        ("limit-range", [with_extension("minValue", valueString="low")]),
        ("limit-range", [with_extension("questionnaire-maxOccurs", valueInteger=0)]),
        ("limit-range", [with_extension("maxDecimalPlaces", valueInteger=-1)]),
        ("unsupported-regex", [with_extension("regex", valueString="(a+)+$")]),
        ("unsupported-regex", [with_extension("regex", valueString="(a|aa)+$")]),
        ("unsupported-regex", [with_extension("regex", valueString="((a{1000}){1000}){1000}")]),
        ("unsupported-regex", [with_extension("regex", valueString="(")]),
        ("unsupported-regex", [with_extension("regex", valueString="a" * 501)]),
        ("unsupported-regex", [with_extension("regex", valueInteger=3)]),
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
        ("unsupported-condition", {"question": "c", "operator": "=", "answerTime": "12"}),
        ("unsupported-condition", {"question": "c", "operator": "=", "answerReference": {}}),
        (
            "enable-when-operator",
            {"question": "c", "operator": ">", "answerCoding": {"code": "x"}},
        ),
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


def test_a_value_set_in_the_file_lists_the_options():
    content = make_content(
        make_item("a", "choice", answerValueSet="#listed"),
        make_item("b", "open-choice", answerValueSet="https://clinic.example/vs/expanded|2"),
        contained=[
            {
                "resourceType": "ValueSet",
                "id": "listed",
                "compose": {
                    "include": [
                        {
                            "system": "https://clinic.example/codes",
                            "concept": [
                                {
                                    "code": "y",
                                    "display": "Yes",
                                    "designation": [{"language": "es", "value": "Sí"}],
                                },
                                {"code": "n", "display": "No"},
                            ],
                        }
                    ]
                },
            },
            {
                "resourceType": "ValueSet",
                "url": "https://clinic.example/vs/expanded",
                "expansion": {
                    "contains": [
                        {
                            "code": "all",
                            "abstract": True,
                            "contains": [{"system": "s:1", "code": "one", "display": "One"}],
                        }
                    ]
                },
            },
        ],
    )
    form = Form.parse(content)
    yes, no = form.item("a").options
    assert (yes.answer, yes.text.in_language("es")) == (
        {"valueCoding": {"system": "https://clinic.example/codes", "code": "y"}},
        "Sí",
    )
    assert no.text.in_language("es") == "No"
    assert [option.value for option in form.item("b").options] == ["one"]


@pytest.mark.parametrize(
    "value_set",
    [
        {"compose": {"include": [{"system": "s:1"}]}},
        {"compose": {"include": [{"system": "s:1", "filter": [], "concept": [{"code": "x"}]}]}},
        {"compose": {"include": [{"concept": [{"code": "x"}]}], "exclude": [{}]}},
        {"compose": {"include": [{"concept": ["x"]}]}},
        {"expansion": {"contains": []}},
        {"expansion": {"contains": ["x"]}},
        {},
    ],
)
def test_a_value_set_that_takes_a_terminology_server_is_refused(value_set):
    content = make_content(
        make_item("a", "choice", answerValueSet="#vs"),
        contained=[{"resourceType": "ValueSet", "id": "vs"} | value_set],
    )
    assert "unsupported-value-set" in refused(content)


def test_a_signature_is_a_typed_name_or_the_questionnaire_is_refused():
    needed = [{"url": f"{HL7}/questionnaire-signatureRequired", "valueCodeableConcept": {}}]
    assert "unsupported-signature" in refused(make_content(make_item(), extension=needed))
    named = make_item("consent-signature", "string", required=True)
    assert Form.parse(make_content(named, extension=needed)).needs_signature


def test_a_link_id_that_reads_like_a_part_of_another_field_is_refused():
    assert "unsupported-link-id" in refused(make_content(make_item("a"), make_item("a:0")))
    assert Form.parse(make_content(make_item("urn:a"), make_item("urn:b")))


BROKEN = {
    "10,000 levels": '{"item": [' * 10_000 + "]}" * 10_000,
    "10,000 levels of groups": json.dumps(make_content())[:-1]
    + ', "item": '
    + '[{"linkId": "g", "type": "group", "text": "x", "item": ' * 10_000
    + "[]"
    + "}]" * 10_000
    + "}",
    "50,000 items": json.dumps(
        make_content(*[{"linkId": f"{n}", "type": "date"} for n in range(50_000)])
    ),
    "2 MB": json.dumps(make_content(make_item(text="x" * 2_000_001))),
    "a number without end": json.dumps(make_content(make_item(), purpose=1))[:-1]
    + ', "x": '
    + "9" * 4000
    + "}",
    "not a number": json.dumps(make_content(make_item(), purpose=float("nan"))),
    "infinity": json.dumps(make_content(make_item(), purpose=float("inf"))),
    "a NUL": json.dumps(make_content(make_item(text="a\x00b"))),
    "a lone surrogate": json.dumps(make_content(make_item(text="a\ud800b"))),
    "a loop": json.dumps(
        make_content(
            make_item(
                enableWhen=[{"question": "a", "operator": "=", "answerBoolean": True}],
            )
        )
    ),
    "a thousand conditions in a chain that closes": json.dumps(
        make_content(
            *[
                make_item(
                    f"q{n}",
                    enableWhen=[
                        {
                            "question": f"q{(n + 1) % 999}",
                            "operator": "=",
                            "answerBoolean": True,
                        }
                    ],
                )
                for n in range(999)
            ]
        )
    ),
    "a thousand catastrophic patterns": json.dumps(
        make_content(
            *[
                {**with_extension("regex", valueString="(a|a)*$"), "linkId": f"q{n}"}
                for n in range(999)
            ]
        )
    ),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_on_purpose_is_refused_within_a_second(text):
    started = time.process_time()
    with pytest.raises(InvalidQuestionnaire) as caught:
        Form.loads(text)
    assert time.process_time() - started < 1
    assert all(issue.path and issue.rule and issue.message for issue in caught.value.issues)
    assert len(caught.value.issues) <= 200


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
        Form.parse(make_content(make_item(type_="reference")))
    outcome = operation_outcome(caught.value.issues)
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["expression"] == ["Questionnaire.item[0].item[0].type"]
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "unsupported-type"
