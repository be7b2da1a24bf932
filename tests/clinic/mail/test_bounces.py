"""Mails that come back: by report in a mailbox, and by the signed webhook."""

import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic import tasks
from clinic.mail import bounces, delivery_reports, mailbox
from clinic.mail.mime import message_id_header
from clinic.models import DeskTask, Message
from clinic.views.bounces import signature
from tests.clinic.mail import bounced
from tests.factories import NOW, make_message, make_patient, make_user
from tests.throwaway import free_port

State = Message.State
DB = pytest.mark.django_db


def make_sent(**fields):
    return make_message(**{"state": State.SENT, "handed_at": NOW, "sent_at": NOW} | fields)


def seen(message):
    """What is known of a mail: state, reason, status; is the address marked, is a call wanted."""
    message.refresh_from_db()
    message.patient.refresh_from_db()
    return (
        message.state,
        message.reason,
        message.last_reply,
        message.patient.email_bounced_at is not None,
        DeskTask.objects.open().filter(patient=message.patient).count(),
    )


UNTOUCHED = (State.SENT, "", "", False, 0)
CAME_BACK = (State.FAILED, "bounced", "5.1.1", True, 1)


@DB
@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
def test_a_permanent_report_marks_the_address_and_asks_for_a_call(returned):
    message = make_sent()

    assert bounces.record_mail(bounced.dsn(message, returned=returned), NOW)
    assert seen(message) == CAME_BACK
    assert message.bounced_at == message.patient.email_bounced_at == NOW


@DB
def test_a_notice_in_plain_words_is_for_people():
    message = make_sent()

    assert not bounces.record_mail(bounced.notice(message), NOW)
    assert seen(message) == UNTOUCHED


@DB
def test_being_told_twice_changes_nothing():
    message = make_sent()
    report = bounced.dsn(message)
    bounces.record_mail(report, NOW)
    DeskTask.objects.get().finish(by=make_user(), now=NOW)
    bounces.record_mail(report, NOW + timedelta(hours=1))

    assert seen(message) == (*CAME_BACK[:4], 0)
    assert message.bounced_at == NOW


@DB
def test_a_delay_is_noted_only():
    message = make_sent()
    bounces.record_mail(bounced.dsn(message, action="delayed", status="4.4.1"), NOW)

    assert seen(message) == (State.SENT, "", "4.4.1", False, 0)


@DB
def test_a_server_that_gave_up_waiting_asks_for_a_call_and_leaves_the_address():
    message = make_sent()
    bounces.record_mail(bounced.dsn(message, status="4.4.7"), NOW)

    assert seen(message) == (State.FAILED, "bounced", "4.4.7", False, 1)


@DB
def test_a_report_about_a_former_address_marks_nothing():
    message = make_sent()
    report = bounced.dsn(message)
    message.patient.email = "corrected@example.org"
    message.patient.save()
    bounces.record_mail(report, NOW)

    assert seen(message) == (State.FAILED, "bounced", "5.1.1", False, 0)


@DB
def test_where_a_mail_was_forwarded_to_does_not_hide_whose_it_was():
    message = make_sent()
    bounces.record_mail(bounced.dsn(message, final="elsewhere@example.net"), NOW)

    assert seen(message) == CAME_BACK


@DB
@pytest.mark.parametrize(
    "forge",
    [
        lambda report, message: re.sub(rb"<[0-9a-f]{32}@", f"<{uuid4().hex}@".encode(), report),
        lambda report, message: report.replace(b"@testserver>", b"@elsewhere.example>"),
        lambda report, message: report.replace(b"Message-ID:", b"X-Other:"),
        lambda report, message: report.replace(b"Action: failed", b"Action: delivered"),
        lambda report, message: report.replace(b"Status: 5.1.1", b"Status: 2.0.0"),
        lambda report, message: b"",
        lambda report, message: (
            b"From: a@example.org\r\nSubject: Re: Reminder\r\nIn-Reply-To: "
            + message_id_header(message).encode()
            + b"\r\n\r\nI come at 550 5.1.1, thank you"
        ),
    ],
)
def test_only_a_failure_that_quotes_our_own_message_id_counts(forge):
    message = make_sent()
    bounces.record_mail(forge(bounced.dsn(message), message), NOW)

    assert seen(message) == UNTOUCHED


@DB
@pytest.mark.parametrize("state", [State.PLANNED, State.SKIPPED, State.FAILED])
def test_what_was_not_sent_cannot_come_back(state):
    message = make_message(state=state)
    bounces.record_mail(bounced.dsn(message), NOW)

    assert seen(message) == (state, "", "", False, 0)


@given(st.binary(max_size=2000), st.integers(0, 1200), st.integers(0, 40))
def test_no_report_is_too_broken_to_read(noise, at, cut):
    whole = bounced.DSN.format(
        to="a@example.org", final="a@example.org", action="failed", status="5.1.1",
        returned="message/rfc822", message_id=f"<{uuid4().hex}@testserver>",
    ).encode()  # fmt: skip
    delivery_reports.parse(noise, host="testserver")
    delivery_reports.parse(whole[:at] + noise + whole[at + cut :], host="testserver")


