"""The front desk's forms about a visit."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import formats
from django.utils.translation import gettext_lazy as _

from booking.models import Appointment, SlotTaken
from clinic import languages
from clinic.models import Location, Patient, Practitioner
from clinic.plain_text import MailAddressField
from schedule.fields import (
    CHOOSE_LOCATION,
    CHOOSE_SERVICE,
    FIRST_DAY,
    LAST_DAY,
    DateInput,
    DayField,
    TimeInput,
)
from schedule.models import Service


class StartField(forms.CharField):
    """A listed start in the format that our own pages write into a button.

    An instant in ISO 8601 with its offset, optionally followed by a practitioner's key. The value
    is the instant in UTC and the key or None.
    """

    def to_python(self, value: Any) -> tuple[datetime, int | None] | None:  # type: ignore[override]
        text = super().to_python(value)
        if not text:
            return None
        instant, _space, key = text.partition(" ")
        refused = ValidationError(_("Choose one of the times."), code="invalid")
        try:
            start, practitioner = datetime.fromisoformat(instant), int(key) if key else None
        except ValueError:
            raise refused from None
        if start.tzinfo is None or not FIRST_DAY < start.date() < LAST_DAY:
            raise refused
        return start.astimezone(UTC), practitioner


class PlaceForm(forms.Form):
    """Practitioner, location and first day, read from the page's address, which has keys only."""

    location = forms.ModelChoiceField(
        Location.objects.filter(is_active=True),
        label=_("Location"),
        error_messages=CHOOSE_LOCATION,
    )
    practitioner = forms.ModelChoiceField(
        Practitioner.objects.filter(is_active=True),
        label=_("Practitioner"),
        required=False,
        empty_label=_("Whoever is free"),
    )
    day = DayField(label=_("From"))

    key_names: tuple[str, ...] = ("service", "location", "practitioner", "day")

    def __init__(self, *args: Any, for_service: Service | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.for_service = for_service

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        service = cleaned.get("service", self.for_service)
        practitioner = cleaned.get("practitioner")
        if service and practitioner and not service.practitioners.contains(practitioner):
            self.add_error("practitioner", _("Does not offer this service."))
        return cleaned

    @property
    def keys(self) -> dict[str, str]:
        """Return the choice as a query string that this form can read."""
        chosen = {name: self.cleaned_data.get(name) for name in self.key_names}
        return {name: str(getattr(row, "pk", row)) for name, row in chosen.items() if row}


class WishForm(PlaceForm):
    """The caller's wish."""

    service = forms.ModelChoiceField(
        Service.objects.filter(is_active=True).exclude(booking_mode=Service.BookingMode.EXTERNAL),
        label=_("Service"),
        error_messages=CHOOSE_SERVICE,
    )
    field_order = ["service", "location", "practitioner", "day"]


class PatientSelect(AutocompleteSelect):
    """A select with a placeholder: the admin's own is empty, without a name for screen readers."""

    def build_attrs(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return super().build_attrs(*args, **kwargs) | {
            "data-placeholder": _("Name, phone or e-mail of the patient")
        }

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        # Django looks up every chosen value, and fails on one that cannot be a key.
        return super().optgroups(name, [each for each in value if _is_key(each)], attrs)


def _is_key(text: Any) -> bool:
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True


class CallerForm(WishForm):
    """The patient who calls or walks in, and the service. E-mail is optional."""

    patient = forms.ModelChoiceField(
        Patient.objects.none(), label=_("Patient, if here before"), required=False
    )
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    birth_date = forms.DateField(label=_("Date of birth"), required=False, widget=DateInput())
    email = MailAddressField(label=_("E-mail"), required=False)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=languages.choices,
        error_messages={"required": _("Choose a language.")},
    )
    is_new = forms.BooleanField(
        label=_("This is somebody else"),
        required=False,
        help_text=_("Tick it only when we say that somebody like this is already here."),
    )

    who = ["patient", "name", "phone", "birth_date", "email", "language", "is_new"]
    what = ["service", "location", "practitioner", "day"]
    field_order = [*who, *what]

    def __init__(self, *args: Any, patients: QuerySet[Patient], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patients, self.today = patients, today
        field: Any = self.fields["patient"]
        field.queryset = patients
        field.widget = PatientSelect(
            Appointment._meta.get_field("patient"), admin.site, choices=field.choices
        )

    @property
    def who_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.who]

    @property
    def what_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.what]

    def clean_birth_date(self) -> date | None:
        birth_date = self.cleaned_data["birth_date"]
        if birth_date and not date(1900, 1, 1) <= birth_date <= self.today:
            raise ValidationError(_("Please check this date."))
        return birth_date

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("patient"):
            return cleaned
        for name in ("name", "phone", "birth_date"):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("Needed for somebody new."))
        if not self.errors and not cleaned["is_new"]:
            self._refuse_a_second_record()
        return cleaned

    def _refuse_a_second_record(self) -> None:
        cleaned = self.cleaned_data
        known = self.patients.filter(
            Q(phone=cleaned["phone"])
            | Q(name__iexact=cleaned["name"], birth_date=cleaned["birth_date"])
        )[:5]
        if known:
            self.add_error(
                "patient",
                ValidationError(
                    _("Already here: %(names)s. Choose them, or tick “This is somebody else”."),
                    params={
                        "names": "; ".join(
                            f"{patient.name}, {formats.date_format(patient.birth_date)}"
                            if patient.birth_date
                            else patient.name
                            for patient in known
                        )
                    },
                ),
            )

    def save(self) -> Patient:
        """Return the chosen patient, or a new one."""
        names = ("name", "phone", "birth_date", "email", "language")
        return self.cleaned_data["patient"] or Patient.objects.create(
            **{name: self.cleaned_data[name] for name in names}
        )


