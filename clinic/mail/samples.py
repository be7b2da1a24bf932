"""Sample mails, one for each kind with registered words: for the admin's preview and test mail."""

from collections.abc import Callable
from datetime import datetime

from clinic import wordings
from clinic.mail.mail import Mail
from clinic.wordings import Wording

# Composes the mail in the active language from rows that are in no database.
Sample = Callable[[datetime], Mail]

_samples: dict[str, Sample] = {}


def register(wording: Wording, *, sample: Sample) -> None:
    """Register the words of a kind, with a sample; called in ``AppConfig.ready()``."""
    wordings.register(wording)
    _samples[wording.kind] = sample


def sample(kind: str) -> Sample:
    return _samples[kind]
