"""Patients who move, swap, cancel and take back at random, over real HTTP, for a while.

Every answer is written down. Afterwards the rows are held against it: nothing overlaps, what was
acknowledged is there, and what was cancelled stays cancelled unless its patient took that back.
"""

import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models import Q
from django.utils import timezone

from booking.appointments.status import HOLDS_TIME
from booking.models import Appointment
from clinic.models import Message
from intake.models import Questionnaire
from schedule.slots import floor_minute
from tests.booking.small_clinic import SmallClinic
from tests.factories import make_practice
from tests.guest import Guest, Server

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.usefixtures("collected_static_files"),
]

SECONDS = 60 if os.environ.get("SOAK") == "1" else 8
PATIENTS = 12


@pytest.fixture
def clinic():
    now = timezone.now()
    make_practice(time_zone="America/Chicago")
    questionnaire = Questionnaire.objects.publish_shipped(now=now - timedelta(days=1))
    return SmallClinic(
        slug="pt-eval",
        practitioners=2,
        questionnaire=questionnaire,
        change_cutoff_hours=0,
        max_moves=10_000,
    )


class Patient:
    """Somebody with one visit, who changes their mind all the time and notes what they are told."""

    def __init__(self, server, number, clinic, starts):
        self.guest = Guest(server, number=number)
        self.clinic = clinic
        self.starts = starts
        self.choice = random.Random(number)
        self.answers = Counter()
        self.where = None  # the start that was acknowledged last
        self.is_cancelled = False

    def book(self, start):
        self.guest.answer_gate(self.clinic.service.slug)
        choice = self._choice(start)
        assert self.guest.hold(self.clinic.service.slug, choice) == 302
        status, self.page = self.guest.book(self.clinic.service.slug, choice)
        assert status == 302, self.page
        assert self.page.startswith("/visits/"), self.page
        self.where = start
        return self

    def change_until(self, deadline):
        with closing(self.guest):
            while time.monotonic() < deadline:
                self._change(self.choice.choice(self.starts))

    def _change(self, start):
        match self.choice.randrange(6):
            case 0:
                self._act("cancel/", {}, done=self._cancelled)
            case 1:
                self._act("undo/", {}, done=self._look)
            case _:
                self._act("move/", self._choice(start), done=lambda: self._moved(start))

    def _choice(self, start):
        return self.guest.choice(
            start=floor_minute(start),
            place=self.clinic.location.slug,
            minutes=self.clinic.service.default_duration,
            who=self.choice.choice([None, *[p.public_id for p in self.clinic.practitioners]]),
        )

    def _act(self, page, fields, *, done):
        status, answer = self.guest.post(f"{self.page}{page}", fields)
        self.answers[page, status] += 1
        # Over a minute some are told to wait, and do.
        assert status in {302, 409, 429}, (page, status, answer[:500])
        if status == 429:
            time.sleep(1)
        if status == 302:
            assert answer == self.page, answer
            done()

    def _cancelled(self):
        self.is_cancelled = True

    def _moved(self, start):
        self.where = start

    def _look(self):
        """The page is the same whether something was taken back or it was too late: look."""
        visit = Appointment.objects.get(pk=self.page.split("/")[2])
        connections.close_all()
        if self.is_cancelled:
            self.is_cancelled = visit.status == "cancelled"
        else:
            self.where = visit.start

    def agrees_with(self, visit):
        is_same_place = self.is_cancelled or visit.start == self.where
        return is_same_place and (visit.status == "cancelled") == self.is_cancelled


def overlaps():
    standing = Appointment.objects.filter(status__in=HOLDS_TIME)
    return [
        (visit.pk, other.pk)
        for visit in standing
        for other in standing.filter(
            Q(practitioner=visit.practitioner_id),
            pk__gt=visit.pk,
            start__lt=visit.busy_until,
            busy_until__gt=visit.start,
        )
    ]


def test_a_storm_of_changes_leaves_what_was_acknowledged_and_no_overlap(clinic, process_env):
    now = timezone.now()
    free = Appointment.objects.search(
        clinic.service, since=now, until=now + timedelta(days=12), now=now
    ).starts()
    # Few starts for many people, so that they meet: one an hour, for two practitioners.
    starts = sorted({found.start for found in free if found.start.minute == 0})[8:24]

    with Server(process_env | {"TRUSTED_PROXY": "1"}) as server:
        patients = [
            Patient(server, number, clinic, starts).book(starts[number])
            for number in range(PATIENTS)
        ]
        deadline = time.monotonic() + SECONDS
        with ThreadPoolExecutor(PATIENTS) as pool:
            for done in [pool.submit(patient.change_until, deadline) for patient in patients]:
                done.result()

    assert overlaps() == []
    answers = sum((patient.answers for patient in patients), Counter())
    assert answers["move/", 302] > PATIENTS
    assert answers["move/", 409] > 0
    for patient in patients:
        visit = Appointment.objects.get(pk=patient.page.split("/")[2])
        assert patient.agrees_with(visit)
        changes = list(visit.status_changes.all())
        assert changes[-1].to_status == visit.status
        # Each change raised the sequence, and so did each that was taken back.
        raised = [change for change in changes if change.from_status not in {"", "pending"}]
        assert visit.sequence == len(raised)
        reopened = [c for c in changes if (c.from_status, c.to_status) == ("cancelled", "booked")]
        assert all(change.undoes_id for change in reopened)
        # Of the mails about all this, one at most is still owed.
        news = Message.objects.about(visit).filter(
            kind__in=["confirmation", "moved", "cancelled"], state="planned"
        )
        assert news.count() <= 1
