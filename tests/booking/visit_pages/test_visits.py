from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar

from booking.models import Appointment, InvalidTransition
from clinic.models import Link, Message, RateLimit
from schedule.models import Service
from tests.booking.small_clinic import NINE
from tests.booking.visitor import HEALTHY, URGENT, Visitor, as_patient, open_clinic, the_visit
from tests.factories import (
    NOW,
    make_alert,
    make_appointment,
    make_patient,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def visitor():
    """Somebody who has just booked, for the day after tomorrow at nine."""
    visitor = Visitor(open_clinic(change_cutoff_hours=24))
    visitor.book_all_the_way(NINE + timedelta(days=1))
    return visitor


def url(page=""):
    return f"/visits/{the_visit().pk}/{page}"


PAGES = ["", "confirm/", "move/", "cancel/", "calendar.ics"]


# Who sees it


@pytest.mark.parametrize("page", PAGES)
def test_a_foreign_visit_and_an_unknown_one_are_the_same_empty_handed_404(visitor, page):
    stranger = Visitor(visitor.clinic)
    as_patient(stranger.client, make_patient())
    foreign = stranger.client.get(url(page))
    unknown = stranger.client.get(f"/visits/{uuid4()}/{page}")
    assert foreign.status_code == unknown.status_code == 404
    assert "Ana" not in foreign.content.decode()
    assert "no-store" in foreign.headers["Cache-Control"]
    posted = stranger.client.post(url(page))
    assert posted.status_code in {404, 405}
    assert the_visit().status == "booked"
    assert the_visit().confirmed_at is None


@pytest.mark.parametrize("page", PAGES)
def test_nobody_without_a_link_sees_a_visit(visitor, page):
    assert Visitor(visitor.clinic).client.get(url(page)).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_a_visit_are_never_stored_and_a_get_changes_nothing(visitor, page):
    before = list(Appointment.objects.values())
    response = visitor.client.get(url(page))
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    assert list(Appointment.objects.values()) == before


def test_a_revoked_link_shows_nothing_any_more(visitor):
    Link.objects.update(revoked_at=NOW)
    assert visitor.client.get(url()).status_code == 404


@pytest.mark.parametrize("path", ["/visits/nonsense/", "/visits/1/", "/visits/%00/"])
def test_an_address_that_is_no_visit_is_no_error(visitor, path):
    assert visitor.client.get(path).status_code in {400, 404}


# What it shows


def test_the_visit_shows_when_where_who_and_what_to_bring(visitor):
    service, location = visitor.clinic.service, visitor.clinic.location
    service.preparation = "Bring your shoes."
    service.save()
    location.map_url = "https://maps.example/here"
    location.save()
    page = visitor.client.get(url()).content.decode()
    for words in (
        "Wednesday, June 3",
        "9:00 AM – 10:00 AM CDT",
        str(service),
        location.full_address,
        "https://maps.example/here",
        "Bring your shoes.",
        "<bdi>Ana Runner</bdi>",
        "60 min",
        "Add to calendar",
    ):
        assert words in page, words


def test_the_form_is_one_big_button_until_it_is_done(visitor):
    assert "Finish your form" in visitor.client.get(url()).content.decode()
    response = the_visit().intake_response
    response.status = response.Status.COMPLETED
    response.save()
    page = visitor.client.get(url()).content.decode()
    assert "Finish your form" not in page
    assert "We have your form" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("planned", "is on its way. You are booked"),
        ("sending", "is on its way. You are booked"),
        ("unknown", "is on its way. You are booked"),
        ("sent", "We sent the details to"),
        ("failed", "We could not reach you by e-mail"),
        ("skipped", "We could not reach you by e-mail"),
    ],
)
def test_the_page_says_what_became_of_the_mail(visitor, state, words):
    Message.objects.filter(kind="confirmation").update(state=state)
    assert words in visitor.client.get(url()).content.decode()


def test_a_visit_on_safety_hold_keeps_its_time_and_says_to_call(visitor):
    Appointment.objects.update(safety_hold_alert=make_alert(patient=the_visit().patient))
    page = visitor.client.get(url()).content.decode()
    assert "Your time stays yours" in page
    assert "Move</a>" not in page
    assert visitor.client.post(url("cancel/")).status_code == 409


