import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, Q
from django.utils.translation import gettext_lazy as _

from clinic.models import OnCall, Patient, Practice, Role, User
from intake.models.responses import QuestionnaireResponse, new_reference_code
from intake.rules.levels import Level

# How long one person has before the alert escalates to the next (clinical.md §3.4).
CLOCKS = {Level.EMERGENCY: timedelta(minutes=15), Level.URGENT: timedelta(hours=1)}


class SafetyAlertQuerySet(models.QuerySet["SafetyAlert"]):
    def visible_to(self, viewer: User) -> "SafetyAlertQuerySet":
        """Return all alerts for front desk, managers and people on call, else own patients'."""
        if not viewer.is_active:
            return self.none()
        if viewer.role in {Role.FRONT_DESK, Role.MANAGER}:
            return self.all()
        is_on_call = Exists(OnCall.objects.filter(user=viewer))
        return self.filter(Q(patient__in=Patient.objects.in_care_of(viewer)) | is_on_call)

    def open(self) -> "SafetyAlertQuerySet":
        return self.filter(acknowledged_at=None)

    def blocking(self) -> "SafetyAlertQuerySet":
        """Return the alerts that still block booking."""
        return self.filter(booking_reopened_at=None)


class SafetyAlert(models.Model):
    """Answers that need a person today; open until a named person acknowledges it.

    Without a patient it belongs to an anonymous visitor: their page shows ``code``, so that
    staff can find the alert when they call.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(
        _("reference code"), max_length=6, unique=True, default=new_reference_code, editable=False
    )
    patient = models.ForeignKey(
        Patient,
        verbose_name=_("patient"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="safety_alerts",
    )
    response = models.ForeignKey(
        QuestionnaireResponse,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="safety_alerts",
    )
    visitor_hash = models.CharField(max_length=64, blank=True, db_index=True)
    level = models.PositiveSmallIntegerField(_("level"), choices=Level)
    rules = models.JSONField(_("rules"), default=list)
    raised_at = models.DateTimeField(_("raised"))
    callback_name = models.CharField(_("name to call"), max_length=120, blank=True)
    callback_phone = models.CharField(_("phone to call"), max_length=40, blank=True)
    callback_birth_date = models.DateField(_("date of birth"), null=True, blank=True)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("acknowledged by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    booking_reopened_at = models.DateTimeField(_("booking reopened"), null=True, blank=True)
    booking_reopened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("booking reopened by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = SafetyAlertQuerySet.as_manager()

    class Meta:
        ordering = ["-raised_at"]
        verbose_name = _("safety alert")
        verbose_name_plural = _("safety alerts")

    def __str__(self) -> str:
        return self.code

    @property
    def level_name(self) -> str:
        """The level as a CSS class."""
        return Level(self.level).name.lower()

    @property
    def clock(self) -> timedelta:
        """How long one person has to acknowledge it before it escalates."""
        return CLOCKS[Level(self.level)]

    def answer_by(self, practice: Practice) -> datetime:
        """Return the time by which it should be acknowledged (clinical.md §3.4)."""
        return practice.clock_runs_out(self.raised_at, self.clock)

    def acknowledge(self, *, by: User, now: datetime) -> bool:
        """Store the first acknowledgement; return False if there was one already."""
        changed = SafetyAlert.objects.filter(pk=self.pk, acknowledged_at=None).update(
            acknowledged_at=now, acknowledged_by=by
        )
        self.refresh_from_db()
        return bool(changed)

    def reopen_booking(self, *, by: User, now: datetime) -> bool:
        """Let this visitor or patient book again, by decision of a named member of staff."""
        changed = SafetyAlert.objects.filter(pk=self.pk, booking_reopened_at=None).update(
            booking_reopened_at=now, booking_reopened_by=by
        )
        self.refresh_from_db()
        return bool(changed)
