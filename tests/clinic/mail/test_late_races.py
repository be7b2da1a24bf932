"""Two workers on one row: what the second does between two statements of the first."""

from contextlib import contextmanager

import pytest
from django.db import connection

from clinic.environment import mailer_from_url
from clinic.mail import claims, outbox
from clinic.models import Message
from tests.clinic.mail.test_outbox import KIND, MINUTE, State, compose, make_owed, tick
from tests.factories import NOW


@pytest.fixture(autouse=True)
def _test_kind(own_mail_kinds):
    outbox.register(KIND, compose)


@contextmanager
def before_next_update(action):
    """Run ``action`` once, as another process would, before the next UPDATE of a message."""
    waiting = [action]

    def run(execute, sql, params, many, context):
        if waiting and sql.startswith('UPDATE "clinic_message"'):
            waiting.pop()()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(run):
        yield
    assert not waiting


def test_lost_answer_called_off_while_the_server_is_down_stays_called_off(smtp_sink, settings):
    message = make_owed(state=State.UNKNOWN, attempts=1, handed_at=NOW)
    reserved = claims.reserve(NOW, NOW)
    outbox.cancel_planned(message.patient, reason="cancelled")
    claims.put_back(reserved, NOW, reason=Message.UNREACHABLE)

    settings.MAILERS = {"default": mailer_from_url(smtp_sink.url, timeout=1)}
    assert tick(message, NOW + 60 * MINUTE) == State.UNKNOWN
    assert message.reason == "cancelled"
    assert smtp_sink.mails == []


def test_second_copy_of_another_worker_is_not_followed_by_a_third():
    message = make_owed(state=State.UNKNOWN, attempts=1, handed_at=NOW)

    def second_worker():
        other = claims.reserve(NOW, NOW)
        assert claims.claim(other, NOW)
        claims.finish(other, State.UNKNOWN, next_attempt_at=claims.next_attempt(other, NOW))

    with before_next_update(second_worker):
        assert claims.reserve(NOW, NOW) is None
    message.refresh_from_db()
    assert message.is_retried_after_unknown


def test_another_workers_deferral_is_waited_for():
    make_owed(reason=Message.DEFERRED, attempts=1)

    def second_worker():
        other = claims.reserve(NOW, NOW)
        assert claims.claim(other, NOW)
        claims.put_back(other, NOW, reason=Message.DEFERRED)

    with before_next_update(second_worker):
        assert claims.reserve(NOW, NOW) is None


def test_what_another_worker_reserves_or_staff_call_off_in_between_is_not_reserved():
    message = make_owed()
    with before_next_update(lambda: claims.reserve(NOW, NOW)):
        assert claims.reserve(NOW, NOW) is None
    Message.objects.update(lease_until=None, claim=None)
    with before_next_update(lambda: outbox.cancel_planned(message.patient, reason="cancelled")):
        assert claims.reserve(NOW, NOW) is None


def test_called_off_while_the_server_is_down_stays_called_off():
    message = make_owed()
    reserved = claims.reserve(NOW, NOW)
    outbox.cancel_planned(message.patient, reason="cancelled")
    claims.put_back(reserved, NOW, reason=Message.UNREACHABLE)

    message.refresh_from_db()
    assert (message.state, message.reason) == (State.SKIPPED, "cancelled")


@pytest.mark.parametrize("fields", [{"reason": Message.INTERRUPTED}, {"state": State.UNKNOWN}])
def test_a_slow_worker_leaves_the_reservation_of_its_successor_alone(fields):
    """The row looks the same to both: only the claim tells them apart."""
    message = make_owed(**fields)
    first = claims.reserve(NOW, NOW)
    Message.objects.update(lease_until=NOW)
    claims.recover_expired(NOW)
    second = claims.reserve(NOW + MINUTE, NOW + MINUTE)
    assert second is not None

    claims.put_back(first, NOW + MINUTE, reason=Message.UNREACHABLE)
    message.refresh_from_db()
    assert message.claim == second.claim
    assert message.lease_until is not None
    assert not claims.claim(first, NOW + MINUTE)
    assert claims.claim(second, NOW + MINUTE)
