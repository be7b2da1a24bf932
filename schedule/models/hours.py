"""Rules about time: hours, breaks, absences, reserved times and limits."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from clinic.models import Location, Practitioner
from intake.rules.levels import Level
from schedule import slots
from schedule.models.catalogue import Equipment, Room, Service
from schedule.slots import Shift

# Two shifts without an end are compared over one year, with its changes of the clock.
A_YEAR = timedelta(days=366)


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


def _span(opens: time, closes: time) -> str:
    return f"{time_format(opens)} – {time_format(closes)}"


class WeeklyRule(models.Model):
    """The same hours every week, read on the wall clock of a location."""

    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday)
    opens = models.TimeField(_("from"))
    closes = models.TimeField(_("to"))
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(
        _("valid until"), null=True, blank=True, help_text=_("The last day included.")
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")), name="%(class)s_closes_after_opens"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {_span(self.opens, self.closes)}"

    def clean(self) -> None:
        super().clean()
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValidationError({"valid_until": _("This is before the first day.")})

    def shift(self, zone: ZoneInfo) -> Shift:
        opens, closes = (at.hour * 60 + at.minute for at in (self.opens, self.closes))
        return Shift(zone, self.weekday, opens, closes, self.valid_from, self.valid_until)


class PractitionersRule(WeeklyRule):
    """A weekly rule of one practitioner at one location."""

    practitioner = models.ForeignKey(
        Practitioner,
        verbose_name=_("practitioner"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.PROTECT, related_name="+"
    )

    class Meta(WeeklyRule.Meta):
        abstract = True
        ordering = ["practitioner", "weekday", "opens"]

    def is_inside(self, hours: "list[OpeningHours]") -> bool:
        """Whether it is within one of these shifts. A rule outside them has no effect."""
        return any(
            shift.practitioner_id == self.practitioner_id
            and shift.location_id == self.location_id
            and shift.weekday == self.weekday
            and shift.opens <= self.opens
            and self.closes <= shift.closes
            for shift in hours
        )


class OpeningHours(PractitionersRule):
    """One weekly shift of a practitioner at a location, in the location's wall-clock time."""

    history = HistoricalRecords()

    class Meta(PractitionersRule.Meta):
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")

    # Set by a form that shows every shift of the practitioner and compares them itself.
    is_compared = False

    def clean(self) -> None:
        super().clean()
        if self.is_compared or None in (self.practitioner_id, self.location_id, self.weekday):
            return
        others = (
            OpeningHours.objects.filter(practitioner=self.practitioner_id)
            .exclude(pk=self.pk)
            .select_related("location")
        )
        self.refuse_overlap(others)

    def refuse_overlap(self, others: "models.QuerySet[OpeningHours] | list[OpeningHours]") -> None:
        """Raise ValidationError if one of the practitioner's other shifts is at the same time."""
        if not (self.opens and self.closes and self.opens < self.closes):
            return
        today = timezone.now().date()
        for other in others:
            if self._overlaps(other, today=today):
                raise ValidationError(
                    _(
                        "Overlaps %(shift)s at %(place)s. One person cannot be in two shifts at "
                        "once: change one of them, or let it end before the other begins."
                    ),
                    code="overlap",
                    params={"shift": other, "place": other.location},
                )

    def _overlaps(self, other: "OpeningHours", *, today: date) -> bool:
        first = max(filter(None, (self.valid_from, other.valid_from)), default=today)
        ends = (self.valid_until, other.valid_until, first + A_YEAR)
        last = min(filter(None, ends))
        if last < first:
            return False
        mine, theirs = (
            slots.spans(
                [rule.shift(rule.location.zone)._replace(valid_from=first, valid_until=last)],
                since=slots.day_span(first, rule.location.zone)[0],
                until=slots.day_span(last, rule.location.zone)[1],
            )
            for rule in (self, other)
        )
        return any(start < to and since < end for start, end in mine for since, to in theirs)


class Break(PractitionersRule):
    """Minutes of a shift in which no visit takes place, every week."""

    history = HistoricalRecords()

    class Meta(PractitionersRule.Meta):
        verbose_name = _("break")
        verbose_name_plural = _("breaks")


class ReservedTime(PractitionersRule):
    """Minutes of a shift that are reserved for patients who must be seen soon.

    Other patients are not offered a visit that overlaps them, until ``release_hours`` before they
    begin. Staff may book them at any time.
    """

    KEPT_FOR = [
        (Level.SOON.value, _("Soon and urgent")),
        (Level.URGENT.value, _("Urgent only")),
    ]

    level = models.PositiveSmallIntegerField(
        _("kept for"),
        choices=KEPT_FOR,
        default=Level.URGENT,
        help_text=_("The level that the safety questions give the patient."),
    )
    release_hours = models.PositiveSmallIntegerField(
        _("open to everybody … hours before"),
        default=4,
        help_text=_("When nobody has needed this time by then, everybody is offered it."),
    )
    history = HistoricalRecords()

    class Meta(PractitionersRule.Meta):
        verbose_name = _("reserved time")
        verbose_name_plural = _("reserved times")


