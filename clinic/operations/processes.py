"""Run several programs as one: start them together, and stop all of them in order."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Self

STOP_SECONDS = 10


class Processes:
    """Child processes by name, each in its own session and with its own log file.

    Without its own session, a Celery worker would get Ctrl-C from the terminal and again from us,
    and the second signal makes it drop its task. They are stopped in the order in which they were
    given.
    """

    def __init__(self, commands: Mapping[str, Sequence[str]], *, folder: Path, logs: Path) -> None:
        self._commands = commands
        self._folder = folder
        self._logs = logs
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._is_stop_asked = False

    def __enter__(self) -> Self:
        """Start all; from then on, SIGINT and SIGTERM request a stop."""
        self._logs.mkdir(parents=True, exist_ok=True)
        signal.signal(signal.SIGINT, self._ask_to_stop)
        signal.signal(signal.SIGTERM, self._ask_to_stop)
        for name, command in self._commands.items():
            with self.log(name).open("ab") as log:
                self._children[name] = subprocess.Popen(  # noqa: S603
                    command,
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Ask each process to stop, in order; kill those that remain after ten seconds."""
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._children.values():
            child.terminate()
            try:
                child.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                # The processes it started are in its session too.
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    @property
    def is_stop_asked(self) -> bool:
        return self._is_stop_asked

    def dead(self) -> str | None:
        """Return the name of a child that has ended by itself, or None while all run."""
        for name, child in self._children.items():
            if child.poll() is not None:
                return name
        return None

    def wait(self) -> str | None:
        """Return None after a stop request, or the name of the first child that ended."""
        while not self._is_stop_asked:
            if name := self.dead():
                return name
            time.sleep(0.1)
        return None

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stop_asked = True
