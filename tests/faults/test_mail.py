"""Things are killed, stopped and emptied while mails are due: none is lost, hardly one is doubled.

Real Celery processes, a real SMTP server, and the broker that belongs to the engine.
"""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from random import Random

import pytest
import redis as redis_client
from django.db.models import Q
from django.utils import timezone

from booking.mails import visit_mails
from booking.models import Appointment
from clinic.mail.mime import message_id_header
from clinic.models import Message, Tick
from tests.factories import make_appointment, make_location, make_message, make_practice, make_user
from tests.faults.conftest import ROOT, wait_until
from tests.smtp import SmtpSink, slow

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

State = Message.State
SOAK = os.environ.get("SOAK") == "1"


@pytest.fixture(autouse=True)
def _practice(transactional_db):
    make_practice()


def make_due_reminders(count):
    location, now = make_location(), timezone.now()
    for _ in range(count):
        visit = make_appointment(location=location, start=now + timedelta(hours=20))
        make_message(
            patient=visit.patient,
            kind=visit_mails.REMINDER,
            step="24h",
            subject_type="booking.appointment",
            subject_id=visit.pk,
            due_at=now,
        )


def is_settled():
    """Is there nothing more to be sent? Of a mail in doubt a second time no third copy goes out."""
    is_owed = Q(state__in=[State.PLANNED, State.SENDING])
    in_doubt = Q(state=State.UNKNOWN, is_retried_after_unknown=False)
    return not Message.objects.filter(is_owed | in_doubt).exists()


def has_ticked():
    return Tick.objects.exists()


