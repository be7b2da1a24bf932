"""The Spanish translation is complete and up to date, checked without GNU gettext."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).parents[1]
APPS = ("clinic", "intake", "schedule", "booking", "desk", "demo")
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]

# The number of leading text arguments of each function, and whether the first one is the
# context.
FUNCTIONS = {
    "_": (1, False),
    "gettext": (1, False),
    "gettext_lazy": (1, False),
    "gettext_noop": (1, False),
    "ngettext": (2, False),
    "ngettext_lazy": (2, False),
    "pgettext": (2, True),
    "pgettext_lazy": (2, True),
    "npgettext": (3, True),
    "npgettext_lazy": (3, True),
}
LITERAL = r"u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")"

Key = tuple[str | None, str]


def catalogue(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def strings_in_python(text: str) -> Iterator[Key]:
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
        words = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        if name in FUNCTIONS and words and isinstance(words[0], str):
            yield key(name, words)


def strings_in_template(text: str) -> Iterator[Key]:
    # Django turns a template into Python for xgettext: ` gettext(u'Home') XXX`.
    call = rf"\b(n?p?gettext|_)\(({LITERAL}(?:,\s*{LITERAL})*)"
    for name, arguments in re.findall(call, templatize(text)):
        yield key(name, [ast.literal_eval(literal) for literal in re.findall(LITERAL, arguments)])


def key(function: str, words: list[str]) -> Key:
    count, has_context = FUNCTIONS[function]
    context, *words = words[:count] if has_context else [None, *words[:count]]
    return context, str(words[0])


def strings_in_the_project() -> dict[Key, str]:
    found: dict[Key, str] = {}
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if "migrations" not in path.parts:
                found |= dict.fromkeys(strings_in_python(path.read_text()), str(path))
    for folder in ("templates", *APPS):
        for path in (*(ROOT / folder).rglob("*.html"), *(ROOT / folder).rglob("*.txt")):
            found |= dict.fromkeys(strings_in_template(path.read_text()), str(path))
    return found


def test_strings_are_found_in_every_form():
    """Guards the tests below, which cannot notice a form that is not recognised."""
    assert set(
        strings_in_python(
            '_("One"); gettext_lazy("T" "wo"); ngettext("%(n)s day", "%(n)s days", n)\n'
            'pgettext_lazy("month", "May"); _(variable); translation.gettext("Six")'
        )
    ) == {(None, "One"), (None, "Two"), (None, "%(n)s day"), ("month", "May"), (None, "Six")}
    assert set(
        strings_in_template(
            '{% translate "One" %}{% translate "It\'s two" as two %}{{ _("Three") }}'
            '{% translate "May" context "month" %}'
            "{% blocktranslate trimmed %}\n  A\n  B\n{% endblocktranslate %}"
            "{% blocktranslate count n=days %}{{ n }} day{% plural %}{{ n }} days"
            "{% endblocktranslate %}"
        )
    ) == {
        *((None, text) for text in ("One", "It's two", "Three", "A B", "%(n)s day")),
        ("month", "May"),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_is_in_the_catalogue(language):
    known = {(entry.msgctxt, entry.msgid) for entry in polib.pofile(catalogue(language))}
    missing = {key: path for key, path in strings_in_the_project().items() if key not in known}
    assert missing == {}, "run `manage.py makemessages` and translate"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_is_translated(language):
    entries = polib.pofile(catalogue(language))
    assert [entry.msgid for entry in entries.untranslated_entries()] == []
    assert [entry.msgid for entry in entries.fuzzy_entries()] == []
    assert [entry.msgid for entry in entries.obsolete_entries()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_the_placeholders(language):
    def placeholders(text: str) -> set[str]:
        return set(re.findall(r"%\(\w+\)[sd]|\{\w+\}", text))

    lost = [
        entry.msgid
        for entry in polib.pofile(catalogue(language)).translated_entries()
        for text in (entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr])
        if placeholders(text) != placeholders(entry.msgid_plural or entry.msgid)
    ]
    assert lost == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_in_step(language):
    source, compiled = (
        {
            (entry.msgctxt, entry.msgid): entry.msgstr_plural or entry.msgstr
            for entry in entries.translated_entries()
        }
        for entries in (
            polib.pofile(catalogue(language)),
            polib.mofile(catalogue(language).with_suffix(".mo")),
        )
    )
    assert compiled == source, "run `manage.py compilemessages`"
