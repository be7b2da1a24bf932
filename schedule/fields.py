"""Fields that both patients and the front desk fill in, and the messages for empty ones."""

from datetime import date

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

# Messages for a field that was left empty.
CHOOSE_SERVICE = {"required": _("Choose a service.")}
CHOOSE_LOCATION = {"required": _("Choose a location.")}
CHOOSE_PRACTITIONER = {"required": _("Choose a practitioner.")}
CHOOSE_TIME = {"required": _("Choose a time.")}


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


# Days outside have no room to add weeks and zones to.
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(2199, 12, 31)
CHECK_DAY = _("Please check this date.")


class DayField(forms.DateField):
    widget = DateInput
    default_error_messages = {"required": _("Choose a day.")}
    default_validators = [
        MinValueValidator(FIRST_DAY, CHECK_DAY),
        MaxValueValidator(LAST_DAY, CHECK_DAY),
    ]


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")
