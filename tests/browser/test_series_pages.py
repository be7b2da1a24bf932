"""A patient plans a series on a phone, and moves the rest of it, in real Chromium."""

from datetime import timedelta

import pytest
from django.utils import timezone

from booking.models import Appointment, Series
from clinic.security.access import hash_token
from intake.models import Questionnaire
from tests import factories as make
from tests.browser.forms import answer, press
from tests.browser.test_booking_pages import check
from tests.intake.filled import FILLED


@pytest.fixture
def seen():
    """A visit that took place a week ago."""
    make.make_practice()
    Questionnaire.objects.publish_shipped(now=timezone.now())
    location = make.make_location(name="Austin")
    practitioner = make.make_practitioner(locations=[location])
    make.make_hours(practitioner, location)
    service = make.make_service(
        slug="pt-followup",
        name="Follow-up",
        is_first_visit=False,
        practitioners=[practitioner],
        tags=[],
    )
    return make.make_appointment(
        service=service,
        practitioner=practitioner,
        location=location,
        patient=make.make_patient(),
        start=timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=7),
        status=Appointment.Status.FULFILLED,
    )


def link(visit):
    """What stands in a mail to the visit's patient."""
    make.make_link(
        patient=visit.patient,
        subject_id=visit.pk,
        message=make.make_message(patient=visit.patient),
        token_hash=hash_token("t" * 43),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return f"/l/{'t' * 43}/"


def test_a_series_is_planned_and_moved_on_pages_that_axe_finds_nothing_on(
    live_server, open_page, seen
):
    page = open_page(width=390, reduced_motion="reduce")
    page.goto(live_server.url + link(seen))
    press(page.get_by_role("link", name="Plan follow-up visits"))
    answer(page, FILLED)
    press(page.get_by_role("button", name="Next"))
    check(page, "the wish")
    answer(page, {"count": "9"})
    press(page.get_by_role("button", name="Show the dates"))
    check(page, "the wish, refused")
    answer(page, {"count": "3", "at": "10:00"})
    press(page.get_by_role("button", name="Show the dates"))
    check(page, "the dates")
    press(page.get_by_role("button", name="Book all of them"))
    assert page.get_by_role("heading", name="Visit 1 of 3").is_visible()
    check(page, "the first visit")
    press(page.get_by_role("link", name="Move this and the following visits"))
    check(page, "the shift")
    answer(page, {"at": "11:00"})
    press(page.get_by_role("button", name="Show the new times"))
    check(page, "the new times")
    press(page.get_by_role("button", name="Move all of them"))
    visits = Series.objects.get().not_cancelled()
    assert [(visit.local_start.hour, visit.moves) for visit in visits] == [(11, 1)] * 3
