"""The promise that owed mail is sent: plan, claim, hand over, stamp, give up.

The ``Message`` row is the truth. A broker message only wakes a worker; the tick finds everything
again. States: planned → sending → sent, unknown, failed or skipped.

Several workers and schedulers are harmless: a row is claimed by one conditional UPDATE, and every
later write names that claim. A process killed while it sends leaves one row behind. If that row
was not yet handed to the mail server it goes back to planned; otherwise nobody knows whether it
arrived, and it is sent once more, flagged, under the same Message-ID.
"""

import logging
import random
import re
import smtplib
import time
import traceback
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core import mail
from django.db import InterfaceError, OperationalError, models, transaction
from django.db.models import F, Max
from django.utils import timezone

from clinic import preview
from clinic.celery import app
from clinic.models import Message, Patient, Tick, User
from clinic.outgoing import Mail, Outgoing, build
from clinic.smtp import AnswerLost

logger = logging.getLogger(__name__)

LATE_NOTE = "late-note"
# Waits after a temporary refusal, in ticks (a tick is a minute); the last one repeats.
BACKOFF_TICKS = (1, 5, 15, 30)
# A tick leaves the rest to the next one after this long, well below the task's time limit.
SENDING_SECONDS = 45
BATCH = 500


@dataclass(frozen=True)
class Skip:
    """Not to be sent, now or later."""

    reason: str


@dataclass(frozen=True)
class Postpone:
    """Not to be sent yet: ask again, until the mail is no longer useful."""

    reason: str


# Mails that patients did not get because we did not send them in time.
_GIVEN_UP = {Message.State.SKIPPED, Message.State.FAILED}
_OUR_FAULT = {Message.LATE, Message.UNREACHABLE, Message.DEFERRED}

Compose = Callable[[Message, datetime], Mail | Skip | Postpone]

_composers: dict[str, Compose] = {}


class _Unreachable(Exception):
    """No mail server takes mail at the moment: trying the next row is pointless."""


def register(kind: str, compose: Compose) -> None:
    """Name the function that writes mails of ``kind``; called in ``AppConfig.ready()``.

    It reads everything afresh, so that a mail tells what is true when it leaves.
    """
    _composers[kind] = compose


def plan(
    *,
    kind: str,
    subject: models.Model,
    due_at: datetime,
    expires_at: datetime,
    step: str = "",
    version: int = 0,
    resend: int = 0,
    patient: Patient | None = None,
    user: User | None = None,
) -> Message:
    """Owe a mail, in the caller's transaction. Planning the same mail again changes nothing.

    ``subject`` is any row with a UUID key. After ``expires_at`` the mail is of no use and is not
    sent any more.
    """
    message, is_new = Message.objects.get_or_create(
        kind=kind,
        step=step,
        subject_type=subject._meta.label_lower,
        subject_id=subject.pk,
        subject_version=version,
        resend=resend,
        defaults={
            "patient": patient,
            "user": user,
            "due_at": due_at,
            "next_attempt_at": due_at,
            "expires_at": expires_at,
        },
    )
    if is_new and due_at <= timezone.now():
        _wake_worker(message)
    return message


def plan_all(messages: Collection[Message]) -> None:
    """Owe several mails with one query, as ``plan`` does one by one."""
    Message.objects.bulk_create(messages, ignore_conflicts=True)
    for message in messages:
        # A mail that was owed already has another key: then nobody answers this call.
        if message.due_at <= timezone.now():
            _wake_worker(message)


def resend(message: Message, *, now: datetime) -> Message:
    """Owe the same mail once more, because a member of staff asked for it."""
    same = Message.objects.filter(
        kind=message.kind,
        step=message.step,
        subject_type=message.subject_type,
        subject_id=message.subject_id,
        subject_version=message.subject_version,
    )
    again = Message(
        kind=message.kind,
        step=message.step,
        subject_type=message.subject_type,
        subject_id=message.subject_id,
        subject_version=message.subject_version,
        resend=same.aggregate(last=Max("resend"))["last"] + 1,
        patient=message.patient,
        user=message.user,
        due_at=now,
        next_attempt_at=now,
        expires_at=max(message.expires_at, now + timedelta(days=1)),
    )
    again.save(force_insert=True)
    _wake_worker(again)
    return again


def cancel_planned(
    subject: models.Model, *, reason: str, kinds: Collection[str] | None = None
) -> int:
    """Call off the mails about ``subject`` that the mail server has not got; return how many."""
    messages = Message.objects.about(subject)
    if kinds is not None:
        messages = messages.filter(kind__in=kinds)
    # These may have arrived already, so their state stays; they are just not sent again.
    messages.to_retry().update(reason=reason)
    return messages.waiting().update(state=Message.State.SKIPPED, reason=reason, lease_until=None)


