"""What managers type about the practice."""

from datetime import date
from typing import Any

from django.forms import CheckboxSelectMultiple, ChoiceField, ModelForm, MultipleChoiceField
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

from clinic import public_holidays
from clinic.models import Location


class LocationForm(ModelForm):
    """A location; its holidays of this and the next year, each to be kept open or not."""

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
        """The dates of each holiday that is shown, by its name."""
        dates: dict[str, list[date]] = {}
        this_year = timezone.localdate().year
        for year in (this_year, this_year + 1):
            for holiday in self.instance.holidays_of(year):
                dates.setdefault(holiday.name, []).append(holiday.date)
        return dates

    def clean_holidays_kept_open(self) -> list[str]:
        """Keep also what was chosen before and falls on no day of these two years."""
        shown = {name for name, _label in self.fields["holidays_kept_open"].choices}  # type: ignore[attr-defined]
        before = [name for name in self.instance.holidays_kept_open if name not in shown]
        return [*self.cleaned_data["holidays_kept_open"], *before]
