"""Somebody who books in a browser, as a test client."""

from datetime import timedelta
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client

from booking.models import Appointment
from clinic.security.access import set_grant_cookie
from intake.models import Questionnaire
from schedule.slots import floor_minute
from tests.booking.small_clinic import NINE, SmallClinic
from tests.factories import NOW, make_link, make_practice

HEALTHY = {
    "safety-nerve": "none",
    "safety-body": "none",
    "safety-injury": "no",
    "safety-leg-power": "no",
    "safety-illness": "none",
    "safety-cancer": "none",
    "safety-bone": "none",
    "safety-pregnancy": "no",
    "about-birth-date": "1990-05-24",
    "onset-duration": "w2-6",
    "pain-worst": "5",
    "pain-run": "4",
}
EMERGENCY = {"safety-nerve": "saddle-numb"}
URGENT = {"safety-illness": "fever"}
SOON = {"safety-cancer": "tired-unwell"}

DETAILS = {
    "name": "Ana Runner",
    "email": "ana@example.org",
    "phone": "512 555 0123",
    "birth_date": "1990-05-24",
    "language": "en",
    "wants_reminders": "on",
}


def open_clinic(**clinic):
    """A practice with the shipped intake published, and one service at one place."""
    make_practice(time_zone="America/Chicago")
    questionnaire = Questionnaire.objects.publish_shipped(now=NOW - timedelta(days=30))
    return SmallClinic(**{"slug": "pt-eval", "questionnaire": questionnaire} | clinic)


class Visitor:
    """Follows the booking flow of one service; ``client`` is there for everything else."""

    def __init__(self, clinic, *, service=None, client=None, **headers):
        self.clinic = clinic
        self.service = service or clinic.service
        self.client = client or Client(**headers)
        self.key = uuid4().hex

    @property
    def slots_url(self):
        return f"/book/{self.service.slug}/"

    @property
    def details_url(self):
        return f"/book/{self.service.slug}/details/"

    def answer_gate(self, **answers):
        """Post the safety check; keyword arguments replace answers of somebody healthy."""
        given = HEALTHY | {name.replace("_", "-"): value for name, value in answers.items()}
        given = {name: value for name, value in given.items() if value is not None}
        return self.client.post(f"/book/safety/?service={self.service.slug}", given)

    def choice(self, start=NINE):
        """What the slot picker's button for ``start`` posts."""
        return {
            "start": floor_minute(start),
            "place": self.clinic.location.slug,
            "who": "",
            "minutes": self.service.default_duration,
            "booking_key": self.key,
        }

    def hold(self, start=NINE, **fields):
        return self.client.post(self.slots_url, self.choice(start) | fields)

    def book(self, start=NINE, **details):
        """Post the details of somebody valid; keyword arguments replace or, if None, remove."""
        given = self.choice(start) | DETAILS | details | {"book": "1"}
        given = {name: value for name, value in given.items() if value is not None}
        return self.client.post(self.details_url, given)

    def book_all_the_way(self, start=NINE, **details):
        self.answer_gate()
        self.hold(start)
        return self.book(start, **details)


def as_patient(client, patient):
    """Give the client what following a mailed link gives a browser."""
    jar = HttpResponse()
    set_grant_cookie(jar, make_link(patient=patient))
    client.cookies.update(jar.cookies)


def the_visit():
    return Appointment.objects.exclude(patient=None).get()
