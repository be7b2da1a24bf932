"""Backups of the whole database, and restoring one without mailing patients twice.

A backup does not know which mails were sent after it was made. Mails that were due before the
restore are therefore never sent: their rows are skipped in the same transaction, before any worker
can see them, and staff are notified. Mails that are due later are sent.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from django.core.management import call_command
from django.db import connection, models

from clinic.mail import outbox
from clinic.models import Message

NOTE = "restored-note"


class BackupError(Exception):
    """Nothing was changed; the message says why."""


def make(path: Path) -> int:
    """Write a backup to a new file that only its owner can read; return its size in bytes."""
    if path.exists():
        raise BackupError(f"{path} exists already.")
    if not path.parent.is_dir():
        raise BackupError(f"There is no folder {path.parent}.")
    descriptor, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    os.close(descriptor)
    unfinished = Path(name)
    try:
        if connection.vendor == "sqlite":
            connection.ensure_connection()
            with closing(sqlite3.connect(unfinished)) as copy:
                connection.connection.backup(copy)
                # One file, without a separate log.
                copy.execute("PRAGMA journal_mode = DELETE")
        else:
            _run("pg_dump", "--format=custom", "--no-owner", f"--file={unfinished}")
        check(unfinished)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path.stat().st_size


def check(path: Path) -> None:
    """Raise BackupError unless the file is a complete backup for this database's engine."""
    if not path.is_file():
        raise BackupError(f"There is no file {path}.")
    if connection.vendor != "sqlite":
        if "clinic_message" not in _run("pg_restore", "--list", str(path)):
            raise BackupError(f"{path} is no backup of a clinic.")
        return
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
            (verdict,) = copy.execute("PRAGMA quick_check").fetchone()
            copy.execute("SELECT count(*) FROM clinic_message").fetchone()
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{path} is no backup of a clinic on SQLite.") from error
    if verdict != "ok":
        raise BackupError(f"{path} is damaged.")


def restore(path: Path, *, now: datetime) -> int:
    """Replace everything by the backup; return how many mails are skipped because of it.

    Migrates an older backup's tables, and plans a note to the clinic.
    """
    check(path)
    if connection.vendor == "sqlite":
        _restore_sqlite(path, now)
    else:
        _restore_postgres(path, now)
    call_command("migrate", interactive=False, verbosity=0)
    # The note is about no particular row, so any UUID is sufficient.
    outbox.plan(kind=NOTE, subject=Message(), due_at=now, expires_at=now + timedelta(days=7))
    return not_sent(now).count()


def not_sent(restored_at: datetime) -> models.QuerySet[Message]:
    return Message.objects.filter(reason=Message.RESTORED, next_attempt_at=restored_at)


_SKIP = """
    UPDATE {table}
    SET state = 'skipped', reason = 'restored', next_attempt_at = {now}, claim = NULL,
        lease_until = NULL
    WHERE state IN ('planned', 'sending', 'unknown') AND due_at <= {now}
"""


def _restore_sqlite(path: Path, now: datetime) -> None:
    stored = connection.ops.adapt_datetimefield_value(now)
    with tempfile.TemporaryDirectory() as folder:
        copied = shutil.copy(path, folder)
        with closing(sqlite3.connect(copied)) as copy:
            copy.execute(_SKIP.format(table="clinic_message", now=f"'{stored}'"))
            copy.commit()
            connection.ensure_connection()
            copy.backup(connection.connection)
    connection.close()


# Otherwise tables of a newer version than the backup's would remain and refer to replaced ones.
_DROP_ALL = """
DO $$ DECLARE entry record; BEGIN
    FOR entry IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DROP TABLE IF EXISTS public.%I CASCADE', entry.tablename);
    END LOOP;
END $$;
"""


def _restore_postgres(path: Path, now: datetime) -> None:
    connection.close()
    with tempfile.TemporaryDirectory() as folder:
        drop, script, skip = (Path(folder) / name for name in ("drop", "script", "skip"))
        drop.write_text(_DROP_ALL)
        _run("pg_restore", "--clean", "--if-exists", "--no-owner", f"--file={script}", str(path))
        skip.write_text(_SKIP.format(table="public.clinic_message", now=f"'{now.isoformat()}'"))
        _run(
            "psql", "--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1",
            *(f"--file={part}" for part in (drop, script, skip)),
        )  # fmt: skip


def _run(program: str, *arguments: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise BackupError(f"{program} is missing here: apt-get install postgresql-client")
    place = connection.settings_dict
    environment = {
        "PGHOST": place["HOST"],
        "PGPORT": place["PORT"],
        "PGUSER": place["USER"],
        # Not an argument, because every user of the machine can read those.
        "PGPASSWORD": place["PASSWORD"],
        "PGDATABASE": place["NAME"],
    }
    done = subprocess.run(  # noqa: S603
        [found, *arguments],
        env=os.environ | {name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        # The first line only: the rest may quote rows.
        reason = done.stderr.strip().partition("\n")[0]
        raise BackupError(f"{program} failed: {reason}")
    return done.stdout
