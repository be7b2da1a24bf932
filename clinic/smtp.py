"""Django's SMTP backend, which can also tell that the answer to a mail was lost.

Once the message itself is on its way, a time-out or a reset no longer says that the server did
not take it; before that, it does.
"""

import smtplib
from typing import Any

from django.core.mail.backends import smtp


class AnswerLost(smtplib.SMTPServerDisconnected):
    """The connection broke after DATA: the server may have taken the message or not."""


class _NoticesLostAnswer(smtplib.SMTP):
    def data(self, msg: Any) -> tuple[int, bytes]:
        try:
            return super().data(msg)
        except smtplib.SMTPServerDisconnected as error:
            raise AnswerLost(str(error)) from error


class _NoticesLostAnswerOverTLS(_NoticesLostAnswer, smtplib.SMTP_SSL):
    pass


class EmailBackend(smtp.EmailBackend):
    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _NoticesLostAnswerOverTLS if self.use_ssl else _NoticesLostAnswer
