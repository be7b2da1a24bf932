"""`manage.py demo` as users start it: a separate process with its own state folder."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from django.conf import settings

from tests.throwaway import free_port

# Variables that the demo sets itself.
MADE_UP = ("SECRET_KEY", "BASE_URL", "DATABASE_URL", "STATE_DIR", "EMAIL_URL", "REDIS_URL")


class Demo:
    def __init__(self, state: Path, *arguments: str, port: int = 0, **environ: str) -> None:
        self.port = port or free_port()
        self.process = subprocess.Popen(
            [sys.executable, settings.BASE_DIR / "manage.py", "demo", "--state", str(state),
             "--port", str(self.port), *arguments],
            cwd=state.parent,  # it may be started from anywhere
            env={k: v for k, v in os.environ.items() if k not in MADE_UP} | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def __enter__(self) -> "Demo":
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate()

    def first_line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as response:
            return response.status

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=20)
        return self.process.returncode, rest
