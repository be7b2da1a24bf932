"""Reports of mail servers, as they look on the wire."""

from clinic.mail.mime import message_id_header

DSN = """\
From: MAILER-DAEMON@relay.example (Mail Delivery System)
To: clinic@clinic.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=us-ascii

This is the mail system at host relay.example. I'm sorry to have to inform you.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example
X-Postfix-Queue-ID: 4B1C2

Final-Recipient: rfc822; {final}
Original-Recipient: rfc822;{to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} no such mailbox

--b
Content-Type: {returned}

From: clinic@clinic.example
To: {to}
Subject: Reminder
Message-ID: {message_id}

--b--
"""

NOTICE = """\
From: Mail Delivery Subsystem <mailer-daemon@old.example>
To: clinic@clinic.example
Subject: failure notice

Hi. This is the program at old.example. I wasn't able to deliver your message.

<{to}>:
550 Unknown user

--- Below this line is a copy of the message.

From: clinic@clinic.example
To: {to}
Message-ID: {message_id}
"""


def dsn(
    message, *, to=None, final=None, action="failed", status="5.1.1", returned="message/rfc822"
):
    to = to or message.patient.email
    return DSN.format(
        to=to,
        final=final or to,
        action=action,
        status=status,
        returned=returned,
        message_id=message_id_header(message),
    ).encode()


def notice(message):
    return NOTICE.format(to=message.patient.email, message_id=message_id_header(message)).encode()
