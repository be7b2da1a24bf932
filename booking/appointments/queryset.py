"""The visits as a whole: which there are, which starts are free, and how a new one is made."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from django.db import IntegrityError, models, transaction

from booking.appointments import reservation, transitions
from booking.appointments.status import HOLDS_TIME, InvalidTransition, SlotTaken, Status
from clinic import days
from clinic.models import Link, Location, Patient, Practitioner, Role, User
from intake.models import QuestionnaireResponse, SafetyAlert
from intake.rules.levels import Level
from intake.rules.tags import Tag
from schedule import slots
from schedule.models.catalogue import Service
from schedule.search import FreeStart, Obstacle, Rule

if TYPE_CHECKING:
    from booking.appointments.models import Appointment
    from booking.series.models import Series

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
        """Pause the patient's coming visits whose service has the tag for it; staff release them.

        Their status and time stay as they are. Return how many were paused.
        """
        if alert.patient_id is None:
            return 0
        return self.filter(
            patient=alert.patient_id,
            status=Status.BOOKED,
            start__gt=now,
            service__in=[s for s in Service.objects.all() if Tag.PAUSED_BY_ALERT in s.tags],
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
        level: Level | None = None,
        moving: "Appointment | None" = None,
        by_rules_alone: bool = False,
    ) -> list[FreeStart]:
        """Return the starts in ``[since, until)`` that could be booked at ``now``, soonest first.

        Everybody who offers the service is looked at, or those of ``practitioners`` who do; every
        location, or one. Times reserved for a higher ``level`` than the patient's, ROUTINE if it is
        not given, are left out. Staff are not held to notice and horizon, nor, without a level, to
        limits and reserved times. The time of the visit ``moving`` counts as free;
        ``by_rules_alone`` that of every visit. Takes two queries, however much is asked for, and
        a dozen more after a rule has changed.
        """
        # In UTC, or the sums below would follow the wall clock over a change.
        since, until, now = (at.astimezone(UTC) for at in (since, until, now))
        if not as_staff:
            earliest, latest = service.bookable_between(now)
            since, until = max(since, earliest), min(until, latest)
        return reservation.free_starts(
            None if by_rules_alone else self._in_the_way(moving, now=now),
            service=service,
            since=since,
            until=until,
            duration=duration or service.default_duration,
            practitioners=practitioners,
            location=location,
            now=now,
            level=_level(level, as_staff=as_staff),
        )

    def why_not(
        self,
        *,
        service: Service,
        start: datetime,
        practitioner: Practitioner,
        location: Location,
        now: datetime,
        duration: int | None = None,
        as_staff: bool = False,
        level: Level | None = None,
        moving: "Appointment | None" = None,
    ) -> list[Obstacle]:
        """Return what keeps ``free_starts`` from offering this start; nothing when it does."""
        start, now = start.astimezone(UTC), now.astimezone(UTC)
        found = []
        if not as_staff:
            earliest, latest = (slots.ceil_minute(at) for at in service.bookable_between(now))
            minute = slots.floor_minute(start)
            too_soon = Obstacle(Rule.NOTICE, [], service.pk)
            too_far = Obstacle(Rule.HORIZON, [], service.pk)
            found = [too_soon] * (minute < earliest) + [too_far] * (minute >= latest)
        return found + reservation.why_not(
            self._in_the_way(moving, now=now),
            service=service,
            start=start,
            duration=duration or service.default_duration,
            practitioner=practitioner,
            location=location,
            now=now,
            level=_level(level, as_staff=as_staff),
        )

    def _in_the_way(self, moving: "Appointment | None", *, now: datetime) -> Self:
        standing = self.standing(now=now)
        return standing if moving is None else standing.exclude(pk=moving.pk)

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
        """Take a start for 15 minutes while a visitor types; any practitioner if none is named.

        ``level`` is what the safety questions gave the visitor: reserved times go by it.

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
        candidates = self.candidates(hold, practitioner=practitioner, by=by, now=now, level=level)
        try:
            hold._settle(candidates, write=write, now=now, by=by)
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
        level: Level = Level.ROUTINE,
    ) -> "Appointment":
        """Book a visit that was not held first; any practitioner if none is named.

        ``level`` is what the safety questions gave the patient: reserved times go by it. ``by`` is
        the member of staff who books: then notice, horizon, limits and reserved times do not
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
            intake_response=service.form_begun(intake_response, patient=patient),
            series=series,
        )
        visit._place(service, location, start=start, minutes=service.length(duration))
        candidates = self.candidates(
            visit,
            practitioner=practitioner,
            by=by,
            now=now,
            outside_hours=outside_hours,
            level=level,
        )

        def write() -> None:
            visit.save(force_insert=True)
            transitions.record(visit, was="", now=now, by=by, reason=overlap_reason)

        try:
            visit._settle(candidates, write=write, now=now, by=by)
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
        try:
            first = self.get(booking_key=booking_key)
        except self.model.DoesNotExist:
            return None
        if first.visitor_hash != visitor_hash:
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
        level: Level = Level.ROUTINE,
    ) -> list[int]:
        """Return the keys of those who could take the visit, in the order they should be asked.

        First who has the fewest minutes booked that day, among equals who has the fewest that
        week. Raises ValueError when anybody but staff asks for what only staff may do.
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
            level=level if by is None else None,
            moving=visit,
            # Of one, what stands is read under the lock soon enough.
            by_rules_alone=practitioner is not None,
        )
        candidates = [found.practitioner_id for found in free if found.start == visit.start]
        if len(candidates) < 2:
            return candidates
        day = visit.local_start.date()
        monday = day - timedelta(days=day.weekday())
        since, until = days.instants(monday, monday + timedelta(days=6), visit.zone)
        today_since, today_until = days.instants(day, day, visit.zone)
        that_day, that_week = Counter[int](), Counter[int]()
        booked = self.standing(now=now).filter(
            practitioner__in=candidates, start__gte=since, start__lt=until
        )
        for pk, start, end in booked.order_by().values_list("practitioner_id", "start", "end"):
            minutes = (end - start) // slots.MINUTE
            that_week[pk] += minutes
            if today_since <= start < today_until:
                that_day[pk] += minutes
        return sorted(candidates, key=lambda pk: (that_day[pk], that_week[pk], pk))


def _level(level: Level | None, *, as_staff: bool) -> Level | None:
    return Level.ROUTINE if level is None and not as_staff else level
