"""Sample mails about a visit in no database, for the preview and the test mail of each kind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from inspect import unwrap

from django.conf import settings

from booking.appointments.mail_schedule import ADDRESS_CHECK
from booking.appointments.models import Appointment
from booking.mails import visit_mails
from booking.mails.visit_mails import MY_VISITS, Visit
from clinic.languages import active_language
from clinic.mail.mail import Mail
from clinic.mail.outbox import Compose
from clinic.mail.samples import Sample
from clinic.models import Location, Message, Patient, Practice
from schedule.models import Service

NAME, ADDRESS = "Ana Ruiz", "ana@example.org"


def sample(kind: str, compose: Compose) -> Sample:
    """Return a function that writes a mail of ``kind`` about a visit in no database."""
    write: Callable[[Visit], Mail] = unwrap(compose)

    def composed(now: datetime) -> Mail:
        return write(visit(kind, now))

    return composed


def sample_my_visits(now: datetime) -> Mail:
    patient = Patient(name=NAME, email=ADDRESS, language=active_language())
    mail = visit_mails.my_visits(Message(kind=MY_VISITS, patient=patient, due_at=now), now)
    assert isinstance(mail, Mail)
    return mail


def visit(kind: str, now: datetime) -> Visit:
    practice = Practice.current()
    location = Location.objects.filter(is_active=True).first() or Location(
        name=practice.name, phone=practice.phone, time_zone=practice.time_zone
    )
    start = (now.astimezone(location.zone) + timedelta(days=2)).replace(
        hour=9, minute=0, second=0, microsecond=0
    )
    patient = Patient(name=NAME, email=ADDRESS)
    appointment = Appointment(
        status=Appointment.Status.BOOKED,
        patient=patient,
        location=location,
        service=Service(questionnaire_id=1),
        start=start.astimezone(UTC),
        end=(start + timedelta(minutes=60)).astimezone(UTC),
        time_zone=location.time_zone,
        created_at=now,
    )
    message = Message(kind=kind, subject_id=appointment.pk, patient=patient)
    return Visit(appointment, patient, practice, message, now)


def sample_address_check(now: datetime) -> Mail:
    held = visit(ADDRESS_CHECK, now).appointment
    url = f"{settings.BASE_URL}/l/preview/"
    until = (now + timedelta(minutes=30)).astimezone(held.zone)
    return visit_mails.write_address_check(held, url, until=until, to=ADDRESS)


SAMPLES: dict[str, Sample] = {
    kind: sample(kind, compose)
    for kind, compose in visit_mails.COMPOSERS.items()
    if kind not in {MY_VISITS, ADDRESS_CHECK}
} | {MY_VISITS: sample_my_visits, ADDRESS_CHECK: sample_address_check}
