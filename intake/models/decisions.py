"""Clinicians' decisions and notes about answers; the answers themselves do not change."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.encryption import EncryptedTextField
from clinic.models import Patient, Role, User
from intake.rules.levels import Level


class LoweredLevel(models.Model):
    """A clinician's decision beside the rules' own level; rows are never changed.

    It is valid only while the rules give the same level. It does not reopen booking that an alert
    blocks: that is ``SafetyAlert.reopen_booking``.
    """

    response = models.ForeignKey(
        "intake.QuestionnaireResponse", on_delete=models.CASCADE, related_name="lowered_levels"
    )
    rules_level = models.PositiveSmallIntegerField(_("level by the rules"), choices=Level)
    level = models.PositiveSmallIntegerField(_("level"), choices=Level)
    reason = EncryptedTextField(_("reason"), max_length=300)
    lowered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("lowered by"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    lowered_at = models.DateTimeField(_("lowered"))

    class Meta:
        ordering = ["-lowered_at", "-pk"]
        verbose_name = _("lowered level")
        verbose_name_plural = _("lowered levels")
        constraints = [
            models.CheckConstraint(
                condition=Q(level__lt=F("rules_level")), name="loweredlevel_is_lower"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="loweredlevel_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.rules_level} → {self.level}"


class PrivateNoteQuerySet(models.QuerySet["PrivateNote"]):
    def visible_to(self, viewer: User) -> "PrivateNoteQuerySet":
        """Return the notes about a clinician's own patients; other roles get none."""
        if viewer.is_active and viewer.role == Role.CLINICIAN:
            return self.filter(patient__in=Patient.objects.in_care_of(viewer))
        return self.none()


class PrivateNote(models.Model):
    """A note between the clinicians of a care team about a patient; never mailed."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="private_notes")
    text = EncryptedTextField(_("note"), max_length=2000)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("written by"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    written_at = models.DateTimeField(_("written"))

    objects = PrivateNoteQuerySet.as_manager()

    class Meta:
        ordering = ["-written_at", "-pk"]
        verbose_name = _("private note")
        verbose_name_plural = _("private notes")

    def __str__(self) -> str:
        return str(self.pk)
