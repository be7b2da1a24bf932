"""Text that people type on one line, made harmless to show beside other text and to mail."""

import unicodedata
from typing import Any

from django import forms

# They reorder what follows them: "Anna<U+202E>gpj.exe" reads backwards in a list or a subject.
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def one_line(text: str) -> str:
    """Return ``text`` in NFC, on one line, without control and bidi override characters.

    Joiners stay: Persian, Hindi and emoji need them. Line ends and tabs become single spaces, so
    the result cannot start a header of its own.
    """
    kept = (
        " " if char.isspace() else char
        for char in unicodedata.normalize("NFC", text)
        if char.isspace()
        or (char not in _BIDI_CONTROLS and unicodedata.category(char) not in {"Cc", "Cs"})
    )
    return " ".join("".join(kept).split())


class OneLineField(forms.CharField):
    """A name, a phone number: cleaned by ``one_line``; the browser finds its direction itself."""

    def to_python(self, value: Any) -> str | None:
        return super().to_python(one_line(str(value)) if value is not None else value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return super().widget_attrs(widget) | {"dir": "auto"}
