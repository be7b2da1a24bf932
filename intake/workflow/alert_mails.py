"""Mails of the intake: they notify staff of a safety alert, without naming patient or reason."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.mail import outbox
from clinic.mail.letters import build_letter, time_text
from clinic.mail.mail import Mail
from clinic.mail.outbox import Skip
from clinic.models import Message, OnCall, Practice, User
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

# How often an alert goes through the list of people on call. If the list is empty, the mailbox
# gets this many further mails.
ROUNDS = 2
ALERT_MAIL_LASTS = timedelta(days=2)


def plan_alert(alert: SafetyAlert, now: datetime) -> list[Message]:
    """Plan the mails about ``alert`` to staff; call it in the transaction that raises it.

    The team's mailbox and the first person on call are notified at once, each next person when
    the time of the one before is over. All mails are planned at the start, so that no process
    has to run at that moment to escalate; after an acknowledgement no further mail is sent.
    """
    practice = Practice.current()
    people: list[User | None] = [on_call.user for on_call in OnCall.objects.reachable()]
    owed = [
        outbox.plan(kind=SAFETY_ALERT, subject=alert, due_at=now, expires_at=now + ALERT_MAIL_LASTS)
    ]
    due_at = now if people else practice.clock_runs_out(now, alert.clock)
    for number, user in enumerate((people or [None]) * ROUNDS, start=1):
        owed.append(
            outbox.plan(
                kind=SAFETY_ALERT,
                step=str(number),
                # Also its own version: a later step, for somebody else, must not overtake it.
                version=number,
                subject=alert,
                user=user,
                due_at=due_at,
                expires_at=due_at + ALERT_MAIL_LASTS,
            )
        )
        due_at = practice.clock_runs_out(due_at, alert.clock)
    return owed


def safety_alert(message: Message, now: datetime) -> Mail | Skip:
    alert = SafetyAlert.objects.filter(pk=message.subject_id).first()
    if alert is None or alert.acknowledged_at:
        return Skip("acknowledged")
    practice = Practice.current()
    # If the account was closed since, the mail goes to the team's mailbox.
    user = message.user if message.user and message.user.is_active else None
    to = user.email if user else practice.alert_email
    if not to:
        return Skip("no-address")
    paragraphs = []
    with translation.override(user.language if user else settings.LANGUAGE_CODE):
        if message.step:
            next_at = practice.clock_runs_out(message.due_at, alert.clock)
            paragraphs.append(
                _("Nobody has acknowledged it yet. The next person is told at %(time)s.")
                % {"time": time_text(next_at.astimezone(practice.zone))}
            )
        return _safety_alert(alert.pk, to=to, practice=practice, paragraphs=paragraphs)


def sample_safety_alert(now: datetime) -> Mail:
    return _safety_alert(UUID(int=0), to="oncall@example.org", practice=Practice.current())


def _safety_alert(
    alert_id: UUID, *, to: str, practice: Practice, paragraphs: Sequence[str] = ()
) -> Mail:
    alert_url = f"{settings.BASE_URL}{reverse('alerts')}#alert-{alert_id}"
    return build_letter(
        SAFETY_ALERT, {}, paragraphs=paragraphs, buttons=[(_("Open the alert"), alert_url)]
    ).as_mail(to=to, practice=practice)
