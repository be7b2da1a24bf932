"""The page of free times: what it puts on top, and times that wait for those who need them."""

import re
from datetime import date, time, timedelta

import pytest

from booking.models import Appointment
from tests.booking.small_clinic import NINE, minutes
from tests.booking.visitor import URGENT, Visitor, as_patient, open_clinic
from tests.factories import (
    NOW,
    make_closure,
    make_hours,
    make_location,
    make_patient,
    make_practitioner,
    make_reserved_time,
)

pytestmark = pytest.mark.django_db

MOMENT = r'First free( anywhere| in [^<]*)?</b><br>\s*<time datetime="([^"]+)"'


@pytest.fixture
def visitor(time_machine):
    """Somebody healthy at a clinic that is open on Tuesday from nine, and on later days."""
    time_machine.move_to(NOW)
    clinic = open_clinic()
    clinic.practitioners[0].name = "Ana Here"
    clinic.practitioners[0].save()
    make_closure(location=clinic.location, start=NOW - minutes(60), end=NINE)
    visitor = Visitor(clinic)
    visitor.answer_gate()
    return visitor


def page_of(visitor, **query):
    response = visitor.client.get(visitor.slots_url, query)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


def first_free(page):
    return re.findall(MOMENT, page)


def somebody_elsewhere(visitor, *, day, opens=time(9)):
    place = make_location(name="El Paso")
    person = make_practitioner(name="Ben There", locations=[place])
    make_hours(person, place, weekdays=[day.weekday()], opens=opens, valid_from=day)
    visitor.clinic.service.practitioners.add(person)
    return place


def test_the_first_free_time_says_where_and_with_whom(visitor):
    page = page_of(visitor)
    assert first_free(page) == [("", "2026-06-02T09:00:00-05:00")]
    assert f"{visitor.clinic.location.name}, with Ana Here" in page


def test_with_two_or_more_free_the_page_promises_none_of_them(visitor):
    clinic = visitor.clinic
    for name, says in (("Ben", "with Ana Here or Ben"), ("Eva", "3 people are free")):
        person = make_practitioner(name=name, locations=[clinic.location])
        make_hours(person, clinic.location)
        clinic.service.practitioners.add(person)
        assert says in page_of(visitor)


def test_a_sooner_time_elsewhere_stands_above_the_place_that_was_chosen(visitor):
    elsewhere = somebody_elsewhere(visitor, day=date(2026, 6, 1))
    here = visitor.clinic.location
    page = page_of(visitor, place=here.slug)
    found = first_free(page)
    assert [label for label, _time in found] == [" anywhere", f" in {here.name}"]
    assert found[0][1] < found[1][1]
    assert "El Paso, with Ben There" in page
    # Its button takes it there, although the page shows the other place.
    button = re.search(rf'name="place" value="{elsewhere.slug}".*?name="start" value="(\d+)"', page)
    posted = visitor.choice() | {"place": elsewhere.slug, "start": button[1]}
    assert visitor.client.post(visitor.slots_url, posted).status_code == 302
    assert Appointment.objects.get().location == elsewhere


def test_with_nothing_free_here_the_page_still_leads_somewhere(visitor):
    somebody_elsewhere(visitor, day=date(2026, 6, 3))
    here = visitor.clinic.location
    make_closure(location=here, start=NOW, end=NOW + timedelta(days=90))
    page = page_of(visitor, place=here.slug)
    assert "Nothing is free at" in page
    assert [label for label, _time in first_free(page)] == [" anywhere"]
    assert f"tel:{here.phone}" in page


def test_without_any_free_time_there_is_the_phone(visitor):
    visitor.clinic.service.practitioners.clear()
    page = page_of(visitor)
    assert first_free(page) == []
    assert "Nothing that fits?" in page
    assert "tel:" in page


def test_a_reserved_time_is_shown_to_and_held_for_the_urgent_only(visitor):
    clinic = visitor.clinic
    make_reserved_time(clinic.practitioners[0], clinic.location)
    assert first_free(page_of(visitor))[0][1] == "2026-06-02T10:00:00-05:00"
    assert visitor.hold().status_code == 409

    urgent = Visitor(clinic)
    urgent.answer_gate(**URGENT)
    assert first_free(page_of(urgent))[0][1] == "2026-06-02T09:00:00-05:00"
    assert urgent.hold().status_code == 302
    assert urgent.book().status_code == 302
    assert Appointment.objects.exclude(patient=None).get().start == NINE


def test_a_reserved_time_can_be_moved_into_by_the_urgent_only(visitor):
    clinic = visitor.clinic
    clinic.service.change_cutoff_hours = 1
    clinic.service.save()
    make_reserved_time(clinic.practitioners[0], clinic.location)
    for answers, is_moved in (({}, False), (URGENT, True)):
        patient = make_patient()
        visit = clinic.book(NINE + minutes(120), patient=patient)
        browser = Visitor(clinic)
        as_patient(browser.client, patient)
        browser.answer_gate(**answers)
        response = browser.client.post(f"/visits/{visit.pk}/move/", browser.choice())
        assert response.status_code == (302 if is_moved else 409)
        visit.refresh_from_db()
        assert (visit.start == NINE) == is_moved
        visit.cancel(now=NOW)
