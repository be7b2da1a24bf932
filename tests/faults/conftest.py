"""Real workers and schedulers, in their own process groups, so that tests can kill them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

ROOT = Path(__file__).parents[2]
# Seconds instead of minutes, to run the same code faster.
QUICK = {"TICK_SECONDS": "1", "LEASE_SECONDS": "2", "SMTP_TIMEOUT_SECONDS": "2"}


class Celery:
    """A worker or a scheduler that the test can kill, stop and continue."""

    def __init__(self, command: str, *options: str, env: dict[str, str], log: Path) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "clinic", command, *options],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        """Signal the whole process group, pool processes included."""
        os.killpg(self._process.pid, number)

    def kill_child(self) -> bool:
        """Kill one pool process, as the kernel does when memory runs out; return False if none."""
        tasks = Path(f"/proc/{self._process.pid}/task")
        children = [
            int(child)
            for task in tasks.iterdir()
            for child in (task / "children").read_text().split()
        ]
        for child in children[:1]:
            os.kill(child, signal.SIGKILL)
        return bool(children)

    def kill(self) -> None:
        if self._process.poll() is None:
            self.signal(signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of the database's usual broker: a folder for SQLite, Redis for PostgreSQL."""
    if connection.vendor == "sqlite":
        return {}
    return {"REDIS_URL": request.getfixturevalue("redis_url")}


@pytest.fixture
def worker_env(process_env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return process_env | QUICK | {"STATE_DIR": str(tmp_path)}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Celery]]:
    """`start("worker" or "beat", *options, env=…)`; running processes are killed at the end."""
    running: list[Celery] = []
    log = tmp_path / "celery.log"

    def start(command: str, *options: str, env: dict[str, str]) -> Celery:
        if command == "beat":
            options = ("--pidfile=", f"--schedule={tmp_path}/schedule-{len(running)}")
        running.append(Celery(command, *options, env=env, log=log))
        return running[-1]

    yield start
    for process in running:
        process.kill()
    if log.exists():
        sys.stdout.write(log.read_text(errors="replace")[-5000:])


def wait_until(condition: Callable[[], Any], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.05)
