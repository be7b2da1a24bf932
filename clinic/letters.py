"""A mail's words and facts, written once and rendered as text and HTML twins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import ngettext, pgettext

from clinic.models import Practice
from clinic.outbox import Mail


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What one mail says, in the active language.

    ``facts`` are pairs of a label and a value, ``links`` and ``buttons`` pairs of a label and a
    URL; the first button is the one thing to do. ``stop_url`` stops mails of this kind, reminders
    unless ``stop_label`` says something else.
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
            "practice": practice,
            "language": translation.get_language(),
        }
        return Mail(
            to=to,
            subject=self.subject,
            text=render_to_string("mail/letter.txt", context).strip() + "\n",
            html=render_to_string("mail/letter.html", context),
            sender_name=practice.name,
            reply_to=practice.email,
            **parts,
        )


def day_text(local: datetime) -> str:
    # Translators: the day of a visit in a mail, as in Django's date filter.
    return date_format(local, pgettext("date format", "l, F j"))


def time_text(local: datetime) -> str:
    # Translators: the time of a visit in a mail, as in Django's date filter.
    return date_format(local, pgettext("time format", "g:i A"))


def zone_text(local: datetime) -> str:
    """Return the zone's usual short name, or its offset where people use none: "CST"."""
    name = local.tzname() or ""
    return f"UTC{local:%:z}" if name[:1] in {"+", "-"} else name


def time_left_text(left: timedelta) -> str:
    """Return the true time until a visit in words: "2 days", "23 hours", "45 minutes"."""
    minutes = 5 * round(left / timedelta(minutes=5))
    if minutes < 120:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = round(left / timedelta(hours=1))
    if hours < 48:
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    days = round(left / timedelta(days=1))
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}
