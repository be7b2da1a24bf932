"""The promise that owed mail is sent: plan, claim, hand over, stamp, give up.

The ``Message`` row is the truth. A broker message only wakes a worker; the tick finds everything
again. States: planned → sending → sent, unknown, failed or skipped.

A process puts some due rows aside, reads and writes their mails together, and then claims and
sends one at a time: reading is cheap for many, and what a killed process leaves in doubt is one
mail. Several workers and schedulers are harmless: a row is put aside and claimed by conditional
UPDATEs, and every later write names that claim. Rows that were only put aside are free again when
their lease runs out. Of the one that was handed over nobody knows whether it arrived: it is sent
once more, flagged, under the same Message-ID.
"""

import logging
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core import mail
from django.db import InterfaceError, OperationalError, models, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.module_loading import import_string

from clinic.celery import app
from clinic.mail import bounces, claims, preview
from clinic.mail.letters import texts_read_together
from clinic.mail.mime import Mail, Outgoing, build
from clinic.mail.providers import DjangoSender
from clinic.mail.senders import Accepted, Permanent, Sender, Temporary, Unknown, Unreachable
from clinic.mail.smtp import EmailBackend, SmtpSender
from clinic.models import Message, Patient, Tick, User
from clinic.security.access import links_stored_together

logger = logging.getLogger(__name__)

LATE_NOTE = "late-note"
# A tick leaves the rest to the next one after this long, well below the task's time limit.
SENDING_SECONDS = 45
# A mail that was written longer ago is written again before it leaves.
FRESH = timedelta(seconds=1)


@dataclass(frozen=True)
class Skip:
    """Not to be sent, now or later."""

    reason: str


@dataclass(frozen=True)
class Postpone:
    """Not to be sent yet: ask again, until the mail is no longer useful."""

    reason: str


@dataclass(frozen=True)
class _Broken:
    """It cannot be written, for a reason that is in the log."""


Written = Outgoing | Skip | Postpone | _Broken

# Mails that patients did not get because we did not send them in time.
_GIVEN_UP = {Message.State.SKIPPED, Message.State.FAILED}
_OUR_FAULT = {Message.LATE, Message.UNREACHABLE, Message.DEFERRED}

Compose = Callable[[Message, datetime], Mail | Skip | Postpone]
Read = Callable[[Collection[Message]], None]

_composers: dict[str, Compose] = {}
_readers: dict[str, Read] = {}


def register(kind: str, compose: Compose, *, read: Read | None = None) -> None:
    """Name the function that writes mails of ``kind``; called in ``AppConfig.ready()``.

    It reads everything afresh, so that a mail tells what is true when it leaves. ``read`` does so
    for many mails at once, right before they are written: it leaves on ``message.source`` what
    ``compose`` then need not look up.
    """
    _composers[kind] = compose
    if read is not None:
        _readers[kind] = read


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
    """Send what is due, one mail after the other, then stamp the heartbeat."""
    started = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - started)

    stop_at = now + timedelta(seconds=SENDING_SECONDS)
    claims.recover_lapsed(now)
    sent_any, dropped = False, []
    with closing(_sender()) as sender:
        while clock() < stop_at and (batch := claims.reserve_due(now, clock())):
            try:
                for message in _deliver(batch, sender, clock, stop_at):
                    if message.state == Message.State.SENT and not sent_any:
                        sent_any = True
                        if len(batch) == claims.BATCH:
                            _call_help()
                    if message.state in _GIVEN_UP and message.reason in _OUR_FAULT:
                        dropped.append(message)
            except Unreachable:
                break
    if sent_any:
        # The mail server is back: what waited for it need not sit out its back-off.
        Message.objects.without_server(now).update(next_attempt_at=now)
    _tell_staff(dropped, now)
    Tick.objects.update_or_create(pk=1, defaults={"completed_at": clock()})


def deliver(message_id: UUID | str, now: datetime) -> None:
    """Send this one mail if it is due and nobody else does."""
    batch = claims.reserve([message_id], now, now)
    with closing(_sender()) as sender:
        try:
            for _message in _deliver(batch, sender, lambda: now, now + timedelta(seconds=1)):
                pass
        except Unreachable:
            logger.warning("No mail server; message %s waits for the tick", message_id)


def _wake_worker(message: Message) -> None:
    _hint("clinic.tasks.deliver_message", [str(message.pk)])


def _call_help() -> None:
    """Wake one more worker: there is more to send than one takes at a time.

    It wakes the next in turn. Called once a mail has left, so that no server that is down is
    tried again and again.
    """
    _hint("clinic.tasks.tick", expires=settings.TICK_SECONDS)


def _hint(task: str, *args: Any, **options: Any) -> None:
    # Robust, because a broker that is down must fail neither what caused a mail nor a tick.
    transaction.on_commit(partial(app.send_task, task, *args, **options), robust=True)


def _sender() -> Sender:
    if settings.SENDER:
        return cast(Sender, import_string(settings.SENDER)())
    mailer = mail.mailers.default
    return SmtpSender(mailer) if isinstance(mailer, EmailBackend) else DjangoSender(mailer)


