"""When mails about a visit are owed, and until when they are of use."""

from datetime import timedelta

import pytest
from django.core import mail

from booking import owed
from clinic import outbox
from clinic.models import Message
from tests.factories import (
    NOW,
    make_appointment,
    make_location,
    make_practice,
    make_questionnaire,
    make_service,
)

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SKIPPED, SENT = Message.State.SKIPPED, Message.State.SENT


def outcome(appointment):
    messages = Message.objects.about(appointment).exclude(kind=outbox.LATE_NOTE)
    return {(message.kind, message.step): message.state for message in messages}


def test_a_backup_from_a_week_ago_sends_nothing_that_was_news_then_and_tells_staff_once():
    make_practice(alert_email="alerts@clinic.example")
    location, service = make_location(), make_service(questionnaire=make_questionnaire())
    week_ago = NOW - 7 * DAY
    today, soon, later = (
        make_appointment(location=location, service=service, start=NOW + ahead)
        for ahead in (3 * HOUR, 20 * HOUR, 4 * DAY)
    )
    cancelled = make_appointment(location=location, service=service, start=NOW + 5 * DAY)
    for visit in (today, soon, later):
        owed.plan_booked(visit, week_ago)
    cancelled.cancel(now=week_ago)
    outbox.tick(NOW)
    outbox.tick(NOW + timedelta(minutes=1))

    for visit in (today, soon, later):
        assert outcome(visit)["confirmation", ""] == SKIPPED
        assert outcome(visit)["intake", ""] == SKIPPED
    assert outcome(cancelled)["cancelled", ""] == SKIPPED
    assert outcome(today)["reminder", "24h"] == SKIPPED
    assert outcome(soon)["reminder", "24h"] == SENT
    assert outcome(later)["reminder", "7d"] == SENT
    (note,) = [sent for sent in mail.outbox if sent.to == ["alerts@clinic.example"]]
    assert len(mail.outbox) == 3
    late = Message.objects.filter(state=SKIPPED, reason=Message.LATE)
    assert f"{late.count()} mails of the last day" in note.body


@pytest.mark.parametrize(("delay", "state"), [(owed.NEWS_LASTS - HOUR, SENT), (4 * DAY, SKIPPED)])
def test_a_confirmation_waits_out_a_weekend_on_hold_and_not_a_week(delay, state):
    make_practice()
    visit = make_appointment(start=NOW + 10 * DAY)
    owed.plan_booked(visit, NOW)
    outbox.tick(NOW + delay)

    assert outcome(visit)["confirmation", ""] == state
