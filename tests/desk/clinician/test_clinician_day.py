"""The clinician's day: their own visits in order, and who has to be seen soon."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from booking.models import Appointment
from clinic.models import DeskTask
from intake.rules.levels import Level
from intake.workflow.answer_history import CHECK_IN_URL
from tests.desk.clinician.test_clinician import CANARY, make_intake, make_own_patient, summary_url
from tests.factories import (
    NOW,
    make_alert,
    make_appointment,
    make_clinician,
    make_desk_task,
    make_location,
    make_questionnaire,
    make_response,
    make_service,
)

pytestmark = pytest.mark.django_db

QUERIES = 15


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize("visits", [1, 3])
def test_the_day_takes_the_same_queries_however_many_visits_there_are(
    client, clinician, django_assert_num_queries, visits
):
    for number in range(visits):
        patient = make_own_patient(clinician)
        make_appointment(
            patient=patient,
            practitioner=clinician.practitioner,
            start=NOW + dt.timedelta(hours=number + 1),
            intake_response=make_intake(patient),
        )
    with django_assert_num_queries(QUERIES):
        client.get(reverse("clinician_day"))


def visit_for(clinician, **fields):
    patient = fields.pop("patient", None) or make_own_patient(clinician)
    return make_appointment(patient=patient, practitioner=clinician.practitioner, **fields)


def test_the_day_lists_the_clinicians_own_visits_in_order(client, clinician):
    late = visit_for(clinician, start=NOW + dt.timedelta(hours=3))
    early = visit_for(clinician, start=NOW)
    colleague = make_clinician()
    shared = make_own_patient(clinician, name="Seen By Another Today")
    make_appointment(patient=shared, practitioner=colleague.practitioner, start=NOW)
    page = client.get(reverse("clinician_day")).content.decode()
    assert page.index(early.patient.name) < page.index(late.patient.name)
    assert "Seen By Another Today" not in page
    assert summary_url(early.patient) in page


@pytest.mark.parametrize("status", [Appointment.Status.CANCELLED, "entered-in-error"])
def test_visits_that_were_called_off_are_not_listed(client, clinician, status):
    visit = visit_for(clinician, start=NOW, status=status)
    assert visit.patient.name not in client.get(reverse("clinician_day")).content.decode()


def test_a_day_is_the_wall_calendars_at_each_location(client, clinician):
    # At 05:30 UTC on 2 June it is 0:30 in Austin, and still the evening of 1 June in El Paso.
    austin = make_location(time_zone="America/Chicago")
    el_paso = make_location(time_zone="America/Denver")
    at = dt.datetime(2026, 6, 2, 5, 30, tzinfo=dt.UTC)
    short = make_service(durations=[15])
    here = visit_for(clinician, location=austin, service=short, start=at)
    there = visit_for(
        clinician, location=el_paso, service=short, start=at + dt.timedelta(minutes=15)
    )
    first = client.get(reverse("clinician_day"), {"day": "2026-06-01"}).content.decode()
    second = client.get(reverse("clinician_day"), {"day": "2026-06-02"}).content.decode()
    assert there.patient.name in first
    assert here.patient.name not in first
    assert here.patient.name in second
    assert there.patient.name not in second


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_an_odd_day_is_no_error(client, clinician, day):
    assert client.get(reverse("clinician_day"), {"day": day}).status_code == 200


def test_the_day_shows_intake_state_level_and_open_alerts(client, clinician):
    done = visit_for(clinician, start=NOW)
    done.intake_response = make_intake(done.patient)
    done.save()
    begun = visit_for(clinician, start=NOW + dt.timedelta(hours=1))
    begun.intake_response = make_response(patient=begun.patient, level=Level.URGENT)
    begun.save()
    make_alert(patient=begun.patient, level=Level.URGENT)
    visit_for(clinician, start=NOW + dt.timedelta(hours=2))
    page = client.get(reverse("clinician_day")).content.decode()
    for words in ("intake-done", "intake-started", "intake-none", "level-soon", "level-urgent"):
        assert words in page
    assert page.count("Open alert") == 1
    assert CANARY not in page


def test_the_day_says_which_safety_checks_are_unanswered_and_what_came_between_visits(
    client, clinician
):
    open_check = visit_for(clinician, start=NOW + dt.timedelta(hours=2))
    Appointment.objects.filter(pk=open_check.pk).update(created_at=NOW - dt.timedelta(days=9))
    answered = visit_for(clinician, start=NOW + dt.timedelta(hours=3))
    Appointment.objects.filter(pk=answered.pk).update(
        created_at=NOW - dt.timedelta(days=9),
        rescreen_response=make_response(
            patient=answered.patient, status="completed", level=Level.SOON
        ),
    )
    just_booked = visit_for(clinician, start=NOW + dt.timedelta(hours=4))
    check_in = make_questionnaire(url=CHECK_IN_URL)
    make_response(
        patient=just_booked.patient,
        questionnaire=check_in,
        status="completed",
        submitted_at=NOW - dt.timedelta(days=2),
    )
    make_desk_task(kind=DeskTask.Kind.WORSE, patient=just_booked.patient)
    page = " ".join(client.get(reverse("clinician_day")).content.decode().split())
    assert page.count("Safety check unanswered") == 1
    assert "Safety check answered: Soon" in page
    assert "Check-in May 30" in page
    assert page.count("Doing worse") == 1


def test_a_visit_at_level_soon_waits_on_the_worklist_until_it_is_reviewed(client, clinician):
    in_time = visit_for(clinician, start=NOW + dt.timedelta(days=2, hours=2))
    late = visit_for(clinician, start=NOW + dt.timedelta(days=9))
    routine = visit_for(clinician, start=NOW + dt.timedelta(days=3))
    for visit, level in ((in_time, Level.SOON), (late, Level.SOON), (routine, Level.ROUTINE)):
        visit.intake_response = make_response(
            patient=visit.patient, level=level, safety_answered_at=NOW
        )
        visit.save()
    page = client.get(reverse("clinician_day")).content.decode().split("To be seen soon")[1]
    assert in_time.patient.name in page
    assert late.patient.name in page
    assert routine.patient.name not in page
    # Three working days after Monday.
    assert page.count("later than Thu, Jun 4") == 1
    for visit in (in_time, late):
        visit.intake_response.mark_reviewed(by=clinician, now=NOW)
    assert "To be seen soon" not in client.get(reverse("clinician_day")).content.decode()


def test_a_day_without_visits_says_so(client, clinician):
    assert "No visits with you" in client.get(reverse("clinician_day")).content.decode()
