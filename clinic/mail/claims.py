"""Steps of a mail's row in a process: reserve, claim, mark as sent, finish or put back.

Each step is one conditional UPDATE that names the claim, so any number of processes may work on
the same rows.
"""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings

from clinic.models import Message

# Waits after a temporary refusal, in ticks (a tick is a minute); the last one repeats.
BACKOFF_TICKS = (1, 5, 15, 30)
# Waits are longer by up to this share, so that mails refused together are not retried together.
MAX_JITTER = 0.2
_UNFINISHED = [Message.State.PLANNED, Message.State.SENDING, Message.State.UNKNOWN]


def recover_expired(now: datetime) -> None:
    """Free the rows of processes that died with a mail reserved or handed over."""
    # The claim stays: if its process is only slow, the answer it gets still counts.
    Message.objects.expired(Message.State.SENDING, now).update(
        state=Message.State.UNKNOWN, reason="", lease_until=None, next_attempt_at=now
    )
    # Behind the others: a row that kills its worker must not be first again.
    later = {
        "claim": None,
        "lease_until": None,
        "next_attempt_at": now + timedelta(seconds=settings.TICK_SECONDS),
    }
    Message.objects.expired(Message.State.PLANNED, now).update(reason=Message.INTERRUPTED, **later)
    Message.objects.expired(Message.State.UNKNOWN, now).update(**later)


def reserve(now: datetime, at: datetime, *, message_id: UUID | str | None = None) -> Message | None:
    """Reserve the next mail that was due at ``now``, or the one given; None if there is none.

    No other process reserves it until its lease, counted from ``at``, expires.
    """
    due = Message.objects.due(now).filter(lease_until=None)
    if message_id is not None:
        due = due.filter(pk=message_id)
    while message := due.with_circumstances(now).first():
        message.claim = uuid4()
        # Checks again: another process may have reserved, sent or cancelled it in between.
        reserved = due.filter(pk=message.pk, state=message.state, reason=message.reason).update(
            claim=message.claim, lease_until=_lease(at)
        )
        if reserved:
            return message
    return None


def _lease(at: datetime) -> datetime:
    return at + timedelta(seconds=settings.LEASE_SECONDS)


def release(message: Message) -> None:
    """Free a reserved mail that was not sent."""
    Message.objects.filter(pk=message.pk, claim=message.claim).update(claim=None, lease_until=None)


def claim(message: Message, now: datetime) -> bool:
    """Mark the row as handed to the mail server; False if it was cancelled or taken over.

    A mail cannot be cancelled after this, because it may arrive.
    """
    changes = {
        "state": Message.State.SENDING,
        "handed_at": now,
        "lease_until": _lease(now),
        "next_attempt_at": now,
        "attempts": message.attempts + 1,
        "is_retried_after_unknown": message.is_retried_after_unknown
        or message.state == Message.State.UNKNOWN,
    }
    is_ours = bool(
        Message.objects.filter(
            pk=message.pk, claim=message.claim, state=message.state, reason=message.reason
        ).update(**changes)
    )
    _apply_in_memory(message, changes if is_ours else {"state": Message.State.SKIPPED})
    return is_ours


def mark_sent(message: Message, now: datetime) -> None:
    """Finish a mail that the mail server has accepted."""
    finish(message, Message.State.SENT, sent_at=now, last_reply="")


def put_back(message: Message, now: datetime, *, reason: str, **fields: Any) -> None:
    """Plan another attempt at a mail that was not accepted."""
    _apply_in_memory(message, {"attempts": message.attempts, **fields})
    fields |= {"claim": None, "next_attempt_at": next_attempt(message, now)}
    if message.state == Message.State.UNKNOWN:
        # Not handed over again yet: the first copy may have arrived, and there is only one retry.
        # Its reason stays: the mail may have been cancelled in the meantime.
        Message.objects.filter(pk=message.pk, claim=message.claim, state=message.state).update(
            lease_until=None, **fields
        )
    else:
        finish(message, Message.State.PLANNED, reason=reason, handed_at=None, **fields)


def next_attempt(message: Message, now: datetime) -> datetime:
    ticks = BACKOFF_TICKS[min(max(message.attempts, 1), len(BACKOFF_TICKS)) - 1]
    jitter = 1 + random.random() * MAX_JITTER  # noqa: S311
    return now + timedelta(seconds=ticks * settings.TICK_SECONDS * jitter)


def finish(message: Message, state: str, *, reason: str = "", **fields: Any) -> None:
    """End our claim.

    Also applies if another worker has already assumed this one crashed, as long as that worker has
    not reserved the message.
    """
    changes = {"state": state, "reason": reason, "lease_until": None, **fields}
    Message.objects.filter(pk=message.pk, claim=message.claim, state__in=_UNFINISHED).update(
        **changes
    )
    _apply_in_memory(message, changes)


def _apply_in_memory(message: Message, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(message, name, value)
