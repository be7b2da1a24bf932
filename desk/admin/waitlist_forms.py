"""The front desk's forms for the waitlist."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from booking.models import WaitlistEntry
from clinic import days
from clinic.models import Location, Patient
from desk.admin.forms import CallerForm, StartField
from intake.workflow import gate
from schedule.fields import DayField
from schedule.models.hours import Weekday
from schedule.part_of_day import PartOfDay


class WaitForm(CallerForm):
    """The patient to add to the waitlist, the service, and when the patient can come."""

    location = forms.ModelChoiceField(
        Location.objects.filter(is_active=True),
        label=_("Location"),
        required=False,
        empty_label=_("Any location"),
    )
    day = None
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Days"),
        coerce=int,
        choices=Weekday.choices,
        initial=Weekday.values,
        error_messages={"required": _("Choose at least one day.")},
        widget=forms.CheckboxSelectMultiple,
    )
    parts = forms.MultipleChoiceField(
        label=_("Times"),
        choices=PartOfDay.choices,
        initial=PartOfDay.values,
        error_messages={"required": _("Choose at least one part of the day.")},
        widget=forms.CheckboxSelectMultiple,
    )
    first_day = DayField(label=_("From"))
    last_day = DayField(label=_("Until"))
    phone_screen_note = forms.CharField(
        label=_("Red-flag questions not asked because"),
        max_length=200,
        required=False,
        help_text=_("Needed unless the patient answered them in the last day."),
    )

    what = [
        *("service", "location", "practitioner", "weekdays", "parts"),
        *("first_day", "last_day", "phone_screen_note"),
    ]
    field_order = [*CallerForm.who, *what]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        first, last, place = (cleaned.get(name) for name in ("first_day", "last_day", "location"))
        patient, now = cleaned.get("patient"), timezone.now()
        today = days.local_date(now, place.zone) if place else self.today
        if first and last and last < max(first, today):
            self.add_error("last_day", _("This day lies before the first one, or is over."))
        self.response = None
        if patient:
            if gate.emergency_alert(visitor_hash="", patient=patient):
                self.add_error(
                    "patient",
                    _("Booking is shut for this patient until their safety alert is dealt with."),
                )
            response = gate.response_of(visitor_hash="", patient=patient, now=now)
            self.response = response if gate.is_answered(response, now=now) else None
        if self.response is None and not cleaned.get("phone_screen_note"):
            self.add_error("phone_screen_note", _("Say why, or ask them with “Add visit” first."))
        return cleaned

    def join(self, patient: Patient, *, by: Any, now: Any) -> WaitlistEntry:
        chosen = self.cleaned_data
        names = ("service", "location", "practitioner", "weekdays", "parts")
        return WaitlistEntry.objects.join(
            patient=patient,
            **{name: chosen[name] for name in names},
            first_day=chosen["first_day"],
            last_day=chosen["last_day"],
            phone_screen_note=chosen["phone_screen_note"],
            intake_response=self.response,
            by=by,
            now=now,
        )


class OfferedStartForm(forms.Form):
    start = StartField(error_messages={"required": _("Choose one of the times.")})
