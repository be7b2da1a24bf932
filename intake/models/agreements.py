from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from clinic.models import Patient, PrivacyNotice

if TYPE_CHECKING:
    from intake.models.responses import QuestionnaireResponse


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def of(self, response: "QuestionnaireResponse") -> "AgreementQuerySet":
        """Return the agreements by or for the patient of these answers."""
        return self.filter(patient=response.patient_id).exclude(patient=None)


class Agreement(models.Model):
    """The agreement of a named person to how answers are used; rows are never changed."""

    class Role(models.TextChoices):
        """Who signed. The codes are those of the question `about-filler`."""

        PATIENT = "self", _("the patient")
        GUARDIAN = "guardian", _("a parent or guardian")
        HELPER = "helper", _("somebody helping the patient")

    patient = models.ForeignKey(
        Patient, verbose_name=_("patient"), on_delete=models.CASCADE, related_name="agreements"
    )
    response = models.ForeignKey(
        "intake.QuestionnaireResponse",
        verbose_name=_("answers"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="agreements",
    )
    notice = models.ForeignKey(
        PrivacyNotice,
        verbose_name=_("notice"),
        on_delete=models.PROTECT,
        related_name="agreements",
    )
    signed_by = models.CharField(_("signed by"), max_length=120)
    role = models.CharField(_("role"), max_length=20, choices=Role)
    agreed_at = models.DateTimeField(_("agreed"))

    objects = AgreementQuerySet.as_manager()

    class Meta:
        ordering = ["-agreed_at", "-pk"]
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        constraints = [
            models.CheckConstraint(condition=~Q(signed_by=""), name="agreement_is_signed"),
        ]

    def __str__(self) -> str:
        return f"{self.signed_by}, {date_format(timezone.localtime(self.agreed_at))}"
