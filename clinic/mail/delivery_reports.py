"""Parse a mail server's report about an undelivered mail (RFC 3464), without trusting it.

Only a report that quotes one of our own Message-IDs counts. Only we and the recipient know it, so
nobody can have another person's address marked. Notices in free text are left for people to read.
Pure: bytes in, values out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message as Parsed
from email.utils import parseaddr
from uuid import UUID

# Larger reports are cut here; the important parts come first.
MAX_REPORT = 256 * 1024

_STATUS = re.compile(r"\b([45]\.\d{1,3}\.\d{1,3})\b")


@dataclass(frozen=True)
class Report:
    """``recipient`` as we wrote it, or empty; ``is_final`` if there is no further attempt.

    ``status`` is an enhanced status code: 5.x.x means a permanent fault of the mailbox.
    """

    message_id: UUID
    recipient: str
    status: str
    is_final: bool

    @property
    def is_permanent(self) -> bool:
        return self.is_final and self.status.startswith("5")


def parse(content: bytes, *, host: str) -> Report | None:
    """Return the report, or None if it is not a report about a mail from ``host``."""
    report = message_from_bytes(content[:MAX_REPORT], policy=policy.compat32)
    return _parse_dsn(report, host) if report.get_content_type() == "multipart/report" else None


def message_id_of(text: str, *, host: str) -> UUID | None:
    """Return the row's key from one of our Message-IDs, anywhere in ``text``."""
    found = re.search(rf"<([0-9a-f]{{32}})@{re.escape(host)}>", text, re.I)
    return UUID(found[1]) if found else None


def status_in(text: str) -> str:
    """Return the first enhanced status code of a failure in ``text``, or an empty string."""
    found = _STATUS.search(text)
    return found[1] if found else ""


def _parse_dsn(report: Parsed, host: str) -> Report | None:
    fields = {
        name.lower(): str(value) for block in _blocks(report) for name, value in block.items()
    }
    returned = _returned_headers(report)
    message_id = message_id_of(_header(returned, "Message-ID"), host=host) if returned else None
    status = _STATUS.search(fields.get("status", ""))
    action = fields.get("action", "").strip().lower()
    if message_id is None or returned is None or status is None:
        return None
    if action not in {"failed", "delayed"}:
        return None
    return Report(
        message_id=message_id,
        # The address as we wrote it: one that a forwarder changed it to must not be marked.
        recipient=_address(_header(returned, "To"))
        or _address(fields.get("original-recipient", "").partition(";")[2])
        or _address(fields.get("final-recipient", "").partition(";")[2]),
        status=status[1],
        is_final=action == "failed",
    )


def _blocks(report: Parsed) -> Iterator[Parsed]:
    for part in report.walk():
        if part.get_content_type() == "message/delivery-status":
            yield from _messages_in(part)


def _messages_in(part: Parsed) -> Iterator[Parsed]:
    inner = part.get_payload()
    for message in inner if isinstance(inner, list) else ():
        if isinstance(message, Parsed):
            yield message


def _returned_headers(report: Parsed) -> Parsed | None:
    for part in report.walk():
        if part.get_content_type() == "message/rfc822":
            return next(_messages_in(part), None)
        if part.get_content_type() == "text/rfc822-headers":
            return message_from_bytes(_text_of(part).encode(errors="replace"))
    return None


def _header(part: Parsed, name: str) -> str:
    # The parser wraps non-ASCII values in an object of its own.
    return str(part.get(name, ""))


def _text_of(part: Parsed) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode(errors="replace") if isinstance(payload, bytes) else ""


def _address(text: str) -> str:
    return parseaddr(text.strip())[1].lower()
