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
def _test_kind(own_mail_kinds):
    outbox.register(KIND, compose)


@pytest.fixture
def sink(smtp_sink, settings):
    settings.MAILERS = {"default": mailer_from_url(smtp_sink.url, timeout=1)}
    return smtp_sink


def make_expired(**fields):
    """Return a row whose process died while it was handing it over."""
    return make_owed(
        **{"state": State.SENDING, "attempts": 1, "handed_at": NOW, **EXPIRED, **fields}
    )


EXPIRED = {"claim": "00000000-0000-0000-0000-000000000001", "lease_until": NOW}


def test_what_a_dead_process_had_put_aside_is_sent_a_tick_later_uncounted(sink):
    message = make_owed(**EXPIRED)

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
    Message.objects.update(claim=EXPIRED["claim"], lease_until=NOW + MINUTE)
    outbox.tick(NOW + MINUTE)
    with pytest.raises(Killed):
        outbox.tick(NOW + 2 * MINUTE)
    Message.objects.filter(pk=deadly.pk).update(
        claim=EXPIRED["claim"], lease_until=NOW + 3 * MINUTE
    )
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
    message = make_expired()

    assert tick(message) == State.SENT
    assert message.is_retried_after_unknown


def test_a_second_death_after_handing_over_ends_it(sink):
    message = make_expired(is_retried_after_unknown=True)

    assert tick(message) == State.UNKNOWN
    assert tick(message, NOW + timedelta(hours=1)) == State.UNKNOWN
    assert sink.mails == []


def test_a_live_claim_is_left_alone(sink):
    message = make_expired()

    assert tick(message, NOW - MINUTE) == State.SENDING
    outbox.deliver(message.pk, NOW)
    assert sink.mails == []


def test_a_slow_process_that_was_taken_for_dead_still_reports_what_happened(sink):
    message = make_owed()
    copy = claims.reserve(NOW, NOW)
    assert claims.claim(copy, NOW)
    Message.objects.update(handed_at=NOW, lease_until=NOW)
    claims.recover_expired(NOW)
    message.refresh_from_db()
    assert message.state == State.UNKNOWN

    claims.finish(copy, State.SENT, sent_at=NOW)
    assert tick(message) == State.SENT
    assert sink.mails == []


def test_a_process_given_up_for_dead_does_not_overwrite_what_its_successor_wrote(sink):
    """Both hold the same row; the first comes back when the second has sent it."""
    message = make_owed()
    first = claims.reserve(NOW, NOW)
    Message.objects.update(lease_until=NOW)
    claims.recover_expired(NOW)
    second = claims.reserve(NOW + MINUTE, NOW + MINUTE)
    assert claims.claim(second, NOW + MINUTE)

    claims.finish(first, State.FAILED, reason="error")
    claims.release(first)
    message.refresh_from_db()
    assert (message.state, message.claim) == (State.SENDING, second.claim)
    assert not claims.claim(first, NOW + MINUTE)
    claims.mark_sent(second, NOW + MINUTE)
    message.refresh_from_db()
    assert message.state == State.SENT


def test_a_lost_answer_that_is_called_off_before_the_second_copy_is_not_sent_again(sink):
    """Calling it off leaves its state and sets its reason: the claim must look at both."""
    message = make_owed(state=State.UNKNOWN, attempts=1, handed_at=NOW)
    reserved = claims.reserve(NOW, NOW)
    outbox.cancel_planned(message.patient, reason="cancelled")

    assert not claims.claim(reserved, NOW)
    assert tick(message, NOW + MINUTE) == State.UNKNOWN
    assert sink.mails == []


def test_what_is_called_off_or_reserved_meanwhile_is_not_reserved(sink, monkeypatch):
    """The row changes between reading and reserving it, as another process would change it."""
    message = make_owed()
    read = claims.Message.objects.due

    def changed(now):
        found = read(now)
        if Message.objects.get().lease_until is None:
            monkeypatch.setattr(type(found), "first", steal)
        return found

    def steal(self):
        row = next(iter(self[:1]), None)
        monkeypatch.undo()
        Message.objects.update(claim=EXPIRED["claim"], lease_until=NOW + MINUTE)
        return row

    monkeypatch.setattr(claims.Message.objects, "due", changed)
    assert claims.reserve(NOW, NOW) is None
    message.refresh_from_db()
    assert str(message.claim) == EXPIRED["claim"]


def test_an_interrupted_mail_among_others_waits_its_turn(sink):
    """Its process died while composing: it comes after those that nobody has tried yet."""
    interrupted = make_owed(**EXPIRED)
    others = [make_owed() for _ in range(3)]
    outbox.tick(NOW)
    assert set(sink.copies) == {message_id_header(message) for message in others}
    assert tick(interrupted, NOW + MINUTE) == State.SENT


def test_refused_mails_return_spread_out_and_never_early(monkeypatch):
    message = Message(attempts=1)
    waits = {(claims.next_attempt(message, NOW) - NOW).total_seconds() for _ in range(500)}
    assert 60 <= min(waits) < 62 < 70 < max(waits) <= 72
