from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic.encryption import EncryptedTextField
from clinic.models import Location, Practitioner
from schedule.models.catalogue import Equipment, Room


class Status(models.TextChoices):
    """FHIR R4 AppointmentStatus. ``pending`` is a hold: time without a patient."""

    PENDING = "pending", _("Held")
    BOOKED = "booked", _("Booked")
    ARRIVED = "arrived", _("Arrived")
    FULFILLED = "fulfilled", _("Done")
    CANCELLED = "cancelled", _("Cancelled")
    NOSHOW = "noshow", _("No-show")
    ENTERED_IN_ERROR = "entered-in-error", _("Entered in error")


# Named sets of statuses. Add a new status to each set that it belongs to.
EXPECTED = (Status.BOOKED, Status.ARRIVED)  # the visit is still to take place
CAME = (Status.ARRIVED, Status.FULFILLED)  # the patient came
TAKES_PLACE = (Status.BOOKED, Status.ARRIVED, Status.FULFILLED)  # on calendars and day lists
ON_THE_DAY = (*TAKES_PLACE, Status.NOSHOW)  # what a clinician sees of a day
HOLDS_TIME = (Status.PENDING, *TAKES_PLACE)  # occupies the practitioner's time
CALLED_OFF = (Status.CANCELLED, Status.ENTERED_IN_ERROR)  # did not and will not take place

# The transitions from each status. A hold that ends without a booking is deleted.
TRANSITIONS: dict[str, frozenset[str]] = {
    Status.PENDING: frozenset({Status.BOOKED}),
    Status.BOOKED: frozenset(
        {Status.ARRIVED, Status.FULFILLED, Status.CANCELLED, Status.NOSHOW, Status.ENTERED_IN_ERROR}
    ),
    Status.ARRIVED: frozenset({Status.FULFILLED, Status.BOOKED, Status.ENTERED_IN_ERROR}),
    Status.FULFILLED: frozenset({Status.ARRIVED, Status.ENTERED_IN_ERROR}),
    Status.CANCELLED: frozenset({Status.BOOKED, Status.ENTERED_IN_ERROR}),
    Status.NOSHOW: frozenset({Status.ARRIVED, Status.ENTERED_IN_ERROR}),
    Status.ENTERED_IN_ERROR: frozenset(),
}


class InvalidTransition(Exception):
    """The status does not allow this change."""


class TooSoon(Exception):
    """The new status cannot be known before the visit."""


class SlotTaken(ValidationError):
    """The start is taken, or is not offered. Code ``slot_taken``; HTTP 409."""

    def __init__(self) -> None:
        super().__init__(
            _("Sorry, this time was just taken. Please choose another one."), code="slot_taken"
        )


class StatusChange(models.Model):
    """Who changed an appointment, when and why. The reason is erased with the patient.

    A move keeps the former time and place in ``from_…``, so that it can be undone. ``undoes`` is
    the change that this one undid.
    """

    appointment = models.ForeignKey(
        "Appointment", on_delete=models.CASCADE, related_name="status_changes"
    )
    from_status = models.CharField(
        pgettext_lazy("status", "from"), max_length=20, choices=Status, blank=True
    )
    to_status = models.CharField(pgettext_lazy("status", "to"), max_length=20, choices=Status)
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    reason = EncryptedTextField(_("reason"), max_length=200, blank=True)
    from_start = models.DateTimeField(_("former start"), null=True, blank=True, editable=False)
    from_end = models.DateTimeField(null=True, blank=True, editable=False)
    # Read from this row only: an index would slow each booking and serve no query.
    from_practitioner = models.ForeignKey(
        Practitioner,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
    )
    from_location = models.ForeignKey(
        Location,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
    )
    from_room = models.ForeignKey(
        Room,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
    )
    from_equipment = models.ForeignKey(
        Equipment,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
    )
    undoes = models.OneToOneField(
        "self",
        on_delete=models.CASCADE,
        null=True,
        editable=False,
        related_name="undone_by",
    )

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")

    def __str__(self) -> str:
        states = self.get_from_status_display(), self.get_to_status_display()
        return " → ".join(str(state) for state in states if state)