class PhoneScreenForm(forms.Form):
    """The reason why the red-flag questions were not asked by phone; empty when they were."""

    phone_screen_note = forms.CharField(
        label=_("Red-flag questions not asked because"),
        max_length=200,
        error_messages={"required": _("Ask the questions, or say why you did not.")},
    )

    def __init__(self, *args: Any, is_screened: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_screened:
            del self.fields["phone_screen_note"]

    @property
    def note_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("phone_screen_note",) if name in self.fields]


class StartForm(PhoneScreenForm):
    """A listed start, or any other time that staff type together with the practitioner.

    Once valid, ``choice`` has the arguments of ``book`` and ``move``: the instant, the practitioner
    (None: any who is free) and whether the time is not a listed start.
    """

    booking_key = forms.CharField(widget=forms.HiddenInput, max_length=64)
    start = StartField(required=False)
    on = DayField(label=_("Day"), required=False)
    at = forms.TimeField(label=_("Time"), required=False, widget=TimeInput())
    practitioner = forms.ModelChoiceField(
        Practitioner.objects.filter(is_active=True), label=_("Practitioner"), required=False
    )
    overlap_reason = forms.CharField(
        label=_("Reason for booking over another visit"), max_length=200, required=False
    )

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.fields["booking_key"].initial = uuid4().hex

    @property
    def named_time_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("on", "at", "practitioner", "overlap_reason")]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "start" in self.errors:
            return cleaned
        if cleaned["start"] is not None:
            start, key = cleaned["start"]
            practitioner = Practitioner.objects.filter(is_active=True, pk=key).first()
            self.choice = {"start": start, "practitioner": practitioner, "outside_hours": False}
            return cleaned
        for name in ("on", "at", "practitioner"):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("Choose a time above, or fill this in."))
        if not self.errors:
            wall = datetime.combine(cleaned["on"], cleaned["at"])
            start = wall.replace(tzinfo=self.zone).astimezone(UTC)
            if start.astimezone(self.zone).replace(tzinfo=None) != wall:
                self.add_error("at", _("The clocks change then: there is no such time."))
            self.choice = {
                "start": start,
                "practitioner": cleaned["practitioner"],
                "outside_hours": True,
            }
        return cleaned

    def take(self, act: Callable[..., Appointment]) -> Appointment | None:
        """Call ``act`` with the choice; an overlap needs a typed reason.

        Return None, with the error on this form, when the time is taken.
        """
        try:
            return act(**self.choice)
        except SlotTaken as taken:
            if not self.choice["outside_hours"]:
                self.add_error(None, taken)
                return None
            reason = self.cleaned_data["overlap_reason"]
            if not reason:
                self.add_error(
                    "overlap_reason",
                    _(
                        "Another visit takes this time or the room. To book over it on purpose, "
                        "say why."
                    ),
                )
                return None
        return act(**self.choice, overlap_reason=reason)


def notify_patient_field() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("Tell the patient by e-mail"),
        required=False,
        initial=True,
        help_text=_("Untick it if you have told them already. The mail waits three minutes."),
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=200, error_messages={"required": _("Please say why.")}
    )
    notify_patient = notify_patient_field()


class MoveForm(StartForm):
    notify_patient = notify_patient_field()

    @property
    def told_fields(self) -> list[forms.BoundField]:
        return [self["notify_patient"]]
