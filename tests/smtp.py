"""A real SMTP server on loopback; a test can script its reply to each message."""

import asyncio
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.throwaway import free_port


@dataclass(frozen=True)
class Reply:
    """The server's reply to one message: a status line at RCPT, or at the end of DATA."""

    line: str
    at_rcpt: bool = False
    after_seconds: float = 0
    hang_up: bool = False

    @property
    def accepts(self) -> bool:
        return self.line.startswith("2")


OK = Reply("250 2.0.0 Queued")
GREYLISTED = Reply("451 4.7.1 Greylisted, try again later", at_rcpt=True)
BUSY = Reply("450 4.3.2 Try again later")
NO_SUCH_MAILBOX = Reply("550 5.1.1 No such mailbox", at_rcpt=True)
REFUSED = Reply("554 5.7.1 Message refused")
# The server accepts the message, but the client gets no reply: the unknown outcome.
RESET_AFTER_DATA = Reply("250 2.0.0 Queued", hang_up=True)


def slow(seconds: float) -> Reply:
    """Return a reply that accepts the message only after `seconds`."""
    return Reply("250 2.0.0 Queued", after_seconds=seconds)


class SmtpSink:
    """A server that keeps every message it accepts.

    >>> sink.script(GREYLISTED, RESET_AFTER_DATA)   # the next two messages; then `default` again
    >>> sink.wait_for(1).copies["<one@clinic.example>"]
    1
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.default = OK
        self.attempts = 0
        self._script: deque[Reply] = deque()
        self._scripts_by_recipient: dict[str, deque[Reply]] = {}
        self._mails: list[EmailMessage] = []
        self._recipients: list[tuple[str, ...]] = []
        self._connections: set[Session] = set()
        self._lock = threading.Lock()
        # A given name avoids a slow reverse look-up at the start.
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, server_hostname="sink.test"
        )

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._controller.stop()

    def script(self, *replies: Reply) -> None:
        with self._lock:
            self._script.extend(replies)

    def script_for(self, address: str, *replies: Reply) -> None:
        """Script the replies to the next messages to one recipient, independent of the others."""
        with self._lock:
            self._scripts_by_recipient[address] = deque(replies)

    @property
    def mails(self) -> list[EmailMessage]:
        """Accepted messages, oldest first."""
        with self._lock:
            return list(self._mails)

    @property
    def recipients(self) -> list[tuple[str, ...]]:
        """The envelope's recipients of each accepted message."""
        with self._lock:
            return list(self._recipients)

    @property
    def connections(self) -> int:
        """The number of connections that delivered an accepted message."""
        with self._lock:
            return len(self._connections)

    @property
    def copies(self) -> Counter[str]:
        """The number of accepted copies of each Message-ID."""
        return Counter(str(mail["Message-ID"]) for mail in self.mails)

    def to(self, address: str) -> list[EmailMessage]:
        with self._lock:
            pairs = zip(self._mails, self._recipients, strict=True)
            return [mail for mail, recipients in pairs if address in recipients]

    def wait_for(self, count: int, *, seconds: float = 30) -> Self:
        """Return once at least `count` messages were accepted; raise TimeoutError otherwise."""
        deadline = time.monotonic() + seconds
        while len(self.mails) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.mails)} of {count} mails after {seconds} s")
            time.sleep(0.02)
        return self

    def clear(self) -> None:
        with self._lock:
            self._mails.clear()
            self._recipients.clear()
            self._script.clear()
            self.attempts = 0

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        with self._lock:
            self.attempts += 1
            session.reply = self._script.popleft() if self._script else self.default
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if own := self._scripts_by_recipient.get(address):
            session.reply = own.popleft()
        reply: Reply = session.reply
        if reply.at_rcpt:
            return reply.line
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply: Reply = session.reply
        if reply.accepts:
            content = cast(bytes, envelope.content).replace(b"\r\n", b"\n")
            mail = message_from_bytes(content, policy=policy.default)
            with self._lock:
                self._mails.append(cast(EmailMessage, mail))
                self._recipients.append(tuple(envelope.rcpt_tos))
                self._connections.add(session)
        if reply.hang_up:
            assert server.transport is not None
            server.transport.abort()
        await asyncio.sleep(reply.after_seconds)
        return reply.line
