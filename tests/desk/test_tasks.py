from datetime import timedelta

import pytest
from django.utils import timezone

from booking.models import Appointment
from desk import tasks
from intake.models import QuestionnaireResponse
from tests.factories import make_alert, make_appointment, make_patient, make_response

pytestmark = pytest.mark.django_db


def test_the_sweep_deletes_holds_that_ran_out_and_nothing_else():
    now = timezone.now()
    start = now + timedelta(days=1)
    lapsed, live = (
        make_appointment(status="pending", start=start, held_until=now + timedelta(minutes=minutes))
        for minutes in (-1, 10)
    )
    booked = make_appointment(start=start)
    tasks.sweep()

    assert set(Appointment.objects.all()) == {live, booked}
    assert lapsed not in Appointment.objects.all()


def test_the_sweep_deletes_day_old_answers_of_visitors_who_neither_booked_nor_raised_an_alert():
    old, fresh, alerting = (make_response() for _ in range(3))
    booked = make_response(patient=make_patient())
    make_alert(response=alerting)
    long_ago = timezone.now() - timedelta(hours=25)
    QuestionnaireResponse.objects.exclude(pk=fresh.pk).update(updated_at=long_ago)
    tasks.sweep()

    assert set(QuestionnaireResponse.objects.all()) == {fresh, alerting, booked}
    assert old not in QuestionnaireResponse.objects.all()
