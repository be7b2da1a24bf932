"""The front desk's forms say what to do about a field that was left empty."""

import pytest
import time_machine

from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db

BOOKING = "/admin/booking"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def desk(client):
    make.make_practice()
    return make.sign_in(client, make.make_user())


@pytest.fixture
def visit(desk):
    location = make.make_location()
    practitioner = make.make_practitioner(locations=[location])
    make.make_hours(practitioner, location)
    return make.make_appointment(practitioner=practitioner, location=location)


def page_of(name, visit):
    entry = make.make_waitlist_entry(service=visit.service)
    entry.offer(start=visit.end, practitioner=visit.practitioner, location=visit.location, now=NOW)
    other = make.make_waitlist_entry(service=visit.service)
    return {
        "visit": f"{BOOKING}/appointment/add/",
        "move": f"{BOOKING}/appointment/{visit.pk}/move/",
        "cancel": f"{BOOKING}/appointment/cancel/?visit={visit.pk}",
        "series": f"{BOOKING}/series/add/",
        "wait": f"{BOOKING}/waitlistentry/add/",
        "offer": f"{BOOKING}/waitlistentry/{other.pk}/offer/",
        "accept": f"{BOOKING}/waitlistentry/{entry.pk}/accept/",
        "patient": f"/admin/clinic/patient/{visit.patient_id}/change/",
    }[name]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("visit", {"Choose a service.", "Choose a location.", "Choose a day."}),
        ("move", {"Choose a time above, or fill this in."}),
        ("cancel", {"Please say why."}),
        ("series", {"Choose a practitioner.", "Choose a time.", "Say how many visits there are."}),
        ("wait", {"Choose a service.", "Choose at least one day.", "Choose a day."}),
        ("offer", {"Choose one of the times."}),
        ("accept", {"Ask the questions, or say why you did not."}),
        ("patient", {"Type the name."}),
    ],
)
def test_a_field_left_empty_says_what_to_do(desk, visit, name, says):
    # What always has a value, and the numbers of Django's own tables.
    given = {"contact_relation": "self", "language": "en"}
    given |= {f"appointments-{count}_FORMS": 0 for count in ("TOTAL", "INITIAL")}
    page = desk.post(page_of(name, visit), given).text
    assert "This field is required" not in page
    assert [words for words in says if words not in page] == []


def test_the_page_about_a_time_that_is_not_offered_says_what_to_choose(desk):
    page = desk.get("/admin/schedule/service/why/?at=&level=0").text
    for words in ("Choose a service.", "Choose a location.", "Choose a day.", "Choose a time."):
        assert words in page
    assert "This field is required" not in page


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_at_either_end_of_the_calendar_is_asked_to_be_checked(desk, visit, day):
    service, location, patient = visit.service_id, visit.location_id, visit.patient_id
    wish = f"?service={service}&location={location}&practitioner={visit.practitioner_id}"
    series = make.make_series(patient=visit.patient)
    series.visits.add(visit)
    for page in (
        f"{page_of('move', visit)}?day={day}",
        f"{BOOKING}/series/{visit.pk}/move/?day={day}&at=10:00",
        f"/admin/schedule/service/why/{wish}&on={day}&at=10:00&level=0",
    ):
        answer = desk.get(page)
        assert answer.status_code in {200, 400}
        assert "Please check this date." in answer.text
    for page in (
        f"{BOOKING}/appointment/{patient}/times/{wish}&day={day}",
        f"{BOOKING}/series/{patient}/plan/{wish}&day={day}&count=4&weeks=1&at=10:00",
    ):
        assert desk.get(page).status_code == 302


def test_a_patient_whose_key_is_none_is_no_error(desk):
    for page in ("appointment", "series", "waitlistentry"):
        assert desk.get(f"{BOOKING}/{page}/add/?patient=nobody").status_code == 200
        answer = desk.post(f"{BOOKING}/{page}/add/", {"patient": "nobody"})
        assert "patient" in answer.context["form"].errors


@pytest.mark.parametrize("start", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00", "nine"])
def test_a_start_that_no_page_lists_is_refused(desk, visit, start):
    answer = desk.post(page_of("move", visit), {"booking_key": "k", "start": start})
    assert "Choose one of the times." in answer.text
