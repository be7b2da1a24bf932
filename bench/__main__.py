"""`make bench`: exit status 1 when a budget is broken.

Builds the large sample clinic on a throw-away PostgreSQL (`--sqlite`: on a file) and measures
there. Every budget is a ratio to something measured in the same run, so that it means the same on
a slow machine; a busy one still makes it noisy.
"""

import argparse
import io
import os
import secrets
import sys
import tempfile
import time
from contextlib import ExitStack

from bench.budgets import Report
from bench.sink import Sink
from tests.throwaway import NotInstalled, Postgres, Redis


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sqlite", action="store_true", help="measure SQLite, not PostgreSQL")
    parser.add_argument("--rounds", type=int, default=300, help="requests of each kind")
    parser.add_argument("--bookings", type=int, default=300, help="visits to book")
    options = parser.parse_args()

    report = Report()
    with ExitStack() as stack:
        state = stack.enter_context(tempfile.TemporaryDirectory(prefix="backstride-bench-"))
        sink = stack.enter_context(Sink())
        try:
            database_url = f"sqlite:///{state}/bench.sqlite3"
            redis_url = ""
            if not options.sqlite:
                database_url = stack.enter_context(Postgres()).url
                redis_url = stack.enter_context(Redis()).url
        except NotInstalled as error:
            print(f"The benchmark {error}; or measure SQLite with --sqlite", file=sys.stderr)
            return 2
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "clinic.settings",
            "STATE_DIR": state,
            "SECRET_KEY": secrets.token_urlsafe(64),
            "BASE_URL": "http://127.0.0.1",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "EMAIL_URL": sink.url,
        }
        run(report, options)
    if report.broken:
        print(f"\nOver budget: {'; '.join(report.broken)}")
        return 1
    print("\nEvery budget is kept.")
    return 0


def run(report: Report, options: argparse.Namespace) -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    settings.ROOT_URLCONF = "bench.pages"
    before = time.perf_counter()
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("migrate", verbosity=0)
    call_command("seed", size="large", verbosity=0, stdout=io.StringIO())
    report.fact("database", connection.vendor)
    report.fact("migrate and seed --size large", f"{time.perf_counter() - before:.0f} s")

    from bench import bookings, databases, mails, starts

    without_past = databases.copy_without_past()
    starts.measure(report, rounds=options.rounds, without_past=without_past)
    bookings.measure(report, bookings=options.bookings)
    mails.measure(report)
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
