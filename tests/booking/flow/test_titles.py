"""What staff read at the top of a row's page and wherever else the row is named."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import translation

from clinic.models import Role
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db

EIGHT = datetime(2026, 11, 29, 14, tzinfo=UTC)


def visit_of_dana(**fields):
    patient = make.make_patient(name="Dana Reyes")
    return make.make_appointment(patient=patient, start=EIGHT, **fields)


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Sun, Nov 29, 2026, 8:00 AM, Dana Reyes"),
        ("es", "dom 29 nov 2026, 08:00, Dana Reyes"),
    ],
)
def test_a_visit_is_its_day_time_and_patient_on_the_clock_of_its_place(language, title):
    visit = visit_of_dana()
    with translation.override(language):
        assert str(visit) == title


def test_a_hold_has_no_name_to_say():
    assert str(make.make_appointment(status="pending", start=EIGHT)) == "Sun, Nov 29, 2026, 8:00 AM"


@pytest.mark.parametrize(
    ("kind", "step", "english", "spanish"),
    [
        ("reminder", "2h", "Reminder, 2 hours before", "Recordatorio, 2 horas antes"),
        ("reminder", "7d", "Reminder, 7 days before", "Recordatorio, 7 días antes"),
        ("confirmation", "", "Confirmation", "Confirmación"),
        # What tells the weekly questions apart is a number that says nothing to anybody.
        ("check-in", "3", "Weekly check-in", "Control semanal"),
    ],
)
def test_a_mail_is_named_by_what_it_is_and_how_long_before_the_visit(kind, step, english, spanish):
    message = make.make_message(kind=kind, step=step)
    assert str(message) == english
    with translation.override("es"):
        assert str(message) == spanish


def test_what_belongs_to_a_patient_is_named_after_them():
    patient, service = make.make_patient(name="Dana Reyes"), make.make_service(name="Evaluation")
    for row in (
        make.make_waitlist_entry(patient=patient, service=service),
        make.make_series(patient=patient, service=service),
    ):
        assert str(row) == "Dana Reyes, Evaluation"
    offer = make.make_waitlist_offer(start=EIGHT)
    assert str(offer) == "Sun, Nov 29, 2026, 8:00 AM"
    access = make.make_emergency_access(user=make.make_clinician(), patient=patient)
    assert str(access) == "Dana Reyes"


def test_what_happened_to_a_visit_is_said_in_words():
    visit = visit_of_dana()
    visit.cancel(now=NOW)
    assert str(visit.status_changes.get()) == "Booked → Cancelled"


def test_hours_and_absences_are_said_as_everywhere_else():
    location = make.make_location()
    practitioner = make.make_practitioner(locations=[location])
    (shift,) = make.make_hours(practitioner, location, weekdays=[1])
    assert str(shift) == "Tuesday 8:00 AM – 5:00 PM"
    extra = make.make_extra_hours(practitioner, location)
    assert str(extra) == "Jun 2, 2026, 5:00 PM – 7:00 PM"
    away = make.make_time_off(practitioner, start=NOW, end=NOW + timedelta(days=1))
    assert str(away) == "Jun 1, 2026 – Jun 2, 2026"


PAGE_QUERIES = 16


@pytest.mark.parametrize("visits", [1, 3])
@pytest.mark.parametrize("page", ["patient", "series"])
def test_a_page_with_visits_on_it_takes_as_many_queries_with_three_as_with_one(
    client, django_assert_num_queries, visits, page
):
    make.make_practice()
    make.sign_in(client, make.make_user(role=Role.FRONT_DESK))
    series = make.make_series()
    for day in range(visits):
        make.make_appointment(
            patient=series.patient, series=series, start=NOW + timedelta(days=day)
        )
    row = series if page == "series" else series.patient
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    client.get(url)
    with django_assert_num_queries(PAGE_QUERIES):
        assert client.get(url).status_code == 200
