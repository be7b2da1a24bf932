"""The front desk plans a series, sees every clash before anything is booked, and moves the rest."""

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from booking.models import Appointment, Series
from clinic.models import AuditEvent
from intake.models import Questionnaire
from tests import factories as make
from tests.desk.admin.test_admin import press
from tests.factories import NOW

pytestmark = pytest.mark.django_db

AUSTIN = ZoneInfo("America/Chicago")
TUESDAY = date(2026, 6, 9)


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOW, tick=False):
        yield NOW


@pytest.fixture
def desk(client):
    make.make_practice()
    Questionnaire.objects.publish_shipped(now=NOW)
    client.user = make.make_user()
    client.location = make.make_location()
    client.practitioner = make.make_practitioner(locations=[client.location])
    client.service = make.make_service(practitioners=[client.practitioner])
    client.patient = make.make_patient()
    make.make_hours(client.practitioner, client.location)
    return make.sign_in(client, client.user)


def at(day, hour=9, minute=0):
    return datetime.combine(day, time(hour, minute), AUSTIN).astimezone(UTC)


def wish(desk, **changes):
    return {
        "service": desk.service.pk,
        "location": desk.location.pk,
        "practitioner": desk.practitioner.pk,
        "day": TUESDAY.isoformat(),
        "at": "09:00",
        "count": 3,
        "weeks": 1,
    } | changes


def plan_page(desk, **changes):
    query = urlencode(wish(desk, **changes))
    return f"/admin/booking/series/{desk.patient.pk}/plan/?{query}"


def choices(response, **changes):
    """What the page posts when nothing but ``changes`` is touched."""
    form = response.context["form"]
    posted = {field.html_name: field.value() or "" for _visit, field in form.visits}
    return posted | {"form_key": uuid4().hex, "phone_screen_note": "Hung up"} | changes


def test_the_way_leads_over_the_red_flag_questions_to_the_dates(desk):
    page = "/admin/booking/series/add/"
    answer = desk.post(page, wish(desk) | {"patient": desk.patient.pk, "language": "en"})
    query = urlencode({key: str(value) for key, value in wish(desk, at="09:00:00").items()})
    assert answer["Location"].startswith(f"/admin/booking/series/{desk.patient.pk}/questions/?")
    shown = desk.get(answer["Location"])
    assert shown.context["next_page"].startswith(f"/admin/booking/series/{desk.patient.pk}/plan/")
    assert desk.get(shown.context["next_page"]).status_code == 200
    assert query.split("&")[0] in answer["Location"]


def test_every_date_is_shown_with_its_clash_before_anything_is_booked(desk):
    clash = make.make_appointment(practitioner=desk.practitioner, start=at(TUESDAY, 9, 30))
    response = desk.get(plan_page(desk))
    first, second, third = (visit for visit, _field in response.context["form"].visits)
    assert [first.is_free, second.is_free, third.is_free] == [False, True, True]
    assert {at(TUESDAY, 8, 30), at(TUESDAY, 8, 15)} <= set(first.alternatives)
    assert at(TUESDAY + timedelta(days=1)) in first.alternatives
    assert "not free" in response.content.decode()
    assert list(Appointment.objects.all()) == [clash]


def test_all_are_booked_with_the_alternative_that_was_chosen(desk):
    make.make_appointment(practitioner=desk.practitioner, start=at(TUESDAY, 9, 30))
    page = plan_page(desk)
    shown = desk.get(page)
    answer = desk.post(page, choices(shown))
    assert answer.status_code == 409
    assert "choose another one" in answer.content.decode()
    assert not Series.objects.exists()
    answer = desk.post(page, choices(shown, start_1=at(TUESDAY, 8, 30).isoformat()))
    series = Series.objects.get()
    assert answer["Location"] == f"/admin/booking/series/{series.pk}/change/"
    assert [visit.start for visit in series.not_cancelled()] == [
        at(TUESDAY, 8, 30),
        at(TUESDAY + timedelta(weeks=1)),
        at(TUESDAY + timedelta(weeks=2)),
    ]
    assert {visit.created_by for visit in series.not_cancelled()} == {desk.user}
    created = AuditEvent.objects.get(action="create", subject_type="booking.series")
    assert created.patient_id == desk.patient.pk


def test_a_time_taken_meanwhile_is_shown_again_with_the_other_choices_kept(desk):
    page = plan_page(desk)
    posted = choices(desk.get(page), start_3=at(TUESDAY + timedelta(weeks=2), 10).isoformat())
    make.make_appointment(
        practitioner=desk.practitioner, start=at(TUESDAY + timedelta(weeks=1), 9, 30)
    )
    answer = desk.post(page, posted)
    assert answer.status_code == 409
    form = answer.context["form"]
    assert list(form.errors) == ["start_2"]
    assert form["start_3"].value() == posted["start_3"]
    assert form["phone_screen_note"].value() == "Hung up"
    assert not Series.objects.exists()


def test_a_date_can_be_left_out(desk):
    page = plan_page(desk)
    desk.post(page, choices(desk.get(page), start_2="out"))
    assert Series.objects.get().not_cancelled().count() == 2


def test_visits_of_one_series_do_not_overlap_each_other(desk):
    page = plan_page(desk)
    shown = desk.get(page)
    same = at(TUESDAY, 9, 30).isoformat()
    answer = desk.post(page, choices(shown, start_1=same, start_2="out", start_3="out"))
    assert answer.status_code == 302
    Series.objects.all().delete()
    Appointment.objects.all().delete()
    answer = desk.post(
        page, choices(shown, start_1=same, start_2="out", start_3="out", phone_screen_note="")
    )
    assert "phone_screen_note" in answer.context["form"].errors


