"""The shipped words of every kind of mail, and their placeholders.

A new kind needs three steps, in addition to its composer and ``outbox.register``:

1. Write its words as a ``Wording`` in the app's ``wordings`` module. ``text`` is paragraphs
   separated by an empty line. A placeholder is a name in braces, ``{when}``. Explain each one in
   ``placeholders``, and list those that the subject must contain in ``subject_needs``.
2. Create its letter with ``letters.build_letter(KIND, values, …)``, which takes the arguments of
   ``Letter`` other than the words; ``values`` has a value for each placeholder.
3. Call ``clinic.mail.samples.register(wording, sample=…)`` in ``AppConfig.ready()``.
   ``sample(now)`` composes the mail in the active language from rows that are in no database; for
   a composer of ``booking.mails.visit_mails`` that is ``samples.sample(KIND, compose)``.
   The admin's preview and test mail use it.

The template engine never gets the words of staff. Placeholders from a fixed list are replaced
once; other text in braces stays in the mail as typed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import ngettext

type Text = str | Promise

# Upper case matches too: "{When}" is an error that should be refused, not mailed.
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]+)\}")

_STEP = re.compile(r"[0-9]+[dh]")


class Words(NamedTuple):
    """The texts of a mail that staff can change; ``note`` is the small print below the button."""

    subject: str
    heading: str
    text: str
    note: str

    def filled(self, values: Mapping[str, str]) -> "Words":
        return Words(*(fill(part, values) for part in self))


@dataclass(frozen=True, kw_only=True)
class Wording:
    kind: str
    label: Text
    subject: Text
    heading: Text
    text: Text
    note: Text = ""
    placeholders: Mapping[str, Text] = field(default_factory=dict)
    subject_needs: tuple[str, ...] = ()
    # Mails about the security of accounts and records cannot be changed by staff.
    is_editable: bool = True
    # The label of the stop link at the end of the mail, for kinds that a patient can stop.
    stop_label: Text = ""

    @property
    def words(self) -> Words:
        """The shipped words in the active language."""
        return Words(str(self.subject), str(self.heading), str(self.text), str(self.note))


_wordings: dict[str, Wording] = {}


def register(wording: Wording) -> None:
    _wordings[wording.kind] = wording


def all_wordings() -> list[Wording]:
    return list(_wordings.values())


def find(kind: str) -> Wording | None:
    return _wordings.get(kind)


def label(kind: str) -> str:
    """Return the name of this kind of mail for staff."""
    wording = find(kind)
    return str(wording.label) if wording else kind


def offset_label(hours: int) -> str:
    """Return the time of a reminder before a visit: "2 hours before", "7 days before"."""
    if hours > 24 and hours % 24 == 0:
        return ngettext("%(count)d day before", "%(count)d days before", hours // 24) % {
            "count": hours // 24
        }
    return ngettext("%(count)d hour before", "%(count)d hours before", hours) % {"count": hours}


def step_label(step: str) -> str:
    """Return a reminder's step ("24h", "7d") in words; empty for the steps of other mails."""
    if not _STEP.fullmatch(step):
        return ""
    return offset_label(int(step[:-1]) * (24 if step.endswith("d") else 1))


def stop_label(kind: str) -> str:
    """Return the label of this kind's stop link; empty if it cannot be stopped."""
    wording = find(kind)
    return str(wording.stop_label) if wording else ""


def placeholders_in(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace each known placeholder once; a value that looks like one is not replaced again."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
