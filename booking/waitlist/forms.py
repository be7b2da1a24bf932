"""The form with which patients join the waitlist."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crispy_forms.bootstrap import InlineCheckboxes
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from booking.flow.eligibility import Offer
from booking.flow.forms import KeyForm, PractitionerChoice
from booking.flow.picker import places_of
from clinic import days
from clinic.models import Location, Practitioner
from schedule.fields import DateInput
from schedule.models.hours import Weekday
from schedule.part_of_day import PartOfDay

USUAL_WAIT = timedelta(days=30)
MAX_WAIT = timedelta(days=180)


class WishForm(KeyForm):
    """When a patient can come, to whom and where."""

    weekdays = forms.TypedMultipleChoiceField(
        label=_("Days that suit you"),
        coerce=int,
        choices=Weekday.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one day.")},
    )
    parts = forms.MultipleChoiceField(
        label=_("Times that suit you"),
        choices=PartOfDay.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one part of the day.")},
    )
    first_day = forms.DateField(label=_("From"), widget=DateInput())
    last_day = forms.DateField(label=_("Until"), widget=DateInput())
    who = PractitionerChoice(
        Practitioner.objects.none(),
        label=_("With"),
        to_field_name="public_id",
        required=False,
        empty_label=_("Anyone who is free"),
    )
    place = forms.ModelChoiceField(
        Location.objects.none(),
        label=_("Where"),
        to_field_name="slug",
        required=False,
        empty_label=_("Any location"),
    )
    minutes = forms.TypedChoiceField(label=_("Length"), coerce=int)

    def __init__(
        self, data: Any = None, *, offer: Offer, now: datetime, zone: ZoneInfo, **kwargs: Any
    ) -> None:
        today = days.local_date(now, zone)
        initial = {
            "weekdays": Weekday.values,
            "parts": PartOfDay.values,
            "first_day": today,
            "last_day": today + USUAL_WAIT,
            "minutes": offer.service.default_duration,
        }
        super().__init__(data, initial=initial | kwargs.pop("initial", {}), **kwargs)
        self.now, self.today = now, today
        service, fields = offer.service, self.fields
        fields["booking_key"].widget = forms.HiddenInput()
        fields["who"].queryset = service.practitioners.filter(is_active=True)  # type: ignore[attr-defined]
        fields["place"].queryset = places_of(service)  # type: ignore[attr-defined]
        fields["minutes"].choices = [  # type: ignore[attr-defined]
            (minutes, _("%(minutes)s min") % {"minutes": minutes}) for minutes in service.lengths
        ]
        if len(service.durations) == 1:
            fields["minutes"].widget = forms.HiddenInput()
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        rest = [name for name in fields if name not in {"weekdays", "parts"}]
        self.helper.layout = Layout(InlineCheckboxes("weekdays"), InlineCheckboxes("parts"), *rest)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, last, place = (cleaned.get(name) for name in ("first_day", "last_day", "place"))
        today = days.local_date(self.now, place.zone) if place else self.today
        if last and last < max(first or today, today):
            self.add_error("last_day", _("This day lies before the first one, or is over."))
        elif last and last > today + MAX_WAIT:
            self.add_error(
                "last_day",
                ValidationError(
                    _("Please choose a day within the next %(days)s days."),
                    params={"days": MAX_WAIT.days},
                ),
            )
        return cleaned

    @property
    def wishes(self) -> dict[str, Any]:
        """The choice as arguments of ``WaitlistEntry.objects.join``."""
        chosen = self.cleaned_data
        names = ("weekdays", "parts", "first_day", "last_day", "minutes")
        return {
            **{name: chosen[name] for name in names},
            "practitioner": chosen["who"],
            "location": chosen["place"],
        }
