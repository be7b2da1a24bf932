"""The messages to patients at each triage level.

The wording is clinical content: it is versioned and signed off together with the rules. So it
is in one file per language beside them, and not in the translation catalogues.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from clinic.languages import content, in_language


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message, with the placeholders ``{emergency_number}``, ``{advice_line}`` and
    ``{callback_time}``.

    The ``unattended`` wording is for closed hours, and for a person whom the clinic has no way
    to call: it never says that the team was notified. Empty where the message promises nothing.
    """

    text: str
    unattended: str = ""


_WORDED = {
    language: {name: Message(**words) for name, words in messages.items()}
    for language, messages in content(__file__, "messages").items()
}
MESSAGES = {
    name: {language: messages[name] for language, messages in _WORDED.items() if name in messages}
    for name in _WORDED[settings.LANGUAGE_CODE]
}
"""Each message in the languages that have it."""


def render(
    message_id: str,
    *,
    language: str,
    emergency_number: str,
    advice_line: str,
    callback_time: str = "",
) -> str:
    """Return the message as the patient reads it.

    `callback_time` is the wall-clock time by which somebody will have called. Leave it empty when
    the clinic is closed or has no way to call this person: the unattended wording is used then.
    A language without the message gets the default language.
    """
    message = in_language(MESSAGES[message_id], language)
    assert message is not None
    text = message.text if callback_time else message.unattended or message.text
    return text.format(
        emergency_number=emergency_number, advice_line=advice_line, callback_time=callback_time
    )
