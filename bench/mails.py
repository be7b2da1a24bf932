"""Due mails: how many per second one worker, and two, send to a mail server."""

import os
import statistics
import subprocess
import sys
import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from bench.budgets import Report, p50_ms
from bench.sink import Sink
from booking.mails import visit_mails
from booking.models import Appointment
from clinic import celery_app
from clinic.environment import mailer_from_url
from clinic.mail import outbox
from clinic.models import Message, Patient
from tests.faults.conftest import wait_until

COUNT, ROUNDS = 250, 3
# As in docker-compose.yml.
WORKERS = 2
PLANNED = 100_000


def measure(report: Report) -> None:
    throughput(report)
    idle_tick(report)


def idle_tick(report: Report) -> None:
    """Measure a tick with no mail due and many planned for later."""
    now = timezone.now()
    patient = Patient.objects.first()
    Message.objects.bulk_create(
        (
            Message(
                kind=visit_mails.REMINDER,
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
    """Measure reminders: each is read, composed with three links, built, sent and marked."""
    now = timezone.now()
    with Sink() as sink:
        settings.MAILERS = {"default": mailer_from_url(sink.url, timeout=20)}
        owe_reminders(COUNT // 10, step="warm", now=now)
        outbox.tick(now)
        ours_ms = []
        for number in range(ROUNDS):
            owe_reminders(COUNT, step=f"round-{number}", now=now)
            before = time.perf_counter()
            outbox.tick(now)
            ours_ms.append((time.perf_counter() - before) * 1000 / COUNT)
            sent = Message.objects.filter(step=f"round-{number}", state=Message.State.SENT)
            assert sent.count() == COUNT
        together = workers_ms(sink, now=now)
    alone = statistics.median(ours_ms)
    report.at_least("due reminders of one worker", 1000 / alone, 50, unit="/s")
    report.at_least(f"{WORKERS} workers, to one", alone / together, 1)
    twice = Message.objects.filter(kind=visit_mails.REMINDER, attempts__gt=1).count()
    report.at_most("mails handed over twice", twice, 0, unit="mails")


def workers_ms(sink: Sink, *, now: datetime) -> float:
    """Return milliseconds per mail with the two workers that `docker compose` starts."""
    env = os.environ | {"EMAIL_URL": sink.url, "TICK_SECONDS": "600"}
    command = [sys.executable, "-m", "celery", "-A", "clinic", "worker", "--loglevel=ERROR"]
    names = [f"--hostname=sender-{number}" for number in range(WORKERS)]
    with (Path(settings.STATE_DIR) / "workers.log").open("ab") as log:
        workers = [
            subprocess.Popen([*command, name], env=env, stdout=log, stderr=log) for name in names
        ]
    try:
        # Each worker sends some first: its first mails are slow.
        for number in range(10):
            send_by_workers(100, step=f"warm{number}", now=now)
        return statistics.median(
            send_by_workers(4 * COUNT, step=f"both{number}", now=now) for number in range(ROUNDS)
        )
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()


def send_by_workers(count: int, *, step: str, now: datetime) -> float:
    """Plan that many mails, wake one worker, and return the milliseconds per mail."""
    for first in range(0, count, COUNT):
        owe_reminders(min(COUNT, count), step=f"{step}-{first}", now=now)
    mails = Message.objects.filter(step__startswith=f"{step}-")
    began = timezone.now()
    celery_app.send_task("clinic.tasks.tick")
    wait_until(lambda: not mails.exclude(state=Message.State.SENT).exists())
    last = mails.aggregate(last=Max("sent_at"))["last"]
    return (last - began).total_seconds() * 1000 / mails.count()


def owe_reminders(count: int, *, step: str, now: datetime) -> list[Message]:
    visits = Appointment.objects.filter(
        status=Appointment.Status.BOOKED, start__gt=now + timedelta(hours=1)
    )[:count]
    return Message.objects.bulk_create(
        Message(
            kind=visit_mails.REMINDER,
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
