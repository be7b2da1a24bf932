import secrets
import uuid
import zoneinfo
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from booking.models.catalogue import Room, Service
from clinic.models import Link, Location, Patient, Practitioner, Role, User
from intake.models import QuestionnaireResponse, SafetyAlert


class InvalidTransition(Exception):
    """The visit's status does not allow this change any more."""


class Status(models.TextChoices):
    """FHIR R4 AppointmentStatus. ``pending`` is an unfinished booking: held time, no patient."""

    PENDING = "pending", _("Held")
    BOOKED = "booked", _("Booked")
    ARRIVED = "arrived", _("Arrived")
    FULFILLED = "fulfilled", _("Done")
    CANCELLED = "cancelled", _("Cancelled")
    NOSHOW = "noshow", _("No-show")
    ENTERED_IN_ERROR = "entered-in-error", _("Entered in error")


# Statuses that take up the practitioner's time.
HOLDS_TIME = (Status.PENDING, Status.BOOKED, Status.ARRIVED, Status.FULFILLED)

# From each status, where a visit can go. A hold that ends without a booking is deleted.
TRANSITIONS: dict[str, frozenset[str]] = {
    Status.PENDING: frozenset({Status.BOOKED}),
    Status.BOOKED: frozenset(
        {Status.ARRIVED, Status.FULFILLED, Status.CANCELLED, Status.NOSHOW, Status.ENTERED_IN_ERROR}
    ),
    Status.ARRIVED: frozenset({Status.FULFILLED, Status.BOOKED, Status.ENTERED_IN_ERROR}),
    Status.FULFILLED: frozenset({Status.ARRIVED, Status.ENTERED_IN_ERROR}),
    Status.CANCELLED: frozenset({Status.BOOKED, Status.ENTERED_IN_ERROR}),
    Status.NOSHOW: frozenset({Status.ARRIVED, Status.ENTERED_IN_ERROR}),
    Status.ENTERED_IN_ERROR: frozenset(),
}


def new_ical_uid() -> str:
    """Return a calendar UID for life; it says nothing about the row's key."""
    return f"{secrets.token_hex(16)}@backstride"


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def visible_to(self, viewer: Any) -> "AppointmentQuerySet":
        """Return the visits ``viewer`` may see; never a bare hold to a patient or clinician.

        Front desk and managers see the whole schedule, clinicians the visits of their own
        patients, a link grant the visits of its one patient, everybody else none.
        """
        if isinstance(viewer, Link):
            return self.filter(patient=viewer.patient_id).exclude(status=Status.PENDING)
        if not isinstance(viewer, User) or not viewer.is_active:
            return self.none()
        if viewer.role in {Role.FRONT_DESK, Role.MANAGER}:
            return self.all()
        return self.filter(patient__in=Patient.objects.in_care_of(viewer))


class Appointment(models.Model):
    """One visit, or the hold that may become one. A move keeps the row and raises ``sequence``.

    ``end`` is when the patient leaves, ``busy_until`` when the practitioner is free again
    (``end`` plus the buffer after). Both are UTC; ``time_zone`` is the location's at booking.
    """

    Status = Status

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ical_uid = models.CharField(max_length=80, unique=True, default=new_ical_uid, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    status = models.CharField(_("status"), max_length=20, choices=Status)
    patient = models.ForeignKey(
        Patient,
        verbose_name=_("patient"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="appointments",
    )
    practitioner = models.ForeignKey(
        Practitioner,
        verbose_name=_("practitioner"),
        on_delete=models.PROTECT,
        related_name="appointments",
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.PROTECT, related_name="+"
    )
    room = models.ForeignKey(
        Room, verbose_name=_("room"), on_delete=models.PROTECT, null=True, blank=True
    )
    service = models.ForeignKey(Service, verbose_name=_("service"), on_delete=models.PROTECT)
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"))
    busy_until = models.DateTimeField(editable=False)
    buffer_before = models.PositiveSmallIntegerField(default=0, editable=False)
    time_zone = models.CharField(_("time zone"), max_length=60, editable=False)
    held_until = models.DateTimeField(_("held until"), null=True, blank=True, editable=False)
    hold_renewals = models.PositiveSmallIntegerField(default=0, editable=False)
    visitor_hash = models.CharField(max_length=64, blank=True, editable=False)
    booking_key = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001
    overlap_reason = models.CharField(
        _("reason for the overlap"),
        max_length=200,
        blank=True,
        help_text=_("Only staff may book over another visit, and only with a reason."),
    )
    phone_screen_note = models.CharField(
        _("red-flag questions not asked because"), max_length=200, blank=True
    )
    intake_response = models.ForeignKey(
        QuestionnaireResponse,
        verbose_name=_("intake"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    safety_hold_alert = models.ForeignKey(
        SafetyAlert,
        verbose_name=_("on safety hold by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    confirmed_at = models.DateTimeField(_("confirmed by the patient"), null=True, blank=True)
    arrived_at = models.DateTimeField(_("arrived"), null=True, blank=True)
    moves = models.PositiveSmallIntegerField(_("moves"), default=0, editable=False)
    created_at = models.DateTimeField(_("booked"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("booked by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["start"]
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        constraints = [
            models.CheckConstraint(
                condition=Q(end__gt=F("start")), name="appointment_end_after_start"
            ),
            models.CheckConstraint(
                condition=Q(busy_until__gte=F("end")), name="appointment_busy_until_after_end"
            ),
            models.CheckConstraint(
                condition=Q(patient__isnull=False) | Q(status=Status.PENDING),
                name="appointment_patient_unless_pending",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.PENDING) | Q(held_until__isnull=False),
                name="appointment_pending_expires",
            ),
        ]
        indexes = [
            models.Index(fields=["practitioner", "start"], name="appointment_day"),
            models.Index(fields=["patient", "start"], name="appointment_patient"),
            models.Index(fields=["visitor_hash"], name="appointment_visitor"),
        ]

    def __str__(self) -> str:
        return f"{self.service_id} {self.start:%Y-%m-%d %H:%M}"

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def local_start(self) -> datetime:
        """The start on the location's wall clock."""
        return self.start.astimezone(self.zone)

    @property
    def local_end(self) -> datetime:
        return self.end.astimezone(self.zone)

    @property
    def duration_minutes(self) -> int:
        return int((self.end - self.start).total_seconds() // 60)


class StatusChange(models.Model):
    """Who changed a visit's status, when and why. The reason is erased with the patient."""

    appointment = models.ForeignKey(
        Appointment, on_delete=models.CASCADE, related_name="status_changes"
    )
    from_status = models.CharField(_("from"), max_length=20, choices=Status, blank=True)
    to_status = models.CharField(_("to"), max_length=20, choices=Status)
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        ordering = ["at"]
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
