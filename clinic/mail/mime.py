"""A composed mail as a MIME message.

Built with the standard library's older classes: the modern ``EmailMessage`` decodes a subject that
only looks encoded ("=?utf-8?q?…?="), so it would not arrive as it was typed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.charset import QP, Charset
from email.generator import BytesGenerator
from email.header import Header
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.utils import format_datetime, formataddr, parseaddr
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.encoding import punycode

from clinic.mail.mail import Mail
from clinic.models import Message
from clinic.plain_text import one_line

# RFC 5322 recommends shorter lines and allows these; longer values are encoded, which folds them.
MAX_PLAIN_HEADER = 900
WIRE = policy.compat32.clone(linesep="\r\n")
UTF8 = Charset("utf-8")
UTF8.body_encoding = QP


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A mail as a sender gets it: ``content`` are its bytes, including headers, with CRLF.

    ``sender`` and ``recipient`` are the bare addresses of the envelope, in ASCII. For a sender
    that is not a mail server, ``mail`` contains words and recipient, and ``message_id`` is the
    row's key.
    """

    message_id: UUID
    mail: Mail
    sender: str
    recipient: str
    headers: Mapping[str, str]
    content: bytes

    def for_django(self) -> EmailMultiAlternatives:
        """Return it for one of Django's mailers: the parts for a provider, or the same bytes."""
        return _AsBuilt(self)


class _AsBuilt(EmailMultiAlternatives):
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
            # As an attachment, because few providers accept a third alternative.
            self.attach("invite.ics", mail.calendar, "text/calendar")
        self._content = outgoing.content

    def message(self, **kwargs: Any) -> EmailMessage:
        return message_from_bytes(self._content, policy=policy.SMTP)


def message_id_header(message: Message) -> str:
    """Return the same Message-ID for each copy, so that mail programs can ignore a second one."""
    return f"<{message.pk.hex}@{urlsplit(settings.BASE_URL).hostname}>"


def build(message: Message, mail: Mail, now: datetime) -> Outgoing:
    """Build the MIME message; raises ValueError, before anything is sent, if it cannot be built."""
    recipient = _in_ascii(mail.to)
    headers = {
        "To": recipient,
        **({"Reply-To": _in_ascii(mail.reply_to)} if mail.reply_to else {}),
        "Subject": one_line(mail.subject),
        "Message-ID": message_id_header(message),
        # The time when this copy was built, not when it was due: a late mail should sort as new.
        "Date": format_datetime(now),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        **mail.headers,
    }
    parts = [_text(mail.text, "plain"), _text(mail.html, "html")]
    if mail.calendar:
        calendar = _text(mail.calendar, "calendar")
        # RFC 6047, section 2.4: the content type contains the method too.
        calendar.set_param("method", mail.method)
        calendar.set_param("component", "VEVENT")
        parts.append(calendar)
    # "=_" never occurs in quoted-printable text, so no part can contain the boundary.
    mime = MIMEMultipart("alternative", f"=_{message.pk.hex}", parts)
    mime["From"] = _sender(mail.sender_name)
    for name, value in headers.items():
        mime.add_header(name, _header(name, value))
    content = BytesIO()
    BytesGenerator(content, mangle_from_=False, maxheaderlen=0, policy=WIRE).flatten(mime)
    return Outgoing(
        message_id=message.pk,
        mail=mail,
        sender=_sender_address(),
        recipient=recipient,
        headers=headers,
        content=content.getvalue(),
    )


def _text(text: str, subtype: str) -> MIMENonMultipart:
    part = MIMENonMultipart("text", subtype, charset="utf-8")
    part.set_payload(text.replace("\r\n", "\n").replace("\r", "\n"), UTF8)
    del part["MIME-Version"]
    return part


def _header(name: str, value: str) -> str:
    if any(char in value for char in "\r\n\0"):
        raise ValueError(f"{name} would start a header of its own")
    if value.isascii() and "=?" not in value and len(value) < MAX_PLAIN_HEADER:
        return value
    return Header(value, "utf-8", header_name=name).encode(linesep="\r\n")


def _in_ascii(address: str) -> str:
    """Return the address with its domain in punycode; raises ValueError if that is not enough."""
    local_part, at, domain = address.rpartition("@")
    in_ascii = f"{local_part}{at}{punycode(domain)}"
    if not at or not in_ascii.isascii() or not in_ascii.isprintable() or " " in in_ascii:
        raise ValueError("this address cannot be written in SMTP")
    return in_ascii


def _sender_address() -> str:
    return _in_ascii(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])


def _sender(name: str) -> str:
    """Return the configured sender, under the clinic's name unless it has one of its own."""
    shown = parseaddr(settings.DEFAULT_FROM_EMAIL)[0] or one_line(name)
    if shown.isascii():
        return formataddr((shown, _sender_address()))
    return f"{Header(shown, 'utf-8', header_name='From').encode()} <{_sender_address()}>"