# Confirm


def test_the_patient_says_they_will_come(visitor):
    assert visitor.client.post(url("confirm/"))["Location"] == url()
    assert the_visit().confirmed_at == NOW
    assert "we know you are coming" in visitor.client.get(url()).content.decode()


def test_a_visit_called_off_meanwhile_is_not_confirmed(visitor):
    the_visit().cancel(now=NOW)
    assert visitor.client.post(url("confirm/")).status_code == 302
    assert the_visit().confirmed_at is None


# Cancel


def test_cancelling_frees_the_time_and_owes_one_mail(visitor):
    assert visitor.client.post(url("cancel/"), {"reason": "Travel"})["Location"] == url()
    visit = the_visit()
    assert visit.status == "cancelled"
    assert visit.status_changes.get(to_status="cancelled").reason == "Travel"
    assert Message.objects.filter(kind="cancelled").count() == 1
    assert "This visit is cancelled" in visitor.client.get(url()).content.decode()
    visitor.clinic.book(visit.start)


def test_cancelling_twice_is_done_once_and_ends_on_the_same_page(visitor):
    for _ in range(2):
        assert visitor.client.post(url("cancel/"))["Location"] == url()
    assert visitor.client.get(url("cancel/"))["Location"] == url()
    assert the_visit().status_changes.filter(to_status="cancelled").count() == 1
    assert Message.objects.filter(kind="cancelled").count() == 1


@pytest.mark.parametrize(
    ("before", "status"), [(timedelta(hours=24), 302), (timedelta(hours=24, seconds=-1), 409)]
)
def test_cancelling_ends_a_cutoff_before_the_visit_then_it_is_a_phone_call(visitor, before, status):
    with time_machine.travel(the_visit().start - before, tick=False):
        as_patient(visitor.client, the_visit().patient)
        response = visitor.client.post(url("cancel/"))
    assert response.status_code == status
    if status == 409:
        assert "tel:+1 512 555 0100" in response.content.decode()
        assert the_visit().status == "booked"


def test_after_the_cutoff_the_page_offers_the_phone_instead(visitor):
    with time_machine.travel(the_visit().start - timedelta(hours=3), tick=False):
        as_patient(visitor.client, the_visit().patient)
        page = visitor.client.get(url()).content.decode()
    assert "too late to change this online" in page
    assert url("cancel/") not in page


def test_a_reason_longer_than_the_field_is_said_at_the_field(visitor):
    response = visitor.client.post(url("cancel/"), {"reason": "x" * 201})
    assert response.status_code == 200
    assert "at most 200 characters" in response.content.decode()
    assert the_visit().status == "booked"


# Move


def choose(visitor, new_start, **fields):
    choice = visitor.choice(new_start) | fields
    # The key belongs to bookings; the page of a move has none to post.
    del choice["booking_key"]
    return visitor.client.post(url("move/"), choice)


def test_moving_keeps_the_row_raises_its_sequence_and_owes_one_mail(visitor):
    before = the_visit()
    assert choose(visitor, NINE + timedelta(days=2))["Location"] == url()
    visit = the_visit()
    assert visit.pk == before.pk
    assert visit.start == NINE + timedelta(days=2)
    assert (visit.sequence, visit.moves) == (1, 1)
    assert Message.objects.filter(kind="moved").count() == 1


def test_the_picker_for_a_move_counts_the_own_time_as_free(visitor):
    picker = visitor.client.get(url("move/"), {"day": "2026-06-03"}).context["picker"]
    assert datetime(2026, 6, 3, 9, 15) in {time.local.replace(tzinfo=None) for time in picker.times}
    assert choose(visitor, the_visit().start + timedelta(minutes=15)).status_code == 302


def test_moving_to_a_taken_time_is_409_with_the_nearest_and_the_visit_stays(visitor):
    taken = NINE + timedelta(days=3)
    visitor.clinic.book(taken)
    before = the_patients_visit(visitor).start
    response = visitor.client.post(
        f"/visits/{the_patients_visit(visitor).pk}/move/", visitor.choice(taken)
    )
    assert response.status_code == 409
    assert response.context["nearest"]
    assert the_patients_visit(visitor).start == before
    assert not Message.objects.filter(kind="moved").exists()


