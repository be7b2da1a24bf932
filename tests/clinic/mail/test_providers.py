"""Providers through django-anymail: what their answers mean for a mail that is owed."""

import base64
import http.server
import json
import socket
import threading
from datetime import timedelta

import pytest
from anymail import exceptions as anymail
from anymail.backends import test as anymail_test
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.urls import include, path

from clinic.environment import mailer_from_url
from clinic.mail import outbox
from clinic.mail.mail import Mail
from clinic.mail.mime import message_id_header
from clinic.models import DeskTask, Message
from tests.factories import NOW, make_message
from tests.throwaway import free_port

pytestmark = pytest.mark.django_db

State = Message.State
KIND = "test-kind"


@pytest.fixture(autouse=True)
def _test_kind(own_mail_kinds):
    outbox.register(KIND, compose)


def compose(message, now):
    return Mail(
        to=message.patient.email,
        subject="Subject",
        text="Text\n",
        html="<p>HTML</p>",
        calendar="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        method="REQUEST",
        headers={"List-Unsubscribe": "<https://clinic.example/unsubscribe/x/>"},
    )


def sent_through(settings, mailer):
    settings.MAILERS = {"default": mailer}
    message = make_message(kind=KIND)
    outbox.tick(NOW)
    message.refresh_from_db()
    return message


def test_a_provider_gets_the_words_the_headers_and_the_row_it_is_about(settings):
    mail.outbox = []
    message = sent_through(settings, mailer_from_url("anymail+test://", timeout=1))

    (sent,) = mail.outbox
    assert message.state == State.SENT
    assert sent.to == [message.patient.email]
    assert (sent.subject, sent.body) == ("Subject", "Text\n")
    assert sent.extra_headers["Message-ID"] == message_id_header(message)
    assert "List-Unsubscribe" in sent.extra_headers
    assert sent.anymail_test_params["metadata"] == {"message": str(message.pk)}
    (invitation,) = sent.anymail_test_params["attachments"]
    assert invitation.mimetype == "text/calendar"


class Refuses(anymail_test.EmailBackend):
    error: Exception

    def post_to_esp(self, payload, message):
        raise self.error


@pytest.mark.parametrize(
    ("error", "state", "reason", "is_marked"),
    [
        (anymail.AnymailRecipientsRefused(), State.FAILED, "no-mailbox", True),
        (anymail.AnymailInvalidAddress("x"), State.FAILED, "no-mailbox", True),
        (anymail.AnymailUnsupportedFeature("x"), State.FAILED, "refused", False),
        (anymail.AnymailAPIError("not JSON"), State.UNKNOWN, "", False),
    ],
)
def test_what_the_library_says_decides_what_becomes_of_the_mail(
    settings, error, state, reason, is_marked
):
    Refuses.error = error
    message = sent_through(settings, {"BACKEND": "tests.clinic.mail.test_providers.Refuses"})

    assert (message.state, message.reason) == (state, reason)
    message.patient.refresh_from_db()
    assert (message.patient.email_bounced_at is not None) == is_marked
    assert DeskTask.objects.filter(patient=message.patient).exists() == (state == State.FAILED)


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers a provider's API over real HTTP; None hangs up instead."""

    status: int | None = 200

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.status is None:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        answer = {"ErrorCode": 0, "Message": "OK", "MessageID": "1", "To": asked["To"]}
        body = json.dumps(answer if self.status == 200 else {"Message": "no"}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def provider():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"anymail+postmark://TOKEN?api_url=http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        (200, State.SENT, ""),
        (400, State.FAILED, "refused"),
        (401, State.PLANNED, Message.UNREACHABLE),
        (429, State.PLANNED, Message.DEFERRED),
        (500, State.UNKNOWN, ""),
        (503, State.PLANNED, Message.DEFERRED),
        (None, State.UNKNOWN, ""),
    ],
)
def test_an_answer_over_http_is_taken_for_what_it_is(
    settings, monkeypatch, provider, status, state, reason
):
    monkeypatch.setattr(Provider, "status", status)
    message = sent_through(settings, mailer_from_url(provider, timeout=5))

    assert (message.state, message.reason) == (state, reason)


def test_a_provider_that_cannot_be_reached_took_nothing(settings):
    url = f"anymail+postmark://TOKEN?api_url=http://127.0.0.1:{free_port()}/"
    message = sent_through(settings, mailer_from_url(url, timeout=1))

    assert (message.state, message.reason) == (State.PLANNED, Message.UNREACHABLE)
    assert message.next_attempt_at > NOW + timedelta(seconds=59)


def test_a_url_keeps_the_tokens_capitals_and_names_what_the_provider_calls_it():
    postmark = mailer_from_url("anymail+postmark://aB%2Fc", timeout=1)
    mailgun = mailer_from_url("anymail+mailgun://Key?sender_domain=mg.clinic.example", timeout=1)

    assert postmark["OPTIONS"] == {"server_token": "aB/c"}
    assert mailgun["BACKEND"] == "anymail.backends.mailgun.EmailBackend"
    assert mailgun["OPTIONS"] == {"api_key": "Key", "sender_domain": "mg.clinic.example"}
    with pytest.raises(ImproperlyConfigured, match="anymail"):
        mailer_from_url("postmark://TOKEN", timeout=1)


urlpatterns = [
    path("bounces/provider/", include("anymail.urls")),
    path("", include("clinic.urls")),
]

POSTMARK_BOUNCE = {
    "RecordType": "Bounce",
    "ID": 1,
    "Type": "HardBounce",
    "Details": "smtp;550 5.1.1 no such mailbox",
    "BouncedAt": "2026-06-01T13:00:00Z",
}


@pytest.mark.parametrize(
    ("told", "password", "expected"),
    [
        ({}, "right", (State.FAILED, "5.1.1", True)),
        ({"Details": "smtp;452 4.2.2 mailbox full"}, "right", (State.FAILED, "4.2.2", False)),
        ({"Details": ""}, "right", (State.FAILED, "5.0.0", True)),
        ({"Type": "Transient", "Details": ""}, "right", (State.SENT, "4.0.0", False)),
        ({"Type": "SpamComplaint"}, "right", (State.SENT, "", False)),
        ({}, "wrong", (State.SENT, "", False)),
    ],
)
def test_a_provider_reports_what_came_back(client, settings, told, password, expected):
    settings.ROOT_URLCONF = "tests.clinic.mail.test_providers"
    settings.ANYMAIL = {"WEBHOOK_SECRET": "hook:right"}
    message = make_message(state=State.SENT, sent_at=NOW)
    metadata = {"Email": message.patient.email, "Metadata": {"message": str(message.pk)}}
    credentials = base64.b64encode(f"hook:{password}".encode()).decode()
    response = client.post(
        "/bounces/provider/postmark/tracking/",
        json.dumps(POSTMARK_BOUNCE | metadata | told),
        content_type="application/json",
        headers={"Authorization": f"Basic {credentials}"},
    )

    assert response.status_code == (200 if password == "right" else 400)
    message.refresh_from_db()
    message.patient.refresh_from_db()
    is_marked = message.patient.email_bounced_at is not None
    assert (message.state, message.last_reply, is_marked) == expected


def test_a_file_is_what_would_have_gone_over_the_wire(settings, tmp_path):
    message = sent_through(settings, mailer_from_url(f"file://{tmp_path}", timeout=1))

    assert message.state == State.SENT
    (written,) = tmp_path.iterdir()
    assert f"Message-ID: {message_id_header(message)}" in written.read_text()
