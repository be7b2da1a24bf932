"""The states of an owed mail, against a real SMTP server whose answers are scripted."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail

from clinic.admin.mail import in_words
from clinic.environment import mailer_from_url
from clinic.mail import claims, outbox
from clinic.mail.mail import Mail
from clinic.mail.mime import message_id_header
from clinic.mail.outbox import Postpone, Skip
from clinic.models import Message, Tick
from tests import smtp
from tests.factories import NOW, make_message, make_patient, make_practice
from tests.throwaway import free_port

State = Message.State
KIND = "test-kind"
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _test_kind(own_mail_kinds):
    outbox.register(KIND, compose)


@pytest.fixture
def sink(smtp_sink, settings):
    settings.MAILERS = {"default": mailer_from_url(smtp_sink.url, timeout=1)}
    return smtp_sink


def compose(message, now):
    return Mail(
        to=message.patient.email,
        subject="Subject",
        text="Text\n",
        html="<p>HTML</p>",
        calendar="BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n",
        method="REQUEST",
    )


def make_owed(**fields):
    return make_message(**{"kind": KIND} | fields)


def state_after(action, message):
    action()
    message.refresh_from_db()
    return message.state


def tick(message, now=NOW):
    return state_after(lambda: outbox.tick(now), message)


def minutes_until_next_attempt(message, now=NOW):
    return (message.next_attempt_at - now) / MINUTE


def test_planning_the_same_mail_twice_owes_it_once():
    patient = make_patient()
    wanted = {
        "kind": KIND,
        "step": "24h",
        "subject": patient,
        "version": 3,
        "patient": patient,
        "due_at": NOW,
        "expires_at": NOW + MINUTE,
    }
    first = outbox.plan(**wanted)
    second = outbox.plan(**wanted | {"due_at": NOW + MINUTE})

    assert first == second
    assert Message.objects.get().due_at == NOW
    assert outbox.plan(**wanted | {"version": 4}) != first


def test_a_due_mail_is_sent_and_stamped(sink):
    message = make_owed()

    assert tick(message) == State.SENT
    assert NOW <= message.handed_at <= message.sent_at < NOW + MINUTE
    assert message.attempts == 1
    assert sink.to(message.patient.email)[0]["Subject"] == "Subject"


def test_a_mail_is_not_sent_before_it_is_due(sink):
    message = make_owed(due_at=NOW + MINUTE)

    assert tick(message) == State.PLANNED
    assert tick(message, NOW + MINUTE) == State.SENT


def test_a_mail_says_that_a_machine_wrote_it_and_has_text_html_and_calendar_parts(sink):
    message = make_owed()
    outbox.tick(NOW)

    (sent,) = sink.mails
    assert sent["Message-ID"] == f"<{message.pk.hex}@testserver>"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["X-Auto-Response-Suppress"] == "All"
    assert sent["Date"].datetime == NOW
    assert sent.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in sent.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    calendar = list(sent.iter_parts())[-1]
    assert calendar.get_param("method") == "REQUEST"
    assert calendar.get_param("charset") == "utf-8"
    assert calendar.get_param("component") == "VEVENT"


@pytest.mark.parametrize("reply", [smtp.GREYLISTED, smtp.BUSY])
def test_a_temporary_refusal_backs_off_in_the_row(sink, reply):
    sink.default = reply
    message, now = make_owed(), NOW
    for minutes in (1, 5, 15, 30, 30):
        assert tick(message, now) == State.PLANNED
        assert message.reason == Message.DEFERRED
        assert message.last_reply == reply.line[:9]
        assert minutes <= minutes_until_next_attempt(message, now) < minutes * 1.21
        now = message.next_attempt_at
    sink.default = smtp.OK
    assert tick(message, now) == State.SENT
    assert sink.copies == {message_id_header(message): 1}


def test_a_mailbox_that_does_not_exist_fails_at_once_and_is_shown_on_the_patient(sink):
    sink.script(smtp.NO_SUCH_MAILBOX)
    message = make_owed()

    assert tick(message) == State.FAILED
    assert (message.reason, message.last_reply) == ("no-mailbox", "550 5.1.1")
    message.patient.refresh_from_db()
    assert message.patient.email_bounced_at is not None

    make_owed(patient=message.patient, step="again")
    outbox.tick(NOW + MINUTE)
    message.patient.refresh_from_db()
    assert message.patient.email_bounced_at is None, "a mail that is taken clears the mark"


def test_a_refused_message_fails_without_blaming_the_mailbox(sink):
    sink.script(smtp.REFUSED)
    message = make_owed()

    assert tick(message) == State.FAILED
    assert (message.reason, message.last_reply) == ("refused", "554 5.7.1")
    message.patient.refresh_from_db()
    assert message.patient.email_bounced_at is None


@pytest.mark.parametrize("reply", [smtp.RESET_AFTER_DATA, smtp.slow(1.5)])
def test_a_lost_answer_leads_to_one_flagged_copy_under_the_same_message_id(sink, reply):
    sink.default = reply
    message = make_owed()
    assert tick(message) == State.UNKNOWN
    assert not message.is_retried_after_unknown

    now = message.next_attempt_at
    assert tick(message, now) == State.UNKNOWN
    assert message.is_retried_after_unknown

    sink.default = smtp.OK
    assert tick(message, now + timedelta(hours=5)) == State.UNKNOWN, "never a third copy"
    assert sink.copies == {message_id_header(message): 2}


def test_the_copy_after_a_lost_answer_settles_it(sink):
    sink.script(smtp.RESET_AFTER_DATA)
    message = make_owed()
    outbox.tick(NOW)
    message.refresh_from_db()

    assert tick(message, message.next_attempt_at) == State.SENT
    assert message.is_retried_after_unknown


def test_without_a_mail_server_one_row_a_tick_tries_and_all_follow_when_it_is_back(
    settings, smtp_sink
):
    settings.MAILERS = {"default": mailer_from_url(f"smtp://127.0.0.1:{free_port()}", timeout=1)}
    messages = [make_owed() for _ in range(5)]
    outbox.tick(NOW)
    outbox.tick(NOW)
    assert Message.objects.filter(reason=Message.UNREACHABLE).count() == 2
    assert Message.objects.filter(attempts=0).count() == 3
    assert Tick.objects.get().completed_at >= NOW

    settings.MAILERS = {"default": mailer_from_url(smtp_sink.url, timeout=1)}
    outbox.tick(NOW)
    outbox.tick(NOW)
    assert Message.objects.filter(state=State.SENT).count() == len(messages)


def test_a_sender_that_the_server_refuses_is_our_fault_and_the_mail_stays_owed(sink, settings):
    settings.DEFAULT_FROM_EMAIL = "x" * 600 + "@clinic.example"
    message = make_owed()

    assert tick(message) == State.PLANNED
    assert message.reason == Message.UNREACHABLE


def test_a_mail_that_cannot_be_composed_is_parked_and_the_others_go_out(sink, caplog):
    def broken(message, now):
        raise LookupError(message.patient.name)

    outbox.register("broken", broken)
    parked, fine = make_owed(kind="broken", patient=make_patient(name="Canary")), make_owed()
    outbox.tick(NOW)

    parked.refresh_from_db()
    fine.refresh_from_db()
    assert (parked.state, parked.reason) == (State.FAILED, "error")
    assert fine.state == State.SENT
    assert "LookupError" in caplog.text
    assert "Canary" not in caplog.text


@pytest.mark.parametrize("hostile", ["a\r\nBcc: x@example.org", "no at sign", "é@example.org"])
def test_an_address_that_cannot_be_written_fails_and_reaches_nobody(sink, hostile):
    message = make_owed(patient=make_patient(email=hostile))

    assert tick(message) == State.FAILED
    assert sink.mails == []


def test_control_characters_never_reach_a_subject(sink):
    outbox.register(
        "hostile",
        lambda message, now: Mail(
            to=message.patient.email, subject="a\r\nBcc: b\0\u202ec", text="t", html="h"
        ),
    )
    make_owed(kind="hostile")
    outbox.tick(NOW)

    assert sink.mails[0]["Subject"] == "a Bcc: bc"
    assert len(sink.recipients[0]) == 1


@pytest.mark.parametrize(
    ("configured", "sender"),
    [
        ("mail@clinic.example", '"Clinic \\"A\\", B" <mail@clinic.example>'),
        ("Ours <mail@clinic.example>", "Ours <mail@clinic.example>"),
    ],
)
def test_the_sender_bears_the_clinics_name_unless_configured_otherwise(
    sink, settings, configured, sender
):
    settings.DEFAULT_FROM_EMAIL = configured
    outbox.register(
        "named",
        lambda message, now: Mail(
            to=message.patient.email,
            subject="s",
            text="t",
            html="h",
            sender_name='Clinic "A",\r\n B',
        ),
    )
    make_owed(kind="named")
    outbox.tick(NOW)

    assert sink.mails[0]["From"] == sender


def test_a_skipped_mail_keeps_its_reason(sink):
    outbox.register("skipped", lambda message, now: Skip("no-address"))
    message = make_owed(kind="skipped")

    assert tick(message) == State.SKIPPED
    assert message.reason == "no-address"
    assert sink.mails == []


def test_a_postponed_mail_is_asked_again_without_counting_until_it_is_of_no_use(sink):
    outbox.register("postponed", lambda message, now: Postpone("safety-hold"))
    message = make_owed(kind="postponed")

    assert tick(message) == State.PLANNED
    assert (message.attempts, message.reason) == (0, "safety-hold")
    assert tick(message, message.expires_at) == State.SKIPPED
    assert message.reason == "safety-hold"


def test_only_the_newest_useful_step_goes_out_after_an_outage(sink):
    make_practice()
    patient = make_patient()
    steps = [
        make_owed(patient=patient, step=step, due_at=due_at, expires_at=NOW + timedelta(hours=2))
        for step, due_at in [
            ("7d", NOW - timedelta(days=6)),
            ("24h", NOW - timedelta(hours=20)),
            ("2h", NOW + timedelta(hours=1)),
        ]
    ]
    outbox.tick(NOW)

    for message in steps:
        message.refresh_from_db()
    assert [(message.state, message.reason) for message in steps] == [
        (State.SKIPPED, Message.LATE),
        (State.SENT, ""),
        (State.PLANNED, ""),
    ]
    assert len(sink.to(patient.email)) == 1


def test_staff_get_one_note_an_hour_about_mails_that_came_too_late(sink):
    make_practice(alert_email="alerts@clinic.example")
    late = [make_owed(expires_at=NOW) for _ in range(3)]
    outbox.tick(NOW)
    outbox.tick(NOW + MINUTE)
    make_owed(expires_at=NOW)
    outbox.tick(NOW + 2 * MINUTE)
    outbox.tick(NOW + 3 * MINUTE)

    assert tick(late[0]) == State.SKIPPED
    (note,) = sink.to("alerts@clinic.example")
    assert "3 mails of the last day" in note.get_body(("plain",)).get_content()


def test_a_mail_that_was_refused_until_too_late_has_failed(sink):
    sink.default = smtp.GREYLISTED
    message = make_owed()
    outbox.tick(NOW)

    assert tick(message, message.expires_at) == State.FAILED
    assert message.reason == Message.DEFERRED


def test_two_processes_that_read_the_same_row_send_one_mail(sink):
    message = make_owed()
    stale = Message.objects.get(pk=message.pk)
    outbox.deliver(message.pk, NOW)

    assert not claims.claim(stale, NOW)
    assert len(sink.mails) == 1


def test_what_is_called_off_between_claim_and_hand_over_is_not_sent(sink):
    def call_off_meanwhile(message, now):
        outbox.cancel_planned(message.patient, reason="cancelled")
        return compose(message, now)

    outbox.register("called-off", call_off_meanwhile)
    message = make_owed(kind="called-off")

    assert tick(message) == State.SKIPPED
    assert message.reason == "cancelled"
    assert sink.mails == []


def test_calling_off_leaves_what_was_sent_and_does_not_repeat_what_may_have_arrived(sink):
    patient = make_patient()
    sent = make_owed(patient=patient, state=State.SENT, step="1")
    unknown = make_owed(patient=patient, state=State.UNKNOWN, step="2")
    planned = make_owed(patient=patient, step="3")
    other = make_owed(step="4", due_at=NOW + MINUTE)

    assert outbox.cancel_planned(patient, reason="moved") == 1
    outbox.tick(NOW)
    for message in (sent, unknown, planned, other):
        message.refresh_from_db()
    assert [message.state for message in (sent, unknown, planned, other)] == [
        State.SENT,
        State.UNKNOWN,
        State.SKIPPED,
        State.PLANNED,
    ]
    assert sink.mails == []


def test_a_retry_that_turned_out_needless_stays_unknown(sink):
    sink.script(smtp.RESET_AFTER_DATA)
    message = make_owed()
    outbox.tick(NOW)
    outbox.register(KIND, lambda message, now: Skip("superseded"))
    message.refresh_from_db()

    assert tick(message, message.next_attempt_at) == State.UNKNOWN
    assert (message.reason, message.is_retried_after_unknown) == ("superseded", False)


def test_resending_owes_a_mail_of_its_own(sink):
    message = make_owed()
    outbox.tick(NOW)
    later = NOW + timedelta(days=2)
    again = outbox.resend(Message.objects.get(), now=later)
    once_more = outbox.resend(again, now=later)

    assert [again.resend, once_more.resend] == [1, 2]
    assert tick(again, later) == State.SENT
    assert sink.copies[message_id_header(message)] == 1
    assert len(sink.mails) == 3


def test_the_mail_itself_is_kept_in_the_demo_only(sink, settings):
    kept_not = make_owed()
    outbox.tick(NOW)
    settings.DEMO = True
    kept = make_owed()
    outbox.tick(NOW)

    kept_not.refresh_from_db()
    kept.refresh_from_db()
    assert kept_not.raw is None
    assert b"Subject: Subject" in bytes(kept.raw)


def test_nothing_is_sent_by_mail_in_process_memory_by_accident(sink):
    """Guards the tests above: they would prove little without a real server."""
    make_owed()
    outbox.tick(NOW)
    assert getattr(mail, "outbox", []) == []


def test_a_lost_answer_is_not_forgotten_while_no_mail_server_answers(sink, settings):
    sink.default = smtp.RESET_AFTER_DATA
    message = make_owed()
    outbox.tick(NOW)
    message.refresh_from_db()
    here = settings.MAILERS
    settings.MAILERS = {"default": mailer_from_url(f"smtp://127.0.0.1:{free_port()}", timeout=1)}
    assert tick(message, message.next_attempt_at) == State.UNKNOWN
    assert not message.is_retried_after_unknown

    settings.MAILERS = here
    for _ in range(3):
        assert tick(message, message.next_attempt_at + timedelta(hours=1)) == State.UNKNOWN
    assert message.is_retried_after_unknown
    assert sink.copies == {message_id_header(message): 2}


def test_every_reason_for_which_a_mail_is_not_sent_has_words():
    root = Path(outbox.__file__).parents[2]
    apps = ("clinic", "intake", "schedule", "booking", "desk")
    sources = [path for app in apps for path in (root / app).rglob("*.py")]
    found = {
        reason
        for path in sources
        for reason in re.findall(r'(?:Skip|Postpone)\(f?"([^"{]+)', path.read_text())
    }
    assert {"gone", "visit-", "safety-hold"} <= found
    constants = {getattr(Message, name) for name in ("LATE", "RESTORED", "BOUNCED", "INTERRUPTED")}
    assert {reason for reason in found | constants if in_words(reason) == reason} == set()
