"""Mails of the intake: staff are told of a safety alert, without a word about whom or what."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import outbox
from clinic.letters import worded
from clinic.models import Message, Practice
from clinic.outbox import Mail, Skip
from clinic.wordings import Wording
from intake.models import SafetyAlert

SAFETY_ALERT = "safety-alert"

SAFETY_ALERT_WORDING = Wording(
    kind=SAFETY_ALERT,
    label=gettext_lazy("Safety alert"),
    subject=gettext_lazy("Safety alert, open the system"),
    heading=gettext_lazy("Safety alert"),
    text=gettext_lazy(
        "Somebody's answers need a person today. Open the system to see who.\n\n"
        "The alert stays open until a member of staff acknowledges it by name."
    ),
    is_editable=False,
)


def plan_alert(alert: SafetyAlert, now: datetime) -> Message:
    """Owe staff the news of ``alert``; to be called in the transaction that raises it."""
    return outbox.plan(
        kind=SAFETY_ALERT, subject=alert, due_at=now, expires_at=now + timedelta(days=2)
    )


def safety_alert(message: Message, now: datetime) -> Mail | Skip:
    alert = SafetyAlert.objects.filter(pk=message.subject_id).first()
    if alert is None or alert.acknowledged_at:
        return Skip("acknowledged")
    practice = Practice.current()
    if not practice.alert_email:
        return Skip("no-address")
    with translation.override(settings.LANGUAGE_CODE):
        return _safety_alert(alert.pk, to=practice.alert_email, practice=practice)


def sample_safety_alert(now: datetime) -> Mail:
    return _safety_alert(UUID(int=0), to="oncall@example.org", practice=Practice.current())


def _safety_alert(alert_id: UUID, *, to: str, practice: Practice) -> Mail:
    alert_url = f"{settings.BASE_URL}{reverse('admin:index')}intake/safetyalert/{alert_id}/change/"
    return worded(SAFETY_ALERT, {}, buttons=[(_("Open the alert"), alert_url)]).as_mail(
        to=to, practice=practice
    )
