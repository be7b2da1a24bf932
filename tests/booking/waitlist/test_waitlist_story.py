"""A visit is called off: who waits is asked, does not answer, and the next one gets the time.

Told through the tasks that the scheduler runs and a real mail server, minute by minute.
"""

from datetime import time

import pytest
import time_machine
from django.utils import timezone

from booking.models import Appointment, WaitlistEntry, WaitlistOffer
from clinic.environment import mailer_from_url
from clinic.tasks import tick
from desk.tasks import process_waitlist, sweep
from schedule.models import OpeningHours
from tests.booking.small_clinic import NINE, minutes
from tests.booking.visitor import Visitor, open_clinic
from tests.booking.waitlist.test_waitlist_pages import join
from tests.factories import NOW

pytestmark = pytest.mark.django_db

EIGHT = NINE - minutes(60)


@pytest.fixture
def sink(smtp_sink, settings):
    settings.MAILERS = {"default": mailer_from_url(smtp_sink.url, timeout=5)}
    return smtp_sink


def a_minute(clock, *, count=1):
    """Let the scheduler run all its tasks, each in a minute of its own."""
    for _ in range(count):
        sweep()
        process_waitlist()
        tick()
        clock.shift(60)


def subjects(sink, address):
    return [str(mail["Subject"]) for mail in sink.to(address)]


def follow(visitor, sink, address):
    """Open the newest mail's link in the visitor's browser; return the page's address."""
    body = sink.to(address)[-1].get_body(("plain",)).get_content()
    link = next(word for word in body.split() if "/l/" in word)
    return visitor.client.get("/l/" + link.partition("/l/")[2])["Location"]


def test_called_off_offered_not_answered_and_taken_by_the_next(sink):
    with time_machine.travel(NOW, tick=False) as clock:
        clinic = open_clinic(closes=time(9), horizon_days=2, grid_minutes=60)
        OpeningHours.objects.exclude(weekday=EIGHT.weekday()).delete()
        visit = clinic.book(EIGHT)
        first, second = Visitor(clinic), Visitor(clinic)
        for visitor, name in ((first, "ana"), (second, "bo")):
            visitor.answer_gate()
            join(visitor, email=f"{name}@example.org")
            clock.shift(1)
        a_minute(clock)
        assert subjects(sink, "ana@example.org") == ["You are on our waitlist"]

        visit.cancel(now=timezone.now())
        a_minute(clock, count=3)
        assert not WaitlistOffer.objects.exists(), "it can still be undone"
        a_minute(clock)
        assert subjects(sink, "ana@example.org")[1:] == [
            "A time is free: Tuesday, June 2, 8:00 AM CDT"
        ]
        assert len(sink.to("bo@example.org")) == 1, "one offer for one time"

        offer = WaitlistOffer.objects.get()
        clock.move_to(offer.answer_by)
        a_minute(clock)
        assert (
            subjects(sink, "ana@example.org")[-1]
            == "Not kept any more: Tuesday, June 2, 8:00 AM CDT"
        )
        assert subjects(sink, "bo@example.org")[-1].startswith("A time is free: Tuesday, June 2")

        page = follow(second, sink, "bo@example.org")
        assert second.client.get(page).status_code == 200
        answer = second.client.post(page, {"accept": "1"})
        assert answer["Location"] == f"/visits/{Appointment.objects.get(status='booked').pk}/"
        late = first.client.post(f"/waitlist/offers/{offer.pk}/", {"accept": "1"})
        assert "this time is gone" in late.content.decode()
        a_minute(clock)
        invitation = sink.to("bo@example.org")[-1]
        assert str(invitation["Subject"]) == "Booked: Tuesday, June 2, 8:00 AM CDT"
        assert "text/calendar" in [part.get_content_type() for part in invitation.walk()]
        assert sink.copies.most_common(1)[0][1] == 1
        states = dict(WaitlistEntry.objects.values_list("patient__email", "state"))
        assert states == {"ana@example.org": "waiting", "bo@example.org": "booked"}
        assert Appointment.objects.filter(status__in=["booked", "pending"]).count() == 1
