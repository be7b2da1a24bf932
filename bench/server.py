"""A real gunicorn, asked over one kept connection: what a visitor waits for."""

import subprocess
import sys
from http.client import HTTPConnection
from types import TracebackType
from typing import Self

from tests.throwaway import free_port, wait_for_port


class Server:
    def __init__(self, *, workers: int = 1, threads: int = 1) -> None:
        self.port = free_port()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "bench.wsgi"),
                *("--bind", f"127.0.0.1:{self.port}", "--no-control-socket"),
                *("--worker-class", "gthread", "--keep-alive", "60", "--log-level", "error"),
                *("--workers", str(workers), "--threads", str(threads)),
            ]
        )

    def __enter__(self) -> Self:
        wait_for_port(self.port)
        self._connection = HTTPConnection("127.0.0.1", self.port)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.wait()

    def get(self, path: str) -> bytes:
        self._connection.request("GET", path)
        response = self._connection.getresponse()
        body = response.read()
        assert response.status == 200, (path, response.status)
        return body
