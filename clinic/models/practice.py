import zoneinfo
from datetime import UTC, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic import days, public_holidays
from clinic.public_holidays import Holiday
from clinic.translated import TranslatedField


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("%(name)s is not a time zone, for example America/Chicago."), params={"name": name}
        )


# A clinician decides about URGENT answers within one working hour.
CALLBACK_WITHIN = timedelta(hours=1)


def default_staffed_hours() -> dict[str, list[list[str]]]:
    return {str(weekday): [["08:00", "18:00"]] for weekday in range(5)}


class Practice(models.Model):
    """The clinic: one row, read through ``Practice.current()``."""

    name = models.CharField(_("name"), max_length=120)
    phone = models.CharField(_("phone"), max_length=40)
    email = models.EmailField(_("e-mail"))
    emergency_number = models.CharField(
        _("emergency number"), max_length=20, help_text=_("Shown on every emergency page: 911.")
    )
    advice_line = models.CharField(
        _("advice line"),
        max_length=40,
        help_text=_("A nurse or health advice line patients may call when you are closed."),
    )
    alert_email = models.EmailField(
        _("safety alerts go to"), blank=True, help_text=_("Read day and night by your team.")
    )
    time_zone = models.CharField(
        _("time zone"), max_length=60, validators=[validate_time_zone], default="America/Chicago"
    )
    staffed_hours = models.JSONField(
        _("staffed hours"),
        default=default_staffed_hours,
        help_text=_(
            "When somebody answers a safety alert: weekday number (0 is Monday) to a list of "
            "from and to times in the practice's time zone."
        ),
    )
    on_call_enabled = models.BooleanField(
        _("on call when closed"),
        default=False,
        help_text=_("Somebody is told of safety alerts outside staffed hours too."),
    )
    strict_public_advice = models.BooleanField(
        _("strict public advice"),
        default=False,
        help_text=_("Raises some rules to URGENT; docs/rules.md says which."),
    )
    minor_age = models.PositiveSmallIntegerField(_("adult from age"), default=18)
    min_age = models.PositiveSmallIntegerField(_("youngest patient"), default=5)
    signed_off_by = models.CharField(
        _("clinical content signed off by"), max_length=120, blank=True
    )
    signed_off_licence = models.CharField(_("licence"), max_length=60, blank=True)
    signed_off_version = models.CharField(_("version signed"), max_length=40, blank=True)
    signed_off_on = models.DateField(_("signed on"), null=True, blank=True)
    is_demo = models.BooleanField(default=False, editable=False)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = _("practice")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="practice_single_row"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> "Practice":
        """Return the one practice, or an unsaved empty one before anything is configured."""
        try:
            return cls.objects.get()
        except cls.DoesNotExist:
            return cls(pk=1, name="Backstride")

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    def staffed_until(self, now: datetime) -> datetime | None:
        """Return the end of the current staffed hours, or None outside them."""
        wall = now.astimezone(self.zone).replace(tzinfo=None)
        for opens, closes in self.staffed_hours.get(str(wall.weekday()), ()):
            start, end = (
                datetime.combine(wall.date(), time.fromisoformat(edge)) for edge in (opens, closes)
            )
            if start <= wall < end:
                return end.replace(tzinfo=self.zone)
        return None

    def is_staffed(self, now: datetime) -> bool:
        return self.staffed_until(now) is not None

    def is_told(self, now: datetime) -> bool:
        """Whether a safety alert raised now reaches a person, in the clinic or on call."""
        return self.on_call_enabled or self.is_staffed(now)

    def clock_runs_out(self, since: datetime, within: timedelta) -> datetime:
        """Return the deadline, in UTC, for an answer ``within`` this time after ``since``.

        Only staffed hours count, unless somebody is on call at any hour.
        """
        since = since.astimezone(UTC)
        if self.on_call_enabled or not any(self.staffed_hours.values()):
            return since + within
        left, day = within, days.local_date(since, self.zone)
        while True:
            for opens, closes in sorted(self.staffed_hours.get(str(day.weekday()), ())):
                start, end = (
                    datetime.combine(day, time.fromisoformat(edge), self.zone).astimezone(UTC)
                    for edge in (opens, closes)
                )
                start = max(start, since)
                if end - start >= left:
                    return start + left
                left -= max(end - start, timedelta())
            day += timedelta(days=1)

    @property
    def missing_for_safety(self) -> list[str]:
        """Return the empty fields that the clinic needs to help a patient in an emergency."""
        needed = ("phone", "emergency_number", "advice_line", "alert_email", "staffed_hours")
        return [field for field in needed if not getattr(self, field)]

    def callback_time(self, now: datetime) -> datetime | None:
        """Return the deadline for the call to a patient with URGENT answers, in the clinic's zone.

        Within an hour, and before closing time; None if nobody would call.
        """
        within = (now + CALLBACK_WITHIN).astimezone(self.zone)
        if self.on_call_enabled:
            return within
        closing = self.staffed_until(now)
        return None if closing is None else min(within, closing)


class Location(models.Model):
    """A place for visits. Wall-clock rules of its hours are read in ``time_zone``."""

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    address = models.CharField(_("street address"), max_length=160)
    city = models.CharField(_("city"), max_length=80)
    region = models.CharField(_("state"), max_length=40, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=16, blank=True)
    phone = models.CharField(_("phone"), max_length=40)
    time_zone = models.CharField(_("time zone"), max_length=60, validators=[validate_time_zone])
    map_url = models.URLField(_("map link"), blank=True)
    directions = TranslatedField(_("how to find us"), blank=True)
    holiday_country = models.CharField(
        _("holidays of"),
        max_length=2,
        blank=True,
        help_text=_("The country whose public holidays close this location. Empty: none do."),
    )
    holiday_subdivision = models.CharField(
        _("and of its part"),
        max_length=20,
        blank=True,
        help_text=_("The state or province, when it has holidays of its own, for example TX."),
    )
    holidays_kept_open = models.JSONField(
        _("holidays kept open"),
        default=list,
        blank=True,
        help_text=_("Names of holidays on which this location is open as on any other day."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        verbose_name = _("location")
        verbose_name_plural = _("locations")

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    def clean(self) -> None:
        super().clean()
        parts = public_holidays.countries().get(self.holiday_country)
        if self.holiday_country and parts is None:
            raise ValidationError({"holiday_country": _("There is no holiday calendar for this.")})
        if self.holiday_subdivision and self.holiday_subdivision not in (parts or ()):
            raise ValidationError(
                {
                    "holiday_subdivision": _("Not one of these: %(parts)s.")
                    % {"parts": ", ".join(parts or ()) or "–"}
                }
            )

    def holidays_of(self, year: int) -> tuple[Holiday, ...]:
        """Return every holiday of its country in that year, including those it is open on."""
        return public_holidays.holidays_of(self.holiday_country, self.holiday_subdivision, year)

    @property
    def full_address(self) -> str:
        return ", ".join(
            part
            for part in (self.address, self.city, f"{self.region} {self.postal_code}".strip())
            if part
        )
