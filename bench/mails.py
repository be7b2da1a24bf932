"""Due mails: how fast one worker hands them to a mail server, beside a bare SMTP connection."""

import os
import smtplib
import statistics
import subprocess
import sys
import time
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench.budgets import Report, p50_ms
from bench.sink import Sink
from booking import emails
from booking.models import Appointment
from clinic import outbox
from clinic.environment import mailer_from_url
from clinic.models import Message, Patient
from clinic.outgoing import build

COUNT, ROUNDS = 250, 3
PLANNED = 100_000


def measure(report: Report) -> None:
    throughput(report)
    idle_tick(report)


def idle_tick(report: Report) -> None:
    """A tick with nothing due, however much is planned for later."""
    now = timezone.now()
    patient = Patient.objects.first()
    Message.objects.bulk_create(
        (
            Message(
                kind=emails.REMINDER,
                subject_type="booking.appointment",
                subject_id=uuid.uuid4(),
                patient=patient,
                due_at=now + timedelta(days=1, minutes=minute),
                next_attempt_at=now + timedelta(days=1, minutes=minute),
                expires_at=now + timedelta(days=2, minutes=minute),
            )
            for minute in range(PLANNED)
        ),
        batch_size=1000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE clinic_message")
    (tick_ms,) = p50_ms(lambda: outbox.tick(now), rounds=50)
    report.at_most(f"a tick with {PLANNED:,} mails planned, p50", tick_ms, 50, unit="ms")


def throughput(report: Report) -> None:
    """Reminders: each is read afresh, written, built, with three links of its own, and stamped."""
    now = timezone.now()
    with Sink() as sink:
        settings.MAILERS = {"default": mailer_from_url(sink.url, timeout=20)}
        owe_reminders(COUNT // 10, step="warm", now=now)
        outbox.tick(now)
        bare_ms, ours_ms = [], []
        for number in range(ROUNDS):
            owed = owe_reminders(COUNT, step=f"round-{number}", now=now)
            bare_ms.append(send_bare(owed[0], sink, now=now) / COUNT)
            before = time.perf_counter()
            outbox.tick(now)
            ours_ms.append((time.perf_counter() - before) * 1000 / COUNT)
            sent = Message.objects.filter(step=f"round-{number}", state=Message.State.SENT)
            assert sent.count() == COUNT
        together_ms = two_senders(sink, now=now)
    bare, ours = statistics.median(bare_ms), statistics.median(ours_ms)
    report.fact("a mail on a bare SMTP connection", f"{bare:.2f} ms")
    report.fact("a due reminder, from row to stamp", f"{ours:.2f} ms")
    report.at_least("rate of due mails, to the bare connection's", bare / ours, 0.5)
    report.fact("the same with two sending processes", f"{bare / together_ms:.2f} ×")


def two_senders(sink: Sink, *, now: datetime) -> float:
    """Milliseconds a mail while two processes work on the same rows; each is sent once."""
    code = (
        "import django, sys; django.setup(); from django.utils import timezone; from clinic import"
        " outbox; outbox.tick(timezone.now()); print('ready', flush=True); sys.stdin.readline();"
        " outbox.tick(timezone.now()); print('done', flush=True)"
    )
    env = os.environ | {"EMAIL_URL": sink.url}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    owe_reminders(2 * COUNT, step="together", now=now)
    before = time.perf_counter()
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.wait()
    taken_ms = (time.perf_counter() - before) * 1000
    sent = Message.objects.filter(step="together", state=Message.State.SENT)
    return taken_ms / sent.count()


def owe_reminders(count: int, *, step: str, now: datetime) -> list[Message]:
    visits = Appointment.objects.filter(
        status=Appointment.Status.BOOKED, start__gt=now + timedelta(hours=1)
    )[:count]
    return Message.objects.bulk_create(
        Message(
            kind=emails.REMINDER,
            step=step,
            subject_type="booking.appointment",
            subject_id=visit.pk,
            subject_version=visit.sequence,
            patient_id=visit.patient_id,
            due_at=now,
            next_attempt_at=now,
            expires_at=visit.start,
        )
        for visit in visits
    )


def send_bare(message: Message, sink: Sink, *, now: datetime) -> float:
    """Send one real reminder's bytes as often on one connection; return milliseconds."""
    mail = emails.reminder(message, now)
    assert isinstance(mail, outbox.Mail)
    content = build(message, mail, now).content
    with smtplib.SMTP("127.0.0.1", sink.port) as connection:
        before = time.perf_counter()
        for _ in range(COUNT):
            connection.sendmail("clinic@localhost", [mail.to], content)
        return (time.perf_counter() - before) * 1000
