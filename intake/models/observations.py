from datetime import datetime
from decimal import Decimal
from statistics import mean

from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.models import Patient
from intake.models.responses import QuestionnaireResponse
from intake.rules.variables import KM_PER_MILE


class ObservationQuerySet(models.QuerySet["Observation"]):
    def take_from(self, response: QuestionnaireResponse, *, now: datetime) -> None:
        """Store the numbers of submitted answers that form trends, replacing earlier ones."""
        self.filter(response=response).delete()
        if response.patient is None:
            return
        answers = response.answers
        for item in response.form.walk():
            numbers = answers.numbers(item.link_id) if item.observation else ()
            if not numbers:
                continue
            unit = item.unit.default if item.unit else ""
            value = mean(numbers)
            if item.unit_choice:
                # In one unit, so that distances form one trend when a patient changes the unit.
                unit = "km"
                if answers.has(item.unit_choice.question, "mi"):
                    value *= KM_PER_MILE
            self.create(
                patient=response.patient,
                response=response,
                code=item.link_id,
                value=Decimal(str(round(value, 3))),
                unit=unit,
                effective_at=now,
            )


class Observation(models.Model):
    """A number that forms a trend, taken from submitted answers."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="observations")
    response = models.ForeignKey(
        QuestionnaireResponse, on_delete=models.CASCADE, related_name="observations"
    )
    code = models.CharField(_("what"), max_length=60)
    value = models.DecimalField(_("value"), max_digits=9, decimal_places=3)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    effective_at = models.DateTimeField(_("when"))

    objects = ObservationQuerySet.as_manager()

    class Meta:
        verbose_name = _("observation")
        verbose_name_plural = _("observations")
        constraints = [
            models.UniqueConstraint(fields=["response", "code"], name="observation_once"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.value}"
