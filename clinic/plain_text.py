"""Text that people type on one line, made safe to show beside other text and to mail."""

import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.encoding import punycode

# Without Django's exception for "localhost", because such a mail would stay on our own server.
_is_address = EmailValidator(allowlist=[])

# They reorder the text after them: "Anna<U+202E>gpj.exe" is shown backwards.
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def one_line(text: str) -> str:
    """Return ``text`` in NFC, on one line, without control and bidi override characters.

    Joiners stay: Persian, Hindi and emoji need them. Line ends and tabs become single spaces, so
    the result cannot start a header of its own.
    """
    if text.isascii() and text.isprintable():
        # Nothing to remove in most names and subjects, and this runs for each in every mail.
        return " ".join(text.split())
    kept = (
        " " if char.isspace() else char
        for char in unicodedata.normalize("NFC", text)
        if char.isspace()
        or (char not in _BIDI_CONTROLS and unicodedata.category(char) not in {"Cc", "Cs"})
    )
    return " ".join("".join(kept).split())


class OneLineField(forms.CharField):
    """A name or phone number, cleaned by ``one_line``; the browser detects its direction."""

    def to_python(self, value: Any) -> str | None:
        return super().to_python(one_line(str(value)) if value is not None else value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return super().widget_attrs(widget) | {"dir": "auto"}


def validate_mailable(address: str) -> None:
    """Refuse addresses that RFC 5321 allows but no mail provider offers.

    These are a quoted local part, which may contain commas and control characters, an address
    literal such as ``a@[127.0.0.1]``, and a domain that cannot be encoded for mail.
    """
    _is_address(address)
    local_part, _, domain = address.rpartition("@")
    try:
        punycode(domain)
    except UnicodeError:
        is_encodable = False
    else:
        is_encodable = True
    if local_part.startswith('"') or domain.startswith("[") or not is_encodable:
        raise ValidationError(_is_address.message, code=_is_address.code)


class MailAddressField(forms.EmailField):
    """An e-mail address to which mail can be sent."""

    default_validators = [validate_mailable]
