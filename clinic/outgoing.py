"""A composed mail, and what it is on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.functional import cached_property

from clinic.models import Message
from clinic.plain_text import one_line


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail, composed. ``method`` is the iTIP method of ``calendar``, when there is one."""

    to: str
    subject: str
    text: str
    html: str
    sender_name: str = ""
    reply_to: str = ""
    calendar: str = ""
    method: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def message_id_header(message: Message) -> str:
    """Return the same Message-ID for each copy, so that mail programs can drop a second one."""
    return f"<{message.pk.hex}@{urlsplit(settings.BASE_URL).hostname}>"


class _Headers(HeaderRegistry):
    """Makes a class for each name once, where the standard library makes one for each header."""

    __getitem__ = lru_cache(HeaderRegistry.__getitem__)


_WIRE = policy.SMTP.clone(header_factory=_Headers())


class Outgoing(EmailMultiAlternatives):
    """A mail that is built once, so that what was checked and kept is what is sent."""

    calendar_method = ""

    def message(self, **kwargs: Any) -> EmailMessage:
        return self._built

    @cached_property
    def _built(self) -> EmailMessage:
        built = super().message(policy=_WIRE)
        for part in built.walk():
            if part.get_content_type() == "text/calendar":
                # RFC 6047, section 2.4: the type names the method too.
                part.set_param("method", self.calendar_method)
                part.set_param("component", "VEVENT")
        return built


def build(message: Message, content: Mail, now: datetime) -> Outgoing:
    """Build the mail; raise ValueError here, before anything is handed over, if it cannot be."""
    outgoing = Outgoing(
        one_line(content.subject),
        content.text,
        _sender(content.sender_name),
        [content.to],
        reply_to=[content.reply_to] if content.reply_to else [],
        alternatives=[(content.html, "text/html")],
        headers={
            "Message-ID": message_id_header(message),
            # When this copy was written, not when it was due: a late mail should sort as new.
            "Date": format_datetime(now),
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            **content.headers,
        },
    )
    if content.calendar:
        outgoing.calendar_method = content.method
        outgoing.attach_alternative(content.calendar, "text/calendar")
    outgoing.message()
    return outgoing


def _sender(name: str) -> str:
    """Return the configured sender, under the clinic's name unless it has one of its own."""
    configured_name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((configured_name or one_line(name), address))
