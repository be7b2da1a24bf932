"""The forms that patients fill in while they book."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from booking.appointments.mail_schedule import REMINDER
from booking.flow.choosing import Goal, PainPlace, Seen
from clinic import languages
from clinic.models import Location, Patient, Practice, Practitioner
from clinic.plain_text import MailAddressField, OneLineField
from intake.models import Agreement
from schedule import slots
from schedule.models import Service

MAX_AGE = 110
# The year 2200, in minutes since 1970: later than any visit, and well within datetime's range.
_LAST_MINUTE = 120_971_520
CHOOSE_ONE = {"required": _("Choose one of these.")}

is_phone_number = RegexValidator(
    r"^\+?[0-9(][0-9 ().\-/]{5,}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?$",
    _("Enter a phone number, such as 512 555 0100."),
)


class HoneypotForm(forms.Form):
    """A honeypot: people never see this field; programs that fill in every field do."""

    website = forms.CharField(required=False)

    @property
    def is_spam(self) -> bool:
        return not self.is_valid() or bool(self.cleaned_data["website"])


def name_field(**options: Any) -> OneLineField:
    return OneLineField(
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Type the name.")},
        **options,
    )


def phone_field(**options: Any) -> OneLineField:
    return OneLineField(
        label=_("Phone"),
        max_length=40,
        validators=[is_phone_number],
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
        error_messages={"required": _("Type a phone number.")},
        **options,
    )


def email_field(**options: Any) -> MailAddressField:
    return MailAddressField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "dir": "ltr"}),
        error_messages={"required": _("Type an e-mail address.")},
        **options,
    )


class BirthDateField(forms.DateField):
    default_error_messages = {
        "required": _("Give the date of birth."),
        "invalid": _("Enter a date as year-month-day: 1990-05-24."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(
                attrs={"type": "date", "autocomplete": "bday"}, format="%Y-%m-%d"
            ),
            **kwargs,
        )


class CallbackForm(forms.Form):
    """How to reach a person who needs to be checked today. Every field is optional."""

    name = name_field(label=_("Name"), required=False)
    phone = phone_field(required=False)
    birth_date = BirthDateField(label=_("Date of birth"), required=False)


class CallMeForm(forms.Form):
    """Whom to phone about a time; a known patient may be called at once."""

    name = name_field(label=_("Name"), help_text=_("Of the person the visit is for."))
    phone = phone_field()


class BirthDateForm(forms.Form):
    """The birth date, the second factor of a mailed link."""

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
        label=_("You are…"),
        choices=Agreement.Role.choices,
        widget=forms.RadioSelect,
        error_messages=CHOOSE_ONE,
    )


class VisitForm(forms.Form):
    """The visit that the visitor wanted to move, or plan others after, before the safety gate."""

    PAGES = ("move_visit", "move_following", "plan_series")

    visit = forms.UUIDField()
    page = forms.ChoiceField(choices=[(name, name) for name in PAGES], required=False)

    @property
    def url(self) -> str | None:
        if not self.is_valid():
            return None
        page = self.cleaned_data["page"] or "move_visit"
        return reverse(page, args=[self.cleaned_data["visit"]])


class SlotFilterForm(forms.Form):
    """Where, with whom, how long and around which day; anything unreadable counts as not given."""

    place = forms.SlugField(required=False)
    who = forms.UUIDField(required=False)
    minutes = forms.IntegerField(required=False)
    day = forms.DateField(required=False, input_formats=["%Y-%m-%d"])


class OfferForm(forms.Form):
    """The waitlist offer that the visitor wanted to accept before the safety questions."""

    offer = forms.UUIDField()

    @property
    def offer_id(self) -> UUID | None:
        return self.cleaned_data["offer"] if self.is_valid() else None


class PractitionerChoice(forms.ModelChoiceField):
    """A practitioner with their title, as the slot picker names them."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name}, {obj.title}" if obj.title else obj.name


class KeyForm(forms.Form):
    """The one-time key of a booking form: sent twice, it books once."""

    booking_key = forms.UUIDField()

    @property
    def key(self) -> str:
        key: UUID = self.cleaned_data["booking_key"]
        return key.hex


