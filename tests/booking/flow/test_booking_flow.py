from datetime import date, time, timedelta

import pytest
from django.test import Client

from booking.models import Appointment
from clinic.models import Patient
from schedule.models import Service
from schedule.slots import floor_minute
from tests.booking.small_clinic import NINE
from tests.booking.visitor import (
    Visitor,
    as_patient,
    open_clinic,
)
from tests.factories import (
    NOW,
    make_appointment,
    make_hours,
    make_location,
    make_patient,
    make_practice,
    make_practitioner,
    make_service,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


def test_services_are_listed_by_what_a_new_patient_can_do_with_them(visitor):
    make_service(slug="pt-followup", name="Follow-up", is_first_visit=False)
    make_service(slug="mind-body", name="Yoga class", booking_mode=Service.BookingMode.STAFF)
    page = visitor.client.get("/book/").content.decode()
    first, rest = page.split("After a first visit")
    later, arranged = rest.split("By phone or with a referral")
    assert str(visitor.service.name) in first
    assert "Follow-up" in later
    assert "Opens after a first visit" in later
    assert "Yoga class" in arranged
    assert "tel:+1 512 555 0100" in arranged


def test_the_picker_shows_the_week_the_first_free_time_and_the_zone(visitor):
    visitor.answer_gate()
    response = visitor.client.get(visitor.slots_url)
    picker, page = response.context["picker"], response.content.decode()
    assert picker.first.local.isoformat() == "2026-06-01T08:00:00-05:00"
    assert [day.date.day for day in picker.week] == [1, 2, 3, 4, 5, 6, 7]
    assert [part for part, _times in picker.parts] == ["Morning", "Afternoon"]
    assert "local time in Austin (CDT)" in page
    assert f'name="start" value="{floor_minute(NOW)}"' in page


def test_a_later_week_and_a_day_far_out_are_reached_by_link(visitor):
    visitor.answer_gate()
    picker = visitor.client.get(visitor.slots_url, {"day": "2026-06-10"}).context["picker"]
    assert picker.week[0].date == date(2026, 6, 8)
    assert picker.previous_week == date(2026, 6, 1)
    far = visitor.client.get(visitor.slots_url, {"day": "9999-12-31"}).context["picker"]
    assert far.day == far.last_day
    assert far.next_week is None


@pytest.mark.parametrize(
    "query",
    [
        "day=0001-01-01",
        "day=2026-13-45",
        "day=x",
        "place=nowhere",
        "who=not-a-uuid",
        "who=00000000-0000-0000-0000-000000000000",
        "minutes=-1",
        "minutes=99999999999999999999999999",
        "place=%F0%9F%98%80&day=%22%3E%3Cscript%3E",
    ],
)
def test_a_filter_nobody_offers_is_ignored(visitor, query):
    visitor.answer_gate()
    response = visitor.client.get(f"{visitor.slots_url}?{query}")
    assert response.status_code == 200
    assert response.context["picker"].times


def test_places_and_people_are_a_filter(visitor):
    clinic = visitor.clinic
    other_place = make_location(name="El Paso", time_zone="America/Denver", city="El Paso")
    other = make_practitioner(name="Dr. Elsewhere", locations=[other_place])
    make_hours(other, other_place, opens=time(9))
    clinic.service.practitioners.add(other)
    visitor.answer_gate()
    picker = visitor.client.get(visitor.slots_url, {"place": other_place.slug}).context["picker"]
    assert picker.first.local.isoformat() == "2026-06-01T09:00:00-06:00"
    assert picker.people == [other]
    somebody = clinic.practitioners[0].public_id
    picker = visitor.client.get(visitor.slots_url, {"who": str(somebody)}).context["picker"]
    assert picker.person == clinic.practitioners[0]
    assert picker.place == clinic.location


def test_a_day_without_free_time_points_to_the_next_one(visitor):
    for hour in range(9):
        visitor.clinic.book(NINE + timedelta(hours=hour - 1))
    visitor.answer_gate()
    response = visitor.client.get(visitor.slots_url, {"day": "2026-06-02"})
    assert response.context["picker"].parts == []
    assert "Next free day: Wednesday, June 3" in response.content.decode()


def test_no_free_time_at_all_leaves_the_phone():
    visitor = Visitor(open_clinic(closes=time(8, 30)))
    visitor.answer_gate()
    page = visitor.client.get(visitor.slots_url).content.decode()
    assert "Nothing is free" in page
    assert "tel:+1 512 555 0100" in page


def test_one_of_several_lengths_is_chosen():
    visitor = Visitor(open_clinic(durations=[60, 30, 90]))
    visitor.answer_gate()
    assert visitor.client.get(visitor.slots_url, {"minutes": "30"}).context["picker"].minutes == 30
    visitor.hold(minutes=90)
    assert Appointment.objects.get().duration_minutes == 90
    assert visitor.hold(minutes=45).status_code == 409


def test_choosing_a_time_holds_it_for_fifteen_minutes(visitor):
    visitor.answer_gate()
    assert visitor.hold()["Location"] == visitor.details_url
    hold = Appointment.objects.get()
    assert hold.status == "pending"
    assert hold.held_until == NOW + timedelta(minutes=15)
    page = visitor.client.get(visitor.details_url).content.decode()
    assert "for 15 more minutes" in page
    assert 'value="1990-05-24"' in page


def test_choosing_again_moves_the_hold(visitor):
    visitor.answer_gate()
    visitor.hold()
    response = visitor.client.get(visitor.slots_url)
    assert "We are holding Tuesday, June 2, 9:00 AM for you" in response.content.decode()
    # The own hold is in nobody's way.
    assert NINE in {time.local for time in response.context["picker"].times}
    visitor.key = response.context["booking_key"]
    visitor.hold(NINE + timedelta(minutes=15))
    assert Appointment.objects.get().start == NINE + timedelta(minutes=15)


def test_a_taken_time_is_409_with_the_nearest_free_ones(visitor):
    visitor.clinic.book(NINE)
    visitor.answer_gate()
    response = visitor.hold()
    assert response.status_code == 409
    nearest = [time.local.time() for time in response.context["nearest"]]
    assert time(8) in nearest
    assert time(10) in nearest
    assert "just taken" in response.content.decode()
    assert response.context["picker"].day == date(2026, 6, 1)


@pytest.mark.parametrize(
    "start",
    [
        NINE + timedelta(minutes=7),
        NINE - timedelta(days=30),
        NINE + timedelta(days=300),
        NINE + timedelta(hours=12),
    ],
)
def test_a_time_that_was_never_offered_is_409(visitor, start):
    visitor.answer_gate()
    assert visitor.hold(start).status_code == 409
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"start": "x"},
        {"start": "99999999999999999999"},
        {"start": "-5"},
        {"place": "nowhere"},
        {"who": "x"},
        {"minutes": "x"},
        {"booking_key": "x"},
        {"booking_key": ""},
    ],
)
def test_a_malformed_choice_holds_nothing(visitor, fields):
    visitor.answer_gate()
    response = visitor.client.post(visitor.slots_url, visitor.choice() | fields)
    assert response.status_code == 409
    assert not Appointment.objects.exists()


