import secrets
import uuid
import zoneinfo
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from booking.appointments import moves, reservation, transitions
from booking.appointments.queryset import HOLD, AppointmentQuerySet
from booking.appointments.status import (
    HOLDS_TIME,
    InvalidTransition,
    SlotTaken,
    Status,
    StatusChange,
)
from clinic.mail.letters import moment_text
from clinic.models import Location, Patient, Practitioner, User
from intake.models import QuestionnaireResponse, SafetyAlert
from intake.rules.levels import Level
from schedule.models.catalogue import Equipment, Room, Service


def new_ical_uid() -> str:
    """Return a calendar UID for life; it says nothing about the row's key."""
    return f"{secrets.token_hex(16)}@backstride"


class Appointment(models.Model):
    """One visit, or the hold that may become one. A move keeps the row and raises ``sequence``.

    ``end`` is when the patient leaves, ``busy_until`` when the practitioner is free again
    (``end`` plus the buffer after). Both are UTC; ``time_zone`` is the location's at booking.
    """

    Status = Status

    class IntakeState(models.TextChoices):
        """How far the visit's intake is. All that staff other than clinicians see of it."""

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
        "Series",
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
        # These serve the foreign keys too, so those have no index of their own.
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

    def clean(self) -> None:
        """Say in words what the guards would refuse. The verbs look again, under a lock."""
        super().clean()
        is_guarded = self.status in HOLDS_TIME and not self.overlap_reason and self.busy_until
        if is_guarded and reservation.met(self).exists():
            raise SlotTaken

    def seconds_held(self, *, now: datetime) -> int:
        """How long this hold still lasts, in whole seconds; 0 once it ran out or is a visit."""
        if self.held_until is None:
            return 0
        return max(0, ceil((self.held_until - now).total_seconds()))

    def renew_hold(self, *, now: datetime) -> bool:
        """Give a hold another 15 minutes, once; return whether it got them."""
        return bool(
            Appointment.objects.filter(
                pk=self.pk, status=Status.PENDING, hold_renewals=0, held_until__gt=now
            ).update(held_until=now + HOLD, hold_renewals=1)
        )

    def book(
        self,
        *,
        patient: Patient,
        now: datetime,
        by: User | None = None,
        intake_response: QuestionnaireResponse | None = None,
        phone_screen_note: str = "",
    ) -> None:
        """Turn this hold into a visit, even one that ran out, as long as nobody took its time.

        Raises SlotTaken when somebody did, InvalidTransition when it is a visit already.
        """
        try:
            transitions.become(
                self,
                Status.BOOKED,
                sources={Status.PENDING},
                now=now,
                by=by,
                patient=patient,
                created_by=by,
                held_until=None,
                intake_response=self.service.form_begun(intake_response, patient=patient),
                phone_screen_note=phone_screen_note,
            )
        except Appointment.DoesNotExist:
            raise SlotTaken from None

    def move(
        self,
        *,
        start: datetime,
        now: datetime,
        practitioner: Practitioner | None = None,
        location: Location | None = None,
        duration: int | None = None,
        by: User | None = None,
        reason: str = "",
        outside_hours: bool = False,
        overlap_reason: str = "",
        level: Level = Level.ROUTINE,
        is_told: bool = True,
    ) -> None:
        """Move a booked visit; what is not named stays as it is.

        ``is_told`` owes the patient a mail about it; staff may have said it already.

        Rules and staff's freedoms are those of ``AppointmentQuerySet.book``. Moving to where the
        visit is already does nothing. Raises SlotTaken or InvalidTransition, and then the visit
        stands where it stood.
        """
        moved = Appointment.objects.select_related("service", "location").get(pk=self.pk)
        if moved.status != Status.BOOKED:
            raise InvalidTransition(moved.status)
        former, former_place = moves.former_columns(moved), moved._where()
        moved.practitioner = practitioner or moved.practitioner
        moved.overlap_reason = overlap_reason
        moved._place(
            moved.service,
            location or moved.location,
            start=start,
            minutes=moved.duration_minutes if duration is None else moved.service.length(duration),
        )
        if moved._where() == former_place:
            return

        rights: dict[str, Any] = {"by": by, "outside_hours": outside_hours, "level": level}
        candidates = Appointment.objects.candidates(
            moved, practitioner=moved.practitioner, now=now, **rights
        )

        def write() -> None:
            count = moved.moves + (by is None)
            why = reason or overlap_reason
            moves.write(moved, count, now=now, by=by, reason=why, is_told=is_told, **former)

        moved._settle(candidates, write=write, now=now, by=by)
        self.refresh_from_db()

    def undoable(self, *, now: datetime) -> StatusChange | None:
        """Return the last change while it can be taken back: a move or cancellation, just made."""
        return moves.undoable(self, now=now)

    def undo(self, *, now: datetime, by: User | None = None) -> None:
        """Take back the move or the cancellation that was just made.

        The visit is where it was, with a higher sequence. Raises SlotTaken when that time has
        gone meanwhile, InvalidTransition when there is nothing to take back.
        """
        moves.take_back(self, now=now, by=by)

    def cancel(
        self, *, now: datetime, by: User | None = None, reason: str = "", is_told: bool = True
    ) -> None:
        transitions.become(self, Status.CANCELLED, now=now, by=by, reason=reason, is_told=is_told)

    def restore(self, *, now: datetime, by: User | None = None, reason: str = "") -> None:
        """Take back a cancellation or an arrival; SlotTaken when the time has gone meanwhile."""
        transitions.become(
            self,
            Status.BOOKED,
            sources={Status.CANCELLED, Status.ARRIVED},
            now=now,
            by=by,
            reason=reason,
            arrived_at=None,
        )

    def mark_arrived(self, *, now: datetime, by: User | None = None, reason: str = "") -> None:
        """Note that the patient is here; TooSoon before the day of the visit.

        After a no-show, SlotTaken when the time has gone.
        """
        transitions.become(self, Status.ARRIVED, now=now, by=by, reason=reason, arrived_at=now)

    def mark_no_show(self, *, now: datetime, by: User | None = None, reason: str = "") -> None:
        """Note that nobody came; TooSoon before the start."""
        transitions.become(self, Status.NOSHOW, now=now, by=by, reason=reason)

    def fulfil(self, *, now: datetime, by: User | None = None, reason: str = "") -> None:
        """Note that the visit took place; TooSoon before the start."""
        transitions.become(self, Status.FULFILLED, now=now, by=by, reason=reason)

    def mark_entered_in_error(self, *, now: datetime, by: User, reason: str) -> None:
        transitions.become(self, Status.ENTERED_IN_ERROR, now=now, by=by, reason=reason)

    def confirm(self, *, now: datetime) -> None:
        """Note that the patient says they will come."""
        confirmed = Appointment.objects.filter(pk=self.pk, status=Status.BOOKED).update(
            confirmed_at=now
        )
        if not confirmed:
            raise InvalidTransition(self.status)
        self.confirmed_at = now

    def release_safety_hold(self) -> None:
        """Let the visit's mails go out again: staff have spoken with the patient."""
        Appointment.objects.filter(pk=self.pk).update(safety_hold_alert=None)
        self.safety_hold_alert = None

    def _place(
        self, service: Service, location: Location, *, start: datetime, minutes: int
    ) -> None:
        if start.second or start.microsecond:
            raise SlotTaken
        self.service = service
        self.location = location
        self.time_zone = location.time_zone
        # In UTC, or adding minutes below would follow the wall clock over a change.
        self.start = start.astimezone(UTC)
        self.end = self.start + timedelta(minutes=minutes)
        self.busy_until = self.end + timedelta(minutes=service.buffer_after)
        self.buffer_before = service.buffer_before

    def _where(self) -> tuple[Any, ...]:
        return self.practitioner_id, self.location_id, self.start, self.end

    def _settle(
        self, candidates: Iterable[int], *, write: Callable[[], None], now: datetime, by: Any
    ) -> None:
        """Take the time with the first of the candidates who still has it, and write."""

        def take_and_write() -> None:
            reservation.take(self, now=now, by=by)
            write()

        for practitioner_id in candidates:
            self.practitioner_id = practitioner_id
            try:
                reservation.in_turn(take_and_write)
            except SlotTaken:
                continue
            return
        raise SlotTaken

    def _rewrite(self, **more: Any) -> None:
        """Write the new time and place, unless the row changed since it was read."""
        written = Appointment.objects.filter(
            pk=self.pk, status=self.status, sequence=self.sequence
        ).update(**{column: getattr(self, column) for column in moves.PLACE_COLUMNS}, **more)
        if not written:
            raise InvalidTransition(self.status)

    def _take_over(self, written: "Appointment") -> None:
        """Hold what this same row held when it was written, as reading it again would."""
        for field in self._meta.concrete_fields:
            has_object = field.name in written._state.fields_cache
            name = field.name if has_object else field.attname
            setattr(self, name, getattr(written, name))
