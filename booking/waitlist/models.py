"""Waitlist entries, and the offers made to them, one patient after another.

An offered time is a hold: a ``pending`` appointment that lasts longer than others, with the
offer's id as booking key. The guards against double booking cover it, and it is deleted like any
other hold when the offer expires.

Every method that changes an entry or an offer locks the entry's row first. So of an answer, the
end of an offer and a new offer at the same moment, only one succeeds.
"""

import uuid
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.utils.translation import gettext_lazy as _

from booking.appointments import mail_schedule
from booking.appointments.models import Appointment
from booking.appointments.reservation import retry_on_deadlock
from booking.appointments.status import SlotTaken, Status
from booking.waitlist import answer_time as waiting
from clinic import days
from clinic.mail import outbox
from clinic.mail.letters import moment_text
from clinic.models import (
    DeskTask,
    Link,
    Location,
    Message,
    Patient,
    Practice,
    Practitioner,
    Role,
    User,
)
from intake.models import QuestionnaireResponse
from intake.rules.levels import Level
from schedule.models.catalogue import Service
from schedule.models.hours import Weekday
from schedule.part_of_day import PartOfDay

# Put first by the desk, then the level of the safety answers, then the longest wait.
OFFER_ORDER = (
    F("put_first_at").asc(nulls_last=True),
    F("intake_response__level").desc(nulls_last=True),
    F("joined_at").asc(),
)


# Stop offering after this many unanswered offers in a row.
MAX_UNANSWERED = 2


class NotWaiting(Exception):
    """The entry is closed, or has an open offer already."""


class TooLittleTime(Exception):
    """The start is too near for an offer by mail, or it is night: phone the patient."""


class OfferOver(Exception):
    """The offer has been answered, has expired or was withdrawn."""


def can_view_waitlist(viewer: Any) -> bool:
    """Whether ``viewer`` is front desk or a manager, and active."""
    is_desk = isinstance(viewer, User) and viewer.role in {Role.FRONT_DESK, Role.MANAGER}
    return is_desk and viewer.is_active


def every_day() -> list[int]:
    return list(Weekday.values)


def all_day() -> list[str]:
    return list(PartOfDay.values)


def validate_weekdays(days: list[int]) -> None:
    if not days or not isinstance(days, list) or set(days) - set(Weekday.values):
        raise ValidationError(_("Choose at least one day."))


def validate_parts(parts: list[str]) -> None:
    if not parts or not isinstance(parts, list) or set(parts) - set(PartOfDay.values):
        raise ValidationError(_("Choose at least one part of the day."))


