"""Mails to the clinic about its mails, and to staff about their accounts."""

from dataclasses import replace
from datetime import datetime, timedelta

from allauth.account import app_settings as account_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic import wordings
from clinic.mail import outbox, preview, samples
from clinic.mail.letters import build_letter
from clinic.mail.mail import Mail
from clinic.mail.outbox import LATE_NOTE, Skip
from clinic.models import MailText, Message, Practice, User
from clinic.operations import backups
from clinic.security.accounts import RESET_MAIL
from clinic.wordings import Wording

TEST = "test"
TEST_EVERY = timedelta(minutes=1)

LATE_NOTE_WORDING = Wording(
    kind=LATE_NOTE,
    label=gettext_lazy("Late mails"),
    subject=gettext_lazy("Some mails to patients were not sent"),
    heading=gettext_lazy("Some mails to patients were not sent"),
    text=gettext_lazy(
        "{how_many}\n\nPlease look at the list, and phone patients whose visit is near."
    ),
    placeholders={"how_many": gettext_lazy("how many mails")},
    is_editable=False,
)
RESTORED_NOTE_WORDING = Wording(
    kind=backups.NOTE,
    label=gettext_lazy("Backup brought back"),
    subject=gettext_lazy("A backup was brought back"),
    heading=gettext_lazy("A backup was brought back"),
    text=gettext_lazy(
        "Visits booked, moved or cancelled after the backup was made are not in it.\n\n"
        "{how_many}\n\n"
        "Please look through the next days, and phone patients where you are not sure."
    ),
    placeholders={"how_many": gettext_lazy("how many mails")},
    is_editable=False,
)
PASSWORD_RESET_WORDING = Wording(
    kind=RESET_MAIL,
    label=gettext_lazy("New password"),
    subject=gettext_lazy("Choose a new password"),
    heading=gettext_lazy("Choose a new password"),
    text=gettext_lazy(
        "Somebody, hopefully you, asked for a new password for your staff account.\n\n"
        "The link works for one hour. If it was not you, do nothing: nothing changes."
    ),
    is_editable=False,
)


def late_note(message: Message, now: datetime) -> Mail | Skip:
    """Mail the clinic that mails to patients were given up because they were too late."""
    practice = Practice.current()
    to = practice.alert_email or practice.email
    if not to:
        return Skip("no-address")
    count = Message.objects.filter(
        state__in=[Message.State.SKIPPED, Message.State.FAILED],
        reason__in=[Message.LATE, Message.UNREACHABLE, Message.DEFERRED],
        # The time when they were given up; mails of an old backup had expired long before.
        next_attempt_at__gt=now - timedelta(days=1),
    ).count()
    with translation.override(settings.LANGUAGE_CODE):
        return _late_note(count, to=to, practice=practice)


def sample_late_note(now: datetime) -> Mail:
    return _late_note(3, to="frontdesk@example.org", practice=Practice.current())


def _late_note(count: int, *, to: str, practice: Practice) -> Mail:
    how_many = ngettext(
        "%(count)d mail of the last day could not be sent in time.",
        "%(count)d mails of the last day could not be sent in time.",
        count,
    ) % {"count": count}
    return build_letter(
        LATE_NOTE,
        {"how_many": how_many},
        buttons=[(_("Open the list of mails"), _messages_url())],
    ).as_mail(to=to, practice=practice)


def restored_note(message: Message, now: datetime) -> Mail | Skip:
    """Mail the clinic that an older state of its database was restored, and what that means."""
    practice = Practice.current()
    to = practice.alert_email or practice.email
    if not to:
        return Skip("no-address")
    count = backups.not_sent(message.due_at).count()
    with translation.override(settings.LANGUAGE_CODE):
        return _restored_note(count, to=to, practice=practice)


def sample_restored_note(now: datetime) -> Mail:
    return _restored_note(3, to="frontdesk@example.org", practice=Practice.current())


def _restored_note(count: int, *, to: str, practice: Practice) -> Mail:
    how_many = ngettext(
        "%(count)d mail that was due before was not sent, since it may have left already.",
        "%(count)d mails that were due before were not sent, since they may have left already.",
        count,
    ) % {"count": count}
    return build_letter(
        backups.NOTE,
        {"how_many": how_many},
        buttons=[(_("Open the list of mails"), _messages_url())],
    ).as_mail(to=to, practice=practice)


def _messages_url() -> str:
    return settings.BASE_URL + reverse("admin:index") + "clinic/message/"


def password_reset(message: Message, now: datetime) -> Mail | Skip:
    """The link for a new password. Signing in with it still requires the second factor."""
    user = message.user
    if user is None or not user.is_active:
        return Skip("no-account")
    # Created when the mail is sent, so that the row stores no secret; a used token is invalid.
    token = account_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    with translation.override(user.language):
        return _password_reset(user_pk_to_url_str(user), token, to=user.email)


def sample_password_reset(now: datetime) -> Mail:
    return _password_reset("1", "sample", to="staff@example.org")


def _password_reset(uid: str, token: str, *, to: str) -> Mail:
    page = settings.BASE_URL + reverse(
        "account_reset_password_from_key", kwargs={"uidb36": uid, "key": token}
    )
    return build_letter(RESET_MAIL, {}, buttons=[(_("Choose a new password"), page)]).as_mail(
        to=to, practice=Practice.current()
    )


def plan_test(kind: str, language: str, *, user: User, now: datetime) -> Message:
    """Plan a mail to a member of staff as a patient would get it, at most once a minute."""
    asked_at = now.replace(second=0, microsecond=0)
    return outbox.plan(
        kind=TEST,
        step=str(user.pk),
        subject=MailText(id=MailText.key_of(kind, language)),
        version=int(asked_at.timestamp() // TEST_EVERY.total_seconds()),
        user=user,
        due_at=asked_at,
        expires_at=asked_at + timedelta(hours=1),
    )


def test_mail(message: Message, now: datetime) -> Mail | Skip:
    """A sample to view in a mail program. Its links open nothing."""
    user = message.user
    if user is None or not user.is_active:
        return Skip("no-account")
    for wording in wordings.all_wordings():
        for language, _name in settings.LANGUAGES:
            if MailText.key_of(wording.kind, language) == message.subject_id:
                with translation.override(language), preview.previewing():
                    mail = samples.sample(wording.kind)(now)
                    subject = _("Test: %(subject)s") % {"subject": mail.subject}
                # Without a calendar entry or a button to stop mails, which mail programs act on.
                return replace(
                    mail, to=user.email, subject=subject, calendar="", method="", headers={}
                )
    return Skip("gone")
