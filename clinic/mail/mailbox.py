"""The bounce mailbox, read over IMAP with the standard library."""

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
# The most mails in one run; the next run continues.
BATCH = 200
# Set on mails that we have read and left to people, so that they are not fetched every time.
LOOKED_AT = "BackstrideLookedAt"


class MailboxError(Exception):
    """The mailbox cannot be read; the message contains no password."""


def read_bounces(url: str, now: datetime) -> int:
    """Process the bounces in the mailbox at ``url``, mark them as seen, return how many.

    Other mails stay unseen. After a run that died, the next one completes the work: a bounce that
    is processed twice changes nothing. Raises MailboxError.
    """
    count = 0
    try:
        with _folder(urlsplit(url)) as (mailbox, search):
            for uid in _uids(mailbox, search)[:BATCH]:
                is_bounce = bounces.record_mail(_fetch(mailbox, uid), now)
                count += is_bounce
                # Not every server stores custom flags; without them the mail is read again.
                with suppress(imaplib.IMAP4.error):
                    flag = r"(\Seen)" if is_bounce else f"({LOOKED_AT})"
                    mailbox.uid("STORE", uid, "+FLAGS.SILENT", flag)
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxError(f"The bounce mailbox cannot be read: {type(error).__name__}") from error
    return count


@contextmanager
def _folder(parts: SplitResult) -> Iterator[tuple[imaplib.IMAP4, tuple[str, ...]]]:
    """Open the folder; also yield the search for mails that were not read yet."""
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
    # PEEK: our reading must not mark a mail as seen by people.
    _status, answer = mailbox.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MAX_REPORT}>)")
    for part in answer:
        if isinstance(part, tuple) and re.search(rb"BODY\[\]", part[0]):
            return bytes(part[1])
    return b""
