"""The servers that other tests rely on work as documented."""

import smtplib
from email.message import EmailMessage

import psycopg
import pytest
import redis as redis_client
from playwright.sync_api import Route

from tests import smtp
from tests.smtp import Reply, SmtpSink


def make_mail(number: int = 1) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "clinic@clinic.example"
    mail["To"] = "runner@runner.example"
    mail["Subject"] = "Your visit"
    mail["Message-ID"] = f"<{number}@clinic.example>"
    mail.set_content("See you soon.")
    return mail


def send(sink: SmtpSink, mail: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=1) as client:
        client.send_message(mail)


def test_postgresql_is_recent_and_has_the_extension_of_the_overlap_guard(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        assert connection.info.server_version >= 150000
        found = connection.execute(
            "SELECT count(*) FROM pg_available_extensions WHERE name = 'btree_gist'"
        ).fetchone()
    assert found == (1,)


def test_redis_loses_everything_in_an_outage(redis):
    with redis_client.Redis.from_url(redis.url) as client:
        client.set("key", "value")
        redis.stop()
        redis.start()
        assert client.get("key") is None


def test_the_sink_counts_accepted_copies_by_message_id(smtp_sink):
    send(smtp_sink, make_mail(1))
    send(smtp_sink, make_mail(1))
    send(smtp_sink, make_mail(2))

    assert smtp_sink.wait_for(3).copies == {"<1@clinic.example>": 2, "<2@clinic.example>": 1}
    assert smtp_sink.to("runner@runner.example")[0].get_content() == "See you soon.\n"


@pytest.mark.parametrize(
    ("reply", "code"),
    [(smtp.GREYLISTED, 451), (smtp.NO_SUCH_MAILBOX, 550)],
)
def test_the_sink_refuses_a_recipient_as_scripted_and_takes_the_next_message(
    smtp_sink, reply: Reply, code: int
):
    smtp_sink.script(reply)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(smtp_sink, make_mail())
    assert refused.value.recipients["runner@runner.example"][0] == code

    send(smtp_sink, make_mail())
    assert len(smtp_sink.mails) == 1
    assert smtp_sink.attempts == 2


@pytest.mark.parametrize(("reply", "code"), [(smtp.BUSY, 450), (smtp.REFUSED, 554)])
def test_the_sink_refuses_the_message_itself_as_scripted(smtp_sink, reply: Reply, code: int):
    smtp_sink.script(reply)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(smtp_sink, make_mail())
    assert refused.value.smtp_code == code
    assert smtp_sink.mails == []


@pytest.mark.parametrize("reply", [smtp.RESET_AFTER_DATA, smtp.slow(1.5)])
def test_a_message_can_be_taken_without_the_client_learning_it(smtp_sink, reply: Reply):
    smtp_sink.script(reply)
    with pytest.raises((smtplib.SMTPServerDisconnected, TimeoutError)):
        send(smtp_sink, make_mail())
    assert len(smtp_sink.wait_for(1).mails) == 1


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("<title>Home</title><h1>Hello</h1>", None),
        ("<style>h1 { color: red }</style><h1>Hello</h1>", "Content Security Policy"),
        ("<h1>Hello</h1><script nonce=n>missing()</script>", "missing is not defined"),
        ("<h1>Hello</h1><img src=/gone.png>", "404 http://clinic.example/gone.png"),
    ],
)
def test_what_the_browser_objects_to_is_noticed(open_page, complaints, body, complaint):
    def answer(route: Route) -> None:
        route.fulfill(
            status=200 if route.request.resource_type == "document" else 404,
            content_type="text/html",
            headers={
                "Content-Security-Policy": "default-src 'none'; img-src *; script-src 'nonce-n'"
            },
            body=body,
        )

    page = open_page()
    page.route("http://clinic.example/**", answer)
    page.goto("http://clinic.example/")

    assert page.text_content("h1") == "Hello"
    assert len(complaints) == (complaint is not None)
    if complaint:
        assert complaint in complaints.pop()
