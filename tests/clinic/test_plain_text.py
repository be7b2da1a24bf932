import pytest
from django import forms

from clinic.plain_text import OneLineField, one_line


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
