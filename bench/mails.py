"""Due mails through the outbox, beside the same mails on one bare SMTP connection."""

import smtplib
import time
from datetime import timedelta
from email import policy

from django.utils import timezone

from bench.budgets import Report
from booking import owed
from booking.models import Appointment
from clinic import outbox
from clinic.models import Message
from tests.smtp import SmtpSink


def measure(report: Report, sink: SmtpSink, *, count: int) -> None:
    now = timezone.now()
    visits = Appointment.objects.filter(
        status=Appointment.Status.BOOKED, start__gt=now + timedelta(days=8)
    )
    for visit in visits.select_related("patient", "service", "practitioner", "location")[:count]:
        owed.plan_booked(visit, now)
    # Only what is due at once: the confirmations and the invitations to the intake.
    now = timezone.now()
    due = Message.objects.due(now).count()
    before = time.perf_counter()
    outbox.tick(now)
    ours = len(sink.mails) / (time.perf_counter() - before)
    assert len(sink.mails) == min(due, outbox.BATCH), (len(sink.mails), due)

    mails = [mail.as_bytes(policy=policy.SMTP) for mail in sink.mails]
    before = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", sink.port) as connection:
        for mail in mails:
            connection.sendmail("clinic@clinic.example", ["runner@runners.example"], mail)
    bare = len(mails) / (time.perf_counter() - before)

    report.fact("one SMTP connection, nothing else", f"{bare:.0f} mails/s")
    report.fact(f"{len(mails)} due mails composed, claimed and sent", f"{ours:.0f} mails/s")
    report.at_least("… to the bare connection", ours / bare, 0.5)
