"""What patients type or choose while they book."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from booking import slots
from booking.models import Service
from clinic.models import Location, Patient, Practice, Practitioner
from clinic.plain_text import MailAddressField, OneLineField
from intake.models import Agreement

MAX_AGE = 110
# The year 2200, in minutes since 1970: far out, and still well within what datetime can add to.
_LAST_MINUTE = 120_971_520

is_phone_number = RegexValidator(
    r"^\+?[0-9(][0-9 ().\-/]{5,}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?$",
    _("Enter a phone number, such as 512 555 0100."),
)


def name_field(**options: Any) -> OneLineField:
    return OneLineField(
        max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}), **options
    )


def phone_field(**options: Any) -> OneLineField:
    return OneLineField(
        label=_("Phone"),
        max_length=40,
        validators=[is_phone_number],
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
        **options,
    )


def email_field(**options: Any) -> MailAddressField:
    return MailAddressField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "dir": "ltr"}),
        **options,
    )


class BirthDateField(forms.DateField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(
                attrs={"type": "date", "autocomplete": "bday"}, format="%Y-%m-%d"
            ),
            **kwargs,
        )
        self.error_messages["invalid"] = _("Enter a date as year-month-day: 1990-05-24.")


class CallbackForm(forms.Form):
    """How to reach somebody who needs to be checked today. All of it may be left out."""

    name = name_field(label=_("Name"), required=False)
    phone = phone_field(required=False)
    birth_date = BirthDateField(label=_("Date of birth"), required=False)


class BirthDateForm(forms.Form):
    """The second factor of a mailed link."""

    birth_date = BirthDateField(
        label=_("Date of birth"), help_text=_("Of the person the visit is for.")
    )


class AgreementForm(forms.Form):
    """The privacy notice, signed by name."""

    agrees = forms.BooleanField(
        label=_("I read how my answers are used and kept, and I agree."),
        error_messages={"required": _("Please tick this box if you agree.")},
    )
    signed_by = name_field(label=_("Type your full name to sign."), min_length=2)
    role = forms.ChoiceField(
        label=_("You are…"), choices=Agreement.Role.choices, widget=forms.RadioSelect
    )


class VisitForm(forms.Form):
    """The visit somebody was about to move when they met the gate."""

    visit = forms.UUIDField()

    @property
    def visit_id(self) -> UUID | None:
        return self.cleaned_data["visit"] if self.is_valid() else None


class SlotFilterForm(forms.Form):
    """Where, with whom, how long and around which day; anything unreadable counts as not given."""

    place = forms.SlugField(required=False)
    who = forms.UUIDField(required=False)
    minutes = forms.IntegerField(required=False)
    day = forms.DateField(required=False, input_formats=["%Y-%m-%d"])


class KeyForm(forms.Form):
    """The one-time key of a booking form: sent twice, it books once."""

    booking_key = forms.UUIDField()

    @property
    def key(self) -> str:
        key: UUID = self.cleaned_data["booking_key"]
        return key.hex


class StartForm(forms.Form):
    """A choice of start, as one of the slot picker's buttons posts it.

    ``start`` is the minute since 1970-01-01T00:00Z; an empty ``who`` is any practitioner.
    """

    start = forms.IntegerField(min_value=0, max_value=_LAST_MINUTE)
    place = forms.ModelChoiceField(Location.objects.filter(is_active=True), to_field_name="slug")
    who = forms.ModelChoiceField(
        Practitioner.objects.filter(is_active=True), to_field_name="public_id", required=False
    )
    minutes = forms.TypedChoiceField(coerce=int)

    def __init__(self, data: Any = None, *, service: Service, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["minutes"].choices = [(m, m) for m in service.durations]  # type: ignore[attr-defined]

    @property
    def at(self) -> datetime:
        return slots.from_minute(self.cleaned_data["start"])


class HoldForm(StartForm, KeyForm):
    """A choice of start for a new booking."""


class DetailsForm(forms.Form):
    """Who comes to the visit. Under age, also the adult who answers for them."""

    name = name_field(label=_("Full name"))
    email = email_field(help_text=_("We send the confirmation and your intake form there."))
    phone = phone_field()
    birth_date = BirthDateField(label=_("Date of birth"))
    language = forms.ChoiceField(
        label=_("Language for our mails"), choices=settings.LANGUAGES, widget=forms.RadioSelect
    )
    wants_reminders = forms.BooleanField(
        label=_("Remind me by e-mail before the visit"), required=False, initial=True
    )
    guardian_name = OneLineField(
        label=_("Parent or guardian"),
        max_length=120,
        required=False,
        help_text=_("The patient is not an adult yet, so somebody has to answer for them."),
    )
    is_guardian = forms.BooleanField(
        label=_("I am the parent or legal guardian, and I will come along."), required=False
    )
    # People never see it; programs that fill in every field do.
    website = forms.CharField(required=False)

    def __init__(self, data: Any = None, *, practice: Practice, today: date, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.practice = practice
        self.today = today
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        guardian = ["guardian_name", "is_guardian"] if self.shows_guardian else []
        # The page itself shows the field that people never see.
        self.helper.layout = Layout(
            *(
                name
                for name in self.fields
                if name not in {"guardian_name", "is_guardian", "website"}
            ),
            *guardian,
        )

    def clean_birth_date(self) -> date:
        born: date = self.cleaned_data["birth_date"]
        age = Patient(birth_date=born).age_on(self.today) or 0
        if born > self.today or not self.practice.min_age <= age <= MAX_AGE:
            raise ValidationError(
                _("Please check this date. We see people from %(age)s years on."),
                code="age",
                params={"age": self.practice.min_age},
            )
        return born

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise ValidationError(_("Please leave this empty."), code="program")
        return ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.is_minor:
            if not cleaned.get("guardian_name"):
                self.add_error("guardian_name", _("Please give the name of a parent or guardian."))
            if not cleaned.get("is_guardian"):
                self.add_error("is_guardian", _("A parent or guardian has to book this visit."))
        return cleaned

    @property
    def is_minor(self) -> bool:
        born = self.cleaned_data.get("birth_date")
        age = Patient(birth_date=born).age_on(self.today)
        return age is not None and age < self.practice.minor_age

    @property
    def shows_guardian(self) -> bool:
        """Ask for the guardian at once when the age is known, and after an answer that tells it."""
        born = self["birth_date"].value()
        if isinstance(born, str):
            try:
                born = date.fromisoformat(born)
            except ValueError:
                return False
        age = Patient(birth_date=born).age_on(self.today)
        return age is not None and age < self.practice.minor_age

    def as_typed(self) -> "DetailsForm":
        """A fresh form with the same words in it, not judged yet."""
        typed = {name: self[name].value() for name in self.fields}
        return DetailsForm(initial=typed, practice=self.practice, today=self.today)

    def new_patient(self, *, now: datetime) -> Patient:
        """A patient as these details say, not saved yet."""
        details = self.cleaned_data
        return Patient(
            name=details["name"],
            email=details["email"],
            phone=details["phone"],
            birth_date=details["birth_date"],
            language=details["language"],
            guardian_name=details["guardian_name"] if self.is_minor else "",
            guardian_attested_at=now if self.is_minor else None,
            reminders_stopped_at=None if details["wants_reminders"] else now,
        )


class CancelForm(forms.Form):
    """Why a visit is called off; nobody has to say."""

    reason = OneLineField(label=_("Reason (optional)"), max_length=200, required=False)


class MyVisitsForm(forms.Form):
    email = email_field()
