import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from booking.appointments import mail_schedule
from booking.models import Series
from clinic.mail import outbox
from clinic.mail.mime import message_id_header
from clinic.models import Message
from tests.booking.small_clinic import NINE, SmallClinic
from tests.factories import (
    NOW,
    make_appointment,
    make_message,
    make_patient,
    make_practice,
    make_user,
)

pytestmark = pytest.mark.django_db

BODY_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


@pytest.fixture
def sent(settings):
    """The row of a confirmation that the demo has sent."""
    settings.DEMO = True
    make_practice()
    now = timezone.now()
    visit = make_appointment(start=now + timedelta(days=3))
    mail_schedule.plan_booked(visit, now)
    outbox.tick(now)
    return Message.objects.get(state=Message.State.SENT)


def test_the_inbox_lists_what_was_sent(client, sent):
    make_message()
    page = client.get("/demo/mail/").content.decode()

    assert page.count("Booked: ") == 1
    assert f"/demo/mail/{sent.pk}/" in page
    assert sent.patient.email in page


def test_a_mail_shows_headers_text_links_and_calendar_facts(client, sent):
    page = client.get(f"/demo/mail/{sent.pk}/").content.decode()

    assert message_id_header(sent).strip("<>") in page
    assert '<a href="http://testserver/l/' in page
    assert "REQUEST (REQUEST)" in page
    assert "Appointment at Backstride Austin" in page


def test_the_html_part_is_shown_under_a_policy_of_its_own(client, sent):
    response = client.get(f"/demo/mail/{sent.pk}/body/")

    assert response["Content-Security-Policy"] == BODY_POLICY
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "Your visit is booked" in response.content.decode()


def test_the_mail_about_a_series_shows_every_visit(client, settings):
    settings.DEMO = True
    make_practice()
    clinic = SmallClinic()
    Series.objects.book(
        patient=make_patient(),
        service=clinic.service,
        location=clinic.location,
        practitioner=clinic.practitioners[0],
        starts=[NINE, NINE + timedelta(weeks=1)],
        weeks=1,
        by=make_user(),
        now=NOW,
    )
    outbox.tick(NOW)
    sent = Message.objects.get(kind=mail_schedule.SERIES, state=Message.State.SENT)
    page = client.get(f"/demo/mail/{sent.pk}/").content.decode()
    assert page.count("DTSTART") == 2


def test_the_inbox_may_be_empty(client, settings):
    settings.DEMO = True
    assert "No mail yet" in client.get("/demo/mail/").content.decode()


@pytest.mark.parametrize("path", ["", "{}/", "{}/body/"])
def test_outside_the_demo_there_is_no_inbox(client, sent, settings, path):
    settings.DEMO = False
    assert client.get(f"/demo/mail/{path.format(sent.pk)}").status_code == 404


@pytest.mark.parametrize("path", ["{}/", "{}/body/"])
def test_a_mail_that_is_not_kept_is_not_found(client, sent, path):
    other = make_message()
    for pk in (other.pk, uuid.uuid4()):
        assert client.get(f"/demo/mail/{path.format(pk)}").status_code == 404