class WaitlistEntryQuerySet(models.QuerySet["WaitlistEntry"]):
    def visible_to(self, viewer: Any) -> Self:
        """Return all for front desk and managers, for a link its one patient's, else none."""
        if isinstance(viewer, Link):
            return self.filter(patient=viewer.patient_id)
        return self.all() if can_view_waitlist(viewer) else self.none()

    def waiting(self) -> Self:
        return self.filter(state=WaitlistEntry.State.WAITING)

    def without_offer(self) -> Self:
        """Return those who have no open offer at the moment."""
        open_offers = WaitlistOffer.objects.filter(
            entry=OuterRef("pk"), state=WaitlistOffer.State.OPEN
        )
        return self.exclude(Exists(open_offers))

    def in_offer_order(self) -> Self:
        """Sort in the order in which offers are made."""
        return self.order_by(*OFFER_ORDER)

    def with_everything(self) -> Self:
        """Load the related rows that deciding about an offer, or showing one, reads."""
        return (
            self.select_related(
                "patient", "service", "practitioner", "location", "intake_response__questionnaire"
            )
            # Large, and parsed once per process: see Questionnaire.form.
            .defer("intake_response__questionnaire__content")
            .prefetch_related(
                "service__unlocked_by",
                Prefetch("offers", WaitlistOffer.objects.order_by("made_at")),
            )
        )

    def join(
        self,
        *,
        patient: Patient,
        service: Service,
        now: datetime,
        first_day: date,
        last_day: date,
        minutes: int | None = None,
        weekdays: list[int] | None = None,
        parts: list[str] | None = None,
        practitioner: Practitioner | None = None,
        location: Location | None = None,
        intake_response: QuestionnaireResponse | None = None,
        phone_screen_note: str = "",
        form_key: str | None = None,
        by: User | None = None,
    ) -> "WaitlistEntry":
        """Put a patient on the waitlist, and plan the mail that says so.

        None means any practitioner or location. The same key again raises IntegrityError.
        """
        entry = self.model(
            patient=patient,
            service=service,
            minutes=service.length(minutes),
            weekdays=weekdays or every_day(),
            parts=parts or all_day(),
            first_day=first_day,
            last_day=last_day,
            practitioner=practitioner,
            location=location,
            intake_response=intake_response,
            phone_screen_note=phone_screen_note,
            joined_at=now,
            form_key=form_key,
            created_by=by,
        )
        with transaction.atomic():
            entry.save(force_insert=True)
            outbox.plan(
                kind=mail_schedule.WAITLIST_JOINED,
                subject=entry,
                patient=patient,
                due_at=now,
                expires_at=now + mail_schedule.NEWS_MAX_AGE,
            )
        return entry

    def close_run_out(self, *, now: datetime) -> int:
        """Close the entries whose last day is over at their location; return how many."""
        practice, waiting = Practice.current(), self.waiting().without_offer()
        # UTC dates differ from local dates by at most one day.
        near = waiting.filter(last_day__lte=now.astimezone(UTC).date()).select_related("location")
        return sum(
            entry.close(WaitlistEntry.State.RAN_OUT, now=now)
            for entry in near
            if entry.last_day < days.local_date(now, (entry.location or practice).zone)
        )


