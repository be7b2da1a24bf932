"""Three minutes in which a patient takes back a move or a cancellation."""

from datetime import timedelta

import pytest
import time_machine

from clinic.mail import outbox
from clinic.models import CareTeamMember, Message
from intake.rules.levels import Level
from intake.rules.tags import Tag
from tests.booking.small_clinic import NINE, SmallClinic
from tests.booking.visitor import Visitor, open_clinic, the_visit
from tests.factories import (
    NOW,
    make_alert,
    make_appointment,
    make_equipment,
    make_service,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

AN_HOUR = timedelta(hours=1)


@pytest.fixture
def visitor():
    """Somebody who has just booked, for the day after tomorrow at nine."""
    visitor = Visitor(open_clinic(change_cutoff_hours=24))
    visitor.book_all_the_way(NINE + timedelta(days=1))
    return visitor


def url(page=""):
    return f"/visits/{the_visit().pk}/{page}"


def choose(visitor, new_start, **fields):
    choice = visitor.choice(new_start) | fields
    # The key belongs to bookings; the page of a move has none to post.
    del choice["booking_key"]
    return visitor.client.post(url("move/"), choice)


def undo(visitor):
    return visitor.client.post(url("undo/"))


def test_a_move_is_taken_back_to_the_time_person_and_room_it_had():
    visitor = Visitor(open_clinic(practitioners=2, rooms=2))
    visitor.book_all_the_way(NINE + timedelta(days=1))
    before = the_visit()
    other = next(p for p in visitor.clinic.practitioners if p.pk != before.practitioner_id)
    choose(visitor, NINE + timedelta(days=2), who=other.public_id)
    assert "Undo" in visitor.client.get(url()).text
    assert undo(visitor)["Location"] == url()
    visit = the_visit()
    assert (visit.start, visit.end, visit.busy_until) == (
        before.start,
        before.end,
        before.busy_until,
    )
    assert (visit.practitioner, visit.room) == (before.practitioner, before.room)
    assert (visit.sequence, visit.moves) == (2, 0)
    assert "Undo" not in visitor.client.get(url()).text
    carers = CareTeamMember.objects.filter(patient=visit.patient, until=None)
    assert [member.practitioner for member in carers] == [before.practitioner]


def test_a_move_is_taken_back_to_the_equipment_it_had():
    clinic = SmallClinic(equipment_kind="treadmill")
    first, second = (make_equipment(location=clinic.location) for _ in range(2))
    visit = clinic.book(NINE)
    assert visit.equipment == first
    # At eleven the first one is taken, so the second is used.
    make_appointment(start=NINE + 2 * AN_HOUR, location=clinic.location, equipment=first)
    visit.move(start=NINE + 2 * AN_HOUR, now=NOW)
    assert visit.equipment == second
    visit.undo(now=NOW)
    assert visit.equipment == first


def test_a_cancellation_is_taken_back(visitor):
    visitor.client.post(url("cancel/"))
    assert "Undo" in visitor.client.get(url()).text
    undo(visitor)
    assert the_visit().status == "booked"
    assert "You are booked" in visitor.client.get(url()).text


@pytest.mark.parametrize("how", ["move", "cancel"])
@pytest.mark.parametrize(("after", "is_undone"), [(179, True), (180, False)])
def test_undo_lasts_three_minutes(visitor, how, after, is_undone):
    if how == "move":
        choose(visitor, NINE + timedelta(days=2))
    else:
        visitor.client.post(url("cancel/"))
    changed = the_visit()
    with time_machine.travel(NOW + timedelta(seconds=after), tick=False):
        assert ("Undo" in visitor.client.get(url()).text) == is_undone
        assert undo(visitor).status_code == 302
    assert (the_visit().sequence == changed.sequence + 1) == is_undone


def test_undo_is_a_post_and_pressed_twice_it_is_done_once(visitor):
    visitor.client.post(url("cancel/"))
    assert visitor.client.get(url("undo/")).status_code == 405
    assert [undo(visitor)["Location"] for _ in range(2)] == [url()] * 2
    assert the_visit().sequence == 2


def test_what_staff_changed_is_not_for_the_patient_to_take_back(visitor):
    the_visit().cancel(now=NOW, by=make_user(), reason="Dr. Lee is ill")
    assert "Undo" not in visitor.client.get(url()).text
    undo(visitor)
    assert the_visit().status == "cancelled"


@pytest.mark.parametrize("how", ["move", "cancel"])
def test_a_former_time_that_somebody_took_meanwhile_is_409_with_the_nearest(visitor, how):
    former = the_visit().start
    if how == "move":
        choose(visitor, NINE + timedelta(days=2))
    else:
        visitor.client.post(url("cancel/"))
        visitor.answer_gate()
    changed = the_visit()
    visitor.clinic.book(former)
    response = visitor.client.post(f"/visits/{changed.pk}/undo/")
    assert response.status_code == 409
    assert "Sorry, your former time was just taken" in response.text
    nearest = response.context["nearest"][0]
    assert abs(nearest.local - former) <= AN_HOUR
    changed.refresh_from_db()
    assert changed.status == ("booked" if how == "move" else "cancelled")
    # The page's buttons lead on from there.
    fields = visitor.choice(nearest.local) | {"booking_key": response.context["booking_key"]}
    target = f"/visits/{changed.pk}/move/" if how == "move" else visitor.slots_url
    assert visitor.client.post(target, fields).status_code == 302


def mails_left(visitor):
    outbox.tick(NOW + timedelta(minutes=4))
    return list(
        Message.objects.filter(state="sent").order_by("handed_at").values_list("kind", flat=True)
    )


@pytest.mark.parametrize("how", ["move", "cancel"])
def test_an_undone_change_mails_nothing_however_often(visitor, how):
    outbox.tick(NOW)
    for second in (10, 20):
        with time_machine.travel(NOW + timedelta(seconds=second), tick=False):
            if how == "move":
                choose(visitor, NINE + timedelta(days=2))
            else:
                visitor.client.post(url("cancel/"))
            undo(visitor)
    assert mails_left(visitor) == ["confirmation"]
    assert "We sent the details to" in visitor.client.get(url()).text


def test_a_change_undone_before_anything_was_mailed_still_confirms_the_booking(visitor):
    choose(visitor, NINE + timedelta(days=2))
    undo(visitor)
    assert mails_left(visitor) == ["confirmation"]
    assert Message.objects.get(state="sent").subject_version == the_visit().sequence


def test_a_second_move_undone_leaves_the_first_to_be_told(visitor):
    outbox.tick(NOW)
    with time_machine.travel(NOW + timedelta(seconds=10), tick=False):
        choose(visitor, NINE + timedelta(days=2))
        choose(visitor, NINE + timedelta(days=3))
        undo(visitor)
    assert the_visit().start == NINE + timedelta(days=2)
    assert mails_left(visitor) == ["confirmation", "confirmation"]


def test_a_visit_brought_back_after_an_emergency_was_told_is_on_safety_hold():
    visit = make_appointment(
        start=NOW + timedelta(days=3), service=make_service(tags=[Tag.PAUSED_BY_ALERT])
    )
    visit.cancel(now=NOW, by=make_user())
    alert = make_alert(patient=visit.patient, level=Level.EMERGENCY)
    visit.restore(now=NOW, by=make_user())
    visit.refresh_from_db()
    assert visit.safety_hold_alert == alert
