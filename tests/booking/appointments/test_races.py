"""The same form, or the same time, at the same moment: threads against the real database."""

import threading
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db import connections

from booking.models import Appointment, UnconfirmedBooking
from clinic.models import Message, Patient, RateLimit
from clinic.security.rate_limits import UNPROVEN_PER_IP
from intake.models import QuestionnaireResponse
from tests.booking.small_clinic import NINE, minutes
from tests.booking.visitor import Visitor, open_clinic, the_visit
from tests.factories import NOW, make_equipment, make_limit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("frozen_clock")]


def all_at_once(*calls):
    """Run the calls in threads that start together; return their results in order."""
    results, start = [None] * len(calls), threading.Barrier(len(calls))

    def run(number, call):
        start.wait()
        try:
            results[number] = call()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def twin(visitor):
    """The same browser's second request: its cookies, its form key."""
    other = Visitor(visitor.clinic)
    other.client.cookies = visitor.client.cookies.copy()
    other.key = visitor.key
    return other


def test_an_impatient_thumb_books_once_mails_once_and_sees_one_page(visitor):
    visitor.answer_gate()
    visitor.hold()
    answers = all_at_once(*[twin(visitor).book for _ in range(20)])
    assert {answer.status_code for answer in answers} == {302}
    assert {answer["Location"] for answer in answers} == {f"/visits/{the_visit().pk}/"}
    assert Patient.objects.count() == 1
    assert Message.objects.filter(kind="confirmation").count() == 1
    # Counted once too: the other nineteen took nothing of what this network may book.
    full_for = RateLimit.objects.get(key__startswith=UNPROVEN_PER_IP.name).full_until
    RateLimit.objects.all().delete()
    UNPROVEN_PER_IP.hit("a network with one booking", now=NOW)
    assert full_for == RateLimit.objects.get().full_until
    assert QuestionnaireResponse.objects.get().patient == the_visit().patient


def test_going_back_and_sending_the_form_again_shows_the_same_visit_and_mails_once(visitor):
    visitor.answer_gate()
    visitor.hold()
    first = visitor.book()
    for _ in range(3):
        # What the browser kept: the chip of the slot page, then the form of the details.
        assert visitor.hold()["Location"] == first["Location"]
        assert visitor.book(name="Typed Again")["Location"] == first["Location"]
    assert Patient.objects.count() == Appointment.objects.count() == 1
    assert Message.objects.filter(kind="confirmation").count() == 1


def test_a_form_that_asks_for_the_mailbox_sent_many_times_asks_once(visitor):
    clinic = visitor.clinic
    for number in range(2):
        again = Visitor(clinic, client=visitor.client)
        again.client.cookies.pop("grant", None)
        again.book_all_the_way(NINE + timedelta(days=number))
    third = Visitor(clinic, client=visitor.client)
    third.client.cookies.pop("grant", None)
    third.answer_gate()
    third.hold(NINE + timedelta(days=2))
    book = partial(Visitor.book, start=NINE + timedelta(days=2), email="third@example.org")
    answers = all_at_once(*[partial(book, twin(third)) for _ in range(8)])
    assert {answer["Location"] for answer in answers} == {"/book/confirm/"}
    assert UnconfirmedBooking.objects.count() == 1
    assert Message.objects.filter(kind="address-check").count() == 1
    assert Patient.objects.count() == 2

    path = f"/book/confirm/{UnconfirmedBooking.objects.get().token}/"
    pressed = all_at_once(*[partial(Visitor(clinic).client.post, path) for _ in range(8)])
    assert {answer.status_code for answer in pressed} == {302}
    assert len({answer["Location"] for answer in pressed}) == 1
    assert Patient.objects.count() == 3
    assert Message.objects.filter(kind="confirmation").count() == 3


def test_undo_pressed_many_times_at_once_is_done_once(visitor):
    visitor.book_all_the_way(NINE + timedelta(days=2))
    page = f"/visits/{the_visit().pk}/"
    for path, fields in (("move/", visitor.choice(NINE + timedelta(days=3))), ("cancel/", {})):
        before = the_visit()
        visitor.client.post(page + path, fields)
        posts = [partial(twin(visitor).client.post, f"{page}undo/") for _ in range(8)]
        answers = all_at_once(*posts)
        assert {answer["Location"] for answer in answers} == {page}
        after = the_visit()
        assert (after.start, after.status) == (before.start, "booked")
        assert after.sequence == before.sequence + 2


def test_a_chip_tapped_many_times_is_one_hold(visitor):
    visitor.answer_gate()
    answers = all_at_once(*[twin(visitor).hold for _ in range(6)])
    assert {answer["Location"] for answer in answers} == {visitor.details_url}
    assert Appointment.objects.count() == 1


def test_of_many_visitors_who_want_one_time_one_gets_it_and_the_others_are_told(visitor):
    visitors = [Visitor(visitor.clinic) for _ in range(8)]
    for each in visitors:
        each.answer_gate()
    answers = all_at_once(*[each.hold for each in visitors])
    assert sorted(answer.status_code for answer in answers) == [302] + [409] * 7
    assert all(answer.context["nearest"] for answer in answers if answer.status_code == 409)


def test_three_free_practitioners_take_exactly_three():
    clinic = open_clinic(practitioners=3)
    visitors = [Visitor(clinic) for _ in range(8)]
    for each in visitors:
        each.answer_gate()
    answers = all_at_once(*[each.hold for each in visitors])
    assert [answer.status_code for answer in answers].count(302) == 3
    assert len({hold.practitioner_id for hold in Appointment.objects.all()}) == 3


def test_holds_of_one_visitor_sent_at_once_stay_within_the_limit():
    visitor = Visitor(open_clinic(practitioners=8))
    visitor.answer_gate()
    tabs = [twin(visitor) for _ in range(8)]
    for tab in tabs:
        tab.key = uuid4().hex
    answers = all_at_once(*[tab.hold for tab in tabs])
    assert {answer.status_code for answer in answers} <= {302, 429}
    assert Appointment.objects.filter(status="pending").count() <= 3


def test_of_many_who_want_different_times_only_as_many_as_the_limit_get_one():
    clinic = open_clinic(grid_minutes=60)
    make_limit(most=3)
    visitors = [Visitor(clinic) for _ in range(8)]
    for each in visitors:
        each.answer_gate()
    answers = all_at_once(
        *[partial(each.hold, NINE + minutes(60 * hour)) for hour, each in enumerate(visitors)]
    )
    assert [answer.status_code for answer in answers].count(302) == 3
    assert Appointment.objects.count() == 3


def test_two_people_who_need_one_device_at_once_do_not_both_get_it():
    clinic = open_clinic(practitioners=3, equipment_kind="treadmill")
    for _ in range(2):
        make_equipment(location=clinic.location)
    visitors = [Visitor(clinic) for _ in range(6)]
    for each in visitors:
        each.answer_gate()
    answers = all_at_once(*[each.hold for each in visitors])
    assert [answer.status_code for answer in answers].count(302) == 2
    assert len({hold.equipment_id for hold in Appointment.objects.all()}) == 2