def book(env):
    """Owe the mails of a booking in a process of its own; return the seconds it took."""
    visit = make_appointment(start=timezone.now() + timedelta(days=3))
    code = f"""
import django, time
django.setup()
from django.db import transaction
from django.utils import timezone
from booking.appointments import mail_schedule
from booking.models import Appointment
visit = Appointment.objects.get(pk="{visit.pk}")
began = time.monotonic()
with transaction.atomic():
    mail_schedule.plan_booked(visit, timezone.now())
print(time.monotonic() - began)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=env | {"DJANGO_SETTINGS_MODULE": "clinic.settings"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return visit, float(done.stdout)


def test_killing_workers_loses_no_reminder_and_doubles_at_most_one_a_kill(
    worker_env, broker, smtp_sink, start
):
    """The whole group at a time, or only the process that sends, as when memory runs out."""
    kills, count = (20, 500) if SOAK else (4, 60)
    make_due_reminders(count)
    smtp_sink.default = slow(0.05)
    env = worker_env | broker | {"EMAIL_URL": smtp_sink.url}
    start("beat", env=env)
    worker, random = start("worker", env=env), Random(kills)
    for kill in range(kills):
        smtp_sink.wait_for((kill + 1) * count // (kills + 2), seconds=120)
        time.sleep(random.random() / 10)
        if kill % 2:
            worker.kill_child()
        else:
            worker.kill()
            worker = start("worker", env=env)
    wait_until(is_settled, seconds=300 if SOAK else 120)

    copies = smtp_sink.copies
    assert len(copies) == count
    assert copies.total() - count <= kills
    doubled = {message_id for message_id, times in copies.items() if times > 1}
    flagged = Message.objects.filter(is_retried_after_unknown=True)
    assert doubled <= {f"<{message.pk.hex}@testserver>" for message in flagged}
    assert flagged.count() <= kills
    # Of those that were hit twice nobody knows, and their rows say so.
    unsettled = Message.objects.exclude(state=State.SENT)
    assert set(unsettled) == set(flagged.filter(state=State.UNKNOWN))


def test_several_workers_and_schedulers_send_each_mail_once(worker_env, broker, smtp_sink, start):
    count = 500 if SOAK else 60
    make_due_reminders(count)
    smtp_sink.default = slow(0.02)
    env = worker_env | broker | {"EMAIL_URL": smtp_sink.url}
    for command in ["beat", "beat", *["worker"] * (4 if SOAK else 3)]:
        start(command, env=env)
    wait_until(is_settled)

    assert smtp_sink.copies.total() == len(smtp_sink.copies) == count


def test_an_idle_worker_helps_when_much_is_due(worker_env, broker, smtp_sink, start):
    """One tick, and no scheduler that would send another."""
    count = 120
    make_due_reminders(count)
    smtp_sink.default = slow(0.05)
    env = worker_env | broker | {"EMAIL_URL": smtp_sink.url, "TICK_SECONDS": "600"}
    for name in ("one", "two"):
        start("worker", f"--hostname={name}", env=env)
    command = [sys.executable, "-m", "celery", "-A", "clinic", "call", "clinic.tasks.tick"]
    subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=60, capture_output=True)
    wait_until(is_settled)

    assert smtp_sink.copies.total() == len(smtp_sink.copies) == count
    assert smtp_sink.connections >= 2


def test_a_mail_server_that_is_down_while_booking_gets_the_mail_later(worker_env, broker, start):
    sink = SmtpSink()
    env = worker_env | broker | {"EMAIL_URL": sink.url}
    for command in ("worker", "beat"):
        start(command, env=env)
    visit, _ = book(env)
    wait_until(Message.objects.filter(reason=Message.UNREACHABLE).exists)
    with sink:
        sink.wait_for(1)
    assert sink.to(visit.patient.email)


def test_booking_wakes_a_worker_before_the_next_tick(worker_env, broker, smtp_sink, start):
    env = worker_env | broker | {"EMAIL_URL": smtp_sink.url, "TICK_SECONDS": "600"}
    start("worker", env=env)
    visit, _ = book(env)
    smtp_sink.wait_for(1)

    assert smtp_sink.to(visit.patient.email)
    assert not has_ticked()


def test_a_broker_that_is_down_while_booking_holds_nobody_up(
    worker_env, redis, smtp_sink, start, settings
):
    env = worker_env | {"EMAIL_URL": smtp_sink.url, "REDIS_URL": redis.url}
    for command in ("worker", "beat"):
        start(command, env=env)
    wait_until(has_ticked)
    redis.stop()
    visit, seconds = book(env)
    assert seconds < 2
    assert smtp_sink.mails == []

    redis.start()
    smtp_sink.wait_for(1)
    assert smtp_sink.to(visit.patient.email)


def test_emptying_the_broker_loses_nothing_and_doubles_nothing(worker_env, redis, smtp_sink, start):
    count = 500 if SOAK else 60
    make_due_reminders(count)
    smtp_sink.default = slow(0.05)
    env = worker_env | {"EMAIL_URL": smtp_sink.url, "REDIS_URL": redis.url}
    for command in ("worker", "beat"):
        start(command, env=env)
    for accepted in range(count // 6, count, count // 6):
        smtp_sink.wait_for(accepted)
        with redis_client.Redis.from_url(redis.url) as client:
            client.flushall()
        if accepted == 3 * (count // 6):
            # Back with an empty disk.
            redis.stop()
            redis.start()
    wait_until(is_settled)

    assert smtp_sink.copies.total() == len(smtp_sink.copies) == count


def test_a_visit_that_is_moved_or_cancelled_while_its_mail_waits_never_sends_it(
    worker_env, broker, smtp_sink, start
):
    make_due_reminders(30)
    visits = dict(Appointment.objects.in_bulk())
    smtp_sink.default = slow(0.1)
    env = worker_env | broker | {"EMAIL_URL": smtp_sink.url}
    for command in ("worker", "beat"):
        start(command, env=env)
    smtp_sink.wait_for(3)
    changed_at, staff = {}, make_user()
    for number, visit in enumerate(visits.values()):
        now = timezone.now()
        if number % 2:
            visit.cancel(now=now, by=staff)
        else:
            start_at = floor_to_hour(now) + timedelta(days=4)
            visit.move(
                start=start_at,
                now=now,
                by=staff,
                practitioner=visit.practitioner,
                outside_hours=True,
            )
        changed_at[visit.pk] = timezone.now()
    old = Message.objects.filter(step="24h", subject_version=0)
    wait_until(lambda: not old.filter(state__in=[State.PLANNED, State.SENDING]).exists())

    left = [message for message in old if message.handed_at]
    assert 3 <= len(left) < len(visits)
    assert all(message.handed_at <= changed_at[message.subject_id] for message in left)
    assert {message.reason for message in old if not message.handed_at} == {"moved", "cancelled"}
    ids = {message_id_header(message) for message in left}
    assert {str(mail["Message-ID"]) for mail in smtp_sink.mails if mail["Message-ID"] in ids} == ids


def floor_to_hour(moment):
    return moment.replace(minute=0, second=0, microsecond=0)


def test_a_worker_that_hangs_is_noticed(worker_env, broker, smtp_sink, start, client, settings):
    settings.TICK_SECONDS = 1
    env = worker_env | broker | {"EMAIL_URL": smtp_sink.url}
    worker, _ = start("worker", env=env), start("beat", env=env)
    wait_until(lambda: client.get("/readyz").status_code == 200)

    worker.signal(signal.SIGSTOP)
    wait_until(lambda: client.get("/readyz").status_code == 503, seconds=10)
    assert client.get("/readyz").json()["failing"] == ["scheduler"]
    assert client.get("/healthz").status_code == 200

    worker.signal(signal.SIGCONT)
    wait_until(lambda: client.get("/readyz").status_code == 200)
