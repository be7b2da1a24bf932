"""Each rule of a clinic about its time, through the door that patients and staff go through."""

from datetime import date, time, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from booking.appointments.reservation import ReservationRequest, reserve
from booking.models import Appointment, SlotTaken
from clinic.models import Practitioner
from intake.rules.levels import Level
from schedule import rules
from schedule.rules import Rulebook
from schedule.rules_triggers import RULE_TABLES
from schedule.search import ObstacleRule
from tests.booking.small_clinic import NINE, SmallClinic, minutes
from tests.factories import (
    NOW,
    make_appointment,
    make_break,
    make_closure,
    make_equipment,
    make_extra_hours,
    make_hours,
    make_limit,
    make_patient,
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
# NINE is a Tuesday's; its week ends the day before this.
NEXT_MONDAY = NINE + timedelta(days=6)


@pytest.fixture
def clinic():
    """Open from 8 to 17 on every day; starts on the hour, in minutes after nine."""
    return SmallClinic(grid_minutes=60)


def here(clinic):
    return clinic.practitioners[0], clinic.location


def said(clinic, start=NINE, **fields):
    fields.setdefault("now", NOW)
    search = Appointment.objects.search(clinic.service, since=start, **fields)
    found = search.why_not(clinic.practitioners[0], clinic.location)
    return [obstacle.rule for obstacle in found]


WHOLE_DAY = list(range(-60, 480, 60))


def test_a_weekly_break_lies_in_no_visit(clinic):
    make_break(*here(clinic), opens=time(12), closes=time(12, 30))
    assert set(WHOLE_DAY) - set(clinic.free(**TOMORROW)) == {180}
    make_break(*here(clinic), weekday=2)
    make_break(*here(clinic), opens=time(8), closes=time(9), valid_until=date(2026, 6, 1))
    assert set(WHOLE_DAY) - set(clinic.free(**TOMORROW)) == {180}


def test_extra_hours_open_one_day_only(clinic):
    make_extra_hours(*here(clinic), opens=time(17, 30), closes=time(19, 30))
    assert set(clinic.free(**TOMORROW)) - set(WHOLE_DAY) == {510, 570}
    a_week_later = {edge: at + timedelta(days=7) for edge, at in TOMORROW.items()}
    assert len(clinic.free(**a_week_later)) == len(WHOLE_DAY)


def test_a_holiday_closes_the_day_unless_it_is_kept_open(clinic):
    christmas = NINE.replace(month=12, day=24)
    days = {"since": christmas, "until": christmas + timedelta(days=3), "as_staff": True}
    assert len(clinic.free(**days)) == 3 * len(WHOLE_DAY)

    clinic.location.holiday_country = "US"
    clinic.location.save()
    closed = len(clinic.free(**days))
    assert closed == 2 * len(WHOLE_DAY)
    on_the_day = christmas + timedelta(days=1)
    assert ObstacleRule.HOLIDAY in said(clinic, on_the_day, as_staff=True)

    clinic.location.holidays_kept_open = ["Christmas Day"]
    clinic.location.save()
    assert len(clinic.free(**days)) == closed + len(WHOLE_DAY)


def test_one_piece_of_equipment_serves_one_visit_at_a_time():
    clinic = SmallClinic(practitioners=2, grid_minutes=60, equipment_kind="treadmill")
    assert clinic.free(**TOMORROW) == []
    device = make_equipment(location=clinic.location)
    first = clinic.hold()
    assert first.equipment == device
    assert 0 not in clinic.free(**TOMORROW)
    with pytest.raises(SlotTaken):
        clinic.hold(visitor="w")
    second = make_equipment(location=clinic.location)
    assert clinic.hold(visitor="w").equipment == second


def test_a_room_is_chosen_that_can_be_used_at_that_time():
    clinic = SmallClinic(practitioners=2, rooms=2, grid_minutes=60)
    morning, always = clinic.rooms
    make_resource_hours(room=morning, opens=time(8), closes=time(10, 30))
    assert clinic.hold().room == morning
    assert clinic.hold(visitor="w").room == always
    # At ten the first would have to be left half an hour before the end.
    assert clinic.hold(NINE + minutes(60), visitor="x").room == always
    with pytest.raises(SlotTaken):
        clinic.hold(NINE + minutes(60), visitor="y")
    assert clinic.free(**TOMORROW).count(60) == 0


def test_staff_use_a_room_out_of_its_hours_only_when_no_other_is_free():
    clinic = SmallClinic(rooms=1)
    make_resource_hours(room=clinic.rooms[0], opens=time(8), closes=time(9))
    staff = make_user()
    with pytest.raises(SlotTaken):
        clinic.book(by=staff)
    named = {"practitioner": clinic.practitioners[0], "outside_hours": True}
    assert clinic.book(by=staff, **named).room == clinic.rooms[0]


@pytest.mark.parametrize("period", [1, 7])
def test_a_limit_counts_days_or_weeks_of_one_practitioner_whatever_the_place(clinic, period):
    make_limit(practitioner=clinic.practitioners[0], most=2, period=period)
    make_appointment(practitioner=clinic.practitioners[0], start=NINE)
    # Somebody else's, one that was cancelled and one of last week do not count.
    make_appointment(start=NINE)
    make_appointment(practitioner=clinic.practitioners[0], start=NINE, status="cancelled")
    make_appointment(practitioner=clinic.practitioners[0], start=NINE - timedelta(days=2))
    assert 60 in clinic.free(**TOMORROW)
    make_appointment(
        practitioner=clinic.practitioners[0],
        start=NINE + minutes(180) if period == 1 else NINE + timedelta(days=2),
    )
    assert clinic.free(**TOMORROW) == []
    assert said(clinic, NINE + minutes(60)) == [ObstacleRule.LIMIT]
    for day, is_free in ((NINE + timedelta(days=5), period == 1), (NEXT_MONDAY, True)):
        found = clinic.free(since=day, until=day + minutes(1), now=NOW)
        assert bool(found) == is_free, day


def test_a_limit_of_one_service_leaves_the_others_free(clinic):
    make_limit(service=clinic.service, most=1)
    other = make_service(practitioners=clinic.practitioners, grid_minutes=60)
    clinic.hold()
    assert clinic.free(**TOMORROW) == []
    clinic.service = other
    assert set(WHOLE_DAY) - set(clinic.free(**TOMORROW)) == {0}


def test_a_limit_is_looked_at_again_under_the_lock(clinic):
    """Two were offered the last visit of the day: the second to come finds it gone."""
    make_limit(most=1)
    start, end = NINE + minutes(120), NINE + minutes(180)
    request = ReservationRequest(
        service=clinic.service,
        practitioner_id=clinic.practitioners[0].pk,
        location_id=clinic.location.pk,
        start=start,
        end=end,
        busy_until=end,
        buffer_before=0,
        room_id=None,
        equipment_id=None,
        may_overlap=False,
    )

    @transaction.atomic
    def ask(**fields):
        return reserve(request, Appointment.objects.all(), now=NOW, **fields)

    assert ask() == (None, None, [])
    clinic.hold(visitor="w")
    with pytest.raises(SlotTaken):
        ask()
    assert ask(as_staff=True) == (None, None, [])


def test_staff_may_book_more_than_the_limit_and_patients_may_move_within_it(clinic):
    make_limit(most=1)
    visit = clinic.book()
    with pytest.raises(SlotTaken):
        clinic.book(NINE + minutes(120))
    clinic.book(NINE + minutes(120), by=make_user())
    visit.cancel(now=NOW)
    assert clinic.free(**TOMORROW) == []
    last = Appointment.objects.get(status="booked")
    assert clinic.free(moving=last, **TOMORROW) == WHOLE_DAY
    last.move(start=NINE, now=NOW)
    assert last.start == NINE


def test_a_reserved_time_waits_for_its_level_until_it_is_released(clinic):
    make_reserved_time(*here(clinic), release_hours=4)
    everybody_but = {"since": TOMORROW["since"], "until": TOMORROW["until"]}
    assert set(WHOLE_DAY) - set(clinic.free(**everybody_but)) == {0}
    assert set(WHOLE_DAY) - set(clinic.free(level=Level.SOON, **everybody_but)) == {0}
    assert clinic.free(level=Level.URGENT, **everybody_but) == WHOLE_DAY
    assert clinic.free(as_staff=True, **everybody_but) == WHOLE_DAY
    assert said(clinic) == [ObstacleRule.RESERVED]

    released = NINE - timedelta(hours=4)
    assert 0 not in clinic.free(now=released - minutes(1), **everybody_but)
    assert 0 in clinic.free(now=released, **everybody_but)


def test_a_reserved_time_is_not_eaten_by_a_long_visit_before_it(clinic):
    clinic.service.grid_minutes = 15
    clinic.service.save()
    make_reserved_time(*here(clinic), opens=time(10), closes=time(11), level=Level.SOON)
    gone = set(range(15, 120, 15))
    assert not gone & set(clinic.free(**TOMORROW))
    assert gone <= set(clinic.free(level=Level.SOON, **TOMORROW))


def test_only_a_patient_of_the_level_can_take_a_reserved_time(clinic):
    make_reserved_time(*here(clinic))
    visit = clinic.book(NINE + minutes(120))
    for take in (
        clinic.hold,
        clinic.book,
        lambda start=NINE, **fields: visit.move(start=start, now=NOW, **fields),
    ):
        with pytest.raises(SlotTaken):
            take()
    visit.move(start=NINE, now=NOW, level=Level.URGENT)
    visit.cancel(now=NOW)
    hold = clinic.hold(level=Level.URGENT)
    hold.book(patient=make_patient(), now=NOW)
    assert hold.status == "booked"
    hold.cancel(now=NOW)
    clinic.book(by=make_user())


def test_among_those_free_the_one_with_the_emptier_day_and_then_week_is_asked_first():
    clinic = SmallClinic(practitioners=3)
    first, second, third = clinic.practitioners
    make_appointment(practitioner=first, start=NINE + timedelta(days=2))
    make_appointment(practitioner=second, start=NINE + minutes(120))
    # Last week's visits do not count.
    make_appointment(practitioner=third, start=NINE - timedelta(days=3))
    assert clinic.hold().practitioner == third
    assert clinic.hold(visitor="w").practitioner == first
    assert clinic.hold(visitor="x").practitioner == second


def test_every_rule_in_the_way_is_named_with_its_row(clinic):
    practitioner, location = here(clinic)
    clinic.service.room_kind = "gait"
    clinic.service.equipment_kind = "treadmill"
    clinic.service.save()
    rows = {
        ObstacleRule.BREAK: make_break(practitioner, location, opens=time(9), closes=time(10)),
        ObstacleRule.RESERVED: make_reserved_time(practitioner, location),
        ObstacleRule.CLOSURE: make_closure(start=NINE, end=NINE + minutes(60)),
        ObstacleRule.TIME_OFF: make_time_off(practitioner, start=NINE, end=NINE + minutes(60)),
        ObstacleRule.LIMIT: make_limit(most=1),
        ObstacleRule.VISIT: make_appointment(practitioner=practitioner, start=NINE + minutes(30)),
    }
    search = Appointment.objects.search(clinic.service, since=NINE, now=NOW)
    found = search.why_not(practitioner, location)
    named = {obstacle.rule: obstacle.row for obstacle in found}
    assert {rule: row for rule, row in named.items() if rule in rows} == {
        rule: row.pk for rule, row in rows.items()
    }
    assert set(named) - set(rows) == {ObstacleRule.ROOM, ObstacleRule.EQUIPMENT}


def test_what_is_wrong_with_the_hour_is_told_apart(clinic):
    clinic.service.min_notice_minutes, clinic.service.horizon_days = 120, 10
    clinic.service.save()
    assert said(clinic) == []
    assert said(clinic, NINE + minutes(7)) == [ObstacleRule.GRID]
    assert said(clinic, NINE + minutes(600)) == [ObstacleRule.HOURS]
    assert said(clinic, NINE + minutes(420), duration=90) == [ObstacleRule.TOO_LONG]
    assert said(clinic, NOW + minutes(60)) == [ObstacleRule.NOTICE]
    assert said(clinic, NINE + timedelta(days=20)) == [ObstacleRule.HORIZON]
    assert said(clinic, NINE + timedelta(days=20), as_staff=True) == []


def test_nothing_is_said_exactly_when_the_start_is_free():
    clinic = SmallClinic(rooms=1, min_notice_minutes=60, buffer_before=10, buffer_after=5)
    practitioner, location = here(clinic)
    make_break(practitioner, location)
    make_reserved_time(practitioner, location, opens=time(15), closes=time(16))
    make_extra_hours(practitioner, location)
    make_limit(most=4)
    clinic.book(NINE + minutes(75))
    clinic.hold(NINE + minutes(300))
    make_appointment(room=clinic.rooms[0], start=NINE + minutes(420))
    for level in (Level.ROUTINE, Level.URGENT):
        offered = set(clinic.free(level=level, **TOMORROW))
        assert offered
        for minute in range(-120, 660, 5):
            assert (minute in offered) == (not said(clinic, NINE + minutes(minute), level=level))


def test_exactly_the_tables_that_are_read_tell_of_their_changes():
    with CaptureQueriesContext(connection) as captured:
        Rulebook.read()
    read = {query["sql"].partition('FROM "')[2].partition('"')[0] for query in captured}
    assert read == set(RULE_TABLES)


@pytest.mark.parametrize("table", RULE_TABLES)
def test_a_change_of_any_rule_is_seen_however_it_was_made(clinic, table):
    practitioner, location = here(clinic)
    make_break(practitioner, location)
    make_reserved_time(practitioner, location)
    make_extra_hours(practitioner, location)
    make_limit()
    make_closure(start=NINE, end=NINE + minutes(1))
    make_time_off(practitioner, start=NINE, end=NINE + minutes(1))
    make_resource_hours(room=make_room(location=location), weekdays=[1])
    make_equipment(location=location)
    known = rules.current()
    assert rules.current() is known
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET id = id")
    assert rules.current() is not known


def test_rules_of_a_transaction_that_is_taken_back_are_forgotten(clinic):
    rules.current()
    with transaction.atomic():
        Practitioner.objects.update(is_active=False)
        assert clinic.free(**TOMORROW) == []
        transaction.set_rollback(True)
    assert clinic.free(**TOMORROW) == WHOLE_DAY
    with transaction.atomic():
        Practitioner.objects.update(is_active=False)
        assert clinic.free(**TOMORROW) == []
        transaction.set_rollback(True)


def test_a_practitioner_who_is_added_to_the_service_is_seen_at_once(clinic):
    rules.current()
    other = make_practitioner()
    make_hours(other, clinic.location)
    clinic.service.practitioners.add(other)
    assert clinic.free(**TOMORROW).count(0) == 2
