"""The front desk's forms to plan or move a series."""

from datetime import date
from typing import Any

from booking.series.forms import DatesForm, RhythmForm
from desk.admin.forms import CallerForm, PhoneScreenForm, WishForm
from schedule.fields import CHOOSE_PRACTITIONER


class SeriesWishForm(WishForm, RhythmForm):
    """The wish as the plan's address contains it: keys, days and numbers only."""

    key_names = (*WishForm.key_names, "count", "weeks", "at", "race_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # One practitioner gives the whole series, and it is planned within their hours.
        field: Any = self.fields["practitioner"]
        field.required, field.empty_label = True, "---------"
        field.error_messages |= CHOOSE_PRACTITIONER

    def dates(self, *, today: date) -> list[date]:
        """Return the days of the visits in order; fewer than asked for if the race is too near."""
        wish = self.cleaned_data
        return self.days(wish["practitioner"], wish["location"], today=today)


class SeriesCallerForm(CallerForm, SeriesWishForm):
    """The patient of the series, and the wish."""

    what = [*CallerForm.what, "at", "count", "weeks", "race_on"]
    field_order = [*CallerForm.who, *what]


class ScreenedDatesForm(DatesForm, PhoneScreenForm):
    """The dates, and the reason why the red-flag questions were not asked."""
