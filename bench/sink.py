"""An SMTP server in its own process that accepts every mail and discards it."""

import subprocess
import sys
import threading
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink as Forgetful

from tests.throwaway import free_port, wait_for_port


class Sink:
    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, "-m", "bench.sink", str(self.port)])
        wait_for_port(self.port)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()


if __name__ == "__main__":
    controller = Controller(
        Forgetful(), hostname="127.0.0.1", port=int(sys.argv[1]), server_hostname="sink.test"
    )
    controller.start()
    threading.Event().wait()
