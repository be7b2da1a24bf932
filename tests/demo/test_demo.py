"""The demo as people start it: a process of its own, with a state folder of its own."""

import os
import signal
import socket
import sqlite3
from pathlib import Path

import pytest

from tests.running_demo import Demo

pytestmark = pytest.mark.slow


def count(state: Path, table: str) -> int:
    with sqlite3.connect(state / "backstride.sqlite3") as database:
        found = database.execute(f"SELECT count(*) FROM {table}").fetchone()
    database.close()
    return found[0]


def running_in(state: Path) -> list[str]:
    """Command lines of the processes that were started with this state folder."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"STATE_DIR={state}".encode() in environ.read_bytes().split(b"\0"):
                found.append((environ.parent / "cmdline").read_text().replace("\0", " "))
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_the_demo_answers_stops_whole_and_keeps_its_state(tmp_path):
    state = tmp_path / "state"
    with Demo(state) as demo:
        assert demo.first_line() == f"Ready at http://127.0.0.1:{demo.port}/"
        assert demo.get("/") == 200
        assert demo.get("/demo/") == 200
        commands = running_in(state)
        assert all(
            any(word in line for line in commands) for word in ("gunicorn", "worker", "beat")
        )
        assert demo.stop(signal.SIGINT) == (0, "")
    assert running_in(state) == []

    patients = count(state, "clinic_patient")
    assert patients > 0
    with Demo(state) as demo:
        assert demo.first_line().startswith("Ready at")
        assert count(state, "clinic_patient") == patients
        assert demo.stop(signal.SIGTERM) == (0, "")


def test_the_death_of_one_process_ends_the_demo_with_an_error(tmp_path):
    state = tmp_path / "state"
    with Demo(state) as demo:
        demo.first_line()
        worker = next(
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if b"--hostname=demo" in path.read_bytes()
            and f"STATE_DIR={state}".encode() in (path.parent / "environ").read_bytes()
        )
        os.kill(worker, signal.SIGKILL)
        _, complaint = demo.process.communicate(timeout=20)
        assert demo.process.returncode == 1
        assert "worker" in complaint
    assert running_in(state) == []


def test_the_demo_leaves_somebody_else_s_database_alone(tmp_path):
    with sqlite3.connect(tmp_path / "other.sqlite3") as database:
        database.execute("CREATE TABLE invoices (id integer)")
    database.close()
    url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    with Demo(tmp_path / "state", "--fresh", DATABASE_URL=url) as demo:
        _, complaint = demo.process.communicate(timeout=20)
        assert demo.process.returncode == 1
        assert "left alone" in complaint
    with sqlite3.connect(tmp_path / "other.sqlite3") as database:
        tables = database.execute("SELECT name FROM sqlite_master").fetchall()
    database.close()
    assert tables == [("invoices",)]


def test_a_port_in_use_is_said_at_once(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with Demo(tmp_path / "state", port=taken.getsockname()[1]) as demo:
            _, complaint = demo.process.communicate(timeout=20)
    assert demo.process.returncode == 1
    assert f"Port {demo.port} cannot be used" in complaint
