"""A guest who books over real HTTP, and the server for it."""

import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Self
from urllib.parse import urlencode
from uuid import UUID, uuid4

from tests.throwaway import free_port, wait_for_port

ROOT = Path(__file__).parents[1]

HEALTHY = {
    "safety-nerve": "none",
    "safety-body": "none",
    "safety-injury": "no",
    "safety-leg-power": "no",
    "safety-illness": "none",
    "safety-cancer": "none",
    "safety-bone": "none",
    "safety-pregnancy": "no",
    "about-birth-date": "1990-05-24",
    "onset-duration": "w2-6",
    "pain-worst": "5",
    "pain-run": "4",
}


def details(number: int) -> dict[str, object]:
    """Return the fields of the last booking page for a new patient, without the choice."""
    return {
        "name": f"Runner {number}",
        "email": f"runner{number}@runners.example",
        "phone": "512 555 0123",
        "birth_date": HEALTHY["about-birth-date"],
        "language": "en",
        "wants_reminders": "on",
        "book": "1",
    }


class Server:
    """gunicorn as in production, on a free port, with the database that `env` names.

    It writes to our own output, or to the file `log`.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        application: str = "clinic.wsgi",
        workers: int = 4,
        threads: int = 2,
        log: Path | None = None,
    ) -> None:
        self.port = free_port()
        self._command = [
            *(sys.executable, "-m", "gunicorn", application),
            *("--bind", f"127.0.0.1:{self.port}", "--no-control-socket"),
            *("--worker-class", "gthread", "--keep-alive", "60", "--log-level", "error"),
            *("--workers", str(workers), "--threads", str(threads)),
        ]
        self._env = dict(env)
        self._log = log

    def __enter__(self) -> Self:
        with self._log.open("ab") if self._log else nullcontext() as output:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._env, stdout=output, stderr=output
            )
        wait_for_port(self.port)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.terminate()
        self._process.wait()


class Guest:
    """A browser without JavaScript, with its own IP address.

    The server must trust its proxy (`TRUSTED_PROXY=1`), and `host` must be allowed.
    """

    def __init__(self, server: Server, *, number: int, host: str = "testserver") -> None:
        self.number = number
        self.key = uuid4().hex
        self._connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        token = uuid4().hex
        self._cookies = {"csrftoken": token}
        self._headers = {
            "Host": host,
            "X-CSRFToken": token,
            "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        }

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str) -> tuple[int, str]:
        return self._send("GET", path)

    def post(self, path: str, fields: Mapping[str, object]) -> tuple[int, str]:
        """Return the status, and the redirect's target or the page."""
        return self._send("POST", path, urlencode(fields))

    def answer_gate(self, service: str) -> None:
        status, answer = self.post(f"/book/safety/?service={service}", HEALTHY)
        assert status == 302, answer

    def choice(
        self, *, start: int, place: str, minutes: int, who: UUID | None = None
    ) -> dict[str, object]:
        """Return what the slot picker's button posts; `start` is in minutes since 1970."""
        return {
            "start": start,
            "place": place,
            "who": who or "",
            "minutes": minutes,
            "booking_key": self.key,
        }

    def hold(self, service: str, choice: Mapping[str, object]) -> int:
        return self.post(f"/book/{service}/", choice)[0]

    def book(self, service: str, choice: Mapping[str, object]) -> tuple[int, str]:
        return self.post(f"/book/{service}/details/", {**choice, **details(self.number)})

    def _send(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {**self._headers, "Cookie": cookie}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        page = response.read().decode()
        self._remember(response)
        return response.status, response.headers["Location"] or page

    def _remember(self, response: HTTPResponse) -> None:
        for header in response.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(header).items():
                self._cookies[name] = morsel.value
