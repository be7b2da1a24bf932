"""A composed mail, and what it is on the wire.

The bytes are written here, not by the standard library's object model: that took longer for each
mail than all of SMTP. Tests read them back with its parser.
"""

import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.encoding import punycode

from clinic.models import Message
from clinic.plain_text import one_line

# RFC 5322 wants shorter lines and takes these; what is longer is encoded, which folds it.
_LONGEST_PLAIN_HEADER = 900


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


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A mail as it goes to a sender: ``content`` are its bytes, headers and all, with CRLF.

    ``sender`` and ``recipient`` are the bare addresses of the envelope, in ASCII. A sender that
    is no mail server finds words and recipient in ``mail``, and the row's key in ``message_id``.
    """

    message_id: UUID
    mail: Mail
    sender: str
    recipient: str
    headers: Mapping[str, str]
    content: bytes

    def for_django(self) -> EmailMultiAlternatives:
        """Return it for a mailer of Django's: the parts for a provider, or the same bytes."""
        return _AsWritten(self)


class _AsWritten(EmailMultiAlternatives):
    def __init__(self, outgoing: Outgoing) -> None:
        mail = outgoing.mail
        own = {"To", "Subject", "Reply-To"}
        super().__init__(
            one_line(mail.subject),
            mail.text,
            _sender(mail.sender_name),
            [mail.to],
            reply_to=[mail.reply_to] if mail.reply_to else [],
            alternatives=[(mail.html, "text/html")],
            headers={name: value for name, value in outgoing.headers.items() if name not in own},
        )
        if mail.calendar:
            # Beside the mail, not within it: few providers take a third alternative.
            self.attach("invite.ics", mail.calendar, "text/calendar")
        self._content = outgoing.content

    def message(self, **kwargs: Any) -> EmailMessage:
        return message_from_bytes(self._content, policy=policy.SMTP)


def message_id_header(message: Message) -> str:
    """Return the same Message-ID for each copy, so that mail programs can drop a second one."""
    return f"<{message.pk.hex}@{urlsplit(settings.BASE_URL).hostname}>"


def build(message: Message, mail: Mail, now: datetime) -> Outgoing:
    """Write the mail; raise ValueError here, before anything is handed over, if it cannot be."""
    recipient = _in_ascii(mail.to)
    headers = {
        "To": recipient,
        **({"Reply-To": _in_ascii(mail.reply_to)} if mail.reply_to else {}),
        "Subject": one_line(mail.subject),
        "Message-ID": message_id_header(message),
        # When this copy was written, not when it was due: a late mail should sort as new.
        "Date": format_datetime(now),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        **mail.headers,
    }
    # "=_" is never in quoted-printable text, so no part can end another one.
    boundary = f"=_{message.pk.hex}"
    parts = [("text/plain", mail.text), ("text/html", mail.html)]
    if mail.calendar:
        parts.append((_calendar_type(mail.method), mail.calendar))
    lines = [
        f"From: {_sender(mail.sender_name)}",
        *(_header_line(name, value) for name, value in headers.items()),
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    ]
    content = "\r\n".join([*lines, "", ""]).encode("ascii") + b"".join(_parts(parts, boundary))
    return Outgoing(
        message_id=message.pk,
        mail=mail,
        sender=_sender_address(settings.DEFAULT_FROM_EMAIL),
        recipient=recipient,
        headers=headers,
        content=content,
    )


def _parts(parts: list[tuple[str, str]], boundary: str) -> Iterator[bytes]:
    for content_type, text in parts:
        yield (
            f"--{boundary}\r\n"
            f'Content-Type: {content_type}; charset="utf-8"\r\n'
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        ).encode("ascii")
        unix = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
        yield binascii.b2a_qp(unix.encode(), istext=True).replace(b"\n", b"\r\n")
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode("ascii")


def _calendar_type(method: str) -> str:
    # RFC 6047, section 2.4: the type names the method too.
    return f"text/calendar; method={method}; component=VEVENT"


def _header_line(name: str, value: str) -> str:
    if any(char in value for char in "\r\n\0"):
        raise ValueError(f"{name} would start a header of its own")
    if value.isascii() and "=?" not in value and len(value) < _LONGEST_PLAIN_HEADER:
        return f"{name}: {value}"
    return f"{name}: {Header(value, 'utf-8', header_name=name).encode(linesep='\r\n')}"


def _in_ascii(address: str) -> str:
    """Return the address with its domain in punycode; raise ValueError if that is not enough."""
    local_part, at, domain = address.rpartition("@")
    in_ascii = f"{local_part}{at}{punycode(domain)}"
    if not at or not in_ascii.isascii() or not in_ascii.isprintable() or " " in in_ascii:
        raise ValueError("this address cannot be written in SMTP")
    return in_ascii


@lru_cache(maxsize=8)
def _sender_address(configured: str) -> str:
    return _in_ascii(parseaddr(configured)[1])


@lru_cache(maxsize=64)
def _sender_header(configured: str, name: str) -> str:
    address = _sender_address(configured)
    shown = parseaddr(configured)[0] or one_line(name)
    if shown.isascii():
        return formataddr((shown, address))
    return f"{Header(shown, 'utf-8', header_name='From').encode(linesep='\r\n')} <{address}>"


def _sender(name: str) -> str:
    """Return the configured sender, under the clinic's name unless it has one of its own."""
    return _sender_header(settings.DEFAULT_FROM_EMAIL, name)
