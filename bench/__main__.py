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
from contextlib import nullcontext

from bench.budgets import Report
from tests.throwaway import NotInstalled, Postgres


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sqlite", action="store_true", help="measure SQLite, not PostgreSQL")
    parser.add_argument("--rounds", type=int, default=300, help="requests of each kind")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="backstride-bench-") as state:
        try:
            cluster = nullcontext() if options.sqlite else Postgres()
        except NotInstalled as error:
            print(f"The benchmark {error}, or --sqlite", file=sys.stderr)
            return 2
        with cluster as postgres:
            os.environ |= {
                "DJANGO_SETTINGS_MODULE": "clinic.settings",
                "STATE_DIR": state,
                "SECRET_KEY": secrets.token_urlsafe(64),
                "BASE_URL": "http://127.0.0.1",
                "DATABASE_URL": postgres.url if postgres else f"sqlite:///{state}/bench.sqlite3",
            }
            report = Report()
            run(report, rounds=options.rounds)
    if report.broken:
        print(f"\nOver budget: {'; '.join(report.broken)}")
        return 1
    print("\nEvery budget is kept.")
    return 0


def run(report: Report, *, rounds: int) -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    settings.ROOT_URLCONF = "bench.pages"
    before = time.perf_counter()
    call_command("migrate", verbosity=0)
    call_command("seed", size="large", verbosity=0, stdout=io.StringIO())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    report.fact("database", connection.vendor)
    report.fact("migrate and seed --size large", f"{time.perf_counter() - before:.0f} s")

    from bench import mails, starts

    starts.measure(report, rounds=rounds)
    mails.measure(report)
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
