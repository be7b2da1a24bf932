"""The front desk's buttons: what each does to a row, and what it says with nothing to do."""

import re

import pytest
from django.utils import timezone

from booking.models import StatusChange
from tests import factories as make
from tests.desk.admin.test_admin import Status, audited, choose, in_days, press

pytestmark = pytest.mark.django_db


@pytest.fixture
def front_desk(client):
    make.make_practice()
    client.user = make.make_user()
    return make.sign_in(client, client.user)


def said(front_desk, response):
    """What the page says that the button led to."""
    return [str(message) for message in front_desk.get(response["Location"]).context["messages"]]


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("mark_arrived", Status.ARRIVED),
        ("fulfil", Status.FULFILLED),
        ("mark_no_show", Status.NOSHOW),
    ],
)
@pytest.mark.parametrize("act", [press, choose])
def test_a_button_changes_the_status_and_says_who(front_desk, act, action, status):
    visit = make.make_appointment(start=in_days(0))
    act(front_desk, visit if act is press else [visit], action)
    visit.refresh_from_db()
    assert visit.status == status
    change = StatusChange.objects.get(appointment=visit)
    assert (change.by, change.to_status) == (front_desk.user, status)
    assert audited("change") == [("booking.appointment", ["status"])]


def test_a_button_that_comes_too_late_says_so_and_changes_the_others(front_desk):
    late = make.make_appointment(start=in_days(0), status=Status.CANCELLED)
    other = make.make_appointment(start=in_days(0))
    response = choose(front_desk, [late, other], "mark_arrived")
    other.refresh_from_db()
    late.refresh_from_db()
    assert (late.status, other.status) == (Status.CANCELLED, Status.ARRIVED)
    done, refused = said(front_desk, response)
    assert done == "1 visit: Arrived."
    assert refused.startswith("Not changed:")
    assert "Cancelled" in refused


@pytest.mark.parametrize("action", ["mark_arrived", "fulfil", "mark_no_show"])
def test_a_visit_that_lies_ahead_is_named_and_left_as_it_is(front_desk, action):
    patient = make.make_patient(name="Dana Reyes")
    ahead = make.make_appointment(start=in_days(2), patient=patient)
    response = choose(front_desk, [ahead], action)
    ahead.refresh_from_db()
    assert ahead.status == Status.BOOKED
    (refused,) = said(front_desk, response)
    assert re.fullmatch(r"Not changed: .+, Dana Reyes: it is still to come\.", refused)


def test_a_button_with_nothing_to_do_says_so(front_desk):
    visit = make.make_appointment(start=in_days(1), status=Status.CANCELLED)
    alert = make.make_alert(acknowledged_at=timezone.now(), booking_reopened_at=timezone.now())
    task = make.make_desk_task(patient=visit.patient)
    task.finish(by=front_desk.user, now=timezone.now())
    for row, action, words in (
        (visit, "release_safety_hold", "Not on safety hold."),
        (visit, "resend_mail", "Nothing to send: no booked visit with an e-mail address."),
        (alert, "acknowledge", "Acknowledged already."),
        (alert, "reopen_booking", "Booking is open already."),
        (task, "mark_done", "Done already."),
    ):
        assert said(front_desk, press(front_desk, row, action)) == [words]
