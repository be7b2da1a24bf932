"""What the outbox asks of whatever takes a mail off our hands.

That is a mail server (``clinic.mail.smtp``), a folder or a provider
(``clinic.mail.providers``), or a class of the clinic's own, named by ``SENDER`` in the environment.
"""

from dataclasses import dataclass
from typing import Protocol

from clinic.mail.mime import Outgoing


@dataclass(frozen=True)
class Accepted:
    """It is on its way: what happens from here on, a bounce tells."""


@dataclass(frozen=True)
class Temporary:
    """Not now: to be tried again later. ``code`` names the reason, without personal data."""

    code: str


@dataclass(frozen=True)
class Permanent:
    """Never: trying again is pointless. Is it the mailbox that is wrong, or this mail?"""

    code: str
    is_about_mailbox: bool


@dataclass(frozen=True)
class Unknown:
    """It was handed over and no answer came: it may have been taken or not."""


Outcome = Accepted | Temporary | Permanent | Unknown


class Unreachable(Exception):
    """Nothing takes mail at the moment, or not from us: trying the next one is pointless.

    Only for what certainly was not taken.
    """


class Sender(Protocol):
    """One connection, used by one process for one mail after the other.

    ``send`` answers within less than ``LEASE_SECONDS`` and leaves nothing of an earlier mail
    behind. What it raises beside Unreachable is taken for an unknown outcome.
    """

    def open(self) -> None:
        """Get ready, if not ready yet; raises Unreachable."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand over one mail; raises Unreachable."""

    def close(self) -> None:
        """Let go of the connection; it may be opened again."""