def the_patients_visit(visitor):
    return Appointment.objects.get(patient__name="Ana Runner")


@pytest.mark.parametrize("fields", [{"start": "x"}, {"place": "nowhere"}, {"minutes": ""}])
def test_a_malformed_move_changes_nothing(visitor, fields):
    assert choose(visitor, NINE + timedelta(days=2), **fields).status_code == 409
    assert the_visit().moves == 0


def test_after_the_cutoff_a_visit_is_not_moved(visitor):
    with time_machine.travel(the_visit().start - timedelta(hours=3), tick=False):
        as_patient(visitor.client, the_visit().patient)
        assert choose(visitor, NINE + timedelta(days=2)).status_code == 409
    assert the_visit().moves == 0


def test_a_move_is_judged_by_the_safety_answers_of_today(visitor):
    visitor.answer_gate(**URGENT)
    assert choose(visitor, NINE + timedelta(days=2)).status_code == 409
    assert choose(visitor, NINE).status_code == 302


def test_safety_answers_two_weeks_old_are_asked_again_before_a_move(visitor, monkeypatch):
    far = visitor.clinic.book(NINE + timedelta(days=40), patient=the_visit().patient)
    response = the_patients_first_response()
    far.intake_response = response
    far.save()
    page = f"/visits/{far.pk}/move/"
    with time_machine.travel(NOW + timedelta(days=13), tick=False):
        as_patient(visitor.client, far.patient)
        assert visitor.client.get(page).status_code == 200
        # A clinician signs ten days.
        with monkeypatch.context() as signed:
            signed.setattr("booking.visit_pages.visit.SAFETY_ANSWERS_LAST", timedelta(days=10))
            assert visitor.client.get(page)["Location"] == f"/book/safety/?visit={far.pk}"
    with time_machine.travel(NOW + timedelta(days=15), tick=False):
        as_patient(visitor.client, far.patient)
        asked = visitor.client.get(page)["Location"]
        assert asked == f"/book/safety/?visit={far.pk}"


def the_patients_first_response():
    return Appointment.objects.exclude(intake_response=None).get().intake_response


def test_the_gate_before_a_move_leads_back_to_it():
    visitor = Visitor(open_clinic())
    visit = visitor.clinic.book(NINE + timedelta(days=1))
    as_patient(visitor.client, visit.patient)
    assert visitor.client.get(url("move/"))["Location"] == f"/book/safety/?visit={visit.pk}"
    answered = visitor.client.post(f"/book/safety/?visit={visit.pk}", HEALTHY)
    assert answered["Location"] == url("move/")
    assert visitor.client.get(url("move/")).status_code == 200


def test_a_service_that_is_closed_now_is_moved_by_phone():
    visitor = Visitor(open_clinic(slug="massage"))
    visitor.book_all_the_way(NINE + timedelta(days=1))
    visitor.answer_gate(**URGENT)
    response = visitor.client.get(url("move/"))
    assert "this visit has to wait" in response.content.decode()
    assert choose(visitor, NINE).status_code == 200
    assert the_visit().moves == 0


@pytest.mark.parametrize(("cancel_cutoff", "status"), [(None, 409), (2, 302), (48, 409)])
def test_a_service_may_end_cancelling_earlier_or_later_than_moving(visitor, cancel_cutoff, status):
    Service.objects.update(change_cutoff_hours=24, cancel_cutoff_hours=cancel_cutoff)
    before = timedelta(hours=3 if cancel_cutoff != 48 else 30)
    with time_machine.travel(the_visit().start - before, tick=False):
        as_patient(visitor.client, the_visit().patient)
        visitor.answer_gate()
        page = visitor.client.get(url()).text
        assert (url("move/") in page) == (cancel_cutoff == 48)
        assert (url("cancel/") in page) == (cancel_cutoff == 2)
        assert "glad to help you by phone" in page or "too late to change this online" in page
        assert visitor.client.post(url("cancel/")).status_code == status


