"""Who has a mail in hand: rows put aside, claimed, stamped, settled or put back.

Each step is one conditional UPDATE that names the claim, so any number of processes may work on
the same rows. They are put aside by the batch, and handed over one at a time.
"""

import random
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from clinic.models import Message

# Waits after a temporary refusal, in ticks (a tick is a minute); the last one repeats.
BACKOFF_TICKS = (1, 5, 15, 30)
# Put aside at once. What a killed process had put aside waits for its lease to run out.
BATCH = 50
_UNSETTLED = [Message.State.PLANNED, Message.State.SENDING, Message.State.UNKNOWN]


def recover_lapsed(now: datetime) -> None:
    """Free the rows of processes that died with a mail in hand, or with some put aside."""
    # The claim stays: if its owner is only slow, the answer it gets still counts.
    Message.objects.lapsed(Message.State.SENDING, now).update(
        state=Message.State.UNKNOWN, reason="", lease_until=None, next_attempt_at=now
    )
    # Behind the others: a row that kills its worker must not be first again.
    later = {
        "claim": None,
        "lease_until": None,
        "next_attempt_at": now + timedelta(seconds=settings.TICK_SECONDS),
    }
    Message.objects.lapsed(Message.State.PLANNED, now).update(reason=Message.INTERRUPTED, **later)
    Message.objects.lapsed(Message.State.UNKNOWN, now).update(**later)


def reserve_due(now: datetime, at: datetime) -> list[Message]:
    """Put the next mails aside for this process; an empty list when nothing is due any more."""
    while free := list(
        Message.objects.due(now).filter(lease_until=None).values_list("pk", "reason")[:BATCH]
    ):
        # One of those that a dead process had put aside may have killed it: each goes alone.
        first, first_reason = free[0]
        if first_reason == Message.INTERRUPTED:
            ids = [first]
        else:
            ids = [pk for pk, reason in free if reason != Message.INTERRUPTED]
        if batch := reserve(ids, now, at):
            return batch
    return []


def reserve(ids: Collection[UUID | str], now: datetime, at: datetime) -> list[Message]:
    """Put aside those that are due and nobody else has, until their lease runs out."""
    claim, messages = uuid4(), Message.objects.filter(pk__in=ids)
    free = messages.due(now).filter(lease_until=None).order_by()
    if not free.update(claim=claim, lease_until=_lease(at)):
        return []
    return list(
        messages.filter(claim=claim)
        .with_circumstances(now)
        .order_by("next_attempt_at", "created_at")
    )


def _lease(at: datetime) -> datetime:
    return at + timedelta(seconds=settings.LEASE_SECONDS)


def release(messages: list[Message], claim: UUID | None) -> None:
    """Free what was put aside and not reached."""
    Message.objects.filter(pk__in=[message.pk for message in messages], claim=claim).update(
        claim=None, lease_until=None
    )


def claim(message: Message, now: datetime) -> bool:
    """Stamp the row as handed to the mail server; False when it was called off or taken from us.

    The last moment to call it off: from here on it may arrive.
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
    is_ours = _execute(
        _CLAIM, *changes.values(), message.pk, message.claim, message.state, message.reason
    )
    # Called off, or with somebody else: either way it is not ours to send.
    _note(message, changes if is_ours else {"state": Message.State.SKIPPED})
    return bool(is_ours)


def stamp(message: Message, now: datetime) -> None:
    """Settle a mail that the mail server has taken."""
    changes = {"state": Message.State.SENT, "sent_at": now, "reason": "", "last_reply": ""}
    _execute(_STAMP, *changes.values(), message.pk, message.claim, *_UNSETTLED)
    _note(message, changes)


# Each mail takes these two, and Django needs longer to put such a statement together than the
# database to run it.
_CLAIM = """
    UPDATE clinic_message
    SET state = %s, handed_at = %s, lease_until = %s, next_attempt_at = %s, attempts = %s,
        is_retried_after_unknown = %s
    WHERE id = %s AND claim = %s AND state = %s AND reason = %s
"""
_STAMP = """
    UPDATE clinic_message
    SET state = %s, sent_at = %s, reason = %s, last_reply = %s, lease_until = NULL
    WHERE id = %s AND claim = %s AND state IN (%s, %s, %s)
"""


def _execute(statement: str, *values: Any) -> int:
    """Run one statement; return how many rows it changed."""
    operations, features = connection.ops, connection.features

    def stored(value: Any) -> Any:
        if isinstance(value, datetime):
            return operations.adapt_datetimefield_value(value)
        if isinstance(value, UUID):
            return value if features.has_native_uuid_field else value.hex
        return str(value) if isinstance(value, str) else value

    with connection.cursor() as cursor:
        cursor.execute(statement, [stored(value) for value in values])
        return cursor.rowcount


def put_back(message: Message, now: datetime, *, reason: str, **fields: Any) -> None:
    _note(message, {"attempts": message.attempts, **fields})
    if message.state == Message.State.UNKNOWN:
        # Not handed over again yet: the first copy may have arrived, and one more is all it gets.
        again_at = next_attempt(message, now)
        settle(message, message.state, claim=None, next_attempt_at=again_at, **fields)
        return
    settle(
        message,
        Message.State.PLANNED,
        reason=reason,
        handed_at=None,
        claim=None,
        next_attempt_at=next_attempt(message, now),
        **fields,
    )


def next_attempt(message: Message, now: datetime) -> datetime:
    ticks = BACKOFF_TICKS[min(max(message.attempts, 1), len(BACKOFF_TICKS)) - 1]
    # Spread out, so that mails refused together do not come back together.
    jitter = 1 + random.random() / 5  # noqa: S311
    return now + timedelta(seconds=ticks * settings.TICK_SECONDS * jitter)


def settle(message: Message, state: str, *, reason: str = "", **fields: Any) -> None:
    """End our claim. Also counts when somebody took us for dead meanwhile, until they send."""
    changes = {"state": state, "reason": reason, "lease_until": None, **fields}
    Message.objects.filter(pk=message.pk, claim=message.claim, state__in=_UNSETTLED).update(
        **changes
    )
    _note(message, changes)


def _note(message: Message, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(message, name, value)
