"""Bounced mails: record them on the rows and the patient, and create a task for the front desk."""

import logging
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.encoding import punycode

from clinic.mail.delivery_reports import Report, parse
from clinic.models import DeskTask, Message, Patient

logger = logging.getLogger(__name__)


def host() -> str:
    """Return the host part of our Message-IDs."""
    return urlsplit(settings.BASE_URL).hostname or ""


def refused(message: Message, now: datetime, *, is_about_mailbox: bool) -> None:
    """Have the patient phoned about a mail that will never arrive; mark a wrong address."""
    if message.patient is None:
        return
    if is_about_mailbox:
        Patient.objects.filter(pk=message.patient.pk).update(email_bounced_at=now)
    DeskTask.objects.ask(
        kind=DeskTask.Kind.BOUNCED, subject=message.patient, patient=message.patient, now=now
    )


def forgive(patient_id: UUID) -> None:
    """Remove the mark from an address for which a mail server accepts mail again.

    Changes nothing after a bounce that came by mail: that server had accepted the mail too.
    """
    came_back = Message.objects.filter(
        patient=OuterRef("pk"), bounced_at=OuterRef("email_bounced_at")
    )
    Patient.objects.filter(~Exists(came_back), pk=patient_id).update(email_bounced_at=None)


def record_mail(content: bytes, now: datetime) -> bool:
    """Process a mail from the bounce mailbox; False if it is not a bounce of one of our mails."""
    report = parse(content, host=host())
    if report is None:
        return False
    record(report, now)
    return True


def record(report: Report, now: datetime) -> None:
    """Record the report on the mail's row. A second report changes nothing.

    A mail that will not arrive has failed, and the front desk phones the patient. The address is
    marked if the mailbox is at fault and the address is still the patient's.
    """
    with transaction.atomic():
        message = (
            Message.objects.select_for_update(of=("self",))
            .select_related("patient")
            .filter(
                pk=report.message_id,
                state__in=[Message.State.SENT, Message.State.UNKNOWN],
                bounced_at=None,
            )
            .first()
        )
        if message is None:
            return
        if not report.is_final:
            Message.objects.filter(pk=message.pk).update(last_reply=report.status)
            return
        Message.objects.filter(pk=message.pk).update(
            state=Message.State.FAILED,
            reason=Message.BOUNCED,
            last_reply=report.status,
            bounced_at=now,
            lease_until=None,
        )
        logger.info("Message %s came back: %s", message.pk, report.status)
        patient = message.patient
        if patient is not None and _is_still_theirs(patient, report.recipient):
            refused(message, now, is_about_mailbox=report.is_permanent)


def latest_to(address: str) -> UUID | None:
    """Return the key of the newest mail that was sent to a patient with this address."""
    return (
        Message.objects.filter(patient__email__iexact=address, state=Message.State.SENT)
        .order_by("-sent_at")
        .values_list("pk", flat=True)
        .first()
    )


def _is_still_theirs(patient: Patient, recipient: str) -> bool:
    return bool(recipient) and _comparable(patient.email) == _comparable(recipient)


def _comparable(address: str) -> str:
    local_part, at, domain = address.rpartition("@")
    return f"{local_part}{at}{punycode(domain)}".lower()
