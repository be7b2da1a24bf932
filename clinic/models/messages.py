import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from clinic import wordings
from clinic.models.people import Patient

LATE_AFTER = timedelta(minutes=5)


class MessageState(models.TextChoices):
    PLANNED = "planned", _("Planned")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    UNKNOWN = "unknown", _("Answer lost")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Skipped")


# No attempt is postponed for longer.
MAX_POSTPONED = timedelta(days=1)
# A lost answer is worth one more try, unless something else decided the matter.
_TO_RETRY = Q(state=MessageState.UNKNOWN, is_retried_after_unknown=False, reason="")


class MessageQuerySet(models.QuerySet["Message"]):
    def about(self, subject: models.Model) -> "MessageQuerySet":
        return self.filter(subject_type=subject._meta.label_lower, subject_id=subject.pk)

    def due(self, now: datetime) -> "MessageQuerySet":
        """Return the mails that can be claimed now, the longest waiting first."""
        return self.filter(
            Q(state=MessageState.PLANNED) | _TO_RETRY & Q(expires_at__gt=now),
            # Repeats the line above in a form that can use the index.
            state__in=[MessageState.PLANNED, MessageState.UNKNOWN],
            next_attempt_at__lte=now,
        ).order_by("next_attempt_at", "created_at")

    def expired(self, state: MessageState, now: datetime) -> "MessageQuerySet":
        """Return the rows whose process died after it reserved them or handed them over.

        One state at a time: for several, SQLite would read every row.
        """
        return self.filter(
            state=state,
            lease_until__lte=now,
            # It was due when it was reserved; this form can use the index.
            next_attempt_at__lte=now,
        )

    def without_server(self, now: datetime) -> "MessageQuerySet":
        """Return the mails that wait because no mail server answered."""
        return self.filter(
            state=MessageState.PLANNED,
            reason=Message.UNREACHABLE,
            next_attempt_at__lte=now + MAX_POSTPONED,
        )

    def with_circumstances(self, now: datetime) -> "MessageQuerySet":
        """Add facts from other rows that decide about a mail, without further queries.

        ``is_overtaken``: a later step of the same reminder is due as well. ``has_bounced``: the
        patient's mailbox refused an earlier mail.
        """
        later_steps = Message.objects.exclude(step=OuterRef("step")).filter(
            kind=OuterRef("kind"),
            subject_type=OuterRef("subject_type"),
            subject_id=OuterRef("subject_id"),
            subject_version=OuterRef("subject_version"),
            due_at__gt=OuterRef("due_at"),
            due_at__lte=now,
        )
        return self.annotate(
            is_overtaken=~Q(step="") & Exists(later_steps),
            has_bounced=Q(patient__email_bounced_at__isnull=False),
        )

    def waiting(self) -> "MessageQuerySet":
        """Return what can still be called off, because it was not handed to the mail server."""
        return self.filter(state=MessageState.PLANNED)

    def to_retry(self) -> "MessageQuerySet":
        return self.filter(_TO_RETRY)

    def late(self, now: datetime) -> "MessageQuerySet":
        """Return mails that are due and not sent: no worker is running, or no mail server answers.

        Rows that wait for a mailbox, or for staff to release a visit, do not count.
        """
        return self.filter(
            Q(state=MessageState.PLANNED) | Q(state=MessageState.SENDING) | _TO_RETRY,
            Q(next_attempt_at__lt=now - LATE_AFTER)
            | Q(reason=Message.UNREACHABLE, due_at__lt=now - LATE_AFTER),
            state__in=[MessageState.PLANNED, MessageState.SENDING, MessageState.UNKNOWN],
            next_attempt_at__lte=now + MAX_POSTPONED,
        )


