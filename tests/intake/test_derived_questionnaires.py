import json
import shutil

import pytest
from django.core.management import call_command

from intake import derived_questionnaires
from intake.derived_questionnaires import FOLLOW_UP, derived
from intake.models.questionnaires import INTAKE, SHIPPED


@pytest.mark.parametrize(("path", "text"), [*derived()], ids=["check-in", "follow-up", "rescreen"])
def test_the_committed_file_is_what_the_intake_gives(path, text):
    assert path.read_bytes() == text.encode(), "run: manage.py derive_questionnaires"


def test_no_questionnaire_but_the_intake_is_written_by_hand():
    assert {path for path, _text in derived()} == {*SHIPPED.glob("*.json")} - {INTAKE}


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A copy of the shipped questionnaires, and a way to read the linkIds and texts of one."""
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(derived_questionnaires, "SHIPPED", tmp_path)

    def items(name):
        def walk(items):
            for item in items:
                yield item["linkId"], item.get("text")
                yield from walk(item.get("item", ()))

        content = json.loads((tmp_path / f"running-lbp-{name}-1.0.0.json").read_text())
        return dict(walk(content["item"]))

    return items


def change_intake(folder, link_id, change):
    path = folder / INTAKE.name
    content = json.loads(path.read_text())
    for page in content["item"]:
        for item in page["item"]:
            if item["linkId"] == link_id:
                change(item)
    path.write_text(json.dumps(content))


def test_a_corrected_word_reaches_every_questionnaire(elsewhere, tmp_path):
    change_intake(tmp_path, "safety-nerve", lambda item: item.update(text="Corrected?"))
    call_command("derive_questionnaires")
    for name in ("follow-up", "rescreen", "check-in"):
        assert elsewhere(name)["safety-nerve"] == "Corrected?"


def test_a_marked_question_is_asked_again_with_its_help_and_page(elsewhere, tmp_path):
    assert "goal" not in elsewhere("follow-up")
    mark = {"url": FOLLOW_UP, "valueBoolean": True}
    change_intake(tmp_path, "goal-notes", lambda item: item.update(extension=[mark]))
    call_command("derive_questionnaires")
    asked = elsewhere("follow-up")
    assert {"goal", "goal-notes", "goal-notes-help"} <= set(asked)
    assert "goal-words" not in asked
    assert "goal" not in elsewhere("rescreen")
