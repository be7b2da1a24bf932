from datetime import timedelta

import pytest
from django.core import mail

from clinic.mail import outbox
from clinic.models import Message
from intake.rules.levels import Level
from intake.workflow import alert_mails
from tests.factories import (
    NOW,
    make_alert,
    make_clinician,
    make_on_call,
    make_patient,
    make_practice,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_staff_are_told_of_a_safety_alert_without_a_word_about_whom_or_what():
    make_practice(alert_email="alerts@clinic.example")
    alert = make_alert(patient=make_patient(name="Zara Canary"), callback_name="Canary")
    alert_mails.plan_alert(alert, NOW)
    alert_mails.plan_alert(alert, NOW)
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
    alert_mails.plan_alert(alert, NOW)
    alert.acknowledge(by=make_user(), now=NOW)
    outbox.tick(NOW + timedelta(hours=9))

    states = set(Message.objects.values_list("state", "reason"))
    assert states == {(Message.State.SKIPPED, "acknowledged")}
    assert mail.outbox == []


def told():
    return [sent.to[0] for sent in mail.outbox]


def test_mailbox_and_first_on_call_are_told_at_once_and_the_next_when_the_clock_runs_out():
    make_practice()
    first, second = make_clinician(), make_user(language="es")
    make_on_call(second, position=2)
    make_on_call(first, position=1)
    alert_mails.plan_alert(make_alert(), NOW)

    outbox.tick(NOW)
    assert sorted(told()) == sorted(["alerts@clinic.example", first.email])
    outbox.tick(NOW + timedelta(minutes=14, seconds=59))
    assert len(mail.outbox) == 2
    outbox.tick(NOW + timedelta(minutes=15))
    assert told()[2:] == [second.email]
    assert "08:30" in mail.outbox[-1].body or "8:30" in mail.outbox[-1].body
    assert mail.outbox[-1].subject == "Alerta de seguridad, abra el sistema"
    for minutes in (30, 45, 60, 75, 600):
        outbox.tick(NOW + timedelta(minutes=minutes))
    assert told()[3:] == [first.email, second.email]


def test_after_an_outage_of_the_mail_server_everybody_whose_turn_it_was_is_told():
    make_practice()
    people = [make_on_call(position=number).user for number in (1, 2, 3)]
    alert_mails.plan_alert(make_alert(), NOW)
    outbox.tick(NOW + timedelta(minutes=40))
    assert sorted(told()) == sorted(["alerts@clinic.example", *(one.email for one in people)])


def test_the_clock_of_an_urgent_alert_is_an_hour_of_staffed_time():
    make_practice()
    first, second = make_on_call(position=1).user, make_on_call(position=2).user
    evening = NOW + timedelta(hours=9, minutes=30)  # 17:30, half an hour before closing
    alert_mails.plan_alert(make_alert(level=Level.URGENT, raised_at=evening), evening)
    outbox.tick(evening + timedelta(hours=12))
    assert sorted(told()) == sorted(["alerts@clinic.example", first.email])
    outbox.tick(NOW + timedelta(days=1, minutes=30))
    assert told()[2:] == [second.email]


def test_with_somebody_on_call_the_clock_runs_at_night_too():
    make_practice(on_call_enabled=True)
    make_on_call(position=1)
    second = make_on_call(position=2).user
    night = NOW + timedelta(hours=15)
    alert_mails.plan_alert(make_alert(raised_at=night), night)
    outbox.tick(night)
    outbox.tick(night + timedelta(minutes=15))
    assert told()[2:] == [second.email]


def test_without_anybody_on_call_the_mailbox_is_told_again():
    make_practice()
    alert_mails.plan_alert(make_alert(), NOW)
    for minutes in (0, 15, 30, 45, 600):
        outbox.tick(NOW + timedelta(minutes=minutes))
    assert told() == ["alerts@clinic.example"] * 3


def test_the_mailbox_is_told_in_place_of_somebody_whose_account_was_closed():
    make_practice()
    gone = make_on_call().user
    alert_mails.plan_alert(make_alert(), NOW)
    gone.is_active = False
    gone.save()
    outbox.tick(NOW)
    assert told() == ["alerts@clinic.example"] * 2
