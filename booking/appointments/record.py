"""The columns of an appointment, apart from its transitions.

Modules below ``booking.appointments.models``, such as the mail schedule, import this class.
"""

import secrets
import uuid
import zoneinfo
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from booking.appointments.reservation import ReservationRequest
from booking.appointments.status import HOLDS_TIME, SlotTaken, Status
from clinic import days
from clinic.mail.letters import moment_text
from clinic.models import Location, Patient, Practitioner
from intake.models import QuestionnaireResponse, SafetyAlert
from schedule.models.catalogue import Equipment, Room, Service


def new_ical_uid() -> str:
    """Return a calendar UID that never changes and does not reveal the row's key."""
    return f"{secrets.token_hex(16)}@backstride"


# The columns that a move writes.
PLACE_COLUMNS = (
    "service_id",
    "practitioner_id",
    "location_id",
    "room_id",
    "equipment_id",
    "start",
    "end",
    "busy_until",
    "buffer_before",
    "time_zone",
    "overlap_reason",
)


class AppointmentRecord(models.Model):
    """What the row of an appointment, or of the hold before it, stores.

    ``end`` is when the patient leaves, ``busy_until`` when the practitioner is free again
    (``end`` plus the buffer after). Both are UTC; ``time_zone`` is the location's at booking. A
    move keeps the row and raises ``sequence``.
    """

    Status = Status

    class IntakeState(models.TextChoices):
        """The progress of the intake. Staff other than clinicians see nothing more of it."""

        NONE = "none", _("Not started")
        STARTED = "started", _("Started")
        DONE = "done", pgettext_lazy("intake", "Done")

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
        db_index=False,
    )
    practitioner = models.ForeignKey(
        Practitioner,
        verbose_name=_("practitioner"),
        on_delete=models.PROTECT,
        related_name="appointments",
        db_index=False,
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.PROTECT, related_name="+"
    )
    room = models.ForeignKey(
        Room,
        verbose_name=_("room"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
    )
    equipment = models.ForeignKey(
        Equipment,
        verbose_name=_("equipment"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
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
    rescreen_response = models.ForeignKey(
        QuestionnaireResponse, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    safety_hold_alert = models.ForeignKey(
        SafetyAlert,
        verbose_name=_("on safety hold by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    series = models.ForeignKey(
        "booking.Series",
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="visits",
        db_index=False,
    )
    confirmed_at = models.DateTimeField(_("confirmed by the patient"), null=True, blank=True)
    arrived_at = models.DateTimeField(_("arrived"), null=True, blank=True)
    moves = models.PositiveSmallIntegerField(_("moves by the patient"), default=0, editable=False)
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

    class Meta:
        abstract = True
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
        # These serve the foreign keys too, which have no index of their own.
        indexes = [
            models.Index(fields=["practitioner", "start"], name="appointment_day"),
            models.Index(fields=["room", "start"], name="appointment_room"),
            models.Index(fields=["equipment", "start"], name="appointment_equipment"),
            models.Index(fields=["patient", "start"], name="appointment_patient"),
            models.Index(fields=["visitor_hash"], name="appointment_visitor"),
            models.Index(fields=["series"], condition=~Q(series=None), name="appointment_series"),
        ]

    def __str__(self) -> str:
        when = moment_text(self.local_start)
        return f"{when}, {self.patient}" if self.patient else when

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

    @property
    def intake_state(self) -> IntakeState:
        if self.intake_response is None:
            return self.IntakeState.NONE
        if self.intake_response.status == QuestionnaireResponse.Status.IN_PROGRESS:
            return self.IntakeState.STARTED
        return self.IntakeState.DONE

    def seconds_held(self, *, now: datetime) -> int:
        """Return the whole seconds this hold still lasts; 0 when it expired or is a visit."""
        if self.held_until is None:
            return 0
        return max(0, ceil((self.held_until - now).total_seconds()))

    def has_time(self, *, now: datetime) -> bool:
        """Whether it blocks its time for others; an expired hold does not."""
        is_expired = self.status == Status.PENDING and not self.seconds_held(now=now)
        return self.status in HOLDS_TIME and not is_expired

    @property
    def reservation_request(self) -> ReservationRequest:
        """The time in memory, as a request for ``reserve``."""
        return ReservationRequest(
            service=self.service,
            practitioner_id=self.practitioner_id,
            location_id=self.location_id,
            start=self.start,
            end=self.end,
            busy_until=self.busy_until,
            buffer_before=self.buffer_before,
            room_id=self.room_id,
            equipment_id=self.equipment_id,
            may_overlap=bool(self.overlap_reason),
        )

    def may_become(self, target: str, *, now: datetime) -> bool:
        """Whether ``target`` is possible yet: arrival on the day, the rest from the start on."""
        match target:
            case Status.ARRIVED:
                return days.local_date(now, self.zone) >= self.local_start.date()
            case Status.FULFILLED | Status.NOSHOW:
                return now >= self.start
        return True

    def set_place(
        self, service: Service, location: Location, *, start: datetime, minutes: int
    ) -> None:
        """Set time and place in memory; SlotTaken unless it starts on a whole minute."""
        if start.second or start.microsecond:
            raise SlotTaken
        self.service = service
        self.location = location
        self.time_zone = location.time_zone
        # In UTC, or adding minutes below would follow the wall clock across a clock change.
        self.start = start.astimezone(UTC)
        self.end = self.start + timedelta(minutes=minutes)
        self.busy_until = self.end + timedelta(minutes=service.buffer_after)
        self.buffer_before = service.buffer_before

    def slot_key(self) -> tuple[Any, ...]:
        return self.practitioner_id, self.location_id, self.start, self.end

    def copy_fields_from(self, written: "AppointmentRecord") -> None:
        """Copy the values written for this row, as ``refresh_from_db`` would."""
        for field in self._meta.concrete_fields:
            has_object = field.name in written._state.fields_cache
            name = field.name if has_object else field.attname
            setattr(self, name, getattr(written, name))
