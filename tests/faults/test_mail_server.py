"""A mail server that refuses, waits, hangs up: each mail gets what it should.

Time is an argument here: a tick a minute, on the clinic's clock.
"""

from datetime import timedelta
from random import Random

import pytest

from booking.mails import visit_mails
from clinic.environment import mailer_from_url
from clinic.mail import outbox
from clinic.mail.mime import message_id_header
from clinic.models import DeskTask, Message
from tests import smtp
from tests.conftest import SOAK
from tests.factories import NOW, make_appointment, make_location, make_message, make_practice

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

State = Message.State
MINUTE = timedelta(minutes=1)
TIMEOUT = 1.5

# What the server answers to the first and second try: what the row says then, after how many
# minutes at most, and how many copies arrived.
FATES = {
    "fine": ([], State.SENT, 2, 1),
    "greylisted": ([smtp.GREYLISTED], State.SENT, 5, 1),
    "busy": ([smtp.BUSY, smtp.BUSY], State.SENT, 12, 1),
    "closing": ([smtp.Reply("421 4.3.2 Closing")], State.SENT, 5, 1),
    "no mailbox": ([smtp.NO_SUCH_MAILBOX], State.FAILED, 2, 0),
    "refused": ([smtp.REFUSED], State.FAILED, 2, 0),
    "slow": ([smtp.slow(TIMEOUT + 0.3)], State.SENT, 5, 2),
    "reset": ([smtp.RESET_AFTER_DATA], State.SENT, 5, 2),
    "reset twice": ([smtp.RESET_AFTER_DATA] * 2, State.UNKNOWN, 5, 2),
}


def test_each_mail_gets_what_the_server_means_for_it_and_delays_no_other(settings, smtp_sink):
    settings.MAILERS = {"default": mailer_from_url(smtp_sink.url, timeout=TIMEOUT)}
    make_practice()
    count, location, random = (200 if SOAK else 40), make_location(), Random(7)
    fates = {}
    for number in range(count):
        visit = make_appointment(location=location, start=NOW + timedelta(hours=20))
        message = make_message(
            patient=visit.patient,
            kind=visit_mails.REMINDER,
            step="24h",
            subject_type="booking.appointment",
            subject_id=visit.pk,
        )
        # A fifth of them ends with a connection that breaks after the mail was handed over.
        name = "reset" if number % 5 == 0 else random.choice(list(FATES))
        smtp_sink.script_for(visit.patient.email, *FATES[name][0])
        fates[message.pk] = name
    for minute in range(20):
        outbox.tick(NOW + minute * MINUTE)

    for message in Message.objects.filter(pk__in=fates):
        _replies, state, minutes, copies = FATES[fates[message.pk]]
        waited = message.handed_at - message.due_at if message.handed_at else timedelta(0)
        assert (fates[message.pk], message.state) == (fates[message.pk], state)
        assert waited <= minutes * MINUTE, fates[message.pk]
        assert smtp_sink.copies[message_id_header(message)] == copies
        assert message.is_retried_after_unknown == (copies == 2)
    to_phone = {key for key, name in fates.items() if name in {"no mailbox", "refused"}}
    asked = DeskTask.objects.filter(patient__messages__in=to_phone)
    assert asked.count() == DeskTask.objects.count() == len(to_phone)
