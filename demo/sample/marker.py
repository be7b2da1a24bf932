"""Keeps sample data out of a real clinic's database."""

from django.conf import settings
from django.db import connection

# A clinic without rows in these tables is not in use yet.
TABLES_OF_A_CLINIC = ("clinic_practice", "clinic_user", "clinic_patient")


class NotASample(Exception):
    """The database holds data that no demo created."""


def is_empty_or_raise() -> bool:
    """Return whether the database is empty; False means that it holds a sample clinic.

    Works before migrations and on an older schema, so it reads the tables, not the models.
    Raises NotASample for anything else: such a database is neither filled nor deleted.
    """
    tables = set(connection.introspection.table_names())
    ours = {
        "django_migrations",
        settings.CACHES["default"]["LOCATION"],
        *connection.introspection.django_table_names(),
    }
    with connection.cursor() as cursor:
        if "clinic_practice" in tables:
            cursor.execute("SELECT is_demo FROM clinic_practice")
            if (practice := cursor.fetchone()) and practice[0]:
                return False
        in_use = []
        for table in tables.intersection(TABLES_OF_A_CLINIC):
            cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608
            in_use += cursor.fetchall()
    if in_use or tables - ours:
        raise NotASample(
            "The database is neither empty nor a demo's, so it is left alone. "
            "Unset DATABASE_URL, or name an empty database."
        )
    return True
