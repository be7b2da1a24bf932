"""Forms that plan and move a series: a rhythm, then one choice for each of its visits."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

from crispy_forms.helper import FormHelper
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from booking.appointments.models import Appointment
from booking.flow.eligibility import Offer
from booking.flow.forms import PractitionerChoice
from booking.series.models import MAX_VISITS, MAX_WEEKS, MIN_VISITS
from booking.series.planning import (
    PlannedVisit,
    Reading,
    free_around,
    lay_out,
    lay_out_shifted,
)
from booking.series.recurrence import back_from_race, every
from clinic.mail.letters import day_text, time_text
from clinic.models import Location, Practitioner
from schedule.fields import (
    CHOOSE_LOCATION,
    CHOOSE_PRACTITIONER,
    CHOOSE_SERVICE,
    CHOOSE_TIME,
    DayField,
    TimeInput,
)
from schedule.models import OpeningHours, Service

LEAVE_OUT = "out"
OUT_OF_BOUNDS = {
    "min_value": _("At least %(limit_value)s, please."),
    "max_value": _("At most %(limit_value)s, please."),
}


def visits_field(most: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=_("Visits"),
        min_value=MIN_VISITS,
        max_value=most,
        initial=min(6, most),
        error_messages={"required": _("Say how many visits there are.")} | OUT_OF_BOUNDS,
    )


class RhythmForm(forms.Form):
    """How often, how many, and from when: forward from a day, or back from a race."""

    count = visits_field(MAX_VISITS)
    weeks = forms.IntegerField(
        label=_("Weeks between visits"),
        min_value=1,
        max_value=MAX_WEEKS,
        initial=1,
        error_messages={"required": _("Say how many weeks lie between two visits.")}
        | OUT_OF_BOUNDS,
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

    def days(self, practitioner: Practitioner, location: Location, *, today: date) -> list[date]:
        """Return the days of the visits, ascending; fewer if the race is too near."""
        wish = self.cleaned_data
        if not wish["race_on"]:
            return every(wish["weeks"], first=wish["day"], count=wish["count"])
        hours = OpeningHours.objects.filter(practitioner=practitioner, location=location)
        return back_from_race(
            wish["race_on"],
            weeks=wish["weeks"],
            count=wish["count"],
            earliest=max(wish["day"], today),
            weekdays=set(hours.values_list("weekday", flat=True)),
        )


class PlanForm(RhythmForm):
    """What a patient wants: one of the ``offers``, with whom, where and how often.

    ``most`` visits can be planned, from ``today`` on.
    """

    service = forms.ModelChoiceField(
        Service.objects.none(),
        label=_("Visit"),
        to_field_name="slug",
        empty_label=None,
        error_messages=CHOOSE_SERVICE,
    )
    who = PractitionerChoice(
        Practitioner.objects.none(),
        label=_("With"),
        to_field_name="public_id",
        empty_label=None,
        error_messages=CHOOSE_PRACTITIONER,
    )
    place = forms.ModelChoiceField(
        Location.objects.none(),
        label=_("Where"),
        to_field_name="slug",
        empty_label=None,
        error_messages=CHOOSE_LOCATION,
    )
    day = DayField(label=_("From"))

    field_order = ["service", "who", "place", "day", "at", "count", "weeks", "race_on"]

    def __init__(
        self, *args: Any, offers: Collection[Offer], most: int, today: date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.offers = {offer.service.pk: offer for offer in offers}
        offering = Practitioner.objects.filter(
            is_active=True,
            pk__in=Service.practitioners.through.objects.filter(service__in=self.offers).values(
                "practitioner"
            ),
        )
        querysets = {
            "service": Service.objects.filter(pk__in=self.offers),
            "who": offering,
            "place": Location.objects.filter(is_active=True, practitioner__in=offering).distinct(),
        }
        for name, queryset in querysets.items():
            self.fields[name].queryset = queryset  # type: ignore[attr-defined]
        self.fields["count"] = visits_field(most)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if day < self.today:
            raise ValidationError(_("This day is over."), code="over")
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        service, who, place = (cleaned.get(name) for name in ("service", "who", "place"))
        if service and who and not service.practitioners.contains(who):
            self.add_error("who", _("Does not offer this service."))
        if who and place and not who.locations.contains(place):
            self.add_error("place", _("%(name)s does not work here.") % {"name": who})
        return cleaned

    @property
    def offer(self) -> Offer:
        return self.offers[self.cleaned_data["service"].pk]


def _value(start: datetime) -> str:
    return start.astimezone(UTC).isoformat()


def _words(start: datetime) -> str:
    return f"{day_text(start)}, {time_text(start)}"


class DatesForm(forms.Form):
    """One choice for each visit: the wanted start, one near it, or no new start."""

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
            # A start that the page listed earlier is also accepted while it is still free.
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
        """The starts by the visit's number, without the visits that are left out."""
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
    """The new time of the first visit; the others move by the same amount."""

    day = DayField(label=_("New day"))
    at = forms.TimeField(label=_("At"), widget=TimeInput(), error_messages=CHOOSE_TIME)


def planned_dates[Dates: DatesForm](
    form_class: type[Dates],
    data: Any,
    readings: Sequence[Reading],
    *,
    service: Service,
    practitioner: Practitioner,
    location: Location,
    now: datetime,
    offer: Offer | None = None,
    **options: Any,
) -> Dates:
    """Return a form with one choice for each wanted time. ``offer`` limits a patient."""
    minutes = service.default_duration
    free = free_around(
        readings,
        service=service,
        practitioner=practitioner,
        location=location,
        minutes=minutes,
        now=now,
        offer=offer,
    )
    return form_class(
        data,
        planned=lay_out(readings, free=free, zone=location.zone),
        minutes=minutes,
        zone=location.zone,
        otherwise=_("Leave this one out"),
        **options,
    )


def shifted_dates(
    data: Any,
    visits: Sequence[Appointment],
    *,
    was: datetime,
    becomes: datetime,
    now: datetime,
    offer: Offer | None = None,
) -> DatesForm:
    """Return a form with one choice for each visit when the first goes from ``was`` to ``becomes``.

    Each visit can also stay where it is. ``offer`` limits a patient.
    """
    return DatesForm(
        data,
        planned=lay_out_shifted(visits, was=was, becomes=becomes, now=now, offer=offer),
        minutes=visits[0].duration_minutes,
        zone=visits[0].zone,
        otherwise=_("Stays where it is"),
    )
