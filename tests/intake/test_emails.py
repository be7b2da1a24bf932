import pytest
from django.core import mail

from clinic import outbox
from clinic.models import Message
from intake import emails
from tests.factories import NOW, make_alert, make_patient, make_practice, make_user

pytestmark = pytest.mark.django_db


def test_staff_are_told_of_a_safety_alert_without_a_word_about_whom_or_what():
    make_practice(alert_email="alerts@clinic.example")
    alert = make_alert(patient=make_patient(name="Zara Canary"), callback_name="Canary")
    emails.plan_alert(alert, NOW)
    emails.plan_alert(alert, NOW)
    outbox.tick(NOW)

    (sent,) = mail.outbox
    assert sent.to == ["alerts@clinic.example"]
    assert sent.subject == "Safety alert, open the system"
    assert str(alert.pk) in sent.body
    everything = sent.message().as_string()
    for word in ("Canary", "T-E1", alert.code, "EMERGENCY"):
        assert word not in everything


def test_an_alert_that_somebody_has_acknowledged_is_not_mailed_any_more():
    make_practice()
    alert = make_alert()
    message = emails.plan_alert(alert, NOW)
    alert.acknowledge(by=make_user(), now=NOW)
    outbox.tick(NOW)

    message.refresh_from_db()
    assert (message.state, message.reason) == (Message.State.SKIPPED, "acknowledged")
    assert mail.outbox == []
