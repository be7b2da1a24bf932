"""Mails to the clinic itself: about mails, and to staff about their accounts."""

from datetime import datetime, timedelta

from allauth.account import app_settings as account_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import backups
from clinic.letters import Letter
from clinic.models import Message, Practice
from clinic.outbox import Mail, Skip


def late_note(message: Message, now: datetime) -> Mail | Skip:
    """Tell the clinic that mails to patients were given up because they came too late."""
    practice = Practice.current()
    to = practice.alert_email or practice.email
    if not to:
        return Skip("no-address")
    count = Message.objects.filter(
        state__in=[Message.State.SKIPPED, Message.State.FAILED],
        reason__in=[Message.LATE, Message.UNREACHABLE, Message.DEFERRED],
        # When they were given up; an old backup's mails were of no use long before.
        next_attempt_at__gt=now - timedelta(days=1),
    ).count()
    with translation.override(settings.LANGUAGE_CODE):
        return Letter(
            subject=_("Some mails to patients were not sent"),
            heading=_("Some mails to patients were not sent"),
            paragraphs=[
                ngettext(
                    "%(count)d mail of the last day could not be sent in time.",
                    "%(count)d mails of the last day could not be sent in time.",
                    count,
                )
                % {"count": count},
                _("Please look at the list, and phone patients whose visit is near."),
            ],
            buttons=[(_("Open the list of mails"), _messages_url())],
        ).as_mail(to=to, practice=practice)


def restored_note(message: Message, now: datetime) -> Mail | Skip:
    """Tell the clinic that an older state of its database is back, and what that means."""
    practice = Practice.current()
    to = practice.alert_email or practice.email
    if not to:
        return Skip("no-address")
    count = backups.not_sent(message.due_at).count()
    with translation.override(settings.LANGUAGE_CODE):
        return Letter(
            subject=_("A backup was brought back"),
            heading=_("A backup was brought back"),
            paragraphs=[
                _("Visits booked, moved or cancelled after the backup was made are not in it."),
                ngettext(
                    "%(count)d mail that was due before was not sent, since it may have left "
                    "already.",
                    "%(count)d mails that were due before were not sent, since they may have left "
                    "already.",
                    count,
                )
                % {"count": count},
                _("Please look through the next days, and phone patients where you are not sure."),
            ],
            buttons=[(_("Open the list of mails"), _messages_url())],
        ).as_mail(to=to, practice=practice)


def _messages_url() -> str:
    return settings.BASE_URL + reverse("admin:index") + "clinic/message/"


def password_reset(message: Message, now: datetime) -> Mail | Skip:
    """The link for a new password. Signing in with it still takes the second factor."""
    user = message.user
    if user is None or not user.is_active:
        return Skip("no-account")
    practice = Practice.current()
    # Made when the mail leaves: the row keeps no secret, and a token that was used is void.
    token = account_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    page = settings.BASE_URL + reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(user), "key": token},
    )
    with translation.override(user.language):
        return Letter(
            subject=_("Choose a new password"),
            heading=_("Choose a new password"),
            paragraphs=[
                _("Somebody, hopefully you, asked for a new password for your staff account."),
                _("The link works for one hour. If it was not you, do nothing: nothing changes."),
            ],
            buttons=[(_("Choose a new password"), page)],
        ).as_mail(to=user.email, practice=practice)
