"""Series of visits: booked together, then moved or cancelled singly or from one visit on."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from booking.appointments import mail_schedule
from booking.appointments.models import Appointment
from booking.appointments.reservation import retry_on_deadlock
from booking.appointments.status import CALLED_OFF, InvalidTransition, SlotTaken, Status
from clinic.mail import outbox
from clinic.models import Link, Location, Patient, Practitioner, User
from intake.models import QuestionnaireResponse
from intake.rules.levels import Level
from schedule.models.catalogue import Service

MIN_VISITS, MAX_VISITS = 2, 12
MAX_WEEKS = 12


class SeriesQuerySet(models.QuerySet["Series"]):
    def visible_to(self, viewer: Any) -> Self:
        """Return those whose patient ``viewer`` may see."""
        if isinstance(viewer, Link):
            return self.filter(patient=viewer.patient_id)
        return self.filter(patient__in=Patient.objects.visible_to(viewer))

    def book(
        self,
        *,
        patient: Patient,
        service: Service,
        location: Location,
        practitioner: Practitioner,
        starts: Sequence[datetime],
        weeks: int,
        now: datetime,
        by: User | None = None,
        minutes: int | None = None,
        race_on: date | None = None,
        intake_response: QuestionnaireResponse | None = None,
        phone_screen_note: str = "",
        form_key: str | None = None,
        level: Level = Level.ROUTINE,
    ) -> "Series":
        """Book all the visits or none, and plan one mail about them.

        Without ``by`` a patient books, with the limits that ``AppointmentQuerySet.book`` sets for
        patients; ``level`` is the patient's.

        One practitioner has all visits: with several, two series could wait for each other's locks.
        The same key again gives the same series. Raises SlotTaken.
        """
        series = self.model(
            patient=patient,
            service=service,
            weeks=weeks,
            race_on=race_on,
            created_at=now,
            created_by=by,
            form_key=form_key,
        )

        def write() -> None:
            series.save(force_insert=True)
            visits = [
                Appointment.objects.book(
                    patient=patient,
                    service=service,
                    location=location,
                    practitioner=practitioner,
                    start=start,
                    duration=minutes,
                    series_id=series.pk,
                    intake_response=intake_response,
                    phone_screen_note=phone_screen_note,
                    level=level,
                    by=by,
                    now=now,
                )
                for start in sorted(starts)
            ]
            outbox.plan(
                kind=mail_schedule.SERIES,
                subject=series,
                patient=patient,
                due_at=now,
                expires_at=min(
                    now + mail_schedule.NEWS_MAX_AGE, max(visit.end for visit in visits)
                ),
            )

        if twin := self.of_form(form_key, patient):
            return twin
        try:
            retry_on_deadlock(write)
        except IntegrityError:
            twin = self.of_form(form_key, patient)
            if twin is None:
                raise
            return twin
        return series

    def of_form(self, form_key: str | None, patient: Patient) -> "Series | None":
        """Return the series this form key booked; raise SlotTaken if it is another patient's."""
        twin = self.filter(form_key=form_key).first() if form_key else None
        if twin is not None and twin.patient_id != patient.pk:
            raise SlotTaken
        return twin


class Series(models.Model):
    """The visits of a treatment plan. Each is an appointment; this row links them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(
        Patient, verbose_name=_("patient"), on_delete=models.CASCADE, related_name="series"
    )
    service = models.ForeignKey(
        Service, verbose_name=_("service"), on_delete=models.PROTECT, related_name="+"
    )
    weeks = models.PositiveSmallIntegerField(
        _("weeks between visits"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_WEEKS)],
    )
    race_on = models.DateField(_("day of the race"), null=True, blank=True)
    created_at = models.DateTimeField(_("booked"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("booked by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    form_key = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001

    objects = SeriesQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("series")
        verbose_name_plural = pgettext_lazy("plural", "series")

    def __str__(self) -> str:
        return f"{self.patient}, {self.service}"

    def not_cancelled(self) -> models.QuerySet[Appointment]:
        """Return the visits that took place or still will, in their order."""
        return self.visits.exclude(status__in=CALLED_OFF).order_by("start", "pk")

    def place_of(self, visit: Appointment) -> tuple[int, int] | None:
        """Return (2, 6) for the second of six visits; None for one that ``not_cancelled`` omits."""
        keys = list(self.not_cancelled().values_list("pk", flat=True))
        return (keys.index(visit.pk) + 1, len(keys)) if visit.pk in keys else None

    def from_here_on(self, visit: Appointment) -> models.QuerySet[Appointment]:
        """Return this visit and the following ones that can still be changed."""
        return self.visits.filter(status=Status.BOOKED, start__gte=visit.start).order_by("start")

    def move(
        self,
        starts: Mapping[uuid.UUID, datetime],
        *,
        now: datetime,
        by: User | None = None,
        level: Level = Level.ROUTINE,
    ) -> int:
        """Move visits of this series to new starts, all or none; return how many moved.

        Raises SlotTaken, or InvalidTransition when one of them is no longer booked.
        """

        def write() -> int:
            visits = list(self.visits.filter(pk__in=starts, status=Status.BOOKED))
            if len(visits) < len(starts):
                raise InvalidTransition
            moving = [visit for visit in visits if starts[visit.pk] != visit.start]
            # A visit moved by a week can take the former time of the next one. So visits that go
            # later move last one first, and visits that go earlier move first one first.
            later = [visit for visit in moving if starts[visit.pk] > visit.start]
            earlier = [visit for visit in moving if starts[visit.pk] < visit.start]
            for visit in [
                *sorted(later, key=lambda each: each.start, reverse=True),
                *sorted(earlier, key=lambda each: each.start),
            ]:
                visit.move(start=starts[visit.pk], now=now, by=by, level=level)
            return len(moving)

        return retry_on_deadlock(write)
