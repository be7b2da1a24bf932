"""Who waits for a time. What they are offered is in ``booking.waitlist.offers``.

Every verb of an entry and of its offers locks the entry's row first, so that of an answer, the
end of an offer and a new offer at the same moment one wins.
"""

import uuid
from datetime import UTC, date, datetime
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.utils.translation import gettext_lazy as _

from booking.appointments import mail_schedule
from booking.appointments.models import Appointment
from booking.appointments.reservation import in_turn
from booking.appointments.status import SlotTaken
from booking.waitlist import answer_time as waiting
from booking.waitlist.offers import WaitlistOffer, sees_the_waitlist
from clinic import days
from clinic.models import DeskTask, Link, Location, Patient, Practice, Practitioner, User
from intake.models import QuestionnaireResponse
from intake.rules.levels import Level
from schedule.models.catalogue import Service
from schedule.models.hours import Weekday
from schedule.part_of_day import PartOfDay

# Put first by the desk, then the level of the safety answers, then who waits longest.
IN_TURN = (
    F("put_first_at").asc(nulls_last=True),
    F("intake_response__level").desc(nulls_last=True),
    F("joined_at").asc(),
)


class NotWaiting(Exception):
    """The entry is closed, or has an open offer already."""


class TooLittleTime(Exception):
    """The start is too near for an offer by mail, or it is night: phone the patient."""


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
        """Return all to front desk and managers, to a link its one patient's, else none."""
        if isinstance(viewer, Link):
            return self.filter(patient=viewer.patient_id)
        return self.all() if sees_the_waitlist(viewer) else self.none()

    def waiting(self) -> Self:
        return self.filter(state=WaitlistEntry.State.WAITING)

    def without_offer(self) -> Self:
        """Return those who have no open offer at the moment."""
        open_offers = WaitlistOffer.objects.filter(
            entry=OuterRef("pk"), state=WaitlistOffer.State.OPEN
        )
        return self.exclude(Exists(open_offers))

    def in_turn(self) -> Self:
        """Order them as offers are made."""
        return self.order_by(*IN_TURN)

    def with_everything(self) -> Self:
        """Return them with what deciding about an offer, or showing one, reads."""
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
        """Put a patient on the waitlist, and owe the mail that says so. None is any.

        The same key again raises IntegrityError: ask ``of_key`` then.
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
            mail_schedule.plan_joined(entry, now)
        return entry

    def close_run_out(self, *, now: datetime) -> int:
        """Close the entries whose last day is over where they would come; return how many."""
        practice, waiting = Practice.current(), self.waiting().without_offer()
        # Nowhere is the calendar more than a day ahead of this one.
        near = waiting.filter(last_day__lte=now.astimezone(UTC).date()).select_related("location")
        return sum(
            entry.close(WaitlistEntry.State.RAN_OUT, now=now)
            for entry in near
            if entry.last_day < days.local_date(now, (entry.location or practice).zone)
        )


class WaitlistEntry(models.Model):
    """One patient who waits for a visit: for what, when they could come, and to whom."""

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
        """How soon they should be seen, as their safety answers said: reserved times go by it."""
        return Level(self.intake_response.level) if self.intake_response else Level.ROUTINE

    @property
    def is_waiting(self) -> bool:
        return self.state == self.State.WAITING

    @property
    def open_offer(self) -> "WaitlistOffer | None":
        return next((offer for offer in self.offers.all() if offer.is_open), None)

    @property
    def day_names(self) -> list[str]:
        """The days on which they could come, in words; none when every day will do."""
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
        """Keep a free start for this patient and owe the mail that asks them; None is any.

        Staff, ``by``, may offer what lies beyond notice and horizon. Without an address the front
        desk is asked to phone. Raises SlotTaken, NotWaiting or TooLittleTime.
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
                mail_schedule.plan_offer(offer, now)
            else:
                DeskTask.objects.ask(
                    kind=DeskTask.Kind.OFFER, subject=offer, patient=entry.patient, now=now
                )
            return offer

        try:
            return in_turn(write)
        except IntegrityError as error:
            # One open offer for an entry, and for a start: the database held it.
            raise SlotTaken from error

    def leave(self, *, now: datetime) -> None:
        """Take the patient off the list at their own wish; twice is once."""
        self.close(self.State.LEFT, now=now)

    def close(self, state: str, *, now: datetime, by: User | None = None) -> bool:
        """End the wait, and what is offered at the moment; return False if it had ended already."""
        with transaction.atomic():
            entry = self._locked()
            if not entry.is_waiting:
                has_changed = False
            else:
                has_changed = True
                for offer in entry.offers.open():
                    offer._end(WaitlistOffer.State.WITHDRAWN, now=now, by=by)
                entry._become(state, now=now, by=by)
        self.refresh_from_db()
        return has_changed

    def put_first(self, *, now: datetime) -> None:
        WaitlistEntry.objects.filter(pk=self.pk).update(put_first_at=now)

    def put_back_in_turn(self) -> None:
        WaitlistEntry.objects.filter(pk=self.pk).update(put_first_at=None)

    def _locked(self) -> "WaitlistEntry":
        return WaitlistEntry.objects.select_for_update(no_key=True).get(pk=self.pk)

    def _become(self, state: str, *, now: datetime, by: User | None = None) -> None:
        """Write the end of a wait on the locked row, and owe the mail about it."""
        self.state, self.closed_at, self.closed_by = state, now, by
        self.save(update_fields=["state", "closed_at", "closed_by"])
        if state in {self.State.UNANSWERED, self.State.RAN_OUT}:
            mail_schedule.plan_wait_ended(self, now)
