"""Django's mailers as senders: files, and the providers of django-anymail.

django-anymail is the optional extra ``providers``; it is imported only if installed.
"""

from typing import Any
from uuid import UUID

from django.utils import timezone

from clinic.mail import bounces
from clinic.mail.delivery_reports import Report, status_in
from clinic.mail.mime import Outgoing
from clinic.mail.senders import Accepted, Outcome, Permanent, Temporary, Unknown, Unreachable

try:
    from anymail import exceptions as anymail
    from anymail.signals import tracking
    from requests import exceptions as requests
    from urllib3.exceptions import NewConnectionError
except ImportError:
    anymail = None


class DjangoSender:
    def __init__(self, mailer: Any) -> None:
        self._mailer = mailer

    def open(self) -> None:
        try:
            self._mailer.open()
        except OSError as error:
            raise Unreachable from error

    def send(self, outgoing: Outgoing) -> Outcome:
        message = outgoing.for_django()
        # The provider gets it with the mail, and returns it in its reports.
        message.metadata = {"message": str(outgoing.message_id)}  # type: ignore[attr-defined]
        try:
            self._mailer.send_messages([message])
        except Exception as error:
            if anymail is None or not isinstance(error, anymail.AnymailError):
                raise
            return _outcome(error)
        return Accepted()

    def close(self) -> None:
        self._mailer.close()


def _outcome(error: Exception) -> Outcome:
    """Return the outcome for the mail from a provider's error; raises Unreachable."""
    if isinstance(error, anymail.AnymailRecipientsRefused):
        return Permanent("refused", is_about_mailbox=True)
    if isinstance(error, anymail.AnymailInvalidAddress):
        return Permanent("address", is_about_mailbox=True)
    if isinstance(error, anymail.AnymailUnsupportedFeature | anymail.AnymailSerializationError):
        return Permanent("unsupported", is_about_mailbox=False)
    if (status := getattr(error, "status_code", None)) is not None:
        return _outcome_of_status(status, error)
    if isinstance(error, requests.RequestException) and _took_nothing(error):
        raise Unreachable from error
    # The answer is missing or unreadable: the provider may have accepted the mail.
    return Unknown()


def _outcome_of_status(status: int, error: Exception) -> Outcome:
    if status in {401, 402, 403, 404}:
        # Our account or its settings are at fault, so every mail must still be sent.
        raise Unreachable from error
    if status in {429, 503}:
        return Temporary(str(status))
    if 400 <= status < 500:
        return Permanent(str(status), is_about_mailbox=False)
    return Unknown()


def _took_nothing(error: Exception) -> bool:
    """Whether there was no connection at all. A broken one may have transferred the mail."""
    if isinstance(error, requests.ConnectTimeout | requests.SSLError | requests.ProxyError):
        return True
    cause = error.__cause__ or error
    reason = getattr(cause.args[0] if cause.args else None, "reason", None)
    return isinstance(reason, NewConnectionError)


# A provider's reports about a mail that it had accepted, in the terms of django-anymail.
_CAME_BACK = {"bounced", "rejected", "failed"}
_MAILBOX_IS_AT_FAULT = {"bounced", "invalid"}


def listen() -> None:
    """Receive the reports of providers to django-anymail's webhooks, if it is installed."""
    if anymail is not None:
        tracking.connect(_hear, dispatch_uid="clinic.mail.providers")


def _hear(sender: Any, event: Any, **kwargs: Any) -> None:
    try:
        message_id = UUID((event.metadata or {})["message"])
    except (KeyError, TypeError, ValueError):
        return
    if event.event_type not in _CAME_BACK | {"deferred"}:
        return
    is_final = event.event_type in _CAME_BACK
    is_permanent = is_final and event.reject_reason in _MAILBOX_IS_AT_FAULT
    said = status_in(event.mta_response or "")
    status = said or ("5.0.0" if is_permanent else "4.0.0")
    bounces.record(
        Report(message_id, event.recipient or "", status, is_final=is_final), timezone.now()
    )
