"""The visits as a whole: which there are, which starts are free, and how a new one is made."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from django.db import IntegrityError, models, transaction
from django.db.models import F, Sum

from booking.models import diary
from booking.models.catalogue import Service
from booking.models.diary import FreeStart
from booking.models.status import HOLDS_TIME, InvalidTransition, SlotTaken, Status
from clinic.models import Link, Location, Patient, Practitioner, Role, User
from intake.models import QuestionnaireResponse, SafetyAlert

if TYPE_CHECKING:
    from booking.models.appointments import Appointment
    from booking.models.series import Series

HOLD = timedelta(minutes=15)


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def visible_to(self, viewer: Any) -> Self:
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

    def standing(self, *, now: datetime) -> Self:
        """Return what takes up time: visits that were not called off, and holds still running."""
        return self.filter(status__in=HOLDS_TIME).exclude(
            status=Status.PENDING, held_until__lte=now
        )

    def coming(self, *, now: datetime) -> Self:
        """Return the visits that lie ahead."""
        return self.filter(status=Status.BOOKED, start__gt=now)

    def hold_for_safety(self, alert: SafetyAlert, *, now: datetime) -> int:
        """Pause the coming hands-on visits of the alert's patient until staff release them.

        Their status and time stay as they are; returns how many were paused.
        """
        if alert.patient_id is None:
            return 0
        return self.filter(
            patient=alert.patient_id,
            status=Status.BOOKED,
            start__gt=now,
            service__is_hands_on=True,
            safety_hold_alert=None,
        ).update(safety_hold_alert=alert)

    def drop_lapsed(self, *, now: datetime) -> int:
        """Delete the holds that ran out; return how many."""
        with transaction.atomic():
            # Locked first: rows are deleted by key, and one may be turning into a visit just now.
            lapsed = list(
                self.filter(status=Status.PENDING, held_until__lte=now)
                .order_by("pk")
                .select_for_update()
                .values_list("pk", flat=True)
            )
            if lapsed:
                self.model._base_manager.filter(pk__in=lapsed).delete()
        return len(lapsed)

    def free_starts(
        self,
        *,
        service: Service,
        since: datetime,
        until: datetime,
        now: datetime,
        duration: int | None = None,
        practitioners: Iterable[Practitioner] | None = None,
        location: Location | None = None,
        as_staff: bool = False,
        moving: "Appointment | None" = None,
    ) -> list[FreeStart]:
        """Return the starts in ``[since, until)`` that could be booked at ``now``, soonest first.

        Everybody who offers the service is looked at, or those of ``practitioners`` who do; every
        location, or one. Staff are not held to the service's notice and horizon. The time of the
        visit ``moving`` counts as free. Takes at most four queries, however much is asked for.
        """
        # In UTC, or the sums below would follow the wall clock over a change.
        since, until, now = (at.astimezone(UTC) for at in (since, until, now))
        if not as_staff:
            since = max(since, now + timedelta(minutes=service.min_notice_minutes))
            until = min(until, now + timedelta(days=service.horizon_days))
        standing = self.standing(now=now)
        if moving is not None:
            standing = standing.exclude(pk=moving.pk)
        return diary.free_starts(
            standing,
            service=service,
            since=since,
            until=until,
            duration=duration or service.default_duration,
            practitioners=practitioners,
            location=location,
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
        held_until: datetime | None = None,
        by: User | None = None,
    ) -> "Appointment":
        """Take a start for 15 minutes while a visitor types; any practitioner if none is named.

        The same key again gives the visit that the hold became, or the hold, moved if the choice
        is another. That renews the hold, once: nobody keeps time for ever by choosing. Raises
        SlotTaken when the start is taken or was never offered. The waitlist holds for longer, until
        ``held_until``, and for staff, ``by``, what patients may not book.
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
                hold._rewrite, held_until=hold.held_until, hold_renewals=hold.hold_renewals
            )
        else:
            return hold
        hold._place(service, location, start=start, minutes=service.length(duration))
        candidates = self.candidates(hold, practitioner=practitioner, by=by, now=now)
        try:
            hold._settle(candidates, write=write, now=now)
        except (SlotTaken, InvalidTransition, IntegrityError):
            # Was it this same form, sent twice at once?
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
        series: "Series | None" = None,
    ) -> "Appointment":
        """Book a visit that was not held first; any practitioner if none is named.

        ``by`` is the member of staff who books: then the service's notice and horizon do not
        count, and a named practitioner can be booked outside opening hours or, with a reason,
        over other visits. The same key again gives the same visit. Raises SlotTaken.
        """
        visit = self._of_key(booking_key, visitor_hash="")
        if visit is not None:
            return visit
        visit = self.model(
            status=Status.BOOKED,
            patient=patient,
            created_by=by,
            booking_key=booking_key,
            overlap_reason=overlap_reason,
            phone_screen_note=phone_screen_note,
            intake_response=intake_response,
            series=series,
        )
        visit._place(service, location, start=start, minutes=service.length(duration))
        candidates = self.candidates(
            visit, practitioner=practitioner, by=by, now=now, outside_hours=outside_hours
        )

        def write() -> None:
            visit.save(force_insert=True)
            visit._record(was="", now=now, by=by, reason=overlap_reason)

        try:
            visit._settle(candidates, write=write, now=now)
        except (SlotTaken, IntegrityError):
            twin = self._of_key(booking_key, visitor_hash="")
            if twin is None:
                raise
            return twin
        return visit

    def _of_key(self, booking_key: str | None, *, visitor_hash: str) -> "Appointment | None":
        """Return what the form with this key led to; SlotTaken when it was another visitor's."""
        if booking_key is None:
            return None
        first = self.filter(booking_key=booking_key).select_related("unconfirmed").first()
        if first is not None and first.visitor_hash != visitor_hash:
            raise SlotTaken
        return first

    def candidates(
        self,
        visit: "Appointment",
        *,
        practitioner: Practitioner | None,
        by: User | None,
        now: datetime,
        outside_hours: bool = False,
    ) -> list[int]:
        """Return the keys of those who could take the visit; the least booked that day first.

        Raises ValueError when anybody but staff asks for what only staff may do.
        """
        if outside_hours or visit.overlap_reason:
            if practitioner is None or by is None:
                raise ValueError("Only staff book against the hours, with somebody they name.")
            return [practitioner.pk]
        free = self.free_starts(
            service=visit.service,
            since=visit.start,
            until=visit.start + timedelta(minutes=1),
            now=now,
            duration=visit.duration_minutes,
            practitioners=None if practitioner is None else [practitioner],
            location=visit.location,
            as_staff=by is not None,
            moving=visit,
        )
        candidates = [found.practitioner_id for found in free if found.start == visit.start]
        if len(candidates) < 2:
            return candidates
        midnight = datetime.combine(visit.local_start, time.min, visit.zone)
        booked = dict(
            self.standing(now=now)
            .filter(
                practitioner__in=candidates,
                start__gte=midnight,
                # Wall-clock arithmetic: the next midnight, also on a day of 23 or 25 hours.
                start__lt=midnight + timedelta(days=1),
            )
            .order_by()
            .values_list("practitioner")
            .annotate(booked=Sum(F("end") - F("start")))
        )
        return sorted(candidates, key=lambda pk: (booked.get(pk, timedelta()), pk))
