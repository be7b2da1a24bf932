import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic import tasks
from clinic.models import AuditEvent, Message, Role, Tick
from tests.factories import make_audit_event, make_message, make_practice, make_user, sign_in

State = Message.State
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now(db):
    moment = timezone.now()
    Tick.objects.create(pk=1, completed_at=moment)
    return moment


def failing(client):
    response = client.get("/readyz")
    answer = response.json()
    assert response.status_code == (503 if answer["failing"] else 200)
    assert answer["ok"] is (not answer["failing"])
    return answer["failing"]


def test_the_process_is_up_without_looking_at_anything(client):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_all_is_well(client, now):
    assert failing(client) == []
    assert "no-store" in client.get("/readyz")["Cache-Control"]


@pytest.mark.django_db
def test_the_scheduler_fails_before_its_first_tick(client):
    assert failing(client) == ["scheduler"]


def test_the_scheduler_fails_three_intervals_after_its_last_tick(client, now, settings):
    settings.TICK_SECONDS = 60
    Tick.objects.update(completed_at=now - timedelta(seconds=170))
    assert failing(client) == []
    Tick.objects.update(completed_at=now - timedelta(seconds=180))
    assert failing(client) == ["scheduler"]


def test_mail_fails_when_a_message_is_more_than_five_minutes_late(client, now):
    make_message(due_at=now - 4 * MINUTE)
    assert failing(client) == []
    make_message(due_at=now - 5 * MINUTE, expires_at=now + MINUTE)
    assert failing(client) == ["mail"]


@pytest.mark.parametrize(
    ("fields", "is_late"),
    [
        ({"state": State.SENT}, False),
        ({"state": State.FAILED, "reason": "error"}, False),
        ({"state": State.SKIPPED, "reason": "late"}, False),
        ({"state": State.SENDING}, True),
        ({"state": State.UNKNOWN}, True),
        ({"state": State.UNKNOWN, "is_retried_after_unknown": True}, False),
    ],
)
def test_only_what_is_still_to_be_sent_can_be_late(client, now, fields, is_late):
    make_message(due_at=now - 10 * MINUTE, **fields)
    assert failing(client) == (["mail"] if is_late else [])


def test_a_mail_that_waits_for_a_full_mailbox_is_no_alarm_but_a_dead_mail_server_is(client, now):
    waiting = make_message(
        due_at=now - 20 * MINUTE, next_attempt_at=now + 10 * MINUTE, reason=Message.DEFERRED
    )
    assert failing(client) == []
    Message.objects.filter(pk=waiting.pk).update(reason=Message.UNREACHABLE)
    assert failing(client) == ["mail"]


@pytest.mark.django_db
def test_a_tick_is_what_makes_the_scheduler_well_and_it_seals_the_audit(client):
    make_audit_event()
    tasks.tick()

    assert failing(client) == []
    assert AuditEvent.objects.get().sealed_no == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_does_not_answer_is_named(client):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE clinic_tick RENAME TO gone")
    try:
        assert failing(client) == ["database"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO clinic_tick")


def banner(client):
    page = client.get("/admin/").content.decode()
    found = re.search(r'<div class="mail-trouble" role="alert">(.*?)</div>', page, re.DOTALL)
    return " ".join(re.sub("<.*?>", " ", found[1]).split()) if found else ""


def test_staff_see_on_every_page_that_mails_are_late_or_stopped_and_what_to_do(client, now):
    make_practice()
    sign_in(client, make_user(role=Role.FRONT_DESK))
    assert banner(client) == ""

    make_message(due_at=now - 10 * MINUTE)
    assert banner(client).startswith("Mails are late")
    Tick.objects.update(completed_at=now - timedelta(hours=1))
    assert banner(client).startswith("Mails have stopped going out.")
    assert "phone patients" in banner(client)
