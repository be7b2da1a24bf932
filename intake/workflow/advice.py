"""The messages to patients with one clinic's numbers and hours, in a language."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from clinic.languages import active_language
from clinic.mail.letters import time_text
from clinic.models import Practice
from intake.rules.messages import render


@dataclass(frozen=True)
class Advice:
    """One message: its first sentence as the heading, the rest as the text below it."""

    id: str
    heading: str
    text: str


def advice(
    message_ids: Iterable[str], *, practice: Practice, now: datetime, can_be_called: bool = True
) -> list[Advice]:
    """Return the texts; they say that the team was notified only if a person was and can call."""
    told_by = practice.callback_time(now) if can_be_called else None
    spoken = []
    for message_id in message_ids:
        words = render(
            message_id,
            language=active_language(),
            # Without a number of the clinic the text names one that works everywhere.
            emergency_number=practice.emergency_number or gettext("the emergency services"),
            advice_line=practice.advice_line or gettext("a health advice line"),
            callback_time=time_text(told_by) if told_by else "",
        )
        heading, _stop, text = words.partition(". ")
        spoken.append(Advice(message_id, f"{heading.rstrip('.')}.", text))
    return spoken
