"""SMTP, with outcomes that tell whether a mail may have been accepted.

After the transfer of the message has begun, the server may have accepted it despite a time-out
or a reset. Before that, it cannot have.
"""

import re
import smtplib
from typing import Any

from django.core.mail.backends import smtp

from clinic.mail.mime import Outgoing
from clinic.mail.senders import Accepted, Outcome, Permanent, Temporary, Unknown, Unreachable


class AnswerLost(smtplib.SMTPServerDisconnected):
    """The connection broke after DATA: the server may have accepted the message or not."""


class _NoticesLostAnswer(smtplib.SMTP):
    def data(self, msg: Any) -> tuple[int, bytes]:
        try:
            return super().data(msg)
        except smtplib.SMTPServerDisconnected as error:
            raise AnswerLost(str(error)) from error


class _NoticesLostAnswerOverTLS(_NoticesLostAnswer, smtplib.SMTP_SSL):
    pass


class EmailBackend(smtp.EmailBackend):
    """Django's backend, which can also detect that the answer to a mail was lost."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _NoticesLostAnswerOverTLS if self.use_ssl else _NoticesLostAnswer


class SmtpSender:
    """Many mails over one connection, reopened after each failure."""

    def __init__(self, mailer: EmailBackend) -> None:
        self._mailer = mailer

    def open(self) -> None:
        try:
            self._mailer.open()
        except OSError as error:
            raise Unreachable from error

    def send(self, outgoing: Outgoing) -> Outcome:
        connection = self._mailer.connection
        assert connection is not None
        try:
            connection.sendmail(outgoing.sender, [outgoing.recipient], outgoing.content)
        except AnswerLost:
            outcome: Outcome = Unknown()
        except smtplib.SMTPRecipientsRefused as error:
            ((code, reply),) = error.recipients.values()
            outcome = _refused(code, reply, is_about_mailbox=True)
        except smtplib.SMTPDataError as error:
            outcome = _refused(error.smtp_code, error.smtp_error, is_about_mailbox=False)
        except OSError as error:
            # Also for a refused sender: our address is at fault, so the mail must still be sent.
            self.close()
            raise Unreachable from error
        else:
            return Accepted()
        self.close()
        return outcome

    def close(self) -> None:
        self._mailer.close()


def _refused(code: int, reply: bytes | str, *, is_about_mailbox: bool) -> Outcome:
    status = _status_codes(code, reply)
    if code < 500:
        return Temporary(status)
    return Permanent(status, is_about_mailbox=is_about_mailbox)


def _status_codes(code: int, reply: bytes | str) -> str:
    """Return only the codes, "550 5.1.1": the words after them often repeat the address."""
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    enhanced = re.match(r"[245]\.\d{1,3}\.\d{1,3}", text)
    return f"{code} {enhanced.group()}" if enhanced else str(code)
