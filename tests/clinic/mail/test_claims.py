"""What processes leave behind that die, stop or are slow with mails in hand."""

from contextlib import suppress
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from clinic.environment import mailer_from_url
from clinic.mail import claims, outbox
from clinic.mail.mime import message_id_header
from clinic.models import Message
from tests.clinic.mail.test_outbox import KIND, MINUTE, State, compose, make_owed, tick
from tests.factories import NOW


@pytest.fixture(autouse=True)
def _composers(db, monkeypatch):
    monkeypatch.setattr(outbox, "_composers", dict(outbox._composers))
    monkeypatch.setattr(outbox, "_readers", dict(outbox._readers))
    outbox.register(KIND, compose)


@pytest.fixture
def sink(smtp_sink, settings):
    settings.MAILERS = {"default": mailer_from_url(smtp_sink.url, timeout=1)}
    return smtp_sink


def make_lapsed(**fields):
    """Return a row whose process died while it was handing it over."""
    return make_owed(
        **{"state": State.SENDING, "attempts": 1, "handed_at": NOW, **LAPSED, **fields}
    )


LAPSED = {"claim": "00000000-0000-0000-0000-000000000001", "lease_until": NOW}


def test_what_a_dead_process_had_put_aside_is_sent_a_tick_later_uncounted(sink):
    message = make_owed(**LAPSED)

    assert tick(message) == State.PLANNED
    assert (message.attempts, message.reason) == (0, Message.INTERRUPTED)
    assert tick(message, NOW + MINUTE) == State.SENT
    assert not message.is_retried_after_unknown


def test_a_mail_that_kills_its_process_when_it_is_written_takes_no_other_along(sink):
    class Killed(BaseException):
        pass

    def kill(message, now):
        raise Killed

    outbox.register("deadly", kill)
    deadly, others = make_owed(kind="deadly"), [make_owed() for _ in range(3)]
    with pytest.raises(Killed):
        outbox.tick(NOW)
    # What a real death leaves behind: nothing is put back, the leases run out.
    Message.objects.update(claim=LAPSED["claim"], lease_until=NOW + MINUTE)
    outbox.tick(NOW + MINUTE)
    with pytest.raises(Killed):
        outbox.tick(NOW + 2 * MINUTE)
    Message.objects.filter(pk=deadly.pk).update(claim=LAPSED["claim"], lease_until=NOW + 3 * MINUTE)
    outbox.tick(NOW + 3 * MINUTE)

    assert set(sink.copies.values()) == {1}
    assert set(sink.copies) == {message_id_header(message) for message in others}


def test_a_mail_whose_writing_never_ends_holds_the_others_up_for_minutes_only(sink):
    def write_for_ever(message, now):
        raise SoftTimeLimitExceeded  # as the worker raises it in the midst of a task

    outbox.register("endless", write_for_ever)
    make_owed(kind="endless")
    others = [make_owed() for _ in range(3)]
    for minutes in range(4):
        with suppress(SoftTimeLimitExceeded):
            outbox.tick(NOW + minutes * MINUTE)

    assert set(sink.copies.values()) == {1}
    assert set(sink.copies) == {message_id_header(message) for message in others}


def test_a_claim_of_a_dead_process_that_had_handed_over_is_sent_once_more_flagged(sink):
    message = make_lapsed()

    assert tick(message) == State.SENT
    assert message.is_retried_after_unknown


def test_a_second_death_after_handing_over_ends_it(sink):
    message = make_lapsed(is_retried_after_unknown=True)

    assert tick(message) == State.UNKNOWN
    assert tick(message, NOW + timedelta(hours=1)) == State.UNKNOWN
    assert sink.mails == []


def test_a_live_claim_is_left_alone(sink):
    message = make_lapsed()

    assert tick(message, NOW - MINUTE) == State.SENDING
    outbox.deliver(message.pk, NOW)
    assert sink.mails == []


def test_a_slow_process_that_was_taken_for_dead_still_reports_what_happened(sink):
    message = make_owed()
    (copy,) = claims.reserve_due(NOW, NOW)
    assert claims.claim(copy, NOW)
    Message.objects.update(handed_at=NOW, lease_until=NOW)
    claims.recover_lapsed(NOW)
    message.refresh_from_db()
    assert message.state == State.UNKNOWN

    claims.settle(copy, State.SENT, sent_at=NOW)
    assert tick(message) == State.SENT
    assert sink.mails == []
