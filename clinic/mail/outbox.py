"""The outbox, which sends all planned mail: plan, reserve, compose, claim, send, finish.

The ``Message`` row is the truth. A broker message only wakes a worker; the tick finds every due
row. States: planned → sending → sent, unknown, failed or skipped.

A process works on one mail at a time. It reserves a due row, composes the mail from the current
rows, claims the row, and sends. Several workers and schedulers are safe: conditional UPDATEs
reserve and claim a row, and every later write names that claim. When the lease of a reserved row
expires, the row is free again. If it was claimed already, the mail may have arrived: it is sent
once more, flagged, under the same Message-ID.
"""

import logging
import time
import traceback
from collections.abc import Callable, Collection, Mapping
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
from clinic.mail.mail import Mail
from clinic.mail.mime import Outgoing, build
from clinic.mail.providers import DjangoSender
from clinic.mail.senders import Accepted, Permanent, Sender, Temporary, Unknown, Unreachable
from clinic.mail.smtp import EmailBackend, SmtpSender
from clinic.models import Message, Patient, Tick, User

logger = logging.getLogger(__name__)

LATE_NOTE = "late-note"
# After this long a tick leaves the rest to the next one, well below the task's time limit.
SENDING_SECONDS = 45
# With more due mails than this, a worker wakes another one.
ONE_WORKER = 50


@dataclass(frozen=True)
class Skip:
    """Do not send it, now or later; ``reason`` is one word."""

    reason: str


@dataclass(frozen=True)
class Postpone:
    """Do not send it yet: ask again, until the mail expires."""

    reason: str


@dataclass(frozen=True)
class _Broken:
    """It cannot be composed; the reason is in the log."""


Composed = Outgoing | Skip | Postpone | _Broken

# Mails that patients did not get because we did not send them in time.
_GIVEN_UP = {Message.State.SKIPPED, Message.State.FAILED}
_OUR_FAULT = {Message.LATE, Message.UNREACHABLE, Message.DEFERRED}

Compose = Callable[[Message, datetime], Mail | Skip | Postpone]

_composers: dict[str, Compose] = {}


def register(kind: str, compose: Compose) -> None:
    """Register the function that composes mails of ``kind``; called in ``AppConfig.ready()``.

    It reads all data when it is called, so that a mail is correct when it is sent.
    """
    _composers[kind] = compose


