import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from booking import owed
from clinic import outbox
from clinic.models import Message
from clinic.outgoing import message_id_header
from tests.factories import make_appointment, make_message, make_practice, make_series

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
    owed.plan_booked(visit, now)
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


def test_the_one_mail_of_a_series_shows_every_visit(client, settings):
    settings.DEMO = True
    make_practice()
    now = timezone.now()
    series = make_series()
    visits = [
        make_appointment(start=now + timedelta(weeks=week), patient=series.patient, series=series)
        for week in (1, 2)
    ]
    owed.plan_series(series, visits, now)
    outbox.tick(now)
    mail = Message.objects.get(state=Message.State.SENT)
    page = client.get(f"/demo/mail/{mail.pk}/").content.decode()

    assert page.count("<dt>UID</dt>") == 2


def test_the_html_part_is_shown_under_a_policy_of_its_own(client, sent):
    response = client.get(f"/demo/mail/{sent.pk}/body/")

    assert response["Content-Security-Policy"] == BODY_POLICY
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "Your visit is booked" in response.content.decode()


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
