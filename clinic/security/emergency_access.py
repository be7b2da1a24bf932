"""Opening a record of another clinician's patient in an emergency ("break-glass", HIPAA's emergency
access procedure): with a typed reason, for an hour, and always with a mail to the managers."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.mail import outbox
from clinic.mail.letters import build_letter
from clinic.mail.mail import Mail
from clinic.mail.outbox import Skip
from clinic.models import AuditEvent, EmergencyAccess, Message, Patient, Practice, Role, User
from clinic.plain_text import one_line
from clinic.security import audit
from clinic.wordings import Wording

LASTS = timedelta(minutes=60)
ALERT = "emergency-access"

ALERT_WORDING = Wording(
    kind=ALERT,
    label=gettext_lazy("Emergency access"),
    subject=gettext_lazy("A record was opened in an emergency"),
    heading=gettext_lazy("A record was opened in an emergency"),
    text=gettext_lazy(
        "A clinician outside the care team opened a patient's record and gave a reason. Please "
        "look at it."
    ),
    is_editable=False,
)


def find(*, name: str, birth_date: date) -> list[Patient]:
    """Return the patients with exactly this name and birth date, ignoring case.

    More than one is a duplicate record. A partial match returns nothing: this is not a search.
    """
    wanted = one_line(name).casefold()
    born = Patient.objects.filter(birth_date=birth_date)
    return [patient for patient in born if one_line(patient.name).casefold() == wanted]


def open_record(*, patient: Patient, user: User, reason: str, now: datetime) -> EmergencyAccess:
    """Give the user the care team's access for ``LASTS``, and notify every manager."""
    with transaction.atomic():
        access = EmergencyAccess.objects.create(
            patient=patient, user=user, reason=reason, opened_at=now, expires_at=now + LASTS
        )
        audit.record(
            action=AuditEvent.Action.CREATE,
            user=user,
            subject=access,
            patient_id=patient.pk,
            fields=["reason", "expires_at"],
            now=now,
        )
        for manager in User.objects.filter(role=Role.MANAGER, is_active=True):
            outbox.plan(
                kind=ALERT,
                step=str(manager.pk),
                subject=access,
                user=manager,
                due_at=now,
                expires_at=now + timedelta(days=7),
            )
    return access


def alert(message: Message, now: datetime) -> Mail | Skip:
    """Mail a manager that it happened; user, patient and reason are shown in the system only."""
    manager = message.user
    if manager is None or not manager.is_active or manager.role != Role.MANAGER:
        return Skip("no-account")
    with translation.override(manager.language):
        return _alert(message.subject_id, to=manager.email)


def sample_alert(now: datetime) -> Mail:
    return _alert(UUID(int=0), to="manager@example.org")


def _alert(access_id: UUID, *, to: str) -> Mail:
    page = reverse("admin:clinic_emergencyaccess_change", args=[access_id])
    return build_letter(
        ALERT, {}, buttons=[(_("See who and why"), settings.BASE_URL + page)]
    ).as_mail(to=to, practice=Practice.current())
