import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from booking.appointments import mail_schedule
from booking.appointments.models import Appointment
from booking.appointments.status import InvalidTransition, Status
from clinic.languages import is_registered
from clinic.mail import outbox
from clinic.models import Patient
from clinic.security.access import hash_token, link_token
from intake.models import QuestionnaireResponse
from intake.workflow import gate

# How long a start is held for a visitor who must first open the mailed link.
KEPT = timedelta(minutes=60)
# How long the mailed link leads to the visit booked by it. Links in other mails can be revoked.
LINK_LASTS = timedelta(days=1)


class UnconfirmedBookingQuerySet(models.QuerySet["UnconfirmedBooking"]):
    def ask(
        self,
        hold: Appointment,
        *,
        details: dict[str, Any],
        response: QuestionnaireResponse | None,
        now: datetime,
        patient: Patient | None = None,
    ) -> "UnconfirmedBooking":
        """Keep the hold for an hour and plan a mail whose link makes it a visit.

        The safety answers move to the hold, so that the next person in this browser is asked again.
        Raises InvalidTransition when the hold is a visit already, or waits for its link already.
        """
        asked = self.model(appointment=hold, details=details, patient=patient)
        asked.token_hash = hash_token(asked.token)
        with transaction.atomic():
            # First the answers, then the visit: booking locks them in the same order.
            if response is not None:
                # Until there is a patient they belong to the link, not to a browser. The filter
                # reads the row: values in memory may come from a booking that was rolled back.
                QuestionnaireResponse.objects.filter(pk=response.pk, patient=None).update(
                    visitor_hash=asked.token_hash
                )
            kept = Appointment.objects.filter(
                pk=hold.pk, status=Status.PENDING, unconfirmed=None
            ).update(held_until=now + KEPT, intake_response=response)
            if not kept:
                raise InvalidTransition(hold.status)
            asked.save(force_insert=True)
            outbox.plan(
                kind=mail_schedule.ADDRESS_CHECK, subject=asked, due_at=now, expires_at=now + KEPT
            )
        return asked

    def with_token(self, token: str, *, now: datetime) -> "UnconfirmedBooking | None":
        return (
            self.filter(token_hash=hash_token(token), created_at__gt=now - LINK_LASTS)
            .select_related(
                "appointment__service",
                "appointment__location",
                "appointment__practitioner",
                "appointment__patient",
                "appointment__intake_response__questionnaire",
                "patient",
            )
            .first()
        )


class UnconfirmedBooking(models.Model):
    """A hold whose visitor must prove by a mailed link that the address is theirs.

    It is deleted with the hold, so that what a stranger typed about a person is gone in an hour.
    ``details`` is the form as it was sent, and is emptied once there is a patient.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    appointment = models.OneToOneField(
        Appointment, on_delete=models.CASCADE, related_name="unconfirmed"
    )
    patient = models.ForeignKey(
        Patient,
        verbose_name=_("patient"),
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="Whom the browser books for already, unless it is for somebody new.",
    )
    token_hash = models.CharField(max_length=64, unique=True)
    details = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UnconfirmedBookingQuerySet.as_manager()

    class Meta:
        verbose_name = _("unconfirmed booking")
        verbose_name_plural = _("unconfirmed bookings")

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def token(self) -> str:
        """The secret of the mailed link; the row stores only its hash."""
        return link_token(self.pk, "confirm-booking")

    @property
    def email(self) -> str:
        return self.details.get("email", "")

    @property
    def language(self) -> str:
        given = self.details.get("language", "")
        return given if is_registered(given) else settings.LANGUAGE_CODE

    @property
    def kept_until(self) -> datetime:
        """When the hold ends, on the location's wall clock."""
        assert self.appointment.held_until is not None
        return self.appointment.held_until.astimezone(self.appointment.zone)

    def confirm(self, patient: Patient, *, now: datetime) -> None:
        """Make the hold a visit of ``patient``, with the answers given for it.

        Raises InvalidTransition when it is one already.
        """
        with transaction.atomic():
            if patient._state.adding:
                patient.save()
            response = self.appointment.intake_response
            if response is not None:
                gate.attach(response, patient)
            self.appointment.book(patient=patient, now=now, intake_response=response)
            self.details = {}
            self.save(update_fields=["details"])