@DB
def test_a_corrected_address_has_not_bounced():
    patient = make_patient(email_bounced_at=NOW)
    patient.refresh_from_db()
    patient.save()
    assert patient.email_bounced_at == NOW
    patient.email = "corrected@example.org"
    patient.save(update_fields=["email"])

    patient.refresh_from_db()
    assert patient.email_bounced_at is None


@DB
def test_a_server_that_takes_the_next_mail_takes_back_its_own_refusal_only():
    refused = make_patient(email_bounced_at=NOW)
    message = make_sent()
    bounces.record_mail(bounced.dsn(message), NOW)
    bounces.forgive(refused.pk)
    bounces.forgive(message.patient.pk)

    refused.refresh_from_db()
    assert refused.email_bounced_at is None
    assert seen(message) == CAME_BACK


# A real IMAP server


@DB
@pytest.mark.slow
def test_the_mailbox_is_read_and_what_is_for_people_is_left_to_them(dovecot, settings, capsys):
    settings.BOUNCES_URL = dovecot.url
    message, other = make_sent(), make_sent()
    dovecot.drop(bounced.dsn(message))
    dovecot.drop(b"From: ana@example.org\r\nSubject: A question\r\n\r\nMay I bring my dog?\r\n")
    call_command("read_bounces")

    assert "1 bounces" in capsys.readouterr().out
    assert seen(message) == CAME_BACK
    assert seen(other) == UNTOUCHED
    assert ["S" in flags for flags in dovecot.flags()] == [True, False]

    dovecot.drop(bounced.dsn(other))
    tasks.read_bounces()
    assert seen(other) == CAME_BACK
    assert mailbox.read_bounces(dovecot.url, NOW) == 0


@DB
@pytest.mark.slow
def test_a_wrong_password_fails_without_telling_it(dovecot, settings):
    settings.BOUNCES_URL = dovecot.url.replace("secret", "s3cret-but-wrong")
    with pytest.raises(CommandError) as refused:
        call_command("read_bounces")

    assert "s3cret" not in str(refused.value)


@DB
def test_a_mailbox_that_cannot_be_reached_is_an_error(settings):
    settings.BOUNCES_URL = f"imap://bounces:secret@127.0.0.1:{free_port()}/INBOX"
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("read_bounces")


@pytest.mark.parametrize("url", ["imap://a:b@mail.clinic.example/INBOX", "pop3://a:b@localhost/"])
def test_no_password_travels_unencrypted(url):
    with pytest.raises(Exception, match="imaps://"):
        mailbox.read_bounces(url, NOW)


# The webhook

SECRET = "a-secret-of-both-sides"


@pytest.fixture
def report(client, settings, db):
    settings.BOUNCES_SECRET = SECRET

    def report(told, *, at=None, secret=SECRET, header=None):
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        timestamp = str(int((at or timezone.now()).timestamp()))
        signed = header or f"t={timestamp},v1={signature(secret, timestamp, body)}"
        return client.post(
            "/bounces/",
            body,
            content_type="application/json",
            headers={"X-Backstride-Signature": signed},
        ).status_code

    return report


def test_a_signed_report_names_the_mail_or_the_address(report):
    message, by_address = make_sent(), make_sent()
    told = {"message_id": message_id_header(message), "recipient": message.patient.email}

    assert report(told | {"status": "5.1.1"}) == 204
    assert report({"recipient": by_address.patient.email.upper(), "status": "5.1.1"}) == 204
    assert seen(message) == seen(by_address) == CAME_BACK


def test_a_report_of_a_delay_is_noted_only(report):
    message = make_sent()
    told = {"message_id": message_id_header(message), "action": "delayed", "status": "4.2.2"}

    assert report(told) == 204
    assert seen(message) == (State.SENT, "", "4.2.2", False, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "another"},
        {"at": timezone.now() - timedelta(minutes=6)},
        {"at": timezone.now() + timedelta(days=1)},
        {"header": "t=1,v1=" + "0" * 64},
        {"header": "é"},
        {"header": "t=99999999999999999999,v1=x"},
    ],
)
def test_an_unsigned_or_old_report_changes_nothing(report, wrong):
    message = make_sent()
    told = {"message_id": message_id_header(message), "recipient": message.patient.email}

    assert report(told | {"status": "5.1.1"}, **wrong) == 403
    assert seen(message) == UNTOUCHED


@pytest.mark.parametrize(
    "told",
    [
        b"", b"[]", b"{", b"null", b'{"status": "5.1.1", "message_id": 5}', b"[" * 90_000,
        {"recipient": "a@example.org"}, {"status": "2.0.0"}, {"status": 5},
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused_politely(report, told):
    assert report(told) == 400


@pytest.mark.parametrize(
    "told", [{"message_id": "<x@y>"}, {"recipient": "nobody@example.org"}, {"recipient": ""}]
)
def test_a_report_about_nobody_is_taken_and_forgotten(report, told):
    assert report(told | {"status": "5.1.1"}) == 204
    assert not DeskTask.objects.exists()


def test_without_a_secret_there_is_no_such_page(report, settings):
    settings.BOUNCES_SECRET = ""

    assert report({"status": "5.1.1"}) == 404
