"""A patient's choices about our mails: which reminders, which language, which time zone."""

import zoneinfo
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from booking.appointments import mail_schedule
from booking.appointments.mail_schedule import REMINDER
from booking.appointments.models import Appointment
from clinic import wordings
from clinic.models import Patient
from schedule.models import Service

# Zones where people live; the other names are old spellings and abbreviations.
_CONTINENTS = (
    *("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian"),
    "Pacific",
)


@cache
def time_zones() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return all time zones grouped by continent, as choices of a select."""
    names = sorted(zoneinfo.available_timezones())
    return tuple(
        (
            continent,
            tuple(
                (name, name.partition("/")[2].replace("_", " ").replace("/", ", "))
                for name in names
                if name.startswith(f"{continent}/")
            ),
        )
        for continent in _CONTINENTS
    )


def every_offset(services: Iterable[Service]) -> list[int]:
    """Return the hours before a visit at which these services remind, the earliest first."""
    hours = {hours for service in services for hours in service.reminder_offsets}
    return sorted(hours, reverse=True)


class MailChoicesForm(forms.ModelForm):
    """No reminder ticked means the same as stopping all with one click in a mail."""

    reminders = forms.TypedMultipleChoiceField(
        label=_("Remind me by e-mail"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    others = forms.MultipleChoiceField(
        label=_("Other mails"), required=False, widget=forms.CheckboxSelectMultiple
    )
    time_zone = forms.ChoiceField(
        label=_("Your time zone"),
        required=False,
        help_text=_("We also show you the time there, and do not write at night."),
    )
    field_order = ["reminders", "others", "language", "time_zone"]

    saved_fields = ["language", "time_zone", "declined_reminders", "mail_stops"]

    class Meta:
        model = Patient
        fields = ["language", "time_zone"]
        labels = {"language": _("Language for our mails")}
        widgets = {"language": forms.RadioSelect}

    def __init__(self, *args: Any, offsets: Sequence[int], zone: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offsets = offsets
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        patient = self.instance
        fields: dict[str, Any] = self.fields
        fields["reminders"].choices = [(hours, wordings.offset_label(hours)) for hours in offsets]
        fields["reminders"].initial = [
            hours
            for hours in offsets
            if not patient.has_stopped(REMINDER) and hours not in patient.declined_reminders
        ]
        self.stoppable = [
            wording
            for wording in wordings.all_wordings()
            if wording.stop_label and wording.kind != REMINDER
        ]
        fields["others"].choices = [(w.kind, w.label) for w in self.stoppable]
        fields["others"].initial = [
            w.kind for w in self.stoppable if not patient.has_stopped(w.kind)
        ]
        if not self.stoppable:
            del fields["others"]
        unknown = gettext("Like the clinic: %(zone)s") % {"zone": zone} if zone else "–"
        fields["time_zone"].choices = [("", unknown), *time_zones()]
        if patient.time_zone and patient.time_zone not in zoneinfo.available_timezones():
            fields["time_zone"].initial = ""

    def apply(self, patient: Patient, *, now: datetime) -> None:
        """Write the choices of mails to ``patient`` without saving."""
        wanted = self.cleaned_data.get("reminders", [])
        stops = dict(patient.mail_stops)
        if wanted or not self.offsets:
            declined = set(patient.declined_reminders) - set(self.offsets)
            patient.declined_reminders = sorted(declined | (set(self.offsets) - set(wanted)))
            if wanted:
                stops.pop(REMINDER, None)
        else:
            stops.setdefault(REMINDER, now.isoformat())
        for wording in self.stoppable:
            if wording.kind in self.cleaned_data["others"]:
                stops.pop(wording.kind, None)
            else:
                stops.setdefault(wording.kind, now.isoformat())
        patient.mail_stops = stops

    def keep(self, *, now: datetime) -> Patient:
        """Save only the choices, and update the planned reminders."""
        with transaction.atomic():
            # Read the current row: a click in a mail may have stopped mails in between.
            patient = Patient.objects.select_for_update().get(pk=self.instance.pk)
            patient.language = self.cleaned_data["language"]
            patient.time_zone = self.cleaned_data["time_zone"]
            self.apply(patient, now=now)
            patient.save(update_fields=self.saved_fields)
            if "time_zone" in self.changed_data:
                retime_reminders(patient, now=now)
        return patient


def retime_reminders(patient: Patient, *, now: datetime) -> None:
    """Move the planned reminders of all coming visits out of the patient's quiet hours."""
    coming = Appointment.objects.filter(
        patient=patient, status=Appointment.Status.BOOKED, start__gt=now
    )
    for visit in coming.select_related("patient", "service"):
        mail_schedule.retime(visit, now)