class ExtraHours(models.Model):
    """A shift on one day only, beside the weekly ones."""

    practitioner = models.ForeignKey(
        Practitioner,
        verbose_name=_("practitioner"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.PROTECT, related_name="+"
    )
    date = models.DateField(
        _("date"),
        help_text=_("Closures, holidays, breaks and time off on this day still count."),
    )
    opens = models.TimeField(_("from"))
    closes = models.TimeField(_("to"))
    history = HistoricalRecords()

    class Meta:
        ordering = ["date", "opens"]
        verbose_name = _("extra hours")
        verbose_name_plural = _("extra hours")
        constraints = [
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")), name="extrahours_closes_after_opens"
            ),
        ]

    def __str__(self) -> str:
        return f"{date_format(self.date)}, {_span(self.opens, self.closes)}"

    def shift(self, zone: ZoneInfo) -> Shift:
        opens, closes = (at.hour * 60 + at.minute for at in (self.opens, self.closes))
        return Shift(zone, self.date.weekday(), opens, closes, self.date, self.date)


class ResourceHours(WeeklyRule):
    """Hours in which a room or a piece of equipment can be used; without any, always."""

    room = models.ForeignKey(
        Room, on_delete=models.CASCADE, null=True, editable=False, related_name="hours"
    )
    equipment = models.ForeignKey(
        Equipment, on_delete=models.CASCADE, null=True, editable=False, related_name="hours"
    )
    history = HistoricalRecords()

    class Meta(WeeklyRule.Meta):
        ordering = ["weekday", "opens"]
        verbose_name = _("hours it can be used")
        verbose_name_plural = _("hours it can be used")
        constraints = [
            *WeeklyRule.Meta.constraints,
            models.CheckConstraint(
                condition=Q(room=None, equipment__isnull=False)
                | Q(room__isnull=False, equipment=None),
                name="resourcehours_of_one_thing",
            ),
        ]


class VisitLimit(models.Model):
    """The most visits of a practitioner in a day or a week.

    Each row is one limit, and all of them apply. Days and weeks, from Monday to Sunday, are those
    of the location. Patients are not offered more; staff are informed of the excess.
    """

    class Period(models.IntegerChoices):
        DAY = 1, _("a day")
        WEEK = 7, _("a week, Monday to Sunday")

    practitioner = models.ForeignKey(
        Practitioner,
        verbose_name=_("practitioner"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty: each practitioner for themselves."),
    )
    service = models.ForeignKey(
        Service,
        verbose_name=_("service"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Only visits for this service count. Empty: all visits together."),
    )
    most = models.PositiveSmallIntegerField(_("most visits"), validators=[MinValueValidator(1)])
    period = models.PositiveSmallIntegerField(_("counted over"), choices=Period, default=Period.DAY)
    history = HistoricalRecords()

    class Meta:
        ordering = ["practitioner", "service", "period"]
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        constraints = [
            models.CheckConstraint(condition=Q(most__gte=1), name="visitlimit_at_least_one"),
        ]

    def __str__(self) -> str:
        return f"{self.most} × {self.get_period_display()}"

    def clean(self) -> None:
        super().clean()
        same: dict[str, Any] = {
            "practitioner": self.practitioner_id,
            "service": self.service_id,
            "period": self.period,
        }
        if VisitLimit.objects.filter(**same).exclude(pk=self.pk).exists():
            raise ValidationError(_("There is such a limit already: change that one."))


class Closure(models.Model):
    """Time in which a location, or without one the whole practice, is closed."""

    location = models.ForeignKey(
        Location,
        verbose_name=_("location"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty: every location."),
    )
    start = models.DateTimeField(_("from"))
    end = models.DateTimeField(_("to"))
    reason = models.CharField(_("reason"), max_length=80, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["start"]
        verbose_name = _("closure")
        verbose_name_plural = _("closures")
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="closure_end_after_start"),
        ]

    def __str__(self) -> str:
        return self.reason or _days_text(self.start, self.end)


class TimeOff(models.Model):
    """Time in which a practitioner is away."""

    practitioner = models.ForeignKey(
        Practitioner,
        verbose_name=_("practitioner"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    start = models.DateTimeField(_("from"))
    end = models.DateTimeField(_("to"))
    reason = models.CharField(_("reason"), max_length=80, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["start"]
        verbose_name = _("time off")
        verbose_name_plural = pgettext_lazy("plural", "time off")
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="timeoff_end_after_start"),
        ]

    def __str__(self) -> str:
        return _days_text(self.start, self.end)


def _days_text(start: datetime, end: datetime) -> str:
    """Return the day, or the first and last, on the clinic's calendar: "Nov. 23, 2026"."""
    first = timezone.localtime(start).date()
    # A span that ends at midnight does not include the next day.
    last = timezone.localtime(end - timedelta(microseconds=1)).date()
    return " – ".join(date_format(day) for day in dict.fromkeys([first, last]))