class WaitlistEntry(models.Model):
    """One patient who waits for a visit: for which service, when they can come, and to whom."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        BOOKED = "booked", _("Booked")
        LEFT = "left", _("Left by the patient")
        CLOSED = "closed", _("Closed by the front desk")
        UNANSWERED = "unanswered", _("Offers not answered")
        RAN_OUT = "ran-out", _("No time was found")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(
        Patient,
        verbose_name=_("patient"),
        on_delete=models.CASCADE,
        related_name="waitlist_entries",
    )
    service = models.ForeignKey(
        Service, verbose_name=_("service"), on_delete=models.PROTECT, related_name="+"
    )
    minutes = models.PositiveSmallIntegerField(_("minutes"))
    practitioner = models.ForeignKey(
        Practitioner,
        verbose_name=_("practitioner"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    location = models.ForeignKey(
        Location,
        verbose_name=_("location"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    weekdays = models.JSONField(_("days"), default=every_day, validators=[validate_weekdays])
    parts = models.JSONField(_("parts of the day"), default=all_day, validators=[validate_parts])
    first_day = models.DateField(_("from"))
    last_day = models.DateField(_("until"))
    intake_response = models.ForeignKey(
        QuestionnaireResponse,
        verbose_name=_("safety answers"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    phone_screen_note = models.CharField(
        _("red-flag questions not asked because"), max_length=200, blank=True
    )
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.WAITING)
    put_first_at = models.DateTimeField(_("put first"), null=True, blank=True)
    unanswered = models.PositiveSmallIntegerField(_("offers not answered in a row"), default=0)
    joined_at = models.DateTimeField(_("joined"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("added by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("closed by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    form_key = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001

    objects = WaitlistEntryQuerySet.as_manager()

    class Meta:
        ordering = ["joined_at"]
        verbose_name = _("waitlist entry")
        verbose_name_plural = _("waitlist entries")
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="waitlistentry_days_in_order"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", closed_at=None)
                | ~Q(state="waiting") & Q(closed_at__isnull=False),
                name="waitlistentry_closed_with_a_time",
            ),
        ]
        indexes = [models.Index(fields=["state", "joined_at"], name="waitlistentry_waiting")]

    def __str__(self) -> str:
        return f"{self.patient}, {self.service}"

    @property
    def wish(self) -> waiting.Wish:
        return waiting.Wish(
            weekdays=self.weekdays,
            parts=self.parts,
            first_day=self.first_day,
            last_day=self.last_day,
            practitioner_id=self.practitioner_id,
            location_id=self.location_id,
        )

    @property
    def level(self) -> Level:
        """How soon the safety answers say they should be seen; reserved times depend on it."""
        return Level(self.intake_response.level) if self.intake_response else Level.ROUTINE

    @property
    def is_waiting(self) -> bool:
        return self.state == self.State.WAITING

    @property
    def open_offer(self) -> "WaitlistOffer | None":
        return next((offer for offer in self.offers.all() if offer.is_open), None)

    @property
    def day_names(self) -> list[str]:
        """The days on which they can come, in words; empty if every day is possible."""
        if len(set(self.weekdays)) == len(Weekday):
            return []
        return [str(day.label) for day in Weekday if day in self.weekdays]

    @property
    def part_names(self) -> list[str]:
        if len(set(self.parts)) == len(PartOfDay):
            return []
        return [str(part.label) for part in PartOfDay if part in self.parts]

    def offer(
        self,
        *,
        start: datetime,
        practitioner: Practitioner | None,
        location: Location,
        now: datetime,
        by: User | None = None,
    ) -> "WaitlistOffer":
        """Hold a free start for this patient and plan the offer's mail.

        ``practitioner`` None means any. Staff, ``by``, may offer a start outside notice and
        horizon. If the patient has no address, the front desk gets a task to phone. Raises
        SlotTaken, NotWaiting or TooLittleTime.
        """
        answer_by = waiting.answer_by(
            now,
            start=start,
            zone=self.patient.zone or location.zone,
            minutes=self.service.offer_minutes,
            notice_minutes=self.service.min_notice_minutes,
        )
        if answer_by is None:
            raise TooLittleTime

        def write() -> WaitlistOffer:
            entry = self._locked()
            if not entry.is_waiting or entry.offers.open().exists():
                raise NotWaiting
            offer = WaitlistOffer(
                entry=entry,
                location=location,
                start=start.astimezone(UTC),
                time_zone=location.time_zone,
                made_at=now,
                made_by=by,
                answer_by=answer_by,
            )
            hold = Appointment.objects.hold(
                service=self.service,
                location=location,
                start=start,
                practitioner=practitioner,
                duration=self.minutes,
                visitor_hash="",
                booking_key=offer.booking_key,
                held_until=answer_by,
                level=self.level,
                by=by,
                now=now,
            )
            offer.practitioner_id = hold.practitioner_id
            offer.save(force_insert=True)
            if entry.patient.email:
                # Offers are made in daytime only (``answer_by``), so the mail is due at once.
                outbox.plan(
                    kind=mail_schedule.WAITLIST_OFFER,
                    subject=offer,
                    patient=entry.patient,
                    due_at=now,
                    expires_at=answer_by,
                )
            else:
                DeskTask.objects.ask(
                    kind=DeskTask.Kind.OFFER, subject=offer, patient=entry.patient, now=now
                )
            return offer

        try:
            return retry_on_deadlock(write)
        except IntegrityError as error:
            # The database allows one open offer for an entry, and one for a start.
            raise SlotTaken from error

    def leave(self, *, now: datetime) -> None:
        """Close the entry at the patient's wish; a second call changes nothing."""
        self.close(self.State.LEFT, now=now)

    def close(self, state: str, *, now: datetime, by: User | None = None) -> bool:
        """End the wait and any open offer; return False if the wait had ended already."""
        with transaction.atomic():
            entry = self._locked()
            if not entry.is_waiting:
                has_changed = False
            else:
                has_changed = True
                for offer in entry.offers.open():
                    offer._end(WaitlistOffer.State.WITHDRAWN, now=now, by=by)
                entry._end_wait(state, now=now, by=by)
        self.refresh_from_db()
        return has_changed

    def put_first(self, *, now: datetime) -> None:
        WaitlistEntry.objects.filter(pk=self.pk).update(put_first_at=now)

    def clear_put_first(self) -> None:
        WaitlistEntry.objects.filter(pk=self.pk).update(put_first_at=None)

    def _locked(self) -> "WaitlistEntry":
        return WaitlistEntry.objects.select_for_update(no_key=True).get(pk=self.pk)

    def _end_wait(self, state: str, *, now: datetime, by: User | None = None) -> None:
        """Write the end of the wait on the locked row, and plan the mail about it, if any."""
        self.state, self.closed_at, self.closed_by = state, now, by
        self.save(update_fields=["state", "closed_at", "closed_by"])
        if state in {self.State.UNANSWERED, self.State.RAN_OUT}:
            zone = self.patient.zone or (self.location or Practice.current()).zone
            _plan_news(mail_schedule.WAIT_ENDED, self, self.patient, zone=zone, now=now)


