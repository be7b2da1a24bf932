"""What the front desk types to plan or move a series."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from booking.admin.forms import (
    CHOOSE_PRACTITIONER,
    CHOOSE_TIME,
    CallerForm,
    DayField,
    PhoneScreenForm,
    TimeInput,
    WishForm,
)
from booking.models import OpeningHours
from booking.models.series import MOST_VISITS, MOST_WEEKS
from booking.plan import PlannedVisit
from booking.recurrence import back_from_race, every
from clinic.letters import day_text, time_text

LEAVE_OUT = "out"


class RhythmForm(forms.Form):
    """How often, how many, and from when: from a day on, or back from a race."""

    count = forms.IntegerField(
        label=_("Visits"),
        min_value=2,
        max_value=MOST_VISITS,
        initial=6,
        error_messages={"required": _("Say how many visits there are.")},
    )
    weeks = forms.IntegerField(
        label=_("Weeks between visits"),
        min_value=1,
        max_value=MOST_WEEKS,
        initial=1,
        error_messages={"required": _("Say how many weeks lie between two visits.")},
    )
    at = forms.TimeField(label=_("At"), widget=TimeInput(), error_messages=CHOOSE_TIME)
    race_on = DayField(
        label=_("Day of the race"),
        required=False,
        help_text=_(
            "With a race the last visit comes three to seven days before it, and the others go "
            "back from there; “From” is then the earliest day."
        ),
    )


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
        if not wish["race_on"]:
            return every(wish["weeks"], first=wish["day"], count=wish["count"])
        hours = OpeningHours.objects.filter(
            practitioner=wish["practitioner"], location=wish["location"]
        )
        return back_from_race(
            wish["race_on"],
            weeks=wish["weeks"],
            count=wish["count"],
            earliest=max(wish["day"], today),
            weekdays=set(hours.values_list("weekday", flat=True)),
        )


class SeriesCallerForm(CallerForm, SeriesWishForm):
    """Who the series is for, and the wish."""

    what = [*CallerForm.what, "at", "count", "weeks", "race_on"]
    field_order = [*CallerForm.who, *what]


def _value(start: datetime) -> str:
    return start.astimezone(UTC).isoformat()


def _words(start: datetime) -> str:
    return f"{day_text(start)}, {time_text(start)}"


class DatesForm(PhoneScreenForm):
    """One choice for each visit: the wanted start, one near it, or to leave it as it is."""

    form_key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(
        self,
        *args: Any,
        planned: Sequence[PlannedVisit],
        minutes: int,
        zone: Any,
        otherwise: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.planned, self.minutes = planned, minutes
        self.fields["form_key"].initial = uuid4().hex
        for visit in planned:
            starts = [visit.wanted.astimezone(zone)] if visit.is_free and visit.wanted else []
            listed = [*starts, *visit.alternatives]
            # What was listed when the page was shown is as good, while it is still free.
            posted = self.data.get(self.add_prefix(self._name(visit)))
            listed += [start for start in visit.near if _value(start) == posted]
            choices = list({_value(start): _words(start) for start in listed}.items())
            self.fields[self._name(visit)] = forms.ChoiceField(
                label=_words(visit.wall),
                choices=[*choices, (LEAVE_OUT, otherwise)],
                initial=choices[0][0] if visit.is_free else None,
                widget=forms.RadioSelect,
                error_messages={
                    "required": _("This time is not free: choose another one."),
                    "invalid_choice": _("This time was just taken: choose another one."),
                },
            )

    @property
    def visits(self) -> list[tuple[PlannedVisit, forms.BoundField]]:
        return [(visit, self[self._name(visit)]) for visit in self.planned]

    @property
    def chosen(self) -> dict[int, datetime]:
        """The starts by the visit's number, without those that are left out."""
        values = {
            visit.number: self.cleaned_data[self._name(visit)]
            for visit in self.planned
            if self.cleaned_data.get(self._name(visit), LEAVE_OUT) != LEAVE_OUT
        }
        return {number: datetime.fromisoformat(value) for number, value in values.items()}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        starts = sorted(self.chosen.values())
        if not self.errors and not starts:
            self.add_error(None, _("Choose at least one time."))
        length = timedelta(minutes=self.minutes)
        if any(following - start < length for start, following in pairwise(starts)):
            self.add_error(None, _("Two of these visits would overlap."))
        return cleaned

    def _name(self, visit: PlannedVisit) -> str:
        return f"start_{visit.number}"


class ShiftForm(forms.Form):
    """Where the first of the visits goes; the others follow by as much."""

    day = DayField(label=_("New day"))
    at = forms.TimeField(label=_("At"), widget=TimeInput(), error_messages=CHOOSE_TIME)
