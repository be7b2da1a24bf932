"""What ``Appointment.objects.search`` reads, and that booking agrees with what it offers."""

from datetime import date, datetime, time, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.models import Appointment, SlotTaken
from tests.booking.small_clinic import NINE, SmallClinic, minutes
from tests.factories import (
    NOW,
    make_appointment,
    make_break,
    make_closure,
    make_hours,
    make_limit,
    make_location,
    make_practitioner,
    make_reserved_time,
    make_resource_hours,
    make_room,
    make_service,
    make_time_off,
    make_user,
)

pytestmark = pytest.mark.django_db

TOMORROW = {"since": NINE - timedelta(hours=9), "until": NINE + timedelta(hours=15)}
# Hours 8 to 17, visits of an hour every quarter of an hour, as minutes after nine.
# What reading every rule takes, after one has changed.
RULES = 13
WHOLE_DAY = list(range(-60, 435, 15))


def test_an_empty_day_is_offered_from_opening_to_an_hour_before_closing():
    assert SmallClinic().free(**TOMORROW) == WHOLE_DAY


def test_a_day_may_be_asked_for_on_the_wall_clock():
    clinic = SmallClinic(horizon_days=365)
    day = datetime(2026, 11, 1, tzinfo=clinic.location.zone)
    found = clinic.free(since=day, until=day + timedelta(days=1))
    assert len(found) == len(WHOLE_DAY)


def test_visits_take_their_time_whatever_their_status_says_they_should():
    clinic = SmallClinic(grid_minutes=60)
    where = {"practitioner": clinic.practitioners[0], "service": clinic.service}
    for hour, status in enumerate(Appointment.Status):
        make_appointment(start=NINE + minutes(60 * hour), status=status, **where)
    taken = [
        status
        for hour, status in enumerate(Appointment.Status)
        if 60 * hour not in clinic.free(**TOMORROW)
    ]
    assert taken == ["pending", "booked", "arrived", "fulfilled"]


def test_closures_and_time_off_shut_whom_and_where_they_name():
    clinic, elsewhere = SmallClinic(practitioners=2), make_location()
    away, here = clinic.practitioners
    make_hours(here, elsewhere, opens=time(7), closes=time(8))
    lunch = {"start": NINE + minutes(180), "end": NINE + minutes(240)}

    make_time_off(away, start=NINE + timedelta(days=1), end=NINE + timedelta(days=2))
    make_time_off(away, **lunch)
    assert set(WHOLE_DAY) - set(clinic.free(practitioners=[away], **TOMORROW)) == set(
        range(135, 240, 15)
    )
    assert clinic.free(practitioners=[here], location=clinic.location, **TOMORROW) == WHOLE_DAY

    make_closure(location=elsewhere, start=TOMORROW["since"], end=TOMORROW["until"])
    assert clinic.free(practitioners=[here], **TOMORROW) == WHOLE_DAY
    make_closure(**lunch)
    assert 180 not in clinic.free(**TOMORROW)


def test_hours_count_only_while_they_are_valid():
    clinic = SmallClinic()
    clinic.service.practitioners.set([second := make_practitioner()])
    make_hours(second, clinic.location, weekdays=[1], valid_until=date(2026, 6, 1))
    make_hours(second, clinic.location, weekdays=[1], opens=time(16), valid_from=date(2026, 6, 2))
    assert clinic.free(**TOMORROW) == [420]


@pytest.mark.parametrize("gone", ["practitioner", "location", "room", "service"])
def test_what_is_no_longer_there_is_not_offered(gone):
    clinic = SmallClinic(rooms=1)
    assert clinic.free(**TOMORROW)
    if gone == "service":
        clinic.service.practitioners.clear()
    else:
        row = {
            "practitioner": clinic.practitioners[0],
            "location": clinic.location,
            "room": clinic.rooms[0],
        }[gone]
        row.is_active = False
        row.save()
    assert clinic.free(**TOMORROW) == []


def test_notice_and_horizon_hold_for_patients_only():
    clinic = SmallClinic(min_notice_minutes=120, horizon_days=1, grid_minutes=60)
    days = {"since": NOW, "until": NOW + timedelta(days=3)}
    # Now it is 8:00 on the day before NINE's, and today's 17:00 is closing time.
    assert clinic.free(**days) == [*range(60 - 1440, 480 - 1440, 60)]
    assert len(clinic.free(as_staff=True, **days)) == 3 * 9


def test_a_room_is_busy_with_other_services_and_practitioners_too():
    clinic = SmallClinic(rooms=1)
    make_appointment(room=clinic.rooms[0], start=NINE)
    assert 0 not in clinic.free(**TOMORROW)
    make_room(location=clinic.location, kind="massage")
    assert 0 not in clinic.free(**TOMORROW)
    make_room(location=clinic.location)
    assert 0 in clinic.free(**TOMORROW)


