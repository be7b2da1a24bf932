"""A practitioner's private calendar feed: times and places, nobody's name, and its end."""

from datetime import timedelta

import pytest
import time_machine
import vobject
from icalendar import Calendar

from clinic.models import AuditEvent, RateLimit, Role
from desk.models import CalendarFeed
from tests.factories import (
    NOW,
    make_appointment,
    make_calendar_feed,
    make_clinician,
    make_location,
    make_patient,
    make_practice,
    make_room,
    make_user,
    sign_in,
)

pytestmark = pytest.mark.django_db

TOKEN = "f" * 43
PATH = f"/feeds/{TOKEN}.ics"


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        make_practice()
        yield


@pytest.fixture
def clinician():
    return make_clinician(locations=[make_location()])


@pytest.fixture
def feed(clinician):
    return make_calendar_feed(
        practitioner=clinician.practitioner, created_by=clinician, token=TOKEN
    )


def make_visit(clinician, **fields):
    return make_appointment(practitioner=clinician.practitioner, **fields)


def test_the_feed_shows_when_and_where_and_never_who_or_why(client, clinician, feed):
    room = make_room(name="Track room")
    visit = make_visit(clinician, patient=make_patient(name="Zyx Canary"), room=room)
    make_visit(clinician, start=NOW + timedelta(days=2), status="cancelled")
    make_visit(clinician, start=NOW + timedelta(days=3), status="pending")
    make_appointment(start=NOW + timedelta(days=4))
    response = client.get(PATH)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    text = response.content.decode()
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert (event.start, event.end) == (visit.start, visit.end)
    assert (event["UID"], event["SEQUENCE"]) == (visit.ical_uid, visit.sequence)
    assert event["SUMMARY"] == "Visit"
    assert event["LOCATION"] == f"{visit.location.name}, Track room"
    for word in ("Zyx", visit.patient.email, str(visit.service), str(visit.pk), "ATTENDEE"):
        assert word not in text
    assert vobject.readOne(text).vevent.dtstart.value == visit.start


def test_the_feed_is_private_and_nothing_changes_by_reading_it(client, feed):
    before = list(CalendarFeed.objects.values())
    response = client.get(PATH)
    assert {"private", "max-age=300"} == set(response["Cache-Control"].split(", "))
    assert response["Referrer-Policy"] == "no-referrer"
    assert client.head(PATH).status_code == 200
    assert client.post(PATH).status_code == 405
    assert list(CalendarFeed.objects.values()) == before


@pytest.mark.parametrize("end", ["revoke", "practitioner", "account", "other"])
def test_a_feed_that_ended_or_never_was_is_404(client, clinician, feed, end):
    path = PATH
    match end:
        case "revoke":
            feed.revoke(now=NOW)
        case "practitioner":
            clinician.practitioner.is_active = False
            clinician.practitioner.save()
        case "account":
            clinician.is_active = False
            clinician.save()
        case "other":
            path = f"/feeds/{'g' * 43}.ics"
    assert client.get(path).status_code == 404


def test_a_clinician_makes_an_address_sees_it_once_and_ends_it(client, clinician):
    sign_in(client, clinician)
    assert "End the address" not in client.get("/clinician/calendar/").content.decode()
    made = client.post("/clinician/calendar/", {"make": ""})
    url = made.context["url"]
    assert url in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    path = url.removeprefix("http://testserver")
    assert client.get(path).status_code == 200
    token = path.removeprefix("/feeds/").removesuffix(".ics")
    assert token not in client.get("/clinician/calendar/").content.decode()
    assert token not in str(list(CalendarFeed.objects.values()))
    client.post("/clinician/calendar/", {"make": ""})
    assert client.get(path).status_code == 404
    client.post("/clinician/calendar/", {"revoke": ""})
    assert not CalendarFeed.objects.active().exists()
    actions = AuditEvent.objects.filter(subject_type="desk.calendarfeed")
    assert sorted(actions.values_list("action", flat=True)) == ["change", "create", "create"]


def test_a_manager_ends_a_feed_in_the_admin(client, feed):
    sign_in(client, make_user(role=Role.MANAGER))
    page = client.get("/admin/desk/calendarfeed/")
    assert page.status_code == 200
    assert feed.token_hash not in page.content.decode()
    client.post("/admin/desk/calendarfeed/", {"action": "revoke", "_selected_action": [feed.pk]})
    assert client.get(PATH).status_code == 404


def test_the_feed_takes_the_same_queries_for_one_visit_and_for_three(
    client, clinician, feed, django_assert_num_queries
):
    client.get(PATH)
    for day in (1, 2, 3):
        make_visit(clinician, start=NOW + timedelta(days=day))
        # The bucket of the network, the feed, the practice, the visits.
        with django_assert_num_queries(4):
            client.get(PATH)


def test_fetching_without_end_is_429(client, feed):
    answers = [client.get(PATH) for _ in range(121)]
    assert {answer.status_code for answer in answers[:120]} == {200}
    assert answers[120].status_code == 429
    assert answers[120]["Retry-After"]
    RateLimit.objects.all().delete()