class WaitlistOfferQuerySet(models.QuerySet["WaitlistOffer"]):
    def visible_to(self, viewer: Any) -> Self:
        if isinstance(viewer, Link):
            return self.filter(entry__patient=viewer.patient_id)
        return self.all() if can_view_waitlist(viewer) else self.none()

    def open(self) -> Self:
        return self.filter(state=WaitlistOffer.State.OPEN)

    def lapse(self, *, now: datetime) -> int:
        """End the open offers that were not answered in time; return how many."""
        return sum(offer.lapse(now=now) for offer in self.open().filter(answer_by__lte=now))


class WaitlistOffer(models.Model):
    """One start, held for one waitlist entry until the offer is answered or expires."""

    class State(models.TextChoices):
        OPEN = "open", _("Waits for an answer")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        LAPSED = "lapsed", _("Not answered in time")
        WITHDRAWN = "withdrawn", _("Taken back")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entry = models.ForeignKey(
        WaitlistEntry,
        verbose_name=_("waitlist entry"),
        on_delete=models.CASCADE,
        related_name="offers",
    )
    practitioner = models.ForeignKey(
        Practitioner, verbose_name=_("practitioner"), on_delete=models.PROTECT, related_name="+"
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.PROTECT, related_name="+"
    )
    start = models.DateTimeField(_("time"))
    time_zone = models.CharField(_("time zone"), max_length=60, editable=False)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.OPEN)
    made_at = models.DateTimeField(_("offered"))
    answer_by = models.DateTimeField(_("kept until"))
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("offered by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("answer taken by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = WaitlistOfferQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at"]
        verbose_name = _("waitlist offer")
        verbose_name_plural = _("waitlist offers")
        constraints = [
            models.UniqueConstraint(
                fields=["entry"], condition=Q(state="open"), name="waitlistoffer_one_open_an_entry"
            ),
            models.UniqueConstraint(
                fields=["practitioner", "start"],
                condition=Q(state="open"),
                name="waitlistoffer_one_open_a_start",
            ),
        ]

    def __str__(self) -> str:
        return moment_text(self.local_start)

    @property
    def booking_key(self) -> str:
        """The key of the appointment that is held, and later booked, for this offer."""
        return self.pk.hex

    @property
    def visit(self) -> Appointment | None:
        """The visit booked from this offer."""
        booked = Appointment.objects.exclude(patient=None)
        return booked.filter(booking_key=self.booking_key).first()

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def local_start(self) -> datetime:
        """The start on the location's wall clock."""
        return self.start.astimezone(self.zone)

    @property
    def local_end(self) -> datetime:
        return (self.start + timedelta(minutes=self.entry.minutes)).astimezone(self.zone)

    @property
    def local_answer_by(self) -> datetime:
        return self.answer_by.astimezone(self.zone)

    def accept(
        self,
        *,
        now: datetime,
        by: User | None = None,
        intake_response: QuestionnaireResponse | None = None,
        phone_screen_note: str = "",
    ) -> Appointment:
        """Book the held time, and end the wait.

        The caller judges safety, with recent answers. Staff who did not ask for them give the
        reason in ``phone_screen_note``. Raises OfferOver when the offer was answered or expired,
        SlotTaken when the time is no longer held.
        """

        def write() -> Appointment:
            entry = self.entry._locked()
            self._end(self.State.ACCEPTED, now=now, by=by)
            hold = self._hold().select_related("service").first()
            if hold is None:
                raise SlotTaken
            hold.book(
                patient=entry.patient,
                now=now,
                by=by,
                intake_response=intake_response,
                phone_screen_note=phone_screen_note,
            )
            entry._end_wait(entry.State.BOOKED, now=now, by=by)
            return hold

        try:
            return retry_on_deadlock(write)
        finally:
            self.refresh_from_db()

    def decline(self, *, now: datetime, by: User | None = None) -> None:
        """Release the time. The patient stays on the waitlist. Raises OfferOver."""
        with transaction.atomic():
            entry = self.entry._locked()
            self._end(self.State.DECLINED, now=now, by=by)
            entry.unanswered = 0
            entry.save(update_fields=["unanswered"])
        self.refresh_from_db()

    def lapse(self, *, now: datetime) -> bool:
        """End an offer that was not answered in time, and the wait after two in a row.

        An offer whose mail was never sent does not count, and no mail reports its end. Returns
        False when the offer ended at the same moment in another way.
        """
        try:
            with transaction.atomic():
                entry = self.entry._locked()
                self._end(self.State.LAPSED, now=now)
                if self._has_reached_them():
                    entry.unanswered += 1
                    entry.save(update_fields=["unanswered"])
                    if entry.is_waiting and entry.unanswered >= MAX_UNANSWERED:
                        entry._end_wait(entry.State.UNANSWERED, now=now)
                    else:
                        zone = entry.patient.zone or self.zone
                        _plan_news(
                            mail_schedule.OFFER_LAPSED, self, entry.patient, zone=zone, now=now
                        )
        except OfferOver:
            return False
        self.refresh_from_db()
        return True

    def _has_reached_them(self) -> bool:
        """Whether the mail was sent and did not bounce; a call by the desk is not known."""
        asked = Message.objects.about(self).filter(kind=mail_schedule.WAITLIST_OFFER)
        left = asked.filter(handed_at__isnull=False)
        return left.exclude(state=Message.State.FAILED).exists()

    def _end(self, state: str, *, now: datetime, by: User | None = None) -> None:
        """Write how the offer ended, once; release the time unless the patient accepted.

        The caller has locked the entry's row. Accepting is possible before ``answer_by`` only.
        """
        offers = WaitlistOffer.objects.open().filter(pk=self.pk)
        if state == self.State.ACCEPTED:
            offers = offers.filter(answer_by__gt=now)
        if not offers.update(state=state, answered_at=now, answered_by=by):
            raise OfferOver
        self.state = state
        if state != self.State.ACCEPTED:
            self._hold().delete()
        tasks = DeskTask.objects.open().filter(kind=DeskTask.Kind.OFFER, subject_id=self.pk)
        tasks.update(done_at=now, done_by=by)

    def _hold(self) -> models.QuerySet[Appointment]:
        return Appointment.objects.filter(booking_key=self.booking_key, status=Status.PENDING)


def _plan_news(
    kind: str,
    subject: WaitlistEntry | WaitlistOffer,
    patient: Patient,
    *,
    zone: zoneinfo.ZoneInfo,
    now: datetime,
) -> None:
    """Plan a mail about something that just ended, outside the patient's quiet hours."""
    last_use = now + mail_schedule.NEWS_MAX_AGE
    outbox.plan(
        kind=kind,
        subject=subject,
        patient=patient,
        due_at=mail_schedule.outside_quiet_hours(now, expires_at=last_use, zone=zone, now=now),
        expires_at=last_use,
    )
