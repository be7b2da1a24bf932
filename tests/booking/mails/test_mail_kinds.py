"""Every kind of mail in each language, as the preview composes it: words, twins, headers."""

import html
import re
from email import message_from_bytes, policy

import pytest
from django.conf import settings
from django.utils import translation

from clinic import wordings
from clinic.mail import outbox, preview, samples
from clinic.mail.mime import build
from clinic.models import Link, Message
from clinic.operations.staff_mails import TEST
from tests.factories import NOW, make_location, make_practice

pytestmark = pytest.mark.django_db

KINDS = sorted(wording.kind for wording in wordings.all_wordings())
LANGUAGES = [code for code, _name in settings.LANGUAGES]
# Whoever reads over a shoulder learns that there is a visit, and nothing of what for.
HEALTH = re.compile(
    r"\b(pain|hurt|ache|injur\w*|back pain|spine|symptom\w*|diagnos\w*|therap\w*|treat\w*|doctor"
    r"|dolor\w*|duele|lesi[oó]n\w*|columna|espalda|s[ií]ntoma\w*|diagn[oó]stic\w*|terapia\w*"
    r"|tratamiento\w*|m[eé]dic[oa]s?)\b",
    re.IGNORECASE,
)


@pytest.fixture(autouse=True)
def _clinic(db):
    make_practice()
    make_location(
        name="Austin", directions="Behind the café.", map_url="https://maps.example/a?b=1&c"
    )


def composed(kind, language):
    with translation.override(language), preview.previewing():
        return samples.sample(kind)(NOW)


def in_every_kind(test):
    for name, values in (("language", LANGUAGES), ("kind", KINDS)):
        test = pytest.mark.parametrize(name, values)(test)
    return test


def words_of(mail):
    """The words of both parts, without what is markup."""
    body = re.sub(r"<(style|title)\b.*?</\1>", " ", mail.html, flags=re.DOTALL)
    return mail.text.split(), html.unescape(re.sub(r"<[^>]+>", " ", body)).split()


def test_every_kind_that_can_be_owed_has_its_words_here():
    assert set(outbox.registered()) - {TEST} == set(KINDS)


def test_the_words_about_health_are_known_when_they_are_seen():
    assert HEALTH.search("Your back pain")
    assert HEALTH.search("su dolor")


@in_every_kind
def test_a_mail_says_nothing_of_health_and_has_no_placeholder_left(kind, language):
    mail = composed(kind, language)
    for part in (mail.subject, mail.text, mail.html):
        # What to bring is the one mention: a list of medicines says nothing about anybody.
        said = part.replace("medicines", "").replace("medicinas", "").replace("medicamentos", "")
        assert not HEALTH.search(said)
        assert not re.search(
            r"\{[a-z_]+\}|%\(|\bNone\b", re.sub(r"<style.*?</style>", "", part, flags=re.DOTALL)
        )
        assert "Ana Ruiz" not in part


@in_every_kind
def test_both_parts_of_a_mail_say_the_same(kind, language):
    mail = composed(kind, language)
    text, page = words_of(mail)
    links = set(re.findall(r"https?://\S+", mail.text))
    assert links == {html.unescape(url) for url in re.findall(r'href="([^"]+)"', mail.html)}
    plain = [word.rstrip(":") for word in text if "://" not in word and word not in {"--", "·"}]
    shown = [word.rstrip(":") for word in page if word != "·"]
    assert sorted(plain) == sorted(shown)


@in_every_kind
def test_a_mail_is_in_the_language_asked_for(kind, language):
    other = next(code for code in LANGUAGES if code != language)
    mail = composed(kind, language)
    assert f'<html lang="{language}">' in mail.html
    assert mail.subject != composed(kind, other).subject
    (own, others) = (
        set(re.findall(r"[^\W\d_]{4,}", composed(kind, code).text)) for code in (language, other)
    )
    assert len(own & others) < len(own) / 2


@in_every_kind
def test_a_mail_has_the_headers_it_should_and_loads_nothing(kind, language):
    mail = composed(kind, language)
    built = message_from_bytes(build(Message(kind=kind), mail, NOW).content, policy=policy.default)
    assert built["Auto-Submitted"] == "auto-generated"
    assert built["X-Auto-Response-Suppress"] == "All"
    assert built["Message-ID"]
    assert built["Date"]
    assert built["Reply-To"] == "hello@clinic.example"
    may_be_stopped = bool(wordings.stop_label(kind))
    assert bool(built["List-Unsubscribe"]) is may_be_stopped
    assert bool(built["List-Unsubscribe-Post"]) is may_be_stopped
    assert not re.search(r"<(img|script|link|iframe|form)\b|url\(|@import|\son\w+=", mail.html)
    # Outlook lays out by tables and knows neither of these.
    assert not re.search(r"display\s*:\s*(grid|flex)|position\s*:|float\s*:", mail.html)
    assert "prefers-color-scheme: dark" in mail.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "kind", [w.kind for w in wordings.all_wordings() if "when" in w.subject_needs]
)
def test_the_subject_of_a_mail_about_a_visit_carries_day_and_time(kind, language):
    mail = composed(kind, language)
    day, time = {
        "en": ("Wednesday, June 3", "9:00 AM CDT"),
        "es": ("miércoles 3 de junio", "09:00 CDT"),
    }[language]
    assert day in mail.subject
    assert time in mail.subject


def test_looking_at_all_of_them_stores_no_link():
    for kind in KINDS:
        composed(kind, "en")
    assert not Link.objects.exists()
