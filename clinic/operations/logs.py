"""The format of log lines, and what is removed from them."""

import json
import logging
import re
from datetime import UTC, datetime

# The paths of mailed links (clinic/pages.py): the token after them opens a patient's visit.
_TOKEN = re.compile(r"(/(?:l|unsubscribe)/)[^/\s]+")


class NoLinkTokens(logging.Filter):
    """Removes the tokens of mailed links: Django logs the path of each refused request."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if _TOKEN.search(message):
            record.msg, record.args = _TOKEN.sub(r"\1…", message), None
        return True


class JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