def test_a_visitor_holds_three_times_at_most():
    visitor = Visitor(open_clinic())
    others = [
        make_service(slug=slug, practitioners=visitor.clinic.practitioners)
        for slug in ("sports-doc", "footwear", "nutrition")
    ]
    visitor.answer_gate()
    assert visitor.hold().status_code == 302
    for number, service in enumerate(others, start=1):
        more = Visitor(visitor.clinic, service=service, client=visitor.client)
        response = more.hold(NINE + timedelta(hours=number))
    assert response.status_code == 429
    assert int(response["Retry-After"]) == 15 * 60
    assert Appointment.objects.count() == 3


def test_a_patient_with_a_link_is_shown_the_details_and_books_more(visitor):
    follow_up = make_service(
        slug="pt-followup", is_first_visit=False, practitioners=visitor.clinic.practitioners
    )
    follow_up.unlocked_by.add(visitor.service)
    patient = make_patient(name="Known Runner")
    make_appointment(
        patient=patient,
        service=visitor.service,
        status="fulfilled",
        start=NOW - timedelta(days=7),
    )
    known = Visitor(visitor.clinic, service=follow_up)
    as_patient(known.client, patient)
    assert "You can book these now" in known.client.get("/book/").content.decode()
    known.answer_gate()
    known.hold()
    page = known.client.get(known.details_url).content.decode()
    assert "Known Runner" in page
    assert 'name="email"' not in page
    known.client.post(known.details_url, known.choice() | {"book": "1"})
    visit = Appointment.objects.get(service=follow_up)
    assert visit.patient == patient
    assert Patient.objects.count() == 1


def test_a_new_patient_cannot_book_what_opens_after_a_visit(visitor):
    follow_up = make_service(slug="pt-followup", is_first_visit=False)
    visitor.answer_gate()
    response = visitor.client.get(f"/book/{follow_up.slug}/")
    assert response["Location"] == "/book/safety/result/?service=pt-followup"


def test_whoever_books_next_in_this_browser_is_asked_again(visitor):
    visitor.book_all_the_way()
    visitor.client.post("/my-visits/", {"leave": ""})
    assert visitor.client.get(visitor.slots_url)["Location"].startswith("/book/safety/")


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("get", "/book/?x=%00", None),
        ("get", "/book/safety/?service=%00", None),
        ("get", "/book/pt-eval/?place=%00", None),
        ("post", "/book/pt-eval/", {"place": "\x00"}),
        ("post", "/book/pt-eval/details/", {"name": "a\x00b", "\x00": "x"}),
        ("post", "/my-visits/", {"email": "a\x00@example.org"}),
        ("post", "/book/safety/", {"safety-nerve": "no\x00ne"}),
    ],
)
def test_nul_bytes_are_a_bad_request(visitor, method, path, fields):
    assert getattr(visitor.client, method)(path, fields).status_code == 400


def test_a_nul_byte_spelled_in_a_cookie_is_a_bad_request(visitor):
    response = Client(headers={"Cookie": 'sessionid="\\000aaaaaaaaaaaa"'}).get("/book/")
    assert response.status_code == 400


def test_a_body_of_ten_megabytes_is_turned_away(visitor):
    body = "name=" + "x" * 10_000_000
    response = visitor.client.post(
        "/book/pt-eval/details/", body, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 413


def test_without_a_published_intake_the_list_of_services_says_not_open_yet():
    make_practice()
    response = Client().get("/book/")
    assert response.status_code == 503
    assert "Online booking is not open yet" in response.text
