import json

import pytest
from django.core.management import CommandError, call_command

from intake.models import Questionnaire
from tests.factories import NOW
from tests.intake.fhir_form.test_questionnaire import FORM, SHIPPED
from tests.intake.fhir_form.test_responses import FULL, make_response
from tests.intake.small import make_content, make_item

pytestmark = pytest.mark.django_db


def write(tmp_path, content):
    path = tmp_path / "file.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def refused(capsys, *args):
    """The rules in the OperationOutcome that the refusing command printed."""
    with pytest.raises(CommandError) as caught:
        call_command(*args)
    assert caught.value.returncode == 1
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["resourceType"] == "OperationOutcome"
    return {issue["details"]["coding"][0]["code"] for issue in outcome["issue"]}


def test_a_questionnaire_is_stored_and_published_only_when_asked(tmp_path):
    path = write(tmp_path, make_content(make_item()))
    call_command("import_questionnaire", path)
    assert not Questionnaire.objects.published().exists()
    call_command("import_questionnaire", path, "--publish")
    assert Questionnaire.objects.published().get().form.canonical.endswith("small|1")


def test_the_shipped_intake_can_be_imported(capsys):
    call_command("import_questionnaire", SHIPPED, "--publish")
    assert "is published" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (make_content(make_item(type_="reference")), "unsupported-type"),
        ("{not json", "json"),
        ("[" * 50_000, "json"),
        ('{"resourceType": "Questionnaire", "version": NaN}', "structure"),
    ],
)
def test_a_refused_questionnaire_is_not_stored(tmp_path, capsys, content, rule):
    assert rule in refused(capsys, "import_questionnaire", write(tmp_path, content))
    assert not Questionnaire.objects.exists()


def test_a_version_never_gets_other_content(tmp_path, capsys):
    call_command("import_questionnaire", write(tmp_path, make_content(make_item())))
    capsys.readouterr()
    changed = write(tmp_path, make_content(make_item(text="Other?")))
    assert refused(capsys, "import_questionnaire", changed) == {"version-exists"}
    call_command("import_questionnaire", write(tmp_path, make_content(make_item(), version="2")))
    assert Questionnaire.objects.count() == 2


def test_a_file_that_is_not_there_is_an_error_in_words(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_questionnaire", tmp_path / "none.json")
    with pytest.raises(CommandError, match="No such file"):
        call_command("validate_response", tmp_path / "none.json")


def test_a_response_is_judged_by_its_stored_questionnaire_or_by_a_file(tmp_path, capsys):
    path = write(tmp_path, make_response(FULL, authored="2026-06-01T13:00:00Z"))
    assert refused(capsys, "validate_response", path) == {"questionnaire"}
    call_command("validate_response", path, questionnaire=SHIPPED)
    Questionnaire.objects.publish_shipped(now=NOW)
    call_command("validate_response", path)
    assert capsys.readouterr().out.count("is valid") == 2


def test_a_wrong_response_is_refused_with_its_rules(tmp_path, capsys):
    path = write(tmp_path, make_response([{"linkId": "zz"}], questionnaire=FORM.url))
    Questionnaire.objects.publish_shipped(now=NOW)
    assert refused(capsys, "validate_response", path) == {"unknown-link-id", "required"}
    for junk in ("[]", '"x"', "null", "{"):
        assert refused(capsys, "validate_response", write(tmp_path, junk))


@pytest.mark.parametrize(
    "text",
    [
        '{"item": [' * 10_000 + "]}" * 10_000,
        json.dumps(make_response(FULL))[:-1] + ', "x": NaN}',
        json.dumps(make_response(FULL))[:-1] + ', "x": "\\ud800"}',
        json.dumps(make_response(FULL))[:-1] + ', "x": "\\u0000"}',
        json.dumps(make_response(FULL))[:-1] + ', "x": 1e999}',
        "x" * 10_000_000,
    ],
    ids=["deep", "NaN", "surrogate", "NUL", "infinite", "10 MB"],
)
def test_a_hostile_response_is_refused_in_words(tmp_path, capsys, text):
    path = write(tmp_path, text)
    with pytest.raises(CommandError, match="not valid"):
        call_command("validate_response", path, questionnaire=SHIPPED)
    assert json.loads(capsys.readouterr().out)["resourceType"] == "OperationOutcome"
