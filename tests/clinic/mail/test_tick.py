"""What a tick costs: it must not matter how much is planned for later."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.mails import visit_mails
from clinic.mail import outbox
from clinic.models import Message
from tests.factories import (
    NOW,
    make_appointment,
    make_location,
    make_message,
    make_patient,
    make_practice,
    make_questionnaire,
    make_service,
)

pytestmark = pytest.mark.django_db


def make_planned(count, *, now=NOW):
    """Owe mails from tomorrow on, beside twice as many that were sent."""
    patient, planned = make_patient(), Message.State.PLANNED
    Message.objects.bulk_create(
        Message(
            kind="reminder",
            step="24h",
            subject_type="booking.appointment",
            subject_id=uuid.uuid4(),
            patient=patient,
            state=planned if minute > 0 else Message.State.SENT,
            due_at=now + timedelta(days=1, minutes=minute),
            next_attempt_at=now + timedelta(days=1, minutes=minute),
            expires_at=now + timedelta(days=2, minutes=minute),
        )
        for minute in range(-2 * count, count)
    )
    if connection.vendor == "postgresql":  # which does so by itself; SQLite never does
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE clinic_message")


def statements(action):
    with CaptureQueriesContext(connection) as captured:
        action()
    return [query["sql"] for query in captured]


def test_a_tick_with_nothing_due_takes_as_many_queries_as_ever():
    outbox.tick(NOW)
    alone = statements(lambda: outbox.tick(NOW))
    make_planned(500)
    crowded = statements(lambda: outbox.tick(NOW))

    assert len(crowded) == len(alone)
    reads = [sql for sql in crowded if sql.startswith("SELECT") and "clinic_message" in sql]
    assert len(reads) == 1


@pytest.mark.parametrize(
    "rows",
    [
        lambda: Message.objects.due(NOW).with_circumstances(NOW)[:500],
        lambda: Message.objects.late(NOW - timedelta(days=1)),
    ],
)
def test_what_a_tick_looks_for_is_found_by_index(rows):
    make_planned(3000)
    plan = rows().explain()

    assert "message_due" in plan
    assert not re.search(r"Seq Scan on clinic_message\b|\bSCAN clinic_message\b", plan)


def test_what_a_tick_puts_right_is_found_by_index():
    make_planned(3000)
    updates = [sql for sql in statements(lambda: outbox.tick(NOW)) if "UPDATE" in sql]
    about_mails = [sql for sql in updates if "clinic_message" in sql]
    assert len(about_mails) == 3
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    for sql in about_mails:
        with connection.cursor() as cursor:
            cursor.execute(f"{explain} {sql}")
            plan = str(cursor.fetchall())
        assert "message_due" in plan
        assert not re.search(r"Seq Scan|\bSCAN\b", plan)


def test_each_mail_more_takes_the_same_eight_statements():
    """Find, reserve, claim, mark as sent; visit, practice and words are read, links stored."""
    make_practice()
    location, service = make_location(), make_service(questionnaire=make_questionnaire())

    def owe(count):
        for _ in range(count):
            visit = make_appointment(
                location=location, service=service, start=NOW + timedelta(hours=20)
            )
            make_message(
                patient=visit.patient,
                kind=visit_mails.REMINDER,
                step="24h",
                subject_type="booking.appointment",
                subject_id=visit.pk,
            )

    outbox.tick(NOW)
    owe(1)
    one = statements(lambda: outbox.tick(NOW))
    owe(3)
    three = statements(lambda: outbox.tick(NOW))

    assert len(three) - len(one) == 2 * 8
    assert Message.objects.filter(state=Message.State.SENT).count() == 4