class Message(models.Model):
    """One planned mail: written with its cause, then reserved, claimed, sent and finished.

    ``subject_type`` and ``subject_id`` name the row the mail is about, without a foreign key to
    an app above. The address is read when the mail is composed, so that a corrected one is used.
    Only ``clinic.mail.outbox`` writes these rows.
    """

    State = MessageState

    # Values of ``reason`` that the code checks; composers add their own.
    UNREACHABLE = "unreachable"  # no mail server answered
    DEFERRED = "deferred"  # the mail server asked to try again later
    LATE = "late"
    RESTORED = "restored"  # due before a backup was restored: it may have been sent already
    BOUNCED = "bounced"  # accepted by a mail server, and returned later
    INTERRUPTED = "interrupted"  # the process that had reserved it died

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=30)
    step = models.CharField(_("step"), max_length=10, blank=True)
    subject_type = models.CharField(_("about"), max_length=40)
    subject_id = models.UUIDField(_("about id"))
    subject_version = models.PositiveIntegerField(_("version"), default=0)
    resend = models.PositiveSmallIntegerField(_("resend"), default=0)
    patient = models.ForeignKey(
        Patient,
        verbose_name=_("patient"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="messages",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("staff member"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PLANNED)
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    due_at = models.DateTimeField(_("due"))
    expires_at = models.DateTimeField(_("useful until"))
    next_attempt_at = models.DateTimeField(_("next attempt"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    claim = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    handed_at = models.DateTimeField(_("handed to the mail server"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    is_retried_after_unknown = models.BooleanField(
        _("sent again after a lost answer"), default=False
    )
    bounced_at = models.DateTimeField(_("came back"), null=True, blank=True)
    last_reply = models.CharField(_("mail server's answer"), max_length=60, blank=True)
    raw = models.BinaryField(
        null=True, editable=False, help_text="The mail as sent; kept in the demo only."
    )
    created_at = models.DateTimeField(_("planned"), auto_now_add=True)

    # Set by ``with_circumstances``.
    is_overtaken: bool
    has_bounced: bool

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-due_at"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "step", "subject_type", "subject_id", "subject_version", "resend"],
                name="message_once",
            ),
        ]
        indexes = [
            # Not a partial index: SQLite does not use one with bound parameters.
            models.Index(fields=["state", "next_attempt_at"], name="message_due"),
            models.Index(fields=["subject_type", "subject_id"], name="message_about"),
        ]

    def __str__(self) -> str:
        """The kind in words: "Reminder, 2 hours before"."""
        return ", ".join(filter(None, [wordings.label(self.kind), wordings.step_label(self.step)]))


class LinkQuerySet(models.QuerySet["Link"]):
    def usable(self, *, now) -> "LinkQuerySet":
        return self.filter(revoked_at=None, expires_at__gt=now)


class Link(models.Model):
    """A mailed link, or the grant of a browser that has booked: it opens one patient's own pages.

    Only a keyed hash of the token is stored. Fetching the link changes nothing here, so mail
    scanners may follow it any number of times.
    """

    class Purpose(models.TextChoices):
        VISIT = "visit", _("One visit")
        INTAKE = "intake", _("Intake form")
        MY_VISITS = "my-visits", _("All visits")
        RESCREEN = "rescreen", _("Safety check before a visit")
        CHECK_IN = "check-in", _("Weekly check-in")
        UNSUBSCRIBE = "unsubscribe", _("Stop reminders")
        WAITLIST = "waitlist", _("Place on the waitlist")
        OFFER = "offer", _("Offered time")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose)
    patient = models.ForeignKey(
        Patient, verbose_name=_("patient"), on_delete=models.CASCADE, related_name="links"
    )
    subject_id = models.UUIDField(_("about id"), null=True, blank=True)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, blank=True, related_name="links"
    )
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    failed_tries = models.PositiveSmallIntegerField(_("failed tries"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        indexes = [models.Index(fields=["expires_at"], name="link_expires")]

    def __str__(self) -> str:
        return self.get_purpose_display()

    @property
    def is_mailed(self) -> bool:
        """Whether it was mailed, so that others may have read it; a booking's own grant was not."""
        return self.message_id is not None


class Tick(models.Model):
    """The scheduler's heartbeat: one row, updated each time a tick completes."""

    completed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="tick_single_row")]

    def __str__(self) -> str:
        return self.completed_at.isoformat()
