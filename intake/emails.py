"""Mails of the intake: staff are told of a safety alert, without a word about whom or what."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from clinic import outbox
from clinic.letters import Letter
from clinic.models import Message, Practice
from clinic.outbox import Mail, Skip
from intake.models import SafetyAlert

SAFETY_ALERT = "safety-alert"


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
    alert_url = f"{settings.BASE_URL}{reverse('admin:index')}intake/safetyalert/{alert.pk}/change/"
    with translation.override(settings.LANGUAGE_CODE):
        return Letter(
            subject=_("Safety alert, open the system"),
            heading=_("Safety alert"),
            paragraphs=[
                _("Somebody's answers need a person today. Open the system to see who."),
                _("The alert stays open until a member of staff acknowledges it by name."),
            ],
            buttons=[(_("Open the alert"), alert_url)],
        ).as_mail(to=practice.alert_email, practice=practice)
