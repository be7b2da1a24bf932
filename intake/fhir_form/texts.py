"""Read the texts of a questionnaire, with their translations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from intake.fhir_form.extensions import HL7, extensions_of, first
from intake.fhir_form.items import Text

type Refuse = Callable[[str, str, str], None]
"""Notes an issue: path, rule, message."""

MAX_TEXT = 4000
# "pain < 3" is a text; "<b>", "</p>" and "<!--" are not.
_MARKUP = re.compile(r"<[a-zA-Z/!?]")


def read_text(element: Mapping[str, Any], name: str, path: str, refuse: Refuse) -> Text:
    """The text `name` of an element; empty where there is none or it was refused."""
    default = _plain(element.get(name, ""), f"{path}.{name}", refuse)
    translations = {}
    sidecar = element.get(f"_{name}")
    if isinstance(sidecar, dict):
        for parts in extensions_of(sidecar).get(f"{HL7}/translation", ()):
            if isinstance(parts, dict):
                lang, content = first(parts, "lang"), first(parts, "content")
                if isinstance(lang, str) and content:
                    translations[lang] = _plain(content, f"{path}._{name}", refuse)
    return Text(default, translations)


def _plain(text: Any, path: str, refuse: Refuse) -> str:
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        refuse(path, "limit-text", f"A text of up to {MAX_TEXT} characters.")
    elif _MARKUP.search(text):
        refuse(path, "unsupported-markup", "Plain text only: markup is not shown as such.")
    else:
        return text
    return ""
