"""The clinicians' forms."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from booking.flow.forms import BirthDateField, name_field
from clinic.plain_text import OneLineField
from intake.rules.levels import Level


class LowerLevelForm(forms.Form):
    """A level below ``shown``, with a typed reason."""

    level = forms.TypedChoiceField(label=_("Lower to"), coerce=lambda value: Level(int(value)))
    reason = OneLineField(
        label=_("Because"),
        max_length=300,
        help_text=_("Stays with the answers, with your name. Front desk does not see it."),
        error_messages={"required": _("Please say why.")},
    )

    def __init__(self, data: Any = None, *, shown: Level) -> None:
        super().__init__(data, auto_id="lower-%s")
        lower = [(level.value, level.label) for level in reversed(Level) if level < shown]
        self.fields["level"].choices = lower  # type: ignore[attr-defined]


class EmergencyAccessForm(forms.Form):
    """The patient's name and birth date as the patient gives them, and the reason for access."""

    name = name_field(label=_("Full name of the patient"))
    birth_date = BirthDateField(label=_("Date of birth"))
    reason = OneLineField(
        label=_("Reason"),
        min_length=10,
        max_length=300,
        help_text=_("The managers read it, with your name and the time."),
        error_messages={"required": _("Please say why.")},
    )


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_("New note"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text=_("Only clinicians of the care team read it. It is never mailed."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="note-%s")