def test_a_form_sent_twice_books_once(desk):
    page = plan_page(desk)
    posted = choices(desk.get(page))
    answers = {desk.post(page, posted)["Location"] for _ in range(2)}
    assert len(answers) == Series.objects.count() == 1


def test_it_is_planned_back_from_a_race(desk):
    race = date(2026, 6, 28)
    page = plan_page(desk, race_on=race.isoformat(), count=6, day="2026-06-01")
    response = desk.get(page)
    days = [visit.wall.date() for visit, _field in response.context["form"].visits]
    assert days == [date(2026, 6, day) for day in (2, 9, 16, 23)]
    assert response.context["missing"] == 2
    desk.post(page, choices(response))
    assert Series.objects.get().race_on == race


def test_a_race_that_is_too_near_says_so(desk):
    page = plan_page(desk, race_on="2026-06-03")
    assert "No visit fits before the race" in desk.get(page).content.decode()


def test_an_emergency_stops_the_plan(desk):
    make.make_alert(patient=desk.patient)
    response = desk.get(plan_page(desk))
    assert "form" not in response.context
    assert "Read this out now" in response.content.decode()


@pytest.fixture
def series(desk):
    page = plan_page(desk)
    desk.post(page, choices(desk.get(page)))
    return Series.objects.get()


def move_page(visit, **where):
    page = f"/admin/booking/series/{visit.pk}/move/"
    return f"{page}?{urlencode(where)}" if where else page


def test_this_and_the_following_move_by_as_much_with_clashes_shown_first(desk, series):
    _first, second, third = series.not_cancelled()
    clash = make.make_appointment(
        practitioner=desk.practitioner, start=at(TUESDAY + timedelta(days=15), 14)
    )
    assert desk.get(move_page(second)).context["form"] is None
    page = move_page(second, day="2026-06-17", at="14:00")
    shown = desk.get(page)
    planned = [visit for visit, _field in shown.context["form"].visits]
    assert [visit.wall for visit in planned] == [
        datetime(2026, 6, 17, 14),
        datetime(2026, 6, 24, 14),
    ]
    assert [visit.is_free for visit in planned] == [True, False]
    desk.post(page, choices(shown, start_2=at(date(2026, 6, 24), 15).isoformat()))
    assert [visit.start for visit in series.not_cancelled()] == [
        at(TUESDAY),
        at(date(2026, 6, 17), 14),
        at(date(2026, 6, 24), 15),
    ]
    assert clash.status == third.status == "booked"


def test_a_week_later_the_visits_make_room_for_each_other(desk, series):
    first = series.not_cancelled()[0]
    page = move_page(first, day="2026-06-16", at="09:00")
    shown = desk.get(page)
    assert all(visit.is_free for visit, _field in shown.context["form"].visits)
    desk.post(page, choices(shown))
    assert [visit.local_start.day for visit in series.not_cancelled()] == [16, 23, 30]


def test_visits_that_are_moved_to_where_they_stand_are_left_alone(desk, series):
    page = move_page(series.not_cancelled()[0], day="2026-06-09", at="09:00")
    answer = desk.post(page, choices(desk.get(page)), follow=True)
    assert "The visits are at these times already." in answer.text
    assert {visit.sequence for visit in series.not_cancelled()} == {0}
    assert not AuditEvent.objects.filter(fields=["start"]).exists()


def test_one_may_stay_where_it_is(desk, series):
    _first, second, third = series.not_cancelled()
    page = move_page(second, day="2026-06-17", at="14:00")
    desk.post(page, choices(desk.get(page), start_2="out"))
    third.refresh_from_db()
    second.refresh_from_db()
    assert (second.sequence, third.sequence) == (1, 0)


def test_the_visits_own_page_leads_to_moving_and_cancelling_the_rest(desk, series):
    _first, second, third = series.not_cancelled()
    page = f"/admin/booking/appointment/{second.pk}/change/"
    assert "Visit 2 of 3" in desk.get(page).content.decode()
    answer = press(desk, second, "move_following")
    assert answer["Location"] == move_page(second)
    answer = press(desk, second, "cancel_following")
    desk.post(answer["Location"], {"reason": "Well again"})
    assert series.not_cancelled().count() == 1
    third.refresh_from_db()
    assert third.status == "cancelled"


def test_a_manager_looks_and_does_not_plan(desk, series):
    manager = make.sign_in(desk, make.make_user(role="manager"))
    assert manager.get(f"/admin/booking/series/{series.pk}/change/").status_code == 200
    assert manager.get(plan_page(desk)).status_code == 403


def test_a_manager_looks_at_a_series_and_is_offered_nothing_to_change(desk, series):
    page = f"/admin/booking/series/{series.pk}/change/"
    assert "Move all that is to come" in desk.get(page).content.decode()
    manager = make.sign_in(Client(), make.make_user(role="manager"))
    assert "Move all that is to come" not in manager.get(page).content.decode()


def test_who_booked_it_is_named_without_a_link_to_a_page_that_is_shut(desk, series):
    shown = desk.get(f"/admin/booking/series/{series.pk}/change/").content.decode()
    assert str(desk.user) in shown
    assert f"/admin/clinic/user/{desk.user.pk}/" not in shown
    assert f"/admin/schedule/service/{series.service_id}/" in shown
    Series.objects.update(created_by=None)
    assert desk.get(f"/admin/booking/series/{series.pk}/change/").status_code == 200
