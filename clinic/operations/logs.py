"""The format of log lines, and what is removed from them."""

import json
import logging
import re
from datetime import UTC, datetime

# The paths of mailed links (clinic/pages.py): what follows opens somebody's visit.
_TOKEN = re.compile(r"(/(?:l|unsubscribe)/)[^/\s]+")


class NoLinkTokens(logging.Filter):
    """Takes the tokens of mailed links out: Django logs the path of whatever it refuses."""

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