def look_at(message: Message, *, now: datetime) -> Mail | str:
    """Write the mail for somebody who only looks; or the reason why nothing would be sent now."""
    try:
        with preview.previewing():
            content = _composers[message.kind](message, now)
    except Exception as error:
        logger.error("Message %s cannot be looked at: %s", message.pk, type(error).__name__)
        return "error"
    return content if isinstance(content, Mail) else content.reason


def tick(now: datetime) -> None:
    """Send what is due, one row after the other, then stamp the heartbeat."""
    started = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - started)

    _recover_lapsed(now)
    sent_any, dropped = False, []
    with closing(mail.mailers.default) as connection:
        for message in Message.objects.due(now).with_circumstances(now)[:BATCH]:
            if clock() - now > timedelta(seconds=SENDING_SECONDS):
                break
            try:
                state = _deliver(message, connection, clock)
            except _Unreachable:
                break
            sent_any = sent_any or state == Message.State.SENT
            if state in _GIVEN_UP and message.reason in _OUR_FAULT:
                dropped.append(message)
    if sent_any:
        # The mail server is back: what waited for it need not sit out its back-off.
        Message.objects.without_server(now).update(next_attempt_at=now)
    _tell_staff(dropped, now)
    Tick.objects.update_or_create(pk=1, defaults={"completed_at": clock()})


def deliver(message_id: UUID | str, now: datetime) -> None:
    """Send this one mail if it is due and nobody else does."""
    message = Message.objects.due(now).with_circumstances(now).filter(pk=message_id).first()
    if message is None:
        return
    with closing(mail.mailers.default) as connection:
        try:
            _deliver(message, connection, lambda: now)
        except _Unreachable:
            logger.warning("No mail server; message %s waits for the tick", message.pk)


def _wake_worker(message: Message) -> None:
    # Only a hint: robust, because a broker that is down must not fail what caused the mail.
    wake = partial(app.send_task, "clinic.tasks.deliver_message", [str(message.pk)])
    transaction.on_commit(wake, robust=True)


def _recover_lapsed(now: datetime) -> None:
    """Free the rows of processes that died while they held a claim."""
    lapsed = Message.objects.lapsed(now)
    lapsed.filter(handed_at=None).update(
        state=Message.State.PLANNED,
        claim=None,
        lease_until=None,
        attempts=F("attempts") - 1,
        # Behind the others: a row that kills its worker must not be first again.
        next_attempt_at=now + timedelta(seconds=settings.TICK_SECONDS),
    )
    # The claim stays: if its owner is only slow, the answer it gets still counts.
    lapsed.exclude(handed_at=None).update(
        state=Message.State.UNKNOWN, reason="", lease_until=None, next_attempt_at=now
    )


def _deliver(message: Message, connection: Any, clock: Callable[[], datetime]) -> str:
    """Claim and send one row; return the state it is left in, or the one that beat us to it."""
    now = clock()
    was_unknown = message.state == Message.State.UNKNOWN
    if not _claim(message, now):
        return message.state
    if now >= message.expires_at:
        # It was late for a reason that is known, or nobody was there to send it.
        gave_up = message.reason in {Message.UNREACHABLE, Message.DEFERRED}
        state = Message.State.FAILED if gave_up else Message.State.SKIPPED
        return _settle(message, state, reason=message.reason or Message.LATE)
    try:
        content = (
            Skip(Message.LATE) if message.is_overtaken else _composers[message.kind](message, now)
        )
        outgoing = build(message, content, now) if isinstance(content, Mail) else None
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
        # Not the row's fault: its lease runs out and it is tried again.
        raise
    except Exception as error:
        # The exception's own words may quote personal data; where it happened is enough.
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error(
            "Message %s cannot be composed: %s\n%s", message.pk, type(error).__name__, where
        )
        return _settle(message, Message.State.FAILED, reason="error")
    if isinstance(content, Postpone):
        return _put_back(message, now, reason=content.reason, attempts=message.attempts - 1)
    if isinstance(content, Skip) and was_unknown:
        # The first copy may have arrived, and there was no second one.
        return _settle(
            message, Message.State.UNKNOWN, reason=content.reason, is_retried_after_unknown=False
        )
    if isinstance(content, Skip):
        return _settle(message, Message.State.SKIPPED, reason=content.reason)
    assert outgoing is not None
    return _hand_over(message, outgoing, connection, clock)


def _claim(message: Message, now: datetime) -> bool:
    """Take the row for this process; False when another was faster or it was called off."""
    claimed = {
        "state": Message.State.SENDING,
        "claim": uuid4(),
        "lease_until": now + timedelta(seconds=settings.LEASE_SECONDS),
        "handed_at": None,
        "attempts": message.attempts + 1,
        "next_attempt_at": now,
        "is_retried_after_unknown": message.is_retried_after_unknown
        or message.state == Message.State.UNKNOWN,
    }
    is_ours = Message.objects.filter(
        pk=message.pk, state=message.state, attempts=message.attempts
    ).update(**claimed)
    if is_ours:
        for name, value in claimed.items():
            setattr(message, name, value)
    return bool(is_ours)


