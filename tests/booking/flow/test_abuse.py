"""One network that floods every form with 500 requests gets little, and harms nobody else."""

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine

from booking.models import Appointment, UnconfirmedBooking
from clinic.models import Message, Patient
from tests.booking.small_clinic import NINE
from tests.booking.visitor import DETAILS, HEALTHY, Visitor, open_clinic
from tests.factories import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.usefixtures("frozen_clock")]

REQUESTS = 500
FLOOD = {"REMOTE_ADDR": "203.0.113.9"}


def test_five_hundred_requests_from_one_network_book_little_and_are_told_to_wait():
    clinic = open_clinic(practitioners=8)
    answers = []
    robot = Visitor(clinic, **FLOOD)
    for number in range(REQUESTS // 4):
        if number % 2 == 0:
            robot = Visitor(clinic, **FLOOD)  # every cookie thrown away
        robot.key = uuid4().hex
        start = NINE + timedelta(hours=number % 6, days=number // 6)
        answers += [
            robot.client.post("/book/safety/", HEALTHY),
            robot.hold(start),
            robot.client.post(
                robot.details_url,
                robot.choice(start) | DETAILS | {"email": f"v{number}@example.org", "book": "1"},
            ),
            robot.client.post("/my-visits/", {"email": f"v{number}@example.org"}),
        ]
    statuses = Counter(answer.status_code for answer in answers)
    assert len(answers) == REQUESTS
    assert not any(status >= 500 for status in statuses)
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert all(int(answer["Retry-After"]) > 0 for answer in limited)
    # What stands afterwards is bounded, however many cookies were thrown away.
    assert Appointment.objects.filter(status="booked").count() <= 10
    assert UnconfirmedBooking.objects.count() <= 10
    assert Patient.objects.count() <= 10
    assert Message.objects.filter(kind="my-visits").count() <= 20

    # Somebody in another network notices nothing.
    runner = Visitor(clinic, REMOTE_ADDR="198.51.100.1")
    booked = runner.book_all_the_way(NINE + timedelta(days=30), email="runner@example.org")
    assert booked["Location"].startswith("/visits/")
    assert runner.client.get(booked["Location"]).status_code == 200


def test_a_flood_leaves_most_of_the_diary_free_for_others():
    """Holds are the one thing a network may still take many of; they end by themselves."""
    clinic = open_clinic(practitioners=1)
    for number in range(60):
        Visitor(clinic, **FLOOD).client.post("/book/safety/", HEALTHY)
        robot = Visitor(clinic, **FLOOD)
        robot.answer_gate()
        robot.hold(NINE + timedelta(hours=number % 6, days=number // 6))
    held = Appointment.objects.filter(status="pending")
    assert held.count() <= 60
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        assert 0 in clinic.free(now=NOW + timedelta(minutes=16))