class StartForm(forms.Form):
    """A choice of start, as posted by a button of the slot picker.

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
    """The patient of the visit; for a minor or with a carer, also the adult who books."""

    booked_for = forms.ChoiceField(
        label=_("Who is the visit for?"),
        choices=[
            (Patient.Contact.SELF, _("Me")),
            (Patient.Contact.GUARDIAN, _("My child")),
            (Patient.Contact.HELPER, _("A relative I care for")),
        ],
        widget=forms.RadioSelect,
        required=False,
    )
    name = name_field(label=_("Full name"), help_text=_("Of the person the visit is for."))
    birth_date = BirthDateField(
        label=_("Date of birth"), help_text=_("Of the person the visit is for.")
    )
    guardian_name = OneLineField(
        label=_("Your own name"),
        max_length=120,
        required=False,
        help_text=_("You are the one we write to and call."),
    )
    is_guardian = forms.BooleanField(
        label=_("I am the parent or legal guardian, and I will come along."), required=False
    )
    may_book = forms.BooleanField(
        label=_("I care for this person, and they agree that I book for them."), required=False
    )
    email = email_field(help_text=_("We send the confirmation and your intake form there."))
    phone = phone_field()
    language = forms.ChoiceField(
        label=_("Language for our mails"),
        choices=languages.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a language.")},
    )
    wants_reminders = forms.BooleanField(
        label=_("Remind me by e-mail before the visit"), required=False, initial=True
    )

    def __init__(self, data: Any = None, *, practice: Practice, today: date, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.practice = practice
        self.today = today
        if not self.is_bound:
            relation = Patient.Contact.GUARDIAN if self._is_minor_at_first else Patient.Contact.SELF
            self.initial.setdefault("booked_for", relation)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        # The style sheet hides the fields that the first choice makes unnecessary.
        self.helper.layout = Layout(
            "booked_for",
            "name",
            "birth_date",
            Div(
                "guardian_name",
                Div("is_guardian", css_class="for-guardian"),
                Div("may_book", css_class="for-helper"),
                css_class="on-behalf",
            ),
            "email",
            "phone",
            "language",
            "wants_reminders",
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

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        said = cleaned.get("booked_for")
        relation = self.relation
        if self.is_minor and said in {Patient.Contact.SELF, Patient.Contact.HELPER}:
            self.add_error(
                "booked_for",
                _("By this date of birth the patient is not an adult yet. A parent has to book."),
            )
        elif said == Patient.Contact.GUARDIAN and cleaned.get("birth_date") and not self.is_minor:
            self.add_error(
                "booked_for",
                _("By this date of birth the patient is an adult. Choose a relative instead."),
            )
        if relation != Patient.Contact.SELF and not cleaned.get("guardian_name"):
            self.add_error("guardian_name", _("Please give your own name too."))
        if relation == Patient.Contact.GUARDIAN and not cleaned.get("is_guardian"):
            self.add_error("is_guardian", _("A parent or guardian has to book this visit."))
        if relation == Patient.Contact.HELPER and not cleaned.get("may_book"):
            self.add_error("may_book", _("Please book only for somebody who agrees to it."))
        return cleaned

    @property
    def relation(self) -> str:
        """The relation to the patient of the person who books and gets the mails."""
        if self.is_minor:
            return Patient.Contact.GUARDIAN
        return self.cleaned_data.get("booked_for") or Patient.Contact.SELF

    @property
    def is_minor(self) -> bool:
        return self._is_under_age(self.cleaned_data.get("birth_date"))

    @property
    def _is_minor_at_first(self) -> bool:
        """Whether the birth date given at the gate makes it a child's visit."""
        born = self.initial.get("birth_date")
        return isinstance(born, date) and self._is_under_age(born)

    def _is_under_age(self, born: date | None) -> bool:
        age = Patient(birth_date=born).age_on(self.today)
        return age is not None and age < self.practice.minor_age

    def as_typed(self) -> "DetailsForm":
        """Return a new form with the same input, not validated yet."""
        typed = {name: self[name].value() for name in self.fields}
        return DetailsForm(initial=typed, practice=self.practice, today=self.today)

    @property
    def typed(self) -> dict[str, str]:
        """The input as sent, for another form of this class to read."""
        return {name: self.data[name] for name in self.fields if name in self.data}

    def new_patient(self, *, now: datetime) -> Patient:
        """Return a patient with these details, not saved yet."""
        details, is_for_another = self.cleaned_data, self.relation != Patient.Contact.SELF
        return Patient(
            name=details["name"],
            email=details["email"],
            phone=details["phone"],
            birth_date=details["birth_date"],
            language=details["language"],
            contact_relation=self.relation,
            guardian_name=details["guardian_name"] if is_for_another else "",
            guardian_attested_at=now if is_for_another else None,
            mail_stops={} if details["wants_reminders"] else {REMINDER: now.isoformat()},
        )


class ChoosingForm(forms.Form):
    """Three plain questions for a person who does not know which visit they need."""

    goal = forms.ChoiceField(
        label=_("What do you want most from the first visit?"),
        choices=Goal,
        widget=forms.RadioSelect,
        error_messages=CHOOSE_ONE,
    )
    place = forms.ChoiceField(
        label=_("Where does it hurt?"),
        choices=PainPlace,
        widget=forms.RadioSelect,
        error_messages=CHOOSE_ONE,
    )
    seen = forms.ChoiceField(
        label=_("Has somebody looked at this pain?"),
        choices=Seen,
        widget=forms.RadioSelect,
        error_messages=CHOOSE_ONE,
    )


class CancelForm(forms.Form):
    """The reason for a cancellation, which is optional."""

    reason = OneLineField(label=_("Reason (optional)"), max_length=200, required=False)


class MyVisitsForm(forms.Form):
    email = email_field()
