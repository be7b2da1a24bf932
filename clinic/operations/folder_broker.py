"""Kombu's broker in a folder; an incomplete file does not end a worker.

Kombu writes into files that are already visible. A reader in between, or after a publisher was
killed, finds invalid JSON, and the worker exits. A lost broker message changes nothing.
"""

import logging
from queue import Empty
from typing import Any

from kombu.transport import filesystem, virtual

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    # The publisher has declared the only queue, so no file needs to list the consumers.
    supports_fanout = False
    get_table = virtual.Channel.get_table

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        try:
            return super()._get(queue)
        except ValueError:
            # The file was removed already.
            logger.warning("A broker message in %s was not whole and is dropped", queue)
            raise Empty from None


class Transport(filesystem.Transport):
    Channel = Channel
