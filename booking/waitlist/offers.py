"""The times that people on the waitlist are offered, one person after another.

An offered time is an unfinished booking like any other: a ``pending`` visit that is held for
longer, whose booking key is the offer's id. The guards against double booking cover it, and it
gives way by itself when the offer runs out.
"""

import uuid
import zoneinfo
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from booking.appointments import mail_schedule
from booking.appointments.models import Appointment
from booking.appointments.reservation import in_turn
from booking.appointments.status import SlotTaken, Status
from clinic.mail.letters import moment_text
from clinic.models import DeskTask, Link, Location, Message, Practitioner, Role, User
from intake.models import QuestionnaireResponse

if TYPE_CHECKING:
    from booking.waitlist.models import WaitlistEntry

# So many offers in a row without an answer, and the next one would be in vain as well.
UNANSWERED_AT_MOST = 2


class OfferOver(Exception):
    """The offer was answered, ran out or was taken back meanwhile."""


def sees_the_waitlist(viewer: Any) -> bool:
    """Is this front desk or a manager?"""
    is_desk = isinstance(viewer, User) and viewer.role in {Role.FRONT_DESK, Role.MANAGER}
    return is_desk and viewer.is_active


class WaitlistOfferQuerySet(models.QuerySet["WaitlistOffer"]):
    def visible_to(self, viewer: Any) -> Self:
        if isinstance(viewer, Link):
            return self.filter(entry__patient=viewer.patient_id)
        return self.all() if sees_the_waitlist(viewer) else self.none()

    def open(self) -> Self:
        return self.filter(state=WaitlistOffer.State.OPEN)

    def lapse(self, *, now: datetime) -> int:
        """End the open offers that were not answered in time; return how many."""
        return sum(offer.lapse(now=now) for offer in self.open().filter(answer_by__lte=now))


class WaitlistOffer(models.Model):
    """One start, kept for one entry of the waitlist until it is answered or runs out."""

    class State(models.TextChoices):
        OPEN = "open", _("Waits for an answer")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        LAPSED = "lapsed", _("Not answered in time")
        WITHDRAWN = "withdrawn", _("Taken back")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entry: "models.ForeignKey[WaitlistEntry, WaitlistEntry]" = models.ForeignKey(
        "WaitlistEntry",
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
        """The key of the visit that is held, and later booked, for this offer."""
        return self.pk.hex

    @property
    def visit(self) -> Appointment | None:
        """The visit that came of it."""
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
        """Make the kept time a visit, and end the wait.

        Safety is the caller's to judge, with answers of these days; staff who did not ask for them
        say why in ``phone_screen_note``. Raises OfferOver when it was
        answered before or ran out, SlotTaken when the time is not kept any more.
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
            entry._become(entry.State.BOOKED, now=now, by=by)
            return hold

        try:
            return in_turn(write)
        finally:
            self.refresh_from_db()

    def decline(self, *, now: datetime, by: User | None = None) -> None:
        """Give the time back. The patient goes on waiting. Raises OfferOver."""
        with transaction.atomic():
            entry = self.entry._locked()
            self._end(self.State.DECLINED, now=now, by=by)
            entry.unanswered = 0
            entry.save(update_fields=["unanswered"])
        self.refresh_from_db()

    def lapse(self, *, now: datetime) -> bool:
        """End an offer that was not answered in time, and the wait after two in a row.

        One of which nobody ever heard, as no mail left, does not count and is not told of. Returns
        False when somebody answered in the same moment.
        """
        try:
            with transaction.atomic():
                entry = self.entry._locked()
                self._end(self.State.LAPSED, now=now)
                if self._has_reached_them():
                    entry.unanswered += 1
                    entry.save(update_fields=["unanswered"])
                    if entry.is_waiting and entry.unanswered >= UNANSWERED_AT_MOST:
                        entry._become(entry.State.UNANSWERED, now=now)
                    else:
                        mail_schedule.plan_lapsed(self, now)
        except OfferOver:
            return False
        self.refresh_from_db()
        return True

    def _has_reached_them(self) -> bool:
        """Did the mail leave and not come back? Whether the desk phoned is not known."""
        asked = Message.objects.about(self).filter(kind=mail_schedule.WAITLIST_OFFER)
        left = asked.filter(handed_at__isnull=False)
        return left.exclude(state=Message.State.FAILED).exists()

    def _end(self, state: str, *, now: datetime, by: User | None = None) -> None:
        """Write how the offer ended, once, with the entry's row locked; free the time unless taken.

        Who accepts must be in time, who lapses late: both look at the same clock.
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
