"""Several visits booked, moved and called off together, and the one mail about them."""

from datetime import datetime, time, timedelta
from email import message_from_bytes, policy

import pytest
from django.core import mail
from icalendar import Calendar

from booking.models import Appointment, InvalidTransition, Series, SlotTaken
from clinic.mail import outbox
from clinic.models import Message
from tests.booking.small_clinic import NINE, SmallClinic, minutes
from tests.booking.visitor import as_patient
from tests.factories import NOW, make_appointment, make_patient, make_practice, make_user

pytestmark = pytest.mark.django_db

WEEK = timedelta(weeks=1)


@pytest.fixture
def clinic():
    make_practice()
    clinic = SmallClinic(buffer_after=5)
    clinic.staff = make_user()
    return clinic


def book(clinic, starts=(NINE, NINE + WEEK, NINE + 2 * WEEK), **fields):
    return Series.objects.book(
        **{"patient": make_patient(), "weeks": 1, "now": NOW, "by": clinic.staff}
        | {"service": clinic.service, "location": clinic.location}
        | {"practitioner": clinic.practitioners[0], "starts": starts}
        | fields
    )


def starts(series):
    return [visit.start for visit in series.not_cancelled()]


def test_all_visits_are_booked_with_one_mail_about_them(clinic):
    series = book(clinic)
    assert starts(series) == [NINE, NINE + WEEK, NINE + 2 * WEEK]
    owed = list(Message.objects.values_list("kind", flat=True))
    assert (owed.count("series"), owed.count("confirmation")) == (1, 0)
    assert owed.count("reminder") == 8
    outbox.tick(NOW)
    (sent,) = mail.outbox
    assert sent.subject == "Your visits are booked, the first on Tuesday, June 2, 9:00 AM CDT"
    assert "Visit 3 of 3: Tuesday, June 16, 9:00 AM CDT" in sent.body
    assert str(clinic.service.name) not in sent.body


def test_the_calendar_file_holds_every_visit_under_its_own_uid(clinic):
    series = book(clinic)
    outbox.tick(NOW)
    sent = message_from_bytes(mail.outbox[0].message().as_bytes(), policy=policy.default)
    (part,) = [part for part in sent.walk() if part.get_content_type() == "text/calendar"]
    calendar = Calendar.from_ical(part.get_content())
    assert part.get_param("method") == calendar["METHOD"] == "PUBLISH"
    events = calendar.walk("VEVENT")
    assert [event["UID"] for event in events] == [
        visit.ical_uid for visit in series.not_cancelled()
    ]
    assert [event.decoded("DTSTART") for event in events] == starts(series)


def test_one_that_is_taken_leaves_none_booked_and_nothing_owed(clinic):
    clinic.book(NINE + WEEK + minutes(30))
    before = Message.objects.count()
    with pytest.raises(SlotTaken):
        book(clinic)
    assert not Series.objects.exists()
    assert Appointment.objects.count() == 1
    assert Message.objects.count() == before


def test_a_form_sent_twice_books_one_series(clinic):
    patient = make_patient()
    once, twice = (book(clinic, patient=patient, form_key="k") for _ in range(2))
    assert once == twice
    assert Appointment.objects.count() == 3
    with pytest.raises(SlotTaken):
        book(clinic, form_key="k")


def test_a_visit_knows_its_place_among_those_that_stand(clinic):
    series = book(clinic)
    first, second, third = series.not_cancelled()
    assert series.place_of(second) == (2, 3)
    first.cancel(now=NOW)
    assert series.place_of(second) == (1, 2)
    assert series.place_of(first) is None
    assert series.place_of(third) == (2, 2)


def test_each_visit_is_moved_or_called_off_by_itself_like_any_other(clinic):
    series = book(clinic)
    second = series.not_cancelled()[1]
    second.move(start=second.start + minutes(120), now=NOW, by=clinic.staff)
    second.cancel(now=NOW)
    assert starts(series) == [NINE, NINE + 2 * WEEK]
    kinds = Message.objects.about(second).values_list("kind", flat=True)
    assert {"moved", "cancelled"} <= set(kinds)


