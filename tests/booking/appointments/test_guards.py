"""What the database itself refuses, on both engines, however it is written to."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from booking.appointments import guards
from booking.appointments.guards import GUARDS
from booking.models import Appointment
from schedule import rules_triggers
from tests.booking.small_clinic import NINE, minutes
from tests.factories import make_appointment, make_equipment, make_room

PRACTITIONER, ROOM, EQUIPMENT, WITHIN_A_DAY = GUARDS
COLUMNS = [field.column for field in Appointment._meta.fields]


def execute(sql, *params):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def as_stored(value):
    return connection.ops.adapt_datetimefield_value(value)


def insert_copy(visit, **changes):
    """Insert a copy of the visit by hand, past everything that Python holds."""
    copied = {"id": "md5(random()::text)::uuid", "ical_uid": "'another'"} | changes
    if connection.vendor == "sqlite":
        copied["id"] = "lower(hex(randomblob(16)))"
    into = ", ".join(f'"{column}"' for column in COLUMNS)
    values = ", ".join(copied.get(column, f'"{column}"') for column in COLUMNS)
    execute(f"INSERT INTO booking_appointment ({into}) SELECT {values} FROM booking_appointment")
    assert Appointment.objects.exclude(pk=visit.pk).count() == 1


def triggers():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return {name for (name,) in cursor}


@pytest.mark.django_db
@pytest.mark.sqlite
def test_sqlite_has_a_trigger_for_every_guard_and_way_to_write():
    assert triggers() == guards.sqlite_triggers() | rules_triggers.sqlite_triggers()
    assert {f"{guard}_{event}" for guard in GUARDS for event in ("INSERT", "UPDATE")} < triggers()


@pytest.mark.django_db
@pytest.mark.postgresql
def test_postgresql_has_a_constraint_for_every_guard():
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "booking_appointment")
    assert set(GUARDS) <= set(constraints)


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_the_triggers_come_back_after_a_table_was_rebuilt():
    with connection.schema_editor() as schema_editor:
        schema_editor._remake_table(Appointment)
    assert not any(name.startswith("appointment_") for name in triggers())
    call_command("migrate", verbosity=0)
    assert triggers() == guards.sqlite_triggers() | rules_triggers.sqlite_triggers()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("start", "end", "busy_until"), [(-59, 1, 1), (0, 60, 60), (30, 40, 40), (74, 90, 90)]
)
def test_a_practitioners_time_cannot_be_written_twice(start, end, busy_until):
    first = make_appointment(start=NINE, busy_until=NINE + minutes(75))
    with pytest.raises(IntegrityError, match=PRACTITIONER), transaction.atomic():
        make_appointment(
            practitioner=first.practitioner,
            start=NINE + minutes(start),
            end=NINE + minutes(end),
            busy_until=NINE + minutes(busy_until),
        )


@pytest.mark.django_db
@pytest.mark.parametrize(("start", "end"), [(-60, 0), (75, 90)])
def test_visits_that_only_touch_can_be_written(start, end):
    first = make_appointment(start=NINE, busy_until=NINE + minutes(75))
    make_appointment(
        practitioner=first.practitioner, start=NINE + minutes(start), end=NINE + minutes(end)
    )


@pytest.mark.django_db
def test_a_room_cannot_be_written_twice():
    room = make_room()
    make_appointment(room=room)
    with pytest.raises(IntegrityError, match=ROOM), transaction.atomic():
        make_appointment(room=room)
    make_appointment(room=None)
    make_appointment(room=None)


@pytest.mark.django_db
def test_a_piece_of_equipment_cannot_be_written_twice():
    device = make_equipment()
    make_appointment(equipment=device)
    with pytest.raises(IntegrityError, match=EQUIPMENT), transaction.atomic():
        make_appointment(equipment=device)
    make_appointment(equipment=make_equipment())


@pytest.mark.django_db
@pytest.mark.parametrize("status", Appointment.Status)
def test_raw_sql_cannot_copy_a_visit_that_holds_time(status):
    visit = make_appointment(status=status)
    if status in {"cancelled", "noshow", "entered-in-error"}:
        insert_copy(visit)
    else:
        with pytest.raises(IntegrityError, match=PRACTITIONER):
            insert_copy(visit)


@pytest.mark.django_db
def test_raw_sql_can_copy_a_visit_only_with_a_reason_to_overlap():
    insert_copy(make_appointment(), overlap_reason="'twins'")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [
        {"status": "cancelled"},
        {"start": NINE + timedelta(days=1)},
        {"practitioner": None},
        {"overlap_reason": "twins"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_raw_sql_cannot_change_a_visit_into_one_that_overlaps(other):
    visit = make_appointment(start=NINE)
    fields = {"practitioner": visit.practitioner, "start": NINE} | other
    make_appointment(**fields)
    with pytest.raises(IntegrityError, match=PRACTITIONER):
        execute(
            'UPDATE booking_appointment SET status = %s, start = %s, "end" = %s, busy_until = %s, '
            "practitioner_id = %s, overlap_reason = ''",
            "booked",
            as_stored(NINE),
            as_stored(NINE + minutes(60)),
            as_stored(NINE + minutes(60)),
            visit.practitioner_id,
        )


@pytest.mark.django_db
def test_no_visit_is_longer_than_a_day():
    visit = make_appointment(busy_until=NINE + timedelta(days=1))
    with pytest.raises(IntegrityError, match=WITHIN_A_DAY):
        execute(
            "UPDATE booking_appointment SET busy_until = %s",
            as_stored(visit.start + timedelta(days=1, seconds=1)),
        )


@pytest.mark.django_db
@pytest.mark.sqlite
@pytest.mark.parametrize(
    "text", ["2026-06-02T14:00:00", "2026-06-02 14:00:00-05:00", "1780408800", "tomorrow", ""]
)
def test_times_that_could_not_be_compared_as_text_are_refused(text):
    make_appointment(start=NINE)
    with pytest.raises(IntegrityError, match=WITHIN_A_DAY):
        execute("UPDATE booking_appointment SET start = %s", text)
