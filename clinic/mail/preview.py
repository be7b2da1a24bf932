"""Preview a mail without sending it: links do not work, and a draft may replace the text.

A composer writes rows (the hashes of its links), and its links open a patient's pages. A preview,
of a sample or of a real mail, must do neither.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clinic.models import MailText


@dataclass(frozen=True)
class Preview:
    draft: "MailText | None" = None


_current: ContextVar[Preview | None] = ContextVar("preview", default=None)


@contextmanager
def previewing(draft: "MailText | None" = None) -> Iterator[None]:
    """Compose mails in this context for a preview. ``draft`` is used for its kind and language."""
    token = _current.set(Preview(draft))
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Preview | None:
    return _current.get()