def registered() -> Mapping[str, Compose]:
    """Return the composers by kind."""
    return _composers


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
    """Plan a mail, in the caller's transaction. Planning the same mail again changes nothing.

    ``subject`` is any row with a UUID key. The mail is not sent after ``expires_at``.
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
    """Plan several mails with one query, as ``plan`` does one by one."""
    Message.objects.bulk_create(messages, ignore_conflicts=True)
    for message in messages:
        # The row of a mail that was planned already has another key: then no worker wakes.
        if message.due_at <= timezone.now():
            _wake_worker(message)


def resend(message: Message, *, now: datetime) -> Message:
    """Plan the same mail once more, because a member of staff asked for it."""
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
    """Cancel the mails about ``subject`` that were not handed over; return how many."""
    messages = Message.objects.about(subject)
    if kinds is not None:
        messages = messages.filter(kind__in=kinds)
    # These may have arrived already, so their state stays; they are not sent again.
    messages.to_retry().update(reason=reason)
    return messages.waiting().update(state=Message.State.SKIPPED, reason=reason, lease_until=None)


def render_preview(message: Message, *, now: datetime) -> Mail | str:
    """Compose the mail for a preview, or return the reason why none would be sent now."""
    try:
        with preview.previewing():
            content = _composers[message.kind](message, now)
    except Exception as error:
        logger.error("Message %s cannot be shown: %s", message.pk, type(error).__name__)
        return "error"
    return content if isinstance(content, Mail) else content.reason


def tick(now: datetime) -> None:
    """Send the due mails one after the other, then record that the tick completed."""
    started = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - started)

    stop_at = now + timedelta(seconds=SENDING_SECONDS)
    claims.recover_expired(now)
    sent_any, dropped = False, []
    with closing(_sender()) as sender:
        while clock() < stop_at and (message := claims.reserve(now, clock())):
            try:
                _deliver(message, sender, clock)
            except Unreachable:
                break
            if message.state == Message.State.SENT and not sent_any:
                sent_any = True
                if Message.objects.due(now).filter(lease_until=None)[ONE_WORKER:].exists():
                    _wake_another_worker()
            if message.state in _GIVEN_UP and message.reason in _OUR_FAULT:
                dropped.append(message)
    if sent_any:
        # The mail server answers again: mails that waited for it can be sent now.
        Message.objects.without_server(now).update(next_attempt_at=now)
    _tell_staff(dropped, now)
    Tick.objects.update_or_create(pk=1, defaults={"completed_at": clock()})


def deliver(message_id: UUID | str, now: datetime) -> None:
    """Send this one mail if it is due and no other process does."""
    message = claims.reserve(now, now, message_id=message_id)
    if message is None:
        return
    with closing(_sender()) as sender:
        try:
            _deliver(message, sender, lambda: now)
        except Unreachable:
            logger.warning("No mail server; message %s waits for the tick", message_id)


def _wake_worker(message: Message) -> None:
    _enqueue_after_commit("clinic.tasks.deliver_message", [str(message.pk)])


def _wake_another_worker() -> None:
    """Wake one more worker, which wakes the next.

    Called only after a mail was sent, so that a server that is down is not tried repeatedly.
    """
    _enqueue_after_commit("clinic.tasks.tick", expires=settings.TICK_SECONDS)


def _enqueue_after_commit(task: str, *args: Any, **options: Any) -> None:
    # Robust: a broker that is down must not make a tick or the cause of a mail fail.
    transaction.on_commit(partial(app.send_task, task, *args, **options), robust=True)


def _sender() -> Sender:
    if settings.SENDER:
        return cast(Sender, import_string(settings.SENDER)())
    mailer = mail.mailers.default
    return SmtpSender(mailer) if isinstance(mailer, EmailBackend) else DjangoSender(mailer)


def _deliver(message: Message, sender: Sender, clock: Callable[[], datetime]) -> None:
    """Compose a reserved mail and act on the result; its new state is on ``message``."""
    now = clock()
    try:
        content = _compose(message, now)
    except (OperationalError, InterfaceError):
        # The row may not be at fault: retry.
        claims.release(message)
        raise
    if now >= message.expires_at:
        _give_up(message, now)
    elif isinstance(content, _Broken):
        claims.finish(message, Message.State.FAILED, reason="error")
    elif isinstance(content, Postpone):
        claims.put_back(message, now, reason=content.reason)
    elif isinstance(content, Skip) and message.state == Message.State.UNKNOWN:
        # The first copy may have arrived, and there was no second one.
        claims.finish(message, Message.State.UNKNOWN, reason=content.reason)
    elif isinstance(content, Skip):
        _skip(message, Message.State.SKIPPED, now, reason=content.reason)
    else:
        _hand_over(message, content, sender, clock)


def _compose(message: Message, now: datetime) -> Composed:
    """Compose the mail, unless it has expired or a later step is due."""
    if now >= message.expires_at or message.is_overtaken:
        return Skip(Message.LATE)
    try:
        content = _composers[message.kind](message, now)
        return build(message, content, now) if isinstance(content, Mail) else content
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
        # After a time limit, only the end of the lease marks the row as interrupted.
        raise
    except Exception as error:
        # The exception's own message may quote personal data; the traceback is enough.
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error(
            "Message %s cannot be composed: %s\n%s", message.pk, type(error).__name__, where
        )
        return _Broken()


def _give_up(message: Message, now: datetime) -> None:
    # It is late for a known reason, or no worker was running.
    is_refused = message.reason in {Message.UNREACHABLE, Message.DEFERRED}
    state = Message.State.FAILED if is_refused else Message.State.SKIPPED
    is_known = message.reason not in {"", Message.INTERRUPTED}
    _skip(message, state, now, reason=message.reason if is_known else Message.LATE)


def _skip(message: Message, state: str, now: datetime, *, reason: str) -> None:
    # The note to staff counts mails by the time at which they were given up.
    claims.finish(message, state, reason=reason, next_attempt_at=now)


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
        # It is unknown whether it was accepted.
        logger.error("Sender failed on message %s: %s", message.pk, type(error).__name__)
        sender.close()
        outcome = Unknown()
    match outcome:
        case Accepted():
            claims.mark_sent(message, clock())
            if settings.DEMO:
                Message.objects.filter(pk=message.pk).update(raw=outgoing.content)
            if message.patient_id and message.has_bounced:
                bounces.forgive(message.patient_id)
        case Unknown():
            claims.finish(
                message, Message.State.UNKNOWN, next_attempt_at=claims.next_attempt(message, now)
            )
        case Temporary(code):
            claims.put_back(message, now, reason=Message.DEFERRED, last_reply=code)
        case Permanent(code, is_about_mailbox):
            reason = "no-mailbox" if is_about_mailbox else "refused"
            with transaction.atomic():
                claims.finish(message, Message.State.FAILED, reason=reason, last_reply=code)
                bounces.refused(message, now, is_about_mailbox=is_about_mailbox)


def _tell_staff(dropped: list[Message], now: datetime) -> None:
    """Plan one note an hour to the clinic about mails that patients did not get."""
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
