import pytest
from django import forms
from django.core.exceptions import ValidationError

from clinic.plain_text import MailAddressField, OneLineField, one_line


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ana Runner", "Ana Runner"),
        ("  Ana \t Runner \n", "Ana Runner"),
        ("Ana\r\nBcc: x", "Ana Bcc: x"),
        ("Jose\u0301", "José"),
        ("Anna\u202egpj.exe", "Annagpj.exe"),
        ("\u2066Ana\u2069", "Ana"),
        ("A\x00n\x07a\x7f", "Ana"),
        ("A\ud800na", "Ana"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("👩\u200d⚕️", "👩\u200d⚕️"),
        ("İstanbul ıspanak", "İstanbul ıspanak"),
        ("", ""),
    ],
)
def test_one_line_keeps_the_words_and_drops_what_misleads(typed, kept):
    assert one_line(typed) == kept
    assert one_line(kept) == kept


def test_a_field_of_invisible_characters_only_counts_as_empty():
    with pytest.raises(forms.ValidationError):
        OneLineField().clean("\u202e \u200f\n")


def test_a_field_lets_the_browser_find_the_direction():
    assert OneLineField().widget.attrs["dir"] == "auto"


@pytest.mark.parametrize(
    "typed",
    ["ana@example.org", "o'neil+run@example.org", "ana@exämple.org", "ana@xn--exmple-cua.org"],
)
def test_an_address_that_can_be_written_to_is_taken_as_typed(typed):
    assert MailAddressField().clean(typed) == typed


@pytest.mark.parametrize(
    "typed",
    [
        '"a,b@example.net"@example.org',
        '"\x01"@example.org',
        "ana@exam\u202eple.org",
        "ana@[127.0.0.1]",
        "ana@localhost",
        "ana@example.org\r\nBcc: x@example.net",
        "ana@example.org, x@example.net",
        "not an address",
    ],
)
def test_an_address_that_no_mail_would_reach_is_refused_once(typed):
    with pytest.raises(ValidationError) as refused:
        MailAddressField().clean(typed)
    assert len(refused.value.messages) == 1
