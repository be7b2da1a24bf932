"""Home and services: the pages a runner meets first."""

import gzip
import re
from datetime import UTC, datetime, time
from pathlib import Path

import brotli
import pytest
from django.contrib.staticfiles import finders
from django.utils import timezone

from intake.models import Questionnaire
from schedule.models import Service
from tests.factories import (
    make_hours,
    make_location,
    make_practice,
    make_practitioner,
    make_service,
)

pytestmark = pytest.mark.django_db

FIRST_LOAD_BUDGET = 60_000


@pytest.fixture(autouse=True)
def practice():
    return make_practice()


@pytest.mark.parametrize("path", ["/", "/services/"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_front_door_opens_in_both_languages(client, language, path):
    client.cookies["lang"] = language
    response = client.get(path)
    assert response.status_code == 200
    assert f'<html lang="{language}"' in response.content.decode()
    assert 'href="/book/"' in response.content.decode()


def test_home_introduces_who_works_here_and_where(client):
    make_practitioner(name="Rosa Marin", title={"en": "Physical therapist", "es": "Fisioterapeuta"})
    make_practitioner(name="Left Last Year", is_active=False)
    make_location(name="El Paso", city="El Paso")
    page = client.get("/").content.decode()
    assert "Rosa Marin" in page
    assert "Physical therapist" in page
    assert "El Paso" in page
    assert "Left Last Year" not in page
    client.cookies["lang"] = "es"
    assert "Fisioterapeuta" in client.get("/").content.decode()


def make_first_visit():
    location = make_location(name="El Paso", time_zone="America/Denver")
    practitioner = make_practitioner(locations=[location])
    make_hours(practitioner, location, opens=time(9), closes=time(17))
    return make_service(
        slug="pt-eval",
        name={"en": "First look", "es": "Primera visita"},
        practitioners=[practitioner],
    )


def test_home_shows_the_next_free_first_visit_on_the_clock_of_its_place(client, time_machine):
    make_first_visit()
    time_machine.move_to(datetime(2026, 6, 1, 6, 0, tzinfo=UTC), tick=False)  # midnight there
    page = client.get("/").content.decode()
    assert "Mon, Jun 1, 9:00 AM" in page
    assert "First look, El Paso" in page


def test_home_promises_no_time_when_there_is_none(client):
    service = make_first_visit()
    service.practitioners.clear()
    assert "Next free" not in client.get("/").content.decode()


def test_home_costs_the_same_queries_with_one_and_three_of_everything(
    client, django_assert_num_queries
):
    make_first_visit()
    for count in (1, 3):
        for _ in range(count):
            make_practitioner(locations=[make_location()])
        client.get("/")
        # Practice, practitioners, locations, the service, and two for its free starts.
        with django_assert_num_queries(6):
            client.get("/")


def test_services_are_sorted_by_how_they_are_booked(client):
    make_service(name="First look", is_first_visit=True)
    make_service(name="Second step", is_first_visit=False)
    make_service(name="By referral", booking_mode=Service.BookingMode.REFERRAL)
    make_service(name="Given up", is_active=False)
    response = client.get("/services/")
    assert [str(s) for s in response.context["first_visits"]] == ["First look"]
    assert [str(s) for s in response.context["later_visits"]] == ["Second step"]
    assert [str(s) for s in response.context["arranged"]] == ["By referral"]
    assert "Given up" not in response.content.decode()


def test_only_a_first_visit_has_a_button_to_book_it(client):
    make_service(slug="pt-eval", is_first_visit=True)
    make_service(slug="massage", is_first_visit=False)
    page = client.get("/services/").content.decode()
    assert "/book/pt-eval/" in page
    assert "/book/massage/" not in page


@pytest.mark.parametrize("path", ["/", "/services/", "/guide/why-it-hurts/", "/book/safety/"])
def test_a_first_load_stays_within_the_budget_and_on_this_server(client, path):
    """Bytes of a cold cache: the page as it is sent, and files in brotli as WhiteNoise does."""
    Questionnaire.objects.publish_shipped(now=timezone.now())
    response = client.get(path, headers={"accept-encoding": "gzip"})
    is_packed = response.headers.get("Content-Encoding") == "gzip"
    page = (gzip.decompress(response.content) if is_packed else response.content).decode()
    links = re.findall(r'<(?:link|script|img)\b[^>]*(?:href|src)="([^"]+)"', page)
    assert links
    assert [link for link in links if not link.startswith("/static/")] == []
    files = [Path(finders.find(link.removeprefix("/static/"))).read_bytes() for link in links]
    sent = len(response.content) + sum(len(brotli.compress(content)) for content in files)
    assert sent <= FIRST_LOAD_BUDGET


def test_the_safety_check_is_sent_compressed(client):
    Questionnaire.objects.publish_shipped(now=timezone.now())
    page = client.get("/book/safety/").content
    sent = client.get("/book/safety/", headers={"accept-encoding": "gzip"})
    assert sent.headers["Content-Encoding"] == "gzip"
    assert len(sent.content) < len(page) / 2