def test_a_visit_can_be_moved_a_few_times_then_it_is_a_phone_call(visitor):
    for day in (2, 3, 4):
        assert choose(visitor, NINE + timedelta(days=day)).status_code == 302
    page = visitor.client.get(url()).text
    assert "moved this visit a few times already" in page
    assert url("move/") not in page
    assert url("cancel/") in page
    response = choose(visitor, NINE + timedelta(days=5))
    assert response.status_code == 409
    assert "moved this visit a few times already" in response.text
    assert "tel:+1 512 555 0100" in response.text
    assert the_visit().start == NINE + timedelta(days=4)


def test_moves_by_staff_take_none_of_the_patients(visitor):
    visit = the_visit()
    for day in (2, 3, 4, 5):
        visit.move(start=NINE + timedelta(days=day), now=NOW, by=make_user())
    assert choose(visitor, NINE + timedelta(days=6)).status_code == 302


def test_a_visit_cancelled_in_another_tab_is_not_moved(visitor, monkeypatch):
    def cancelled_meanwhile(self, **kwargs):
        raise InvalidTransition

    monkeypatch.setattr(Appointment, "move", cancelled_meanwhile)
    assert choose(visitor, NINE + timedelta(days=2))["Location"] == url()


# Calendar


def test_the_calendar_file_is_neutral_and_carries_the_visit(visitor):
    response = visitor.client.get(url("calendar.ics"))
    assert response["Content-Type"].startswith("text/calendar")
    event = Calendar.from_ical(response.content).walk("VEVENT")[0]
    assert event["uid"] == the_visit().ical_uid
    assert event.decoded("dtstart") == the_visit().start
    assert str(visitor.clinic.service.name) not in response.content.decode()


# My visits


def ask(client, email, **extra):
    return client.post("/my-visits/", {"email": email}, **extra)


def page_words(response):
    return response.content.decode().split("<main")[1].split("</main>")[0]


def test_known_and_unknown_addresses_get_the_same_answer_and_the_same_work(visitor):
    client = Visitor(visitor.clinic).client
    client.get("/my-visits/")
    RateLimit.objects.all().delete()
    answers, queries = [], []
    for email in ("ana@example.org", "nobody@example.org"):
        RateLimit.objects.all().delete()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            answers.append(page_words(ask(client, email)))
        queries.append(len(captured))
    assert answers[0] == answers[1]
    assert "If we know this address" in answers[0]
    assert queries[0] == queries[1]
    owed = Message.objects.filter(kind="my-visits")
    assert [message.patient for message in owed.exclude(patient=None)] == [the_visit().patient]


def test_the_address_is_matched_whatever_its_case_and_each_patient_gets_a_link(visitor):
    make_patient(email="ANA@example.org")
    ask(Visitor(visitor.clinic).client, "Ana@Example.org")
    assert Message.objects.filter(kind="my-visits").count() == 2


def test_asking_for_links_again_and_again_is_429(visitor):
    client = Visitor(visitor.clinic).client
    answers = [ask(client, f"ana{number}@example.org") for number in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[-1]["Retry-After"]


def test_my_visits_lists_what_is_coming_and_what_was(visitor):
    patient = the_visit().patient
    make_appointment(patient=patient, start=NOW - timedelta(days=30), status="fulfilled")
    make_appointment(patient=patient, start=NOW + timedelta(days=9), status="entered-in-error")
    make_appointment(start=NOW + timedelta(days=5))
    response = visitor.client.get("/my-visits/")
    assert len(response.context["coming"]) == 1
    assert len(response.context["past"]) == 1
    assert "no-store" in response.headers["Cache-Control"]


def test_leaving_closes_the_visits_on_this_device(visitor):
    visitor.client.post("/my-visits/", {"leave": ""})
    assert "Ana" not in visitor.client.get("/my-visits/").content.decode()
    assert visitor.client.get(f"/visits/{Appointment.objects.get().pk}/").status_code == 404


@pytest.mark.parametrize(
    "email", ["", "nonsense", "a@b", "ana@example.org\nBcc: all@example.org", "x" * 300 + "@e.org"]
)
def test_an_address_that_is_none_is_named_at_the_field(visitor, email):
    response = ask(Visitor(visitor.clinic).client, email)
    assert response.status_code == 200
    assert response.context["form"].errors["email"]
    assert not Message.objects.filter(kind="my-visits").exists()
