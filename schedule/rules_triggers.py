"""Database triggers that record every change of a scheduling rule.

They write a new token with each change, in the same transaction, so that no process keeps using
rules it has read before (``schedule.rules``). SQLite loses triggers whenever Django rebuilds a
table, so they are created again after every migrate.
"""

from typing import Any

from django.apps import AppConfig
from django.db import connections, transaction

# The tables that ``Rulebook.read`` reads.
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

# Inserts the row if it is missing, for example after the table was emptied.
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

# Not an upsert: a trigger inherits the conflict rule of the statement that fired it.
SQLITE_NOTE = """
CREATE TRIGGER {trigger}_{table}_{event} AFTER {event} ON {table}
BEGIN
    DELETE FROM schedule_rulesversion;
    INSERT INTO schedule_rulesversion (id, token) VALUES (1, lower(hex(randomblob(16))));
END;
"""


def create_sql(vendor: str) -> list[str]:
    """Return the statements that create the triggers on a database that has none."""
    if vendor == "postgresql":
        return [
            POSTGRESQL_CHANGED,
            *(POSTGRESQL_NOTE.format(trigger=RULES_CHANGED, table=table) for table in RULE_TABLES),
        ]
    return [
        SQLITE_NOTE.format(trigger=RULES_CHANGED, table=table, event=event)
        for table in RULE_TABLES
        for event in ("INSERT", "UPDATE", "DELETE")
    ]


def drop_sql(vendor: str) -> list[str]:
    """Return the statements that remove the triggers."""
    if vendor == "postgresql":
        return [f"DROP FUNCTION {RULES_CHANGED}() CASCADE"]
    return [f"DROP TRIGGER IF EXISTS {name}" for name in sorted(sqlite_triggers())]


def sqlite_triggers() -> set[str]:
    return {
        f"{RULES_CHANGED}_{table}_{event}"
        for table in RULE_TABLES
        for event in ("INSERT", "UPDATE", "DELETE")
    }


def restore(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Create SQLite's triggers again: a receiver of ``post_migrate``."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with transaction.atomic(using), connection.cursor() as cursor:
        if set(RULE_TABLES) <= set(connection.introspection.table_names(cursor)):
            for statement in [*drop_sql("sqlite"), *create_sql("sqlite")]:
                cursor.execute(statement)
