"""What log lines say, and what they keep to themselves."""

import json
import logging

import pytest

from clinic.logs import JSONFormatter, NoLinkTokens


@pytest.mark.parametrize("path", ["/l/TOKEN/", "/unsubscribe/TOKEN/", "/l/TOKEN"])
def test_the_token_of_a_mailed_link_is_left_out(path):
    record = logging.LogRecord("django.request", 30, "", 0, "Not Found: %s", (path,), None)
    assert NoLinkTokens().filter(record)
    assert json.loads(JSONFormatter().format(record))["message"].startswith(
        f"Not Found: {path[: path.index('TOKEN')]}…"
    )
    assert "TOKEN" not in record.getMessage()


def test_other_paths_stay_as_they_are():
    record = logging.LogRecord("django.request", 30, "", 0, "Not Found: %s", ("/guide/l/",), None)
    assert NoLinkTokens().filter(record)
    assert record.getMessage() == "Not Found: /guide/l/"


def test_every_line_passes_the_filter(settings):
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["no_link_tokens"]
