import json
import os
import shutil
import socket
import sys
import time
from http.client import HTTPConnection
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.db import connection

from clinic.operations.processes import Processes
from clinic.tasks import tick
from demo import environment
from demo.sample import marker

HOST = "127.0.0.1"
START_SECONDS = 60


class Command(BaseCommand):
    help = "Run the whole clinic with sample data in one terminal; Ctrl-C stops it."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        # manage.py reads them first, before the settings.
        environment.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        port = int(os.environ["PORT"])
        refuse_busy_port(port)
        try:
            empty = marker.is_empty_or_raise()
        except marker.NotASample as error:
            raise CommandError(str(error)) from None
        if options["fresh"] and not empty:
            self.stderr.write("Throwing the old demo away …")
            throw_away()
            empty = True
        if empty:
            self.stderr.write("Preparing the database …")
        call_command("migrate", verbosity=0)
        self.collect_static_files()
        if empty:
            self.stderr.write("Filling it with a sample clinic …")
            call_command("seed", stdout=self.stderr)
        connection.close()
        self.run(port)

    def collect_static_files(self) -> None:
        """Collect them only if they changed since the last time: it takes some seconds."""
        found = {
            path: storage.get_modified_time(path).timestamp()
            for finder in get_finders()
            for path, storage in finder.list([])
        }
        fingerprint = json.dumps(found, sort_keys=True)
        kept = settings.STATE_DIR / "static-files.json"
        if kept.exists() and kept.read_text() == fingerprint and settings.STATIC_ROOT.exists():
            return
        self.stderr.write("Collecting static files …")
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        kept.write_text(fingerprint)

    def run(self, port: int) -> None:
        logs = settings.STATE_DIR / "log"
        with Processes(commands(port), folder=settings.BASE_DIR, logs=logs) as processes:
            died = None
            if wait_until_answering(port, processes):
                # The scheduler's first tick comes after a minute; until then the admin would say
                # that no mails go out.
                tick.delay()
                self.stdout.write(f"Ready at http://{HOST}:{port}/")
                self.stdout.flush()
                self.stderr.write("Become any role at /demo/, read the mails at /demo/mail/.")
                died = processes.wait()
            elif not processes.is_stop_asked:
                died = processes.dead() or "web"
        if died:
            raise CommandError(f"The {died} process ended; see {processes.log(died)}")


def refuse_busy_port(port: int) -> None:
    with socket.socket() as probe:
        # As the server does: a port in TIME_WAIT from the last run counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). "
                "Choose another: make demo ARGS='--port 8001'"
            ) from None


def throw_away() -> None:
    """Empty the demo's database, and delete its mails and queued messages."""
    if connection.vendor == "sqlite":
        name = connection.settings_dict["NAME"]
        connection.close()
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(f"{name}{suffix}"):
                os.remove(f"{name}{suffix}")
    else:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    for folder in ("mail", "broker/queue"):
        shutil.rmtree(settings.STATE_DIR / folder, ignore_errors=True)
        (settings.STATE_DIR / folder).mkdir(parents=True)


def commands(port: int) -> dict[str, list[str]]:
    """Return the demo's programs in the order of stopping: those that create work first."""
    celery = [sys.executable, "-m", "celery", "-A", "clinic"]
    return {
        # No pid file: one left by a killed beat would prevent the next start.
        "beat": [*celery, "beat", "--loglevel=INFO", "--pidfile="],
        "web": [
            *(sys.executable, "-m", "gunicorn", "clinic.wsgi"),
            *("--bind", f"{HOST}:{port}", "--no-control-socket"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "4"),
        ],
        "worker": [*celery, "worker", "--loglevel=INFO", "--pool=solo", "--hostname=demo@%h"],
    }


def wait_until_answering(port: int, processes: Processes) -> bool:
    """Return True once a page was answered; False after a timeout, a stop or a dead process."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not processes.is_stop_asked and not processes.dead():
        server = HTTPConnection(HOST, port, timeout=10)
        try:
            server.request("GET", "/")
            if server.getresponse().status == 200:
                return True
        except OSError:
            pass
        finally:
            server.close()
        time.sleep(0.1)
    return False
