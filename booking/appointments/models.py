"""Appointments, and every change to one.

Each method that changes one locks, checks and writes in one transaction. The transaction also
writes the StatusChange, the care team and the mails (``booking.appointments.mail_schedule``).
"""

import uuid
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self

from django.db import IntegrityError, models, transaction
from django.db.models import Q

from booking.appointments import mail_schedule
from booking.appointments.distribution import by_least_booked
from booking.appointments.record import PLACE_COLUMNS, AppointmentRecord
from booking.appointments.reservation import reserve, retry_on_deadlock
from booking.appointments.status import (
    CALLED_OFF,
    HOLDS_TIME,
    TRANSITIONS,
    InvalidTransition,
    SlotTaken,
    Status,
    StatusChange,
    TooSoon,
)
from clinic.models import CareTeamMember, Link, Location, Patient, Practitioner, Role, User
from intake.models import QuestionnaireResponse, SafetyAlert
from intake.rules.levels import Level
from intake.rules.tags import Tag
from intake.workflow import gate
from schedule.models.catalogue import Service
from schedule.search import MAX_OCCUPIED, Search

HOLD = timedelta(minutes=15)


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def visible_to(self, viewer: Any) -> Self:
        """Return the appointments ``viewer`` may see; a bare hold is for front desk and managers.

        Front desk and managers see the whole schedule, clinicians the appointments of their own
        patients, a link grant those of its one patient, all others none.
        """
        if isinstance(viewer, Link):
            return self.filter(patient=viewer.patient_id).exclude(status=Status.PENDING)
        if not isinstance(viewer, User) or not viewer.is_active:
            return self.none()
        if viewer.role in {Role.FRONT_DESK, Role.MANAGER}:
            return self.all()
        return self.filter(patient__in=Patient.objects.in_care_of(viewer))

    def occupying_time(self, *, now: datetime) -> Self:
        """Return the appointments that occupy time, and the holds that have not expired."""
        return self.filter(status__in=HOLDS_TIME).exclude(
            status=Status.PENDING, held_until__lte=now
        )

    def coming(self, *, now: datetime) -> Self:
        """Return the booked appointments that start after ``now``."""
        return self.filter(status=Status.BOOKED, start__gt=now)

    def hold_for_safety(self, alert: SafetyAlert, *, now: datetime) -> int:
        """Pause the patient's coming visits whose service has the tag for it; staff release them.

        Their status and time stay as they are. Return how many were paused.
        """
        if alert.patient_id is None:
            return 0
        paused = [each for each in Service.objects.all() if Tag.PAUSED_BY_ALERT in each.tags]
        return (
            self.coming(now=now)
            .filter(patient=alert.patient_id, service__in=paused, safety_hold_alert=None)
            .update(safety_hold_alert=alert)
        )

    def drop_expired(self, *, now: datetime) -> int:
        """Delete the holds that expired; return how many."""
        with transaction.atomic():
            # Lock first: rows are deleted by key, and one may become a visit at this moment.
            expired = list(
                self.filter(status=Status.PENDING, held_until__lte=now)
                .order_by("pk")
                .select_for_update()
                .values_list("pk", flat=True)
            )
            if expired:
                self.model._base_manager.filter(pk__in=expired).delete()
        return len(expired)

    def search(
        self,
        service: Service,
        *,
        since: datetime,
        now: datetime,
        until: datetime | None = None,
        duration: int | None = None,
        as_staff: bool = False,
        level: Level | None = None,
        moving: "Appointment | None" = None,
        by_rules_alone: bool = False,
    ) -> Search:
        """Return a search for free starts in ``[since, until)``, or about the start at ``since``.

        For staff, notice and horizon do not apply; without a level, nor do limits and reserved
        times. The time of ``moving`` counts as free; ``by_rules_alone`` that of every appointment.
        """
        occupied = self.occupying_time(now=now)
        if moving is not None:
            occupied = occupied.exclude(pk=moving.pk)
        return Search.of(
            service,
            None if by_rules_alone else occupied,
            since=since,
            until=until,
            now=now,
            duration=duration,
            as_staff=as_staff,
            level=level,
        )

    def hold(
        self,
        *,
        service: Service,
        location: Location,
        start: datetime,
        visitor_hash: str,
        now: datetime,
        practitioner: Practitioner | None = None,
        duration: int | None = None,
        booking_key: str | None = None,
        level: Level = Level.ROUTINE,
        held_until: datetime | None = None,
        by: User | None = None,
    ) -> "Appointment":
        """Hold a start for 15 minutes while a visitor types; None means any practitioner.

        ``level`` is the result of the safety questions: reserved times depend on it.

        The same key again returns the hold, moved if the choice differs, or the appointment that
        it became. That renews the hold once only, so that no visitor holds time forever. Raises
        SlotTaken when the start is taken or was never offered. The waitlist holds for longer,
        until ``held_until``, and for staff, ``by``, also times that patients may not book.
        """
        hold = self._of_key(booking_key, visitor_hash=visitor_hash)
        if hold is None:
            hold = self.model(
                status=Status.PENDING,
                visitor_hash=visitor_hash,
                booking_key=booking_key,
                held_until=held_until or now + HOLD,
            )
            write: Callable[[], None] = partial(hold.save, force_insert=True)
        elif hold.status == Status.PENDING and not hasattr(hold, "unconfirmed"):
            if hold.seconds_held(now=now) == 0:
                hold.held_until, hold.hold_renewals = now + HOLD, 0
            elif hold.hold_renewals == 0:
                hold.held_until, hold.hold_renewals = now + HOLD, 1
            write = partial(
                hold._write_place, held_until=hold.held_until, hold_renewals=hold.hold_renewals
            )
        else:
            return hold
        hold.set_place(service, location, start=start, minutes=service.length(duration))
        try:
            hold._reserve_first(
                self._candidates(hold, practitioner=practitioner, by=by, now=now, level=level),
                write=write,
                now=now,
                by=by,
            )
        except (SlotTaken, InvalidTransition, IntegrityError):
            # The same form may have been sent twice at once.
            twin = self._of_key(booking_key, visitor_hash=visitor_hash)
            if twin is None or (twin.pk == hold.pk and twin.status == Status.PENDING):
                raise
            return twin
        return hold

    def book(
        self,
        *,
        patient: Patient,
        service: Service,
        location: Location,
        start: datetime,
        now: datetime,
        by: User | None = None,
        practitioner: Practitioner | None = None,
        duration: int | None = None,
        booking_key: str | None = None,
        outside_hours: bool = False,
        overlap_reason: str = "",
        phone_screen_note: str = "",
        intake_response: QuestionnaireResponse | None = None,
        series_id: uuid.UUID | None = None,
        level: Level = Level.ROUTINE,
    ) -> "Appointment":
        """Book without a hold; None means any practitioner.

        ``level`` is what the safety questions gave the patient: reserved times depend on it. ``by``
        is the member of staff who books: then notice, horizon, limits and reserved times do not
        count, and a named practitioner can be booked outside opening hours or, with a reason,
        over other appointments. The same key again returns the same one. Raises SlotTaken.
        """
        appointment = self._of_key(booking_key, visitor_hash="")
        if appointment is not None:
            return appointment
        appointment = self.model(
            status=Status.BOOKED,
            patient=patient,
            created_by=by,
            booking_key=booking_key,
            overlap_reason=overlap_reason,
            phone_screen_note=phone_screen_note,
            intake_response=service.form_begun(intake_response, patient=patient),
            series_id=series_id,
        )
        appointment.set_place(service, location, start=start, minutes=service.length(duration))
        candidates = self._candidates(
            appointment,
            practitioner=practitioner,
            by=by,
            now=now,
            outside_hours=outside_hours,
            level=level,
        )

        def write() -> None:
            appointment.save(force_insert=True)
            appointment._record(was="", now=now, by=by, reason=overlap_reason)

        try:
            appointment._reserve_first(candidates, write=write, now=now, by=by)
        except (SlotTaken, IntegrityError):
            twin = self._of_key(booking_key, visitor_hash="")
            if twin is None:
                raise
            return twin
        return appointment

    def _of_key(self, booking_key: str | None, *, visitor_hash: str) -> "Appointment | None":
        """Return this form key's appointment; raise SlotTaken if it is another visitor's."""
        if booking_key is None:
            return None
        first = self.filter(booking_key=booking_key).first()
        if first is not None and first.visitor_hash != visitor_hash:
            raise SlotTaken
        return first

    def _candidates(
        self,
        appointment: "Appointment",
        *,
        practitioner: Practitioner | None,
        by: User | None,
        now: datetime,
        outside_hours: bool = False,
        level: Level = Level.ROUTINE,
    ) -> list[int]:
        """Return the keys of practitioners who could take it, in the order in which to try them.

        Raises ValueError on a request that only staff may make, without staff.
        """
        if outside_hours or appointment.overlap_reason:
            if practitioner is None or by is None:
                raise ValueError("Only staff book against the hours, with somebody they name.")
            return [practitioner.pk]
        search = self.search(
            appointment.service,
            since=appointment.start,
            now=now,
            duration=appointment.duration_minutes,
            as_staff=by is not None,
            level=level if by is None else None,
            moving=appointment,
            # With a single practitioner, conflicts are checked again under the lock.
            by_rules_alone=practitioner is not None,
        )
        free = search.starts(None if practitioner is None else [practitioner], appointment.location)
        candidates = [found.practitioner_id for found in free if found.start == appointment.start]
        if len(candidates) < 2:
            return candidates
        return by_least_booked(
            candidates,
            self.occupying_time(now=now),
            start=appointment.start,
            zone=appointment.zone,
        )


