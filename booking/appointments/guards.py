"""The database's own refusal of visits that overlap: the last of three layers.

The verbs that take time lock, check and then write. What slips past them (raw SQL, a shell, a bug)
the database refuses with an IntegrityError that names one of the GUARDS. A visit counts from
``start`` to ``busy_until``; one with a reason to overlap does not count.

PostgreSQL has constraints for this. SQLite has triggers, and loses them whenever Django rebuilds
the table, so they are made again after every migrate.

Beside the guards, triggers on the tables of rules note that a rule has changed, so that no process
goes on with rules it has read before (``schedule.rules``).
"""

from typing import Any

from django.apps import AppConfig
from django.db import connections, transaction

GUARDS = (
    "appointment_practitioner_no_overlap",
    "appointment_room_no_overlap",
    "appointment_equipment_no_overlap",
    "appointment_within_a_day",
)

# Whatever ``Rulebook.read`` looks at.
RULE_TABLES = (
    "clinic_location",
    "clinic_practitioner",
    "schedule_service_practitioners",
    "schedule_openinghours",
    "schedule_extrahours",
    "schedule_break",
    "schedule_reservedtime",
    "schedule_closure",
    "schedule_timeoff",
    "schedule_room",
    "schedule_equipment",
    "schedule_resourcehours",
    "schedule_visitlimit",
)
RULES_CHANGED = "rules_changed"

POSTGRESQL = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE booking_appointment
ADD CONSTRAINT appointment_practitioner_no_overlap
    EXCLUDE USING gist (practitioner_id WITH =, tstzrange("start", busy_until) WITH &&)
    WHERE (status IN ('pending', 'booked', 'arrived', 'fulfilled') AND overlap_reason = ''),
ADD CONSTRAINT appointment_room_no_overlap
    EXCLUDE USING gist (room_id WITH =, tstzrange("start", busy_until) WITH &&)
    WHERE (status IN ('pending', 'booked', 'arrived', 'fulfilled') AND overlap_reason = ''),
ADD CONSTRAINT appointment_equipment_no_overlap
    EXCLUDE USING gist (equipment_id WITH =, tstzrange("start", busy_until) WITH &&)
    WHERE (status IN ('pending', 'booked', 'arrived', 'fulfilled') AND overlap_reason = ''),
ADD CONSTRAINT appointment_within_a_day
    CHECK (busy_until - "start" <= interval '24 hours');
"""

# The row is made again when it is missing, such as after a table was emptied.
POSTGRESQL_CHANGED = """
CREATE FUNCTION rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO schedule_rulesversion (id, token) VALUES (1, gen_random_uuid())
    ON CONFLICT (id) DO UPDATE SET token = EXCLUDED.token;
    RETURN NULL;
END $$;
"""
POSTGRESQL_NOTE = """
CREATE TRIGGER {trigger} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {trigger}();
"""

# Times are compared as the text that Django writes, so another way to write one is refused too.
# Nothing that overlaps began more than a day before: without that, each write would read the past.
SQLITE = """
CREATE TRIGGER {guard}_{event} BEFORE {event} ON booking_appointment WHEN {condition}
BEGIN SELECT RAISE(ABORT, '{guard}'); END;
"""
SQLITE_OVERLAP = """
    NEW.status IN ('pending', 'booked', 'arrived', 'fulfilled') AND NEW.overlap_reason = ''
    AND EXISTS (
        SELECT 1 FROM booking_appointment AS other
        WHERE other.{column} = NEW.{column} AND other.id <> NEW.id
        AND other.start < NEW.busy_until AND other.busy_until > NEW.start
        AND other.start >= datetime(NEW.start, '-1 day')
        AND other.status IN ('pending', 'booked', 'arrived', 'fulfilled')
        AND other.overlap_reason = ''
    )
"""
# Not an upsert: a trigger takes over the conflict rule of the statement that set it off.
SQLITE_NOTE = """
CREATE TRIGGER {trigger}_{table}_{event} AFTER {event} ON {table}
BEGIN
    DELETE FROM schedule_rulesversion;
    INSERT INTO schedule_rulesversion (id, token) VALUES (1, lower(hex(randomblob(16))));
END;
"""
SQLITE_CONDITIONS = {
    "appointment_practitioner_no_overlap": SQLITE_OVERLAP.format(column="practitioner_id"),
    "appointment_room_no_overlap": SQLITE_OVERLAP.format(column="room_id"),
    "appointment_equipment_no_overlap": SQLITE_OVERLAP.format(column="equipment_id"),
    "appointment_within_a_day": """
        strftime('%s', NEW.busy_until) - strftime('%s', NEW.start) > 86400
        OR strftime('%Y-%m-%d %H:%M:%S', NEW.start) IS NOT substr(NEW.start, 1, 19)
        OR strftime('%Y-%m-%d %H:%M:%S', NEW.busy_until) IS NOT substr(NEW.busy_until, 1, 19)
    """,
}


def create_sql(vendor: str) -> list[str]:
    """The statements that make the guards on a database that has none."""
    if vendor == "postgresql":
        return [
            POSTGRESQL,
            POSTGRESQL_CHANGED,
            *(POSTGRESQL_NOTE.format(trigger=RULES_CHANGED, table=table) for table in RULE_TABLES),
        ]
    return [
        *(
            SQLITE.format(guard=guard, event=event, condition=condition)
            for guard, condition in SQLITE_CONDITIONS.items()
            for event in ("INSERT", "UPDATE")
        ),
        *(
            SQLITE_NOTE.format(trigger=RULES_CHANGED, table=table, event=event)
            for table in RULE_TABLES
            for event in ("INSERT", "UPDATE", "DELETE")
        ),
    ]


def drop_sql(vendor: str) -> list[str]:
    """The statements that remove the guards."""
    if vendor == "postgresql":
        return [
            *(f"ALTER TABLE booking_appointment DROP CONSTRAINT {guard}" for guard in GUARDS),
            f"DROP FUNCTION {RULES_CHANGED}() CASCADE",
        ]
    return [f"DROP TRIGGER IF EXISTS {name}" for name in sorted(sqlite_triggers())]


def sqlite_triggers() -> set[str]:
    return {f"{guard}_{event}" for guard in GUARDS for event in ("INSERT", "UPDATE")} | {
        f"{RULES_CHANGED}_{table}_{event}"
        for table in RULE_TABLES
        for event in ("INSERT", "UPDATE", "DELETE")
    }


def restore(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Make SQLite's triggers again: a receiver of ``post_migrate``."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with transaction.atomic(using), connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        if not {"booking_appointment", *RULE_TABLES} <= set(tables):
            return
        for statement in [*drop_sql("sqlite"), *create_sql("sqlite")]:
            cursor.execute(statement)
