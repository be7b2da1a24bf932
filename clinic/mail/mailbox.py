"""The mailbox that bounces go to, read over IMAP with the standard library."""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import cast
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from clinic.environment import is_loopback
from clinic.mail import bounces
from clinic.mail.delivery_reports import MAX_REPORT

TIMEOUT_SECONDS = 30
# As many in one run; the next one goes on from there.
BATCH = 200
# Set on what we have looked at and left to people, so that it is not fetched every time.
LOOKED_AT = "BackstrideLookedAt"


class MailboxError(Exception):
    """The mailbox cannot be read; the words name no password."""


def read_bounces(url: str, now: datetime) -> int:
    """Take in the bounces in the mailbox at ``url``, mark them as seen, return how many.

    Other mails stay as they are. A run that dies is made good by the next: being told of a bounce
    twice changes nothing. Raises MailboxError.
    """
    count = 0
    try:
        with _folder(urlsplit(url)) as (mailbox, search):
            for uid in _uids(mailbox, search)[:BATCH]:
                is_bounce = bounces.record_mail(_fetch(mailbox, uid), now)
                count += is_bounce
                # Not every server keeps flags of others' making; then it is looked at again.
                with suppress(imaplib.IMAP4.error):
                    flag = r"(\Seen)" if is_bounce else f"({LOOKED_AT})"
                    mailbox.uid("STORE", uid, "+FLAGS.SILENT", flag)
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxError(f"The bounce mailbox cannot be read: {type(error).__name__}") from error
    return count


@contextmanager
def _folder(parts: SplitResult) -> Iterator[tuple[imaplib.IMAP4, tuple[str, ...]]]:
    """Open the folder; also yield the search for what nobody has looked at yet."""
    mailbox = _connect(parts)
    try:
        mailbox.login(unquote(parts.username or ""), unquote(parts.password or ""))
        name = unquote(parts.path.strip("/")) or "INBOX"
        status, _answer = mailbox.select('"{}"'.format(name.replace('"', "")))
        if status != "OK":
            raise imaplib.IMAP4.error("no such folder")
        yield mailbox, ("UNSEEN", "UNKEYWORD", LOOKED_AT)
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            mailbox.logout()


def _connect(parts: SplitResult) -> imaplib.IMAP4:
    host = parts.hostname or "localhost"
    if parts.scheme == "imaps":
        context = ssl.create_default_context()
        return imaplib.IMAP4_SSL(
            host, parts.port or 993, ssl_context=context, timeout=TIMEOUT_SECONDS
        )
    if parts.scheme == "imap" and is_loopback(parts.geturl()):
        return imaplib.IMAP4(host, parts.port or 143, timeout=TIMEOUT_SECONDS)
    raise ImproperlyConfigured(
        "BOUNCES_URL must be imaps://user:password@host/folder; imap:// is for this machine only."
    )


def _uids(mailbox: imaplib.IMAP4, search: tuple[str, ...]) -> list[str]:
    _status, found = mailbox.uid("SEARCH", *search)
    return cast(bytes, found[0] or b"").decode("ascii").split()


def _fetch(mailbox: imaplib.IMAP4, uid: str) -> bytes:
    # PEEK: that we read a mail must not hide it from people.
    _status, answer = mailbox.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MAX_REPORT}>)")
    for part in answer:
        if isinstance(part, tuple) and re.search(rb"BODY\[\]", part[0]):
            return bytes(part[1])
    return b""
