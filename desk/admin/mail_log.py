"""The mails about one visit, for the front desk on the visit's page."""

from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from booking.models import Appointment
from clinic.admin.mail import why
from clinic.models import Message
from desk.admin.columns import clock_time

_ROW = "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"


def mail_log(visit: Appointment) -> str:
    """Return a table, the newest first; each row links to the mail, to view or resend it."""
    mails = Message.objects.about(visit).order_by("-due_at", "-created_at")
    rows = format_html_join("", _ROW, (_cells(message, visit) for message in mails))
    if not rows:
        return _("None yet.")
    return format_html(
        '<table class="mail-log"><thead><tr><th scope="col">{}</th><th scope="col">{}</th>'
        '<th scope="col">{}</th><th scope="col">{}</th></tr></thead><tbody>{}</tbody></table>',
        _("Mail"),
        _("State"),
        _("When"),
        _("Why"),
        rows,
    )


def _cells(message: Message, visit: Appointment) -> tuple[str, ...]:
    at = (message.sent_at or message.due_at).astimezone(visit.zone)
    page = reverse("admin:clinic_message_change", args=[message.pk])
    name = str(message)
    if message.resend:
        name = _("%(mail)s, sent again") % {"mail": name}
    return (
        format_html('<a href="{}">{}</a>', page, name),
        str(message.get_state_display()),
        f"{formats.date_format(at, 'SHORT_DATE_FORMAT')}, {clock_time(at)}",
        why(message),
    )
