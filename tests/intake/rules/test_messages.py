import json
import re
from pathlib import Path

import pytest

from intake.rules.messages import MESSAGES, render

CLINIC = {"emergency_number": "911", "advice_line": "512-555-0100"}


def test_the_seven_messages_exist():
    assert list(MESSAGES) == ["M1", "M2", "M3", "M4", "M5", "M6", "M7"]


# What the clinical specification says, read from its table and not from our code.
LISTED = json.loads((Path(__file__).parent / "clinical_messages.json").read_text())


@pytest.mark.parametrize("message_id", LISTED)
def test_a_message_says_in_both_languages_what_is_listed(message_id):
    assert [MESSAGES[message_id][code].text for code in ("en", "es")] == LISTED[message_id]


def placeholders(text):
    return set(re.findall(r"{(\w+)}", text))


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_both_languages_name_the_same_numbers(message):
    english, *others = (message[code] for code in ("en", "es"))
    for other in others:
        assert placeholders(other.text) == placeholders(english.text)
        assert placeholders(other.unattended) == placeholders(english.unattended)
        assert bool(other.unattended) == bool(english.unattended)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("message_id", MESSAGES)
def test_nothing_is_left_to_fill_in(message_id, language):
    for callback_time in ("", "10:30"):
        text = render(message_id, language=language, callback_time=callback_time, **CLINIC)
        assert "{" not in text


def test_with_somebody_on_duty_the_team_was_told_and_calls_by_a_time():
    text = render("M3", language="en", callback_time="10:30", **CLINIC)
    assert "told our team" in text
    assert "10:30" in text
    assert "Ya avisamos a nuestro equipo" in render(
        "M3", language="es", callback_time="10:30", **CLINIC
    )


@pytest.mark.parametrize(("language", "claim"), [("en", "our team"), ("es", "nuestro equipo")])
@pytest.mark.parametrize("message_id", MESSAGES)
def test_unattended_wording_never_says_that_the_team_was_told(message_id, language, claim):
    text = render(message_id, language=language, **CLINIC)
    assert claim not in text


def test_unattended_emergency_wording_still_sends_to_emergency_care():
    assert "911" in render("M1", language="en", **CLINIC)
    assert "512-555-0100" in render("M3", language="en", **CLINIC)


def test_a_regional_tag_reads_its_language_and_an_unknown_one_english():
    assert render("M5", language="es-MX", **CLINIC) == MESSAGES["M5"]["es"].text
    assert render("M5", language="fr", **CLINIC) == MESSAGES["M5"]["en"].text