def test_the_time_of_a_visit_about_to_move_counts_as_free():
    clinic = SmallClinic()
    visit = clinic.book()
    assert 15 not in clinic.free(**TOMORROW)
    assert clinic.free(moving=visit, **TOMORROW) == WHOLE_DAY


def test_starts_come_soonest_first_with_whom_and_where():
    clinic = SmallClinic(practitioners=2)
    first, second = clinic.practitioners
    clinic.book(practitioner=first)
    found = Appointment.objects.search(
        clinic.service, since=NINE, until=NINE + minutes(61), now=NOW
    ).starts()
    assert found == [
        *((NINE + minutes(m), second.pk, clinic.location.pk) for m in (0, 15, 30, 45)),
        *((NINE + minutes(60), pk, clinic.location.pk) for pk in (first.pk, second.pk)),
    ]


@pytest.mark.parametrize("rooms", [0, 2])
def test_two_queries_find_the_starts_and_none_more_for_anything_that_grows(
    django_assert_num_queries, rooms
):
    clinic = SmallClinic(practitioners=1, rooms=rooms)
    with django_assert_num_queries(2 + RULES):
        clinic.free(**TOMORROW)
    with django_assert_num_queries(2):
        clinic.free(**TOMORROW)

    for location in (clinic.location, make_location(time_zone="America/Denver")):
        for _ in range(3):
            practitioner = make_practitioner()
            clinic.service.practitioners.add(practitioner)
            make_hours(practitioner, location)
            make_time_off(practitioner, start=NINE, end=NINE + minutes(5))
            make_break(practitioner, location)
            make_reserved_time(practitioner, location)
            make_limit(practitioner=practitioner, most=50)
        make_closure(location=location, start=NINE, end=NINE + minutes(5))
        make_resource_hours(room=make_room(location=location))
    for day in range(30):
        clinic.book(NINE + timedelta(days=day, hours=2))
    with django_assert_num_queries(2):
        assert len(clinic.free(until=NOW + timedelta(days=30))) > 5000


QUARTERS = st.integers(-8, 16).map(lambda quarter: NINE + minutes(15 * quarter))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    taken=st.lists(st.tuples(QUARTERS, st.sampled_from(Appointment.Status)), max_size=6),
    shut=st.lists(st.tuples(QUARTERS, st.sampled_from([15, 60, 120])), max_size=2),
    service=st.fixed_dictionaries(
        {
            "durations": st.sampled_from([[15], [30], [60], [90]]),
            "buffer_before": st.sampled_from([0, 10]),
            "buffer_after": st.sampled_from([0, 5, 20]),
            "grid_minutes": st.sampled_from([10, 15, 30]),
            "min_notice_minutes": st.sampled_from([0, 1600]),
        }
    ),
    rooms=st.integers(0, 1),
    lapsed=st.booleans(),
    is_named=st.booleans(),
)
def test_what_is_offered_is_what_can_be_held(taken, shut, service, rooms, lapsed, is_named):
    with transaction.atomic():
        clinic = SmallClinic(rooms=rooms, closes=time(12), **service)
        where = {
            "practitioner": clinic.practitioners[0],
            "location": clinic.location,
            "room": clinic.rooms[0] if rooms else None,
        }
        other = make_service(buffer_before=15, durations=[45], buffer_after=10)
        for start, status in taken:
            make_appointment(
                start=start, status=status, service=other, overlap_reason="as it is", **where
            )
        for start, length in shut:
            make_closure(start=start, end=start + minutes(length))
        now = NOW + minutes(20) if lapsed else NOW
        named = clinic.practitioners[0] if is_named else None

        offered = set(clinic.free(now=now, **TOMORROW))
        held = set()
        for minute in range(-75, 200, 5):
            try:
                with transaction.atomic():
                    clinic.hold(NINE + minutes(minute), now=now, practitioner=named)
                    held.add(minute)
                    raise Undone
            except (SlotTaken, Undone):
                pass
        assert held == offered
        transaction.set_rollback(True)


class Undone(Exception):
    """Rolls back a hold that was only tried."""


def test_staff_are_offered_what_they_can_book():
    clinic, staff = SmallClinic(min_notice_minutes=3000), make_user()
    clinic.book(NINE + minutes(60), by=staff)
    offered = set(clinic.free(as_staff=True, **TOMORROW))
    for minute in WHOLE_DAY:
        try:
            with transaction.atomic():
                clinic.book(NINE + minutes(minute), by=staff)
                assert minute in offered
                raise Undone
        except SlotTaken:
            assert minute not in offered
        except Undone:
            pass
