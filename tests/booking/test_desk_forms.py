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
    page = desk.get(f"{BOOKING}/service/why/?at=&level=0").text
    for words in ("Choose a service.", "Choose a location.", "Choose a day.", "Choose a time."):
        assert words in page
    assert "This field is required" not in page
