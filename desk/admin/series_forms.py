"""What the front desk types to plan or move a series."""

from datetime import date
from typing import Any

from booking.series.forms import DatesForm, RhythmForm
from desk.admin.forms import CallerForm, PhoneScreenForm, WishForm
from schedule.fields import CHOOSE_PRACTITIONER


class SeriesWishForm(WishForm, RhythmForm):
    """The wish as the plan's address holds it: keys, days and numbers only."""

    key_names = (*WishForm.key_names, "count", "weeks", "at", "race_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # One person sees a series through, and it is planned around their hours.
        field: Any = self.fields["practitioner"]
        field.required, field.empty_label = True, "---------"
        field.error_messages |= CHOOSE_PRACTITIONER

    def dates(self, *, today: date) -> list[date]:
        """The days of the visits, rising; fewer than asked for when the race is too near."""
        wish = self.cleaned_data
        return self.days(wish["practitioner"], wish["location"], today=today)


class SeriesCallerForm(CallerForm, SeriesWishForm):
    """Who the series is for, and the wish."""

    what = [*CallerForm.what, "at", "count", "weeks", "race_on"]
    field_order = [*CallerForm.who, *what]


class ScreenedDatesForm(DatesForm, PhoneScreenForm):
    """The dates, and why the red-flag questions were not asked."""
