"""“Why is this time not offered?”: every rule that blocks one start, and the row to change.

The answer comes from the code that computes the free starts, so it cannot differ from them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from booking.models import Appointment
from clinic import days
from clinic.admin import ConfigurationAdmin
from clinic.models import Location, Practitioner
from intake.rules.levels import Level
from schedule.fields import CHOOSE_LOCATION, CHOOSE_SERVICE, CHOOSE_TIME, DayField, TimeInput
from schedule.models import Break, Closure, ReservedTime, Service, TimeOff, VisitLimit
from schedule.search import Obstacle, ObstacleRule


class WhyForm(forms.Form):
    """A time that staff or a patient expected to see. Keys only, no patient."""

    service = forms.ModelChoiceField(
        Service.objects.all(), label=_("Service"), error_messages=CHOOSE_SERVICE
    )
    location = forms.ModelChoiceField(
        Location.objects.all(), label=_("Location"), error_messages=CHOOSE_LOCATION
    )
    practitioner = forms.ModelChoiceField(
        Practitioner.objects.all(),
        label=_("Practitioner"),
        required=False,
        empty_label=_("Anybody"),
    )
    on = DayField(label=_("Day"))
    at = forms.TimeField(label=_("Time"), widget=TimeInput(), error_messages=CHOOSE_TIME)
    minutes = forms.IntegerField(
        label=_("Minutes, if not the usual"),
        required=False,
        min_value=5,
        max_value=480,
    )
    level = forms.TypedChoiceField(
        label=_("For a patient who is"),
        choices=[(level.value, level.label) for level in Level if level != Level.EMERGENCY],
        coerce=lambda value: Level(int(value)),
        initial=Level.ROUTINE.value,
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            zone = cleaned["location"].zone
            wall = datetime.combine(cleaned["on"], cleaned["at"])
            self.start = wall.replace(tzinfo=zone).astimezone(UTC)
            if self.start.astimezone(zone).replace(tzinfo=None) != wall:
                self.add_error("at", _("The clocks change then: there is no such time."))
        return cleaned


@dataclass(frozen=True)
class Reason:
    """What blocks the time, in words, and a link to the page that can change it."""

    text: str | Promise
    detail: str
    link: str


@dataclass(frozen=True)
class Verdict:
    name: str
    reasons: list[Reason]


def why(request: HttpRequest, *, model_admin: ConfigurationAdmin) -> HttpResponse:
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    is_asked = "at" in request.GET
    form = WhyForm(request.GET if is_asked else None, initial=request.GET.dict())
    general, verdicts = [], []
    if is_asked and form.is_valid():
        asked = form.cleaned_data
        general = list(_of_the_service(asked["service"]))
        people = (
            [asked["practitioner"]]
            if asked["practitioner"]
            else asked["service"].practitioners.all()
        )
        verdicts = [
            Verdict(person.name, list(_reasons(person, form, viewer=request.user)))
            for person in people
        ]
    return render(
        request,
        "admin/schedule/service/why.html",
        {
            **model_admin.admin_site.each_context(request),
            "title": _("Why is this time not offered?"),
            "opts": model_admin.opts,
            "media": model_admin.media,
            "form": form,
            "is_asked": is_asked and form.is_valid(),
            "general": general,
            "verdicts": verdicts,
        },
    )


def _of_the_service(service: Service) -> Iterator[Reason]:
    """Yield the reasons why patients cannot book the service at any time."""
    link = _change(service)
    if not service.is_active:
        yield Reason(_("The service is not active any more."), "", link)
    if service.booking_mode != Service.BookingMode.SELF:
        said = _("Patients do not book this service online.")
        yield Reason(said, service.get_booking_mode_display(), link)


def _reasons(person: Practitioner, form: WhyForm, *, viewer: Any) -> Iterator[Reason]:
    asked = form.cleaned_data
    service, location = asked["service"], asked["location"]
    search = Appointment.objects.search(
        service,
        since=form.start,
        now=timezone.now(),
        duration=asked["minutes"],
        level=asked["level"],
    )
    for obstacle in search.why_not(person, location):
        yield _in_words(obstacle, person, service, location, form.start, viewer=viewer)


def _in_words(
    obstacle: Obstacle,
    person: Practitioner,
    service: Service,
    location: Location,
    start: datetime,
    *,
    viewer: Any,
) -> Reason:
    rule, detail, link = ObstacleRule(obstacle.rule), "", _change(service)
    row = _row(obstacle)
    match rule:
        case ObstacleRule.INACTIVE:
            link = _change(person)
        case ObstacleRule.PLACE:
            link = _change(location)
        case ObstacleRule.HOURS | ObstacleRule.TOO_LONG:
            link = _list("openinghours", practitioner=person.pk, location=location.pk)
        case ObstacleRule.HOLIDAY:
            day = days.local_date(start, location.zone)
            detail = ", ".join(h.name for h in location.holidays_of(day.year) if h.date == day)
            link = _change(location)
        case ObstacleRule.ROOM:
            detail = service.room_kind
            link = _list("room", kind=service.room_kind, location=location.pk)
        case ObstacleRule.EQUIPMENT:
            detail = service.equipment_kind
            link = _list("equipment", kind=service.equipment_kind, location=location.pk)
        case ObstacleRule.VISIT:
            visit = Appointment.objects.visible_to(viewer).get(pk=obstacle.row)
            detail = f"{_clock(visit.start, location)}–{_clock(visit.end, location)}"
            link = _change(visit)
        case ObstacleRule.CLOSURE | ObstacleRule.TIME_OFF:
            assert isinstance(row, Closure | TimeOff)
            span = f"{_moment(row.start, location)} – {_moment(row.end, location)}"
            detail, link = f"{span} {row.reason}".strip(), _change(row)
        case ObstacleRule.LIMIT:
            assert isinstance(row, VisitLimit)
            detail, link = f"{row}, {row.service}" if row.service else str(row), _change(row)
        case ObstacleRule.BREAK | ObstacleRule.RESERVED:
            assert row is not None
            detail, link = str(row), _change(row)
    return Reason(rule.label, detail, link)


ROWS: dict[str, type[Model]] = {
    ObstacleRule.CLOSURE: Closure,
    ObstacleRule.TIME_OFF: TimeOff,
    ObstacleRule.BREAK: Break,
    ObstacleRule.RESERVED: ReservedTime,
    ObstacleRule.LIMIT: VisitLimit,
}


def _row(obstacle: Obstacle) -> Model | None:
    model = ROWS.get(obstacle.rule)
    return model._default_manager.get(pk=obstacle.row) if model else None


def _change(row: Model) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def _list(model: str, **filters: Any) -> str:
    lookups = {
        f"{name}__{'exact' if name == 'kind' else 'id__exact'}": value
        for name, value in filters.items()
    }
    return f"{reverse(f'admin:schedule_{model}_changelist')}?{urlencode(lookups)}"


def _clock(at: datetime, location: Location) -> str:
    return time_format(at.astimezone(location.zone).time())


def _moment(at: datetime, location: Location) -> str:
    local = at.astimezone(location.zone)
    return f"{date_format(local.date(), 'SHORT_DATE_FORMAT')} {time_format(local.time())}"
