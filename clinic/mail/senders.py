"""The interface between the outbox and a sender of mails.

A sender is a mail server (``clinic.mail.smtp``), a folder or a provider
(``clinic.mail.providers``), or a class of the clinic's own, named by ``SENDER`` in the environment.
"""

from dataclasses import dataclass
from typing import Protocol

from clinic.mail.mime import Outgoing


@dataclass(frozen=True)
class Accepted:
    """The mail is on its way: only a bounce reports a later failure."""


@dataclass(frozen=True)
class Temporary:
    """Not now: retry later. ``code`` is the reason, without personal data."""

    code: str


@dataclass(frozen=True)
class Permanent:
    """Never: no retry. ``is_about_mailbox``: the mailbox is wrong, not this mail."""

    code: str
    is_about_mailbox: bool


@dataclass(frozen=True)
class Unknown:
    """The mail was handed over without an answer: it may have been accepted or not."""


Outcome = Accepted | Temporary | Permanent | Unknown


class Unreachable(Exception):
    """No mail is accepted at the moment, or none from us: do not try the next one.

    Only if the mail was certainly not accepted.
    """


class Sender(Protocol):
    """One connection, used by one process for one mail after the other.

    ``send`` returns within less than ``LEASE_SECONDS`` and keeps no state of an earlier mail.
    Other exceptions than Unreachable count as an unknown outcome.
    """

    def open(self) -> None:
        """Connect, if not connected yet; raises Unreachable."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand over one mail; raises Unreachable."""

    def close(self) -> None:
        """Close the connection; it may be opened again."""
