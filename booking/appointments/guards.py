"""Database guards that refuse overlapping visits: the last of three layers.

``Appointment`` locks, checks and then writes. Whatever does not go through it (raw SQL, a shell, a
bug) is refused by the database with an IntegrityError that names one of the GUARDS. A visit counts
from ``start`` to ``busy_until``; one with a reason to overlap does not count.

PostgreSQL has constraints for this. SQLite has triggers, and loses them whenever Django rebuilds
the table, so they are created again after every migrate.
"""

from typing import Any

from django.apps import AppConfig
from django.db import connections, transaction

from booking.appointments.status import HOLDS_TIME

GUARDS = (
    "appointment_practitioner_no_overlap",
    "appointment_room_no_overlap",
    "appointment_equipment_no_overlap",
    "appointment_within_a_day",
)

STATUSES = ", ".join(f"'{status.value}'" for status in HOLDS_TIME)

POSTGRESQL = f"""
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE booking_appointment
ADD CONSTRAINT appointment_practitioner_no_overlap
    EXCLUDE USING gist (practitioner_id WITH =, tstzrange("start", busy_until) WITH &&)
    WHERE (status IN ({STATUSES}) AND overlap_reason = ''),
ADD CONSTRAINT appointment_room_no_overlap
    EXCLUDE USING gist (room_id WITH =, tstzrange("start", busy_until) WITH &&)
    WHERE (status IN ({STATUSES}) AND overlap_reason = ''),
ADD CONSTRAINT appointment_equipment_no_overlap
    EXCLUDE USING gist (equipment_id WITH =, tstzrange("start", busy_until) WITH &&)
    WHERE (status IN ({STATUSES}) AND overlap_reason = ''),
ADD CONSTRAINT appointment_within_a_day
    CHECK (busy_until - "start" <= interval '24 hours');
"""

# Times are compared as the text that Django writes, so another way to write one is refused too.
# An overlapping visit began at most a day before. Without this limit each write reads all the past.
SQLITE = """
CREATE TRIGGER {guard}_{event} BEFORE {event} ON booking_appointment WHEN {condition}
BEGIN SELECT RAISE(ABORT, '{guard}'); END;
"""
SQLITE_OVERLAP = """
    NEW.status IN ({statuses}) AND NEW.overlap_reason = ''
    AND EXISTS (
        SELECT 1 FROM booking_appointment AS other
        WHERE other.{column} = NEW.{column} AND other.id <> NEW.id
        AND other.start < NEW.busy_until AND other.busy_until > NEW.start
        AND other.start >= datetime(NEW.start, '-1 day')
        AND other.status IN ({statuses})
        AND other.overlap_reason = ''
    )
"""
SQLITE_CONDITIONS = {
    "appointment_practitioner_no_overlap": SQLITE_OVERLAP.format(
        column="practitioner_id", statuses=STATUSES
    ),
    "appointment_room_no_overlap": SQLITE_OVERLAP.format(column="room_id", statuses=STATUSES),
    "appointment_equipment_no_overlap": SQLITE_OVERLAP.format(
        column="equipment_id", statuses=STATUSES
    ),
    "appointment_within_a_day": """
        strftime('%s', NEW.busy_until) - strftime('%s', NEW.start) > 86400
        OR strftime('%Y-%m-%d %H:%M:%S', NEW.start) IS NOT substr(NEW.start, 1, 19)
        OR strftime('%Y-%m-%d %H:%M:%S', NEW.busy_until) IS NOT substr(NEW.busy_until, 1, 19)
    """,
}


def create_sql(vendor: str) -> list[str]:
    """Return the statements that create the guards on a database that has none."""
    if vendor == "postgresql":
        return [POSTGRESQL]
    return [
        SQLITE.format(guard=guard, event=event, condition=condition)
        for guard, condition in SQLITE_CONDITIONS.items()
        for event in ("INSERT", "UPDATE")
    ]


def drop_sql(vendor: str) -> list[str]:
    """Return the statements that remove the guards."""
    if vendor == "postgresql":
        return [f"ALTER TABLE booking_appointment DROP CONSTRAINT {guard}" for guard in GUARDS]
    return [f"DROP TRIGGER IF EXISTS {name}" for name in sorted(sqlite_triggers())]


def sqlite_triggers() -> set[str]:
    return {f"{guard}_{event}" for guard in GUARDS for event in ("INSERT", "UPDATE")}


def restore(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Create SQLite's triggers again: a receiver of ``post_migrate``."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with transaction.atomic(using), connection.cursor() as cursor:
        if "booking_appointment" in connection.introspection.table_names(cursor):
            for statement in [*drop_sql("sqlite"), *create_sql("sqlite")]:
                cursor.execute(statement)
