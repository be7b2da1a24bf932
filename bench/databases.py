"""The large sample clinic twice: as it is, and without its past."""

import os
import shutil
from urllib.parse import urlsplit

from django.db import connection


def copy_without_past() -> str:
    """Copy the database, delete its past visits, and return the copy's `DATABASE_URL`."""
    url = os.environ["DATABASE_URL"]
    original = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        copied = shutil.copy(original, f"{original}.new")
        copy_url = f"sqlite:///{copied}"
    else:
        connection.close()
        connection.settings_dict["NAME"] = "template1"
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE newcomer TEMPLATE "{original}"')
        copied, copy_url = "newcomer", urlsplit(url)._replace(path="/newcomer").geturl()
    in_database(
        copied,
        "DELETE FROM booking_appointment WHERE start < CURRENT_TIMESTAMP",
        "VACUUM",
        "ANALYZE",
    )
    in_database(original, "VACUUM", "ANALYZE")
    return copy_url


def in_database(name: str, *statements: str) -> None:
    """Run the statements there; the connection stays on that database."""
    connection.close()
    connection.settings_dict["NAME"] = name
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
