"""A mail's words and facts, written once and rendered as text and as HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from clinic import wordings
from clinic.languages import active_language
from clinic.mail import preview
from clinic.mail.mail import Mail
from clinic.models import MailText, Practice
from clinic.wordings import Words


@dataclass(frozen=True, kw_only=True)
class Letter:
    """The content of one mail, in the active language.

    ``facts`` are pairs of a label and a value, ``links`` and ``buttons`` pairs of a label and a
    URL; the first button is the main action. ``stop_url`` stops mails of this kind, with the label
    ``stop_label``. ``build_letter`` makes a letter whose words staff may have changed.
    """

    subject: str
    heading: str
    paragraphs: Sequence[str]
    facts: Sequence[tuple[str, str]] = ()
    links: Sequence[tuple[str, str]] = ()
    buttons: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    stop_url: str = ""
    stop_label: str = ""

    def as_mail(self, *, to: str, practice: Practice, **parts: Any) -> Mail:
        context = {
            "letter": self,
            "stop_label": self.stop_label or _("Stop reminder mails"),
            "practice": practice,
            "language": active_language(),
        }
        headers = dict(parts.pop("headers", {}))
        if self.stop_url:
            # RFC 8058: mail programs post to it when the reader uses their unsubscribe button.
            headers["List-Unsubscribe"] = f"<{self.stop_url}>"
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return Mail(
            to=to,
            subject=self.subject,
            text=render_to_string("mail/letter.txt", context).strip() + "\n",
            html=render_to_string("mail/letter.html", context),
            sender_name=practice.name,
            reply_to=practice.email,
            headers=headers,
            **parts,
        )


def build_letter(
    kind: str,
    values: Mapping[str, str],
    *,
    paragraphs: Sequence[str] = (),
    notes: Sequence[str] = (),
    **parts: Any,
) -> Letter:
    """Return the letter of ``kind`` in the active language, in the clinic's or the shipped words.

    ``values`` fills the placeholders; ``paragraphs`` and ``notes`` follow those of the words.
    """
    words = _words(kind).filled(values)
    return Letter(
        subject=words.subject,
        heading=words.heading,
        paragraphs=[*_paragraphs(words.text), *paragraphs],
        notes=[*_paragraphs(words.note), *notes],
        stop_label=wordings.stop_label(kind),
        **parts,
    )


def _words(kind: str) -> Words:
    wording, language = wordings.find(kind), active_language()
    assert wording is not None, f"{kind} has no wording"
    looking = preview.current()
    if looking and looking.draft and looking.draft.pk == MailText.key_of(kind, language):
        return looking.draft.words
    if not wording.is_editable:
        return wording.words
    text = MailText.objects.filter(kind=kind, language=language).first()
    return text.words if text else wording.words


def _paragraphs(text: str) -> list[str]:
    return [paragraph.strip() for paragraph in text.split("\n\n") if paragraph.strip()]


def day_text(local: date) -> str:
    # Translators: the day of a visit in a mail, as in Django's date filter.
    return date_format(local, pgettext("date format", "l, F j"))


def time_text(local: datetime) -> str:
    # Translators: the time of a visit in a mail, as in Django's date filter.
    return date_format(local, pgettext("time format", "g:i A"))


def moment_text(local: datetime) -> str:
    """Return day, year and time, if the year is not clear: "Sun, Nov 29, 2026, 8:00 AM"."""
    # Translators: the day of a visit in lists and titles, as in Django's date filter.
    day = date_format(local, pgettext("short date format", "D, M j, Y"))
    return f"{day}, {time_text(local)}"


def zone_text(local: datetime) -> str:
    """Return the zone's usual short name, "CST", or its offset if it has none."""
    name = local.tzname() or ""
    return f"UTC{local:%:z}" if name[:1] in {"+", "-"} else name


def time_left_text(left: timedelta) -> str:
    """Return the actual time until a visit in words: "2 days", "23 hours", "45 minutes"."""
    minutes = 5 * round(left / timedelta(minutes=5))
    if minutes < 120:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = round(left / timedelta(hours=1))
    if hours < 48:
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    days = round(left / timedelta(days=1))
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}