def moved_and_taken_back(visit, *, at):
    visit.move(start=visit.start + minutes(120), now=at, by=make_user())
    visit.undo(now=at + minutes(1))
    return list(
        Message.objects.about(visit)
        .filter(kind__in=["confirmation", "moved"], state="planned")
        .values_list("kind", flat=True)
    )


def test_a_move_of_one_that_is_taken_back_says_nothing_the_series_mail_did_not_say(clinic):
    series = book(clinic)
    outbox.tick(NOW)
    assert moved_and_taken_back(series.not_cancelled()[1], at=NOW + minutes(10)) == []


def test_a_move_that_the_series_mail_had_told_of_is_taken_back_with_a_mail(clinic):
    visit = book(clinic).not_cancelled()[1]
    visit.move(start=visit.start + minutes(120), now=NOW, by=clinic.staff)
    outbox.tick(NOW + minutes(1))
    assert "Tuesday, June 9, 11:00 AM" in mail.outbox[0].body
    visit.undo(now=NOW + minutes(2))
    outbox.tick(NOW + minutes(2))
    assert "Tuesday, June 9, 9:00 AM" in mail.outbox[1].body


@pytest.mark.parametrize("by", [WEEK, -WEEK, minutes(30), -minutes(45)])
def test_visits_move_together_even_onto_each_others_places(clinic, by):
    first = NINE + 2 * WEEK
    series = book(clinic, starts=[first + number * WEEK for number in range(3)])
    moved = series.move(
        {visit.pk: visit.start + by for visit in series.not_cancelled()}, now=NOW, by=clinic.staff
    )
    assert moved == 3
    assert starts(series) == [first + number * WEEK + by for number in range(3)]
    assert {visit.sequence for visit in series.not_cancelled()} == {1}


def test_a_move_of_several_into_taken_time_moves_none(clinic):
    series = book(clinic)
    clinic.book(NINE + 2 * WEEK + minutes(90))
    with pytest.raises(SlotTaken):
        series.move(
            {visit.pk: visit.start + minutes(60) for visit in series.not_cancelled()},
            now=NOW,
            by=clinic.staff,
        )
    assert starts(series) == [NINE, NINE + WEEK, NINE + 2 * WEEK]
    assert not Message.objects.filter(kind="moved").exists()


def test_a_move_of_visits_that_are_called_off_or_anothers_is_refused(clinic):
    series = book(clinic)
    stranger = make_appointment()
    with pytest.raises(InvalidTransition):
        series.move({stranger.pk: NINE + 5 * WEEK}, now=NOW, by=clinic.staff)
    visit = series.not_cancelled()[0]
    visit.cancel(now=NOW)
    with pytest.raises(InvalidTransition):
        series.move({visit.pk: NINE + minutes(60)}, now=NOW, by=clinic.staff)


def test_from_one_on_means_it_and_what_follows(clinic):
    series = book(clinic)
    _first, second, third = series.not_cancelled()
    assert list(series.from_here_on(second)) == [second, third]


def test_a_visit_keeps_its_hour_over_a_clock_change(clinic):
    zone = clinic.location.zone
    before = datetime.combine(datetime(2026, 10, 27), time(9), zone)
    after = datetime.combine(datetime(2026, 11, 3), time(9), zone)
    series = book(clinic, starts=[before, after])
    assert [visit.local_start.hour for visit in series.not_cancelled()] == [9, 9]
    assert after.timestamp() - before.timestamp() == WEEK.total_seconds() + 3600


def test_the_visits_page_says_which_of_how_many_and_has_one_file_of_all(client, clinic):
    series = book(clinic)
    visit = series.not_cancelled()[1]
    as_patient(client, series.patient)
    page = client.get(f"/visits/{visit.pk}/").content.decode()
    assert "Visit 2 of 3" in page
    assert page.count(f"/visits/{series.not_cancelled()[2].pk}/") == 1
    file = client.get(f"/visits/{visit.pk}/series.ics")
    assert len(Calendar.from_ical(file.content).walk("VEVENT")) == 3
    lone = clinic.book(NINE + 3 * WEEK, patient=series.patient)
    assert client.get(f"/visits/{lone.pk}/series.ics").status_code == 404
    assert "Visit 1 of" not in client.get(f"/visits/{lone.pk}/").content.decode()
