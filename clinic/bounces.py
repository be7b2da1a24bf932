"""Mails that came back: what the patient's record and the front desk learn of it."""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from clinic.models import DeskTask, Message, Patient


def refused(message: Message, now: datetime, *, is_about_mailbox: bool) -> None:
    """The mail will never arrive: the patient is to be phoned, and the address may be wrong."""
    if message.patient is None:
        return
    if is_about_mailbox:
        Patient.objects.filter(pk=message.patient_id).update(email_bounced_at=now)
    DeskTask.objects.ask(
        kind=DeskTask.Kind.BOUNCED, subject=message.patient, patient=message.patient, now=now
    )


def forgive(patient_id: UUID) -> None:
    """A mail server takes mail for the address again.

    Says nothing after a bounce that came later by mail: that server had taken the mail, too.
    """
    came_back = Message.objects.filter(
        patient=OuterRef("pk"), bounced_at=OuterRef("email_bounced_at")
    )
    Patient.objects.filter(~Exists(came_back), pk=patient_id).update(email_bounced_at=None)