class Appointment(AppointmentRecord):
    """One visit, or the hold that may become one."""

    objects = AppointmentQuerySet.as_manager()

    class Meta(AppointmentRecord.Meta):
        abstract = False

    def clean(self) -> None:
        """Report a conflict before saving. The methods that write check again, under a lock."""
        super().clean()
        is_guarded = self.status in HOLDS_TIME and not self.overlap_reason and self.busy_until
        if is_guarded and self.conflicting_appointments().exists():
            raise SlotTaken

    def conflicting_appointments(self) -> AppointmentQuerySet:
        """Return the appointments because of which the database's guards would refuse this one."""
        place = Q(practitioner=self.practitioner_id)
        if self.room_id is not None:
            place |= Q(room=self.room_id)
        if self.equipment_id is not None:
            place |= Q(equipment=self.equipment_id)
        return Appointment.objects.filter(
            place,
            status__in=HOLDS_TIME,
            overlap_reason="",
            start__gt=self.start - MAX_OCCUPIED,
            start__lt=self.busy_until,
            busy_until__gt=self.start,
        ).exclude(pk=self.pk)

    def renew_hold(self, *, now: datetime) -> bool:
        """Extend a hold by another 15 minutes, once; return whether it was extended."""
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
        """Turn this hold into a visit, even an expired one, if its time is still free.

        Raises SlotTaken when it is not, InvalidTransition when it is a visit already.
        """
        try:
            self.transition_to(
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
        notify_patient: bool = True,
    ) -> None:
        """Move a booked visit; arguments not given stay as they are.

        The rules, for staff too, are those of ``AppointmentQuerySet.book``. Without
        ``notify_patient`` no mail reports the move. A move to the same time and place does nothing.
        Raises SlotTaken or InvalidTransition, and the visit stays where it was.
        """
        moved = Appointment.objects.select_related("service", "location").get(pk=self.pk)
        if moved.status != Status.BOOKED:
            raise InvalidTransition(moved.status)
        former = {
            "from_start": moved.start,
            "from_end": moved.end,
            "from_practitioner_id": moved.practitioner_id,
            "from_location_id": moved.location_id,
            "from_room_id": moved.room_id,
            "from_equipment_id": moved.equipment_id,
        }
        former_slot = moved.slot_key()
        moved.practitioner = practitioner or moved.practitioner
        moved.overlap_reason = overlap_reason
        moved.set_place(
            moved.service,
            location or moved.location,
            start=start,
            minutes=moved.duration_minutes if duration is None else moved.service.length(duration),
        )
        if moved.slot_key() == former_slot:
            return
        candidates = Appointment.objects.all()._candidates(
            moved,
            practitioner=moved.practitioner,
            by=by,
            now=now,
            outside_hours=outside_hours,
            level=level,
        )
        moved._write_move(
            candidates,
            moves=moved.moves + (by is None),
            now=now,
            by=by,
            reason=reason or overlap_reason,
            notify_patient=notify_patient,
            **former,
        )
        self.refresh_from_db()

    def undoable(self, *, now: datetime) -> StatusChange | None:
        """Return the last change while it can be undone: a recent move or cancellation."""
        last = self.status_changes.last()
        if last is None or last.undoes_id or last.to_status != self.status:
            return None
        former_start = self.start if last.to_status == Status.CANCELLED else last.from_start
        is_late = now >= last.at + mail_schedule.UNDO_WINDOW
        return None if former_start is None or former_start <= now or is_late else last

    def undo(self, *, now: datetime, by: User | None = None) -> None:
        """Undo the move or the cancellation that was just made; ``sequence`` rises again.

        The mail about the change waits while an undo is possible. Raises SlotTaken when the
        former time is taken, InvalidTransition when there is nothing to undo.
        """
        moved = Appointment.objects.select_related("service").get(pk=self.pk)
        # Read after the row: if somebody changes the visit in between, its sequence differs.
        change = moved.undoable(now=now)
        if change is None:
            raise InvalidTransition(moved.status)
        if change.to_status == Status.CANCELLED:
            self.restore(now=now, by=by)
            return
        assert change.from_start is not None
        assert change.from_end is not None
        assert change.from_location is not None
        assert change.from_practitioner is not None
        moved.practitioner = change.from_practitioner
        moved.room, moved.equipment = change.from_room, change.from_equipment
        moved.overlap_reason = ""
        minutes = (change.from_end - change.from_start) // timedelta(minutes=1)
        moved.set_place(
            moved.service, change.from_location, start=change.from_start, minutes=minutes
        )
        # A move that was undone does not count towards the patient's moves.
        moves = max(0, moved.moves - (change.by_id is None))
        moved._write_move(
            [moved.practitioner_id], moves=moves, now=now, by=by, reason="", undoes=change
        )
        self.refresh_from_db()

    def cancel(
        self,
        *,
        now: datetime,
        by: User | None = None,
        reason: str = "",
        notify_patient: bool = True,
    ) -> None:
        self.transition_to(
            Status.CANCELLED, now=now, by=by, reason=reason, notify_patient=notify_patient
        )

    def restore(self, *, now: datetime, by: User | None = None, reason: str = "") -> None:
        """Undo a cancellation or an arrival; SlotTaken when the time is taken."""
        self.transition_to(
            Status.BOOKED,
            sources={Status.CANCELLED, Status.ARRIVED},
            now=now,
            by=by,
            reason=reason,
            arrived_at=None,
        )

    def mark_arrived(self, *, now: datetime, by: User | None = None, reason: str = "") -> None:
        """Record that the patient has arrived; raise TooSoon before the day of the visit.

        After a no-show, raise SlotTaken when the time is taken.
        """
        self.transition_to(Status.ARRIVED, now=now, by=by, reason=reason, arrived_at=now)

    def mark_no_show(self, *, now: datetime, by: User | None = None, reason: str = "") -> None:
        """Record that the patient did not come; raise TooSoon before the start."""
        self.transition_to(Status.NOSHOW, now=now, by=by, reason=reason)

    def fulfil(self, *, now: datetime, by: User | None = None, reason: str = "") -> None:
        """Record that the visit took place; raise TooSoon before the start."""
        self.transition_to(Status.FULFILLED, now=now, by=by, reason=reason)

    def mark_entered_in_error(self, *, now: datetime, by: User, reason: str) -> None:
        self.transition_to(Status.ENTERED_IN_ERROR, now=now, by=by, reason=reason)

    def confirm(self, *, now: datetime) -> None:
        """Record that the patient confirmed the visit."""
        confirmed = Appointment.objects.filter(pk=self.pk, status=Status.BOOKED).update(
            confirmed_at=now
        )
        if not confirmed:
            raise InvalidTransition(self.status)
        self.confirmed_at = now

    def release_safety_hold(self) -> None:
        """Allow the visit's mails again, after staff have spoken with the patient."""
        Appointment.objects.filter(pk=self.pk).update(safety_hold_alert=None)
        self.safety_hold_alert = None

    def transition_to(
        self,
        target: str,
        *,
        now: datetime,
        by: User | None,
        reason: str = "",
        sources: Collection[str] = tuple(TRANSITIONS),
        notify_patient: bool = True,
        **changes: Any,
    ) -> None:
        """Change the status and the columns in ``changes``.

        Raises InvalidTransition, TooSoon, or SlotTaken if the time has to be reserved again.
        """

        def write() -> Appointment:
            current = Appointment.objects.get(pk=self.pk)
            if (current.service_id, current.patient_id) == (self.service_id, self.patient_id):
                # The mails need both, and in most cases both have just been read.
                current.service, current.patient = self.service, self.patient
            was, written = current.status, {"status": target, **changes}
            if was not in sources or target not in TRANSITIONS[was]:
                raise InvalidTransition(was, target)
            if not current.may_become(target, now=now):
                raise TooSoon
            if target in HOLDS_TIME and not current.has_time(now=now):
                current._reserve(now=now, by=by)
                written |= {"room_id": current.room_id, "equipment_id": current.equipment_id}
            if Status.CANCELLED in (was, target):
                # Calendars compare the sequence, and mails planned for an earlier one are outdated.
                written["sequence"] = current.sequence + 1
            # A hold moves without a new sequence, and the mails depend on its time and place.
            same = Appointment.objects.filter(
                pk=self.pk,
                status=was,
                sequence=current.sequence,
                start=current.start,
                practitioner=current.practitioner_id,
            )
            if not same.update(**written):
                # Raises DoesNotExist when it was a hold that was just deleted.
                self.refresh_from_db()
                raise InvalidTransition(self.status, target)
            for column, value in written.items():
                setattr(current, column, value)
            current._record(was=was, now=now, by=by, reason=reason, notify_patient=notify_patient)
            return current

        self.copy_fields_from(retry_on_deadlock(write))

    def _record(
        self,
        *,
        was: str,
        now: datetime,
        by: User | None,
        reason: str,
        notify_patient: bool = True,
        **details: Any,
    ) -> None:
        """Write the StatusChange and the care team, and plan the mails about the change.

        ``details`` are further columns of the StatusChange.
        """
        assert self.patient is not None
        if (was, self.status) == (Status.CANCELLED, Status.BOOKED):
            details["undoes"] = self.status_changes.last()
        StatusChange.objects.create(
            appointment=self,
            from_status=was,
            to_status=self.status,
            at=now,
            by=by,
            reason=reason,
            **details,
        )
        if self.status in CALLED_OFF:
            self._end_care(self.practitioner_id, now=now)
        else:
            CareTeamMember.join(patient=self.patient, practitioner_id=self.practitioner_id, now=now)
        if self.status == Status.BOOKED and (details.get("undoes") or was == Status.CANCELLED):
            # Its mails wait if the patient reported an emergency in between.
            if alert := gate.emergency_alert(visitor_hash="", patient=self.patient):
                Appointment.objects.hold_for_safety(alert, now=now)
            mail_schedule.plan_restored(self, now)
        else:
            mail_schedule.plan_change(self, was, now=now, notify_patient=notify_patient)

    def _end_care(self, practitioner_id: int, *, now: datetime) -> None:
        """End the care by a practitioner if all the patient's visits with them are called off."""
        assert self.patient is not None
        visits = Appointment.objects.filter(patient=self.patient, practitioner=practitioner_id)
        if not visits.exclude(status__in=CALLED_OFF).exists():
            CareTeamMember.leave(patient=self.patient, practitioner_id=practitioner_id, now=now)

    def _reserve(self, *, now: datetime, by: User | None) -> None:
        """Reserve the time in memory, and set the room and equipment found."""
        others = Appointment.objects.filter(status__in=HOLDS_TIME).exclude(pk=self.pk)
        found = reserve(self.reservation_request, others, now=now, as_staff=by is not None)
        self.room_id, self.equipment_id = found.room_id, found.equipment_id
        if found.expired:
            Appointment.objects.filter(pk__in=found.expired).drop_expired(now=now)

    def _reserve_first(
        self,
        candidates: Iterable[int],
        *,
        write: Callable[[], None],
        now: datetime,
        by: User | None,
    ) -> None:
        """Reserve the time with the first candidate who is still free, and write."""

        def reserve_and_write() -> None:
            self._reserve(now=now, by=by)
            write()

        for practitioner_id in candidates:
            self.practitioner_id = practitioner_id
            try:
                retry_on_deadlock(reserve_and_write)
            except SlotTaken:
                continue
            return
        raise SlotTaken

    def _write_move(
        self,
        candidates: Iterable[int],
        *,
        moves: int,
        now: datetime,
        by: User | None,
        **details: Any,
    ) -> None:
        """Reserve and write the time and place in memory, and record the move.

        The patient's confirmation was for the former time, so it is removed.
        """

        def write() -> None:
            visits = Appointment.objects.select_related("patient", "service")
            former_id = Appointment.objects.values_list("practitioner_id", flat=True).get(
                pk=self.pk
            )
            self._write_place(sequence=self.sequence + 1, moves=moves, confirmed_at=None)
            current = visits.get(pk=self.pk)
            current._record(was=Status.BOOKED, now=now, by=by, **details)
            if current.practitioner_id != former_id:
                current._end_care(former_id, now=now)

        self._reserve_first(candidates, write=write, now=now, by=by)

    def _write_place(self, **more: Any) -> None:
        """Write the new time and place, unless the row changed since it was read."""
        written = Appointment.objects.filter(
            pk=self.pk, status=self.status, sequence=self.sequence
        ).update(**{column: getattr(self, column) for column in PLACE_COLUMNS}, **more)
        if not written:
            raise InvalidTransition(self.status)
