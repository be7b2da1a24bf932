"""Keeps sample data out of a real clinic's database."""

from django.db import connection


class NotASample(Exception):
    """The database holds something that no demo put there."""


def is_empty_or_raise() -> bool:
    """Return whether the database is empty; False means that it holds a sample clinic.

    Works before migrations and on an older schema, so it asks the tables, not the models.
    Raises NotASample for anything else: sample data is never mixed into it, nor is it deleted.
    """
    tables = set(connection.introspection.table_names())
    if not tables:
        return True
    if "clinic_practice" in tables:
        with connection.cursor() as cursor:
            cursor.execute("SELECT is_demo FROM clinic_practice")
            if practice := cursor.fetchone():
                if practice[0]:
                    return False
            elif not any(_has_rows(cursor, table) for table in ("clinic_user", "clinic_patient")):
                return True
    raise NotASample(
        "The database is neither empty nor a demo's, so it is left alone. "
        "Unset DATABASE_URL, or name an empty database."
    )


def _has_rows(cursor, table: str) -> bool:
    cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")  # noqa: S608
    return cursor.fetchone() is not None
