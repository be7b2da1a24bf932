"""A sender of a clinic's own in the place of SMTP, and what the outbox makes of its answers."""

import pytest

from clinic.mail import outbox
from clinic.mail.mail import Mail
from clinic.mail.senders import Accepted, Permanent, Temporary, Unknown, Unreachable
from clinic.models import DeskTask, Message, Patient
from tests.clinic.mail.test_outbox import KIND, State, compose, make_owed, tick
from tests.factories import NOW, make_patient


@pytest.fixture(autouse=True)
def _test_kind(own_mail_kinds):
    outbox.register(KIND, compose)


class OneByOne:
    """A sender of a clinic's own: notes what the rows say while it has a mail in hand."""

    opened = 0
    sending: list[int] = []

    def open(self):
        pass

    def __init__(self):
        type(self).opened += 1

    def send(self, outgoing):
        states = Message.objects.filter(state=State.SENDING, handed_at__isnull=False)
        self.sending.append(states.count())
        return Accepted()

    def close(self):
        pass


def test_mails_of_one_tick_share_a_connection_and_are_claimed_one_by_one(settings, monkeypatch):
    monkeypatch.setattr(OneByOne, "opened", 0)
    monkeypatch.setattr(OneByOne, "sending", [])
    settings.SENDER = "tests.clinic.mail.test_senders.OneByOne"
    for _ in range(10):
        make_owed()
    outbox.tick(NOW)

    assert OneByOne.sending == [1] * 10
    assert OneByOne.opened == 1
    assert Message.objects.filter(state=State.SENT).count() == 10


def test_what_changes_while_one_is_sent_is_in_the_mails_that_follow(monkeypatch):
    texts = []

    class Slow(OneByOne):
        def send(self, outgoing):
            texts.append(outgoing.mail.text)
            Patient.objects.update(name="New name")
            return Accepted()

    def names(message, now):
        name = Patient.objects.get(pk=message.patient_id).name
        return Mail(to="a@example.org", subject="s", text=name, html="h")

    monkeypatch.setattr(outbox, "_sender", Slow)
    outbox.register("names", names)
    for _ in range(2):
        make_owed(kind="names", patient=make_patient(name="Old name"))
    outbox.tick(NOW)

    assert texts == ["Old name", "New name"]


def test_a_mail_called_off_after_it_was_written_never_leaves(settings, monkeypatch):
    sent = []

    class CallsOffTheOthers(OneByOne):
        def send(self, outgoing):
            sent.append(outgoing.message_id)
            for other in Message.objects.exclude(pk=outgoing.message_id):
                outbox.cancel_planned(other.patient, reason="moved")
            return Accepted()

    monkeypatch.setattr(outbox, "_sender", CallsOffTheOthers)
    for _ in range(3):
        make_owed()
    outbox.tick(NOW)

    assert len(sent) == 1
    assert Message.objects.filter(state=State.SKIPPED, reason="moved").count() == 2


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (Accepted(), State.SENT, ""),
        (Temporary("429"), State.PLANNED, Message.DEFERRED),
        (Permanent("400", is_about_mailbox=False), State.FAILED, "refused"),
        (Permanent("404", is_about_mailbox=True), State.FAILED, "no-mailbox"),
        (Unknown(), State.UNKNOWN, ""),
        (RuntimeError("a bug of the clinic's own"), State.UNKNOWN, ""),
        (Unreachable(), State.PLANNED, Message.UNREACHABLE),
    ],
)
def test_a_sender_of_the_clinics_own_says_what_became_of_a_mail(
    monkeypatch, outcome, state, reason
):
    class Tells(OneByOne):
        def send(self, outgoing):
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

    monkeypatch.setattr(outbox, "_sender", Tells)
    message = make_owed()

    assert tick(message) == state
    assert message.reason == reason
    wants_a_call = isinstance(outcome, Permanent)
    assert DeskTask.objects.open().filter(patient=message.patient).exists() == wants_a_call