def _deliver(
    batch: list[Message], sender: Sender, clock: Callable[[], datetime], stop_at: datetime
) -> Iterator[Message]:
    """Write the mails together and hand them over one by one; yield each as it is settled.

    What is not reached, since the time is up or no mail server answers, is free again at the end.
    """
    # Half of the lease is left for the last one to be handed over.
    stop_at = min(stop_at, clock() + timedelta(seconds=settings.LEASE_SECONDS / 2))
    claim, settled, is_free = (batch[0].claim if batch else None), 0, True
    try:
        written_at = clock()
        written = _write(batch, written_at)
        for message in batch:
            now = clock()
            if settled and now >= stop_at:
                return
            if now - written_at > FRESH:
                written |= _write([message], now)
            settled += 1
            _dispatch(message, written[message.pk], sender, clock)
            yield message
    except SoftTimeLimitExceeded:
        # Writing one of them may never end. When their lease has run out each goes alone.
        is_free = False
        raise
    finally:
        if is_free and settled < len(batch):
            claims.release(batch[settled:], claim)


def _write(batch: list[Message], now: datetime) -> dict[UUID, Written]:
    """Compose each mail that is still of use, from what the rows say now."""
    useful = [message for message in batch if now < message.expires_at and not message.is_overtaken]
    by_kind: dict[str, list[Message]] = defaultdict(list)
    for message in useful:
        by_kind[message.kind].append(message)
    for kind, messages in by_kind.items():
        if kind in _readers:
            _readers[kind](messages)
    with links_stored_together(), texts_read_together():
        written: dict[UUID, Written] = {message.pk: _compose(message, now) for message in useful}
    for message in batch:
        if message.pk not in written:
            written[message.pk] = Skip(Message.LATE)
    return written


def _compose(message: Message, now: datetime) -> Written:
    try:
        content = _composers[message.kind](message, now)
        return build(message, content, now) if isinstance(content, Mail) else content
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
        # Perhaps not the row's fault: it is tried again.
        raise
    except Exception as error:
        # The exception's own words may quote personal data; where it happened is enough.
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error(
            "Message %s cannot be composed: %s\n%s", message.pk, type(error).__name__, where
        )
        return _Broken()


def _dispatch(
    message: Message, written: Written, sender: Sender, clock: Callable[[], datetime]
) -> None:
    """Do what is to be done with one mail, and leave the row's new state on ``message``."""
    now = clock()
    if now >= message.expires_at:
        _give_up(message, now)
    elif isinstance(written, _Broken):
        claims.settle(message, Message.State.FAILED, reason="error")
    elif isinstance(written, Postpone):
        claims.put_back(message, now, reason=written.reason)
    elif isinstance(written, Skip) and message.state == Message.State.UNKNOWN:
        # The first copy may have arrived, and there was no second one.
        claims.settle(message, Message.State.UNKNOWN, reason=written.reason)
    elif isinstance(written, Skip):
        _skip(message, Message.State.SKIPPED, now, reason=written.reason)
    else:
        _hand_over(message, written, sender, clock)


def _give_up(message: Message, now: datetime) -> None:
    # It was late for a reason that is known, or nobody was there to send it.
    is_refused = message.reason in {Message.UNREACHABLE, Message.DEFERRED}
    state = Message.State.FAILED if is_refused else Message.State.SKIPPED
    is_known = message.reason not in {"", Message.INTERRUPTED}
    _skip(message, state, now, reason=message.reason if is_known else Message.LATE)


def _skip(message: Message, state: str, now: datetime, *, reason: str) -> None:
    # When it was given up is what the note to staff counts by.
    claims.settle(message, state, reason=reason, next_attempt_at=now)


def _hand_over(
    message: Message, outgoing: Outgoing, sender: Sender, clock: Callable[[], datetime]
) -> None:
    try:
        sender.open()
    except Unreachable:
        claims.put_back(message, clock(), reason=Message.UNREACHABLE, attempts=message.attempts + 1)
        raise
    now = clock()
    if not claims.claim(message, now):
        return
    try:
        outcome = sender.send(outgoing)
    except Unreachable:
        claims.put_back(message, now, reason=Message.UNREACHABLE)
        raise
    except (SoftTimeLimitExceeded, OperationalError, InterfaceError):
        raise
    except Exception as error:
        # Nobody knows whether it was taken.
        logger.error("Sender failed on message %s: %s", message.pk, type(error).__name__)
        sender.close()
        outcome = Unknown()
    match outcome:
        case Accepted():
            claims.stamp(message, clock())
            if settings.DEMO:
                Message.objects.filter(pk=message.pk).update(raw=outgoing.content)
            if message.patient_id and message.has_bounced:
                bounces.forgive(message.patient_id)
        case Unknown():
            claims.settle(
                message, Message.State.UNKNOWN, next_attempt_at=claims.next_attempt(message, now)
            )
        case Temporary(code):
            claims.put_back(message, now, reason=Message.DEFERRED, last_reply=code)
        case Permanent(code, is_about_mailbox):
            reason = "no-mailbox" if is_about_mailbox else "refused"
            with transaction.atomic():
                claims.settle(message, Message.State.FAILED, reason=reason, last_reply=code)
                bounces.refused(message, now, is_about_mailbox=is_about_mailbox)


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