def _hand_over(
    message: Message,
    outgoing: Outgoing,
    connection: Any,
    clock: Callable[[], datetime],
) -> str:
    try:
        connection.open()
    except OSError as error:
        _put_back(message, clock(), reason=Message.UNREACHABLE)
        raise _Unreachable from error
    now = clock()
    # The last moment to call it off. From here on it counts as handed to the mail server.
    is_still_ours = Message.objects.filter(
        pk=message.pk, claim=message.claim, state=Message.State.SENDING
    ).update(handed_at=now, lease_until=now + timedelta(seconds=settings.LEASE_SECONDS))
    if not is_still_ours:
        return Message.State.SKIPPED
    try:
        connection.send_messages([outgoing])
    except AnswerLost:
        connection.close()
        return _settle(message, Message.State.UNKNOWN, next_attempt_at=_next_attempt(message, now))
    except smtplib.SMTPRecipientsRefused as error:
        connection.close()
        ((code, reply),) = error.recipients.values()
        return _refused(message, now, code, reply, is_about_mailbox=True)
    except smtplib.SMTPDataError as error:
        connection.close()
        return _refused(message, now, error.smtp_code, error.smtp_error, is_about_mailbox=False)
    except OSError as error:
        # Also a refused sender: that is about us, so the recipient's mail is still owed.
        connection.close()
        _put_back(message, now, reason=Message.UNREACHABLE)
        raise _Unreachable from error
    except ValueError:
        # An address that cannot be written in SMTP.
        _mark_bounced(message, now)
        return _settle(message, Message.State.FAILED, reason="address")
    if message.patient_id and message.has_bounced:
        Patient.objects.filter(pk=message.patient_id).update(email_bounced_at=None)
    raw = outgoing.message().as_bytes() if settings.DEMO else None
    return _settle(message, Message.State.SENT, sent_at=clock(), last_reply="", raw=raw)


def _refused(
    message: Message, now: datetime, code: int, reply: bytes | str, *, is_about_mailbox: bool
) -> str:
    last_reply = _status_codes(code, reply)
    if code < 500:
        return _put_back(message, now, reason=Message.DEFERRED, last_reply=last_reply)
    if is_about_mailbox:
        _mark_bounced(message, now)
    return _settle(
        message,
        Message.State.FAILED,
        reason="no-mailbox" if is_about_mailbox else "refused",
        last_reply=last_reply,
    )


def _mark_bounced(message: Message, now: datetime) -> None:
    if message.patient_id:
        Patient.objects.filter(pk=message.patient_id).update(email_bounced_at=now)


def _status_codes(code: int, reply: bytes | str) -> str:
    """Return "550 5.1.1": the words that follow often repeat the address."""
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    enhanced = re.match(r"[245]\.\d{1,3}\.\d{1,3}", text)
    return f"{code} {enhanced.group()}" if enhanced else str(code)


def _put_back(message: Message, now: datetime, *, reason: str, **fields: Any) -> str:
    return _settle(
        message,
        Message.State.PLANNED,
        reason=reason,
        handed_at=None,
        next_attempt_at=_next_attempt(message, now),
        **fields,
    )


def _next_attempt(message: Message, now: datetime) -> datetime:
    ticks = BACKOFF_TICKS[min(message.attempts, len(BACKOFF_TICKS)) - 1]
    # Spread out, so that mails refused together do not come back together.
    jitter = 1 + random.random() / 5  # noqa: S311
    return now + timedelta(seconds=ticks * settings.TICK_SECONDS * jitter)


def _settle(message: Message, state: str, *, reason: str = "", **fields: Any) -> str:
    """End our claim. Also counts when somebody took us for dead meanwhile, until they send."""
    changes = {"state": state, "reason": reason, "lease_until": None, **fields}
    Message.objects.filter(
        pk=message.pk,
        claim=message.claim,
        state__in=[Message.State.SENDING, Message.State.UNKNOWN],
    ).update(**changes)
    for name, value in changes.items():
        setattr(message, name, value)
    return state


def _tell_staff(dropped: list[Message], now: datetime) -> None:
    """Owe the clinic one note an hour about mails that patients did not get."""
    dropped = [message for message in dropped if message.kind != LATE_NOTE]
    if (
        dropped
        and not Message.objects.filter(kind=LATE_NOTE, due_at__gt=now - timedelta(hours=1)).exists()
    ):
        plan(
            kind=LATE_NOTE,
            subject=dropped[0],
            due_at=now,
            expires_at=now + timedelta(days=1),
        )
