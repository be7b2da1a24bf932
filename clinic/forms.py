"""The forms of the practice's settings."""

import itertools
from datetime import date, time
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import (
    CharField,
    CheckboxSelectMultiple,
    ChoiceField,
    ModelForm,
    MultipleChoiceField,
)
from django.utils import formats, timezone
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from clinic import public_holidays
from clinic.models import Location

type Spans = list[list[str]]


def _clock(typed: str) -> str:
    return f"{time.fromisoformat(typed.strip().rjust(5, '0')):%H:%M}"


class SpansField(CharField):
    """From and to times of one day as they are typed: "08:00-12:00, 13:00-18:00"."""

    default_error_messages = {
        "spans": _("Write from and to times, the earliest first: 08:00-12:00, 13:00-18:00."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join("-".join(span) for span in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Spans:  # type: ignore[override]
        typed = (super().to_python(value) or "").replace("–", "-")
        spans = [span.split("-") for span in typed.split(",")] if typed else []
        try:
            edges = [[_clock(edge) for edge in span] for span in spans]
        except ValueError:
            edges = [[]]
        flat = list(itertools.chain.from_iterable(edges))
        if any(len(span) != 2 for span in edges) or flat != sorted(set(flat)):
            raise ValidationError(self.error_messages["spans"], code="spans")
        return edges


class PracticeForm(ModelForm):
    """The practice; one line for each day with the hours in which staff answer safety alerts."""

    monday = SpansField(label=capfirst(WEEKDAYS[0]))
    tuesday = SpansField(label=capfirst(WEEKDAYS[1]))
    wednesday = SpansField(label=capfirst(WEEKDAYS[2]))
    thursday = SpansField(label=capfirst(WEEKDAYS[3]))
    friday = SpansField(label=capfirst(WEEKDAYS[4]))
    saturday = SpansField(label=capfirst(WEEKDAYS[5]))
    sunday = SpansField(label=capfirst(WEEKDAYS[6]))
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for weekday, name in enumerate(self.days):
            self.initial[name] = self.instance.staffed_hours.get(str(weekday), [])

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors:
            self.instance.staffed_hours = {
                str(weekday): self.cleaned_data[name]
                for weekday, name in enumerate(self.days)
                if self.cleaned_data[name]
            }
        return cleaned


class LocationForm(ModelForm):
    """A location, with its holidays of this and the next year, on each of which it may open."""

    holiday_country = ChoiceField(label=_("Holidays of"), required=False)
    holidays_kept_open = MultipleChoiceField(
        label=_("Open all the same on"),
        required=False,
        widget=CheckboxSelectMultiple,
        help_text=_("The location is closed on every holiday that is not ticked, every year."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        country: Any = self.fields["holiday_country"]
        country.help_text = Location._meta.get_field("holiday_country").help_text
        country.choices = [("", _("None")), *public_holidays.country_names()]
        kept_open: Any = self.fields["holidays_kept_open"]
        kept_open.choices = [
            (name, f"{name}: {', '.join(formats.date_format(day) for day in dates)}")
            for name, dates in self._dates().items()
        ]
        if not kept_open.choices:
            kept_open.help_text = _("Choose a country and save: its holidays are then listed here.")

    def _dates(self) -> dict[str, list[date]]:
        """Return the dates of each holiday that is shown, by its name."""
        dates: dict[str, list[date]] = {}
        this_year = timezone.localdate().year
        for year in (this_year, this_year + 1):
            for holiday in self.instance.holidays_of(year):
                dates.setdefault(holiday.name, []).append(holiday.date)
        return dates

    def clean_holidays_kept_open(self) -> list[str]:
        """Keep earlier choices that fall on no day of these two years."""
        shown = {name for name, _label in self.fields["holidays_kept_open"].choices}  # type: ignore[attr-defined]
        before = [name for name in self.instance.holidays_kept_open if name not in shown]
        return [*self.cleaned_data["holidays_kept_open"], *before]
