"""What log lines say, and what they keep to themselves."""

import io
import json
import logging

import pytest

from clinic.environment import mailer_from_url
from clinic.mail import bounces, outbox
from clinic.models import Message
from clinic.operations.logs import JSONFormatter, NoLinkTokens
from tests.clinic.mail.bounced import dsn
from tests.factories import NOW, make_appointment, make_message, make_patient, make_practice
from tests.smtp import OK, RESET_AFTER_DATA, Reply


@pytest.mark.parametrize("path", ["/l/TOKEN/", "/unsubscribe/TOKEN/", "/l/TOKEN"])
def test_the_token_of_a_mailed_link_is_left_out(path):
    record = logging.LogRecord("django.request", 30, "", 0, "Not Found: %s", (path,), None)
    assert NoLinkTokens().filter(record)
    assert json.loads(JSONFormatter().format(record))["message"].startswith(
        f"Not Found: {path[: path.index('TOKEN')]}…"
    )
    assert "TOKEN" not in record.getMessage()


def test_other_paths_stay_as_they_are():
    record = logging.LogRecord("django.request", 30, "", 0, "Not Found: %s", ("/guide/l/",), None)
    assert NoLinkTokens().filter(record)
    assert record.getMessage() == "Not Found: /guide/l/"


def test_every_line_passes_the_filter(settings):
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["no_link_tokens"]


@pytest.mark.django_db
def test_nothing_that_happens_to_a_mail_puts_a_person_into_the_log(
    settings, smtp_sink, own_mail_kinds
):
    """The canary goes through refusals that repeat the address, a broken text and a bounce."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JSONFormatter())
    settings.MAILERS = {"default": mailer_from_url(smtp_sink.url, timeout=1)}
    address, name = "zzyzx@example.org", "Zzyzx Canary"
    refusals = [
        Reply(f"550 5.1.1 <{address}> no such mailbox", at_rcpt=True),
        Reply(f"451 4.7.1 <{address}> greylisted", at_rcpt=True),
        Reply(f"554 5.7.1 {name} refused"),
        RESET_AFTER_DATA,
        OK,
    ]
    smtp_sink.script(*refusals)
    make_practice()

    def broken(message, now):
        raise LookupError(message.patient.name)

    outbox.register("broken", broken)
    logging.getLogger().addHandler(handler)
    try:
        for kind in [*["confirmation"] * len(refusals), "broken"]:
            visit = make_appointment(patient=make_patient(name=name, email=address))
            make_message(
                kind=kind, patient=visit.patient, subject_type="booking.appointment",
                subject_id=visit.pk,
            )  # fmt: skip
        outbox.tick(NOW)
        sent = Message.objects.filter(state=Message.State.SENT).get()
        bounces.record_mail(dsn(sent), NOW)
    finally:
        logging.getLogger().removeHandler(handler)

    text = lines.getvalue()
    assert [json.loads(line)["level"] for line in text.splitlines() if "clinic." in line]
    for secret in ("zzyzx", "canary", sent.patient.phone):
        assert secret not in "\n".join(
            line for line in text.lower().splitlines() if '"logger": "mail.log"' not in line
        )
