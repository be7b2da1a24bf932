"""Functions that create rows for tests: sensible defaults, keyword overrides, nothing random.

``make_practitioner`` adds no opening hours. ``make_appointment`` writes the row directly, without
the model's checks, so that a test can set up any past.
"""

import itertools
import json
import time as time_module
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from allauth.usersessions.models import UserSession
from django.utils import translation

import schedule
from booking.models import Appointment, Series, UnconfirmedBooking, WaitlistEntry, WaitlistOffer
from clinic import privacy, wordings
from clinic.models import (
    AuditEvent,
    CareTeamMember,
    DeskTask,
    EmergencyAccess,
    Link,
    Location,
    MailText,
    Message,
    OnCall,
    Patient,
    Practice,
    Practitioner,
    Role,
    User,
)
from clinic.security.access import hash_token
from desk.models import CalendarFeed
from intake.models import (
    Agreement,
    EarlierAnswers,
    Questionnaire,
    QuestionnaireResponse,
    SafetyAlert,
)
from intake.rules.levels import Level
from schedule.models import (
    Break,
    Closure,
    Equipment,
    ExtraHours,
    OpeningHours,
    ReservedTime,
    ResourceHours,
    Room,
    Service,
    TimeOff,
    VisitLimit,
)

# A Monday, 08:00 in Austin; no clock change within a month of it.
NOW = datetime(2026, 6, 1, 13, 0, tzinfo=UTC)
PASSWORD = "a long enough passphrase"

_numbers = itertools.count(1)


def make_practice(**fields):
    defaults = {
        "name": "Backstride Austin",
        "phone": "+1 512 555 0100",
        "email": "hello@clinic.example",
        "emergency_number": "911",
        "advice_line": "+1 512 555 0199",
        "alert_email": "alerts@clinic.example",
    }
    return Practice.objects.update_or_create(pk=1, defaults=defaults | fields)[0]


def make_location(**fields):
    number = next(_numbers)
    defaults = {
        "slug": f"location-{number}",
        "name": f"Location {number}",
        "address": f"{number} Trail Street",
        "city": "Austin",
        "region": "TX",
        "postal_code": "78701",
        "phone": "+1 512 555 0100",
        "time_zone": "America/Chicago",
    }
    return Location.objects.create(**defaults | fields)


def make_user(*, role=Role.FRONT_DESK, password=None, **fields):
    """Return a staff account. Without ``password`` it has no usable password, which is fast."""
    number = next(_numbers)
    defaults = {"email": f"staff{number}@clinic.example", "first_name": f"Staff {number}"}
    return User.objects.create_user(password=password, role=role, **defaults | fields)


def make_practitioner(*, locations=(), **fields):
    defaults = {"name": f"Practitioner {next(_numbers)}", "title": "Physical therapist"}
    practitioner = Practitioner.objects.create(**defaults | fields)
    practitioner.locations.set(locations)
    return practitioner


def make_clinician(**fields):
    """Return a clinician's account with its practitioner as ``account.practitioner``."""
    user = make_user(role=Role.CLINICIAN)
    make_practitioner(user=user, **fields)
    return user


def make_patient(**fields):
    number = next(_numbers)
    defaults = {
        "name": f"Patient {number}",
        "email": f"patient{number}@example.org",
        "phone": f"+1 512 555 {number % 10000:04d}",
        "birth_date": date(1990, 1, 31),
    }
    return Patient.objects.create(**defaults | fields)


def make_care(*, patient, practitioner, since=NOW):
    CareTeamMember.join(patient=patient, practitioner_id=practitioner.pk, now=since)


def make_room(*, location=None, **fields):
    defaults = {"name": f"Room {next(_numbers)}", "kind": "gait"}
    return Room.objects.create(location=location or make_location(), **defaults | fields)


def make_equipment(*, location=None, **fields):
    defaults = {"name": f"Device {next(_numbers)}", "kind": "treadmill"}
    return Equipment.objects.create(location=location or make_location(), **defaults | fields)


def make_resource_hours(*, weekdays=range(7), opens=time(8), closes=time(17), **fields):
    """Return hours of the ``room`` or ``equipment``, one row for each weekday."""
    return [
        ResourceHours.objects.create(weekday=weekday, opens=opens, closes=closes, **fields)
        for weekday in weekdays
    ]


SHIPPED_TAGS = {
    entry["slug"]: entry["tags"]
    for entry in json.loads((Path(schedule.__file__).parent / "catalogue.json").read_text())
}


def make_service(*, practitioners=(), **fields):
    number = next(_numbers)
    defaults = {
        "slug": f"service-{number}",
        "name": f"Service {number}",
        "durations": [60],
        "buffer_after": 0,
        "is_first_visit": True,
        "min_notice_minutes": 0,
        "tags": SHIPPED_TAGS.get(fields.get("slug"), []),
    }
    service = Service.objects.create(**defaults | fields)
    service.practitioners.set(practitioners)
    return service


def make_hours(
    practitioner, location, *, weekdays=range(7), opens=time(8), closes=time(17), **fields
):
    """Return one shift for each weekday, by default 8 to 17 on every day."""
    return [
        OpeningHours.objects.create(
            practitioner=practitioner,
            location=location,
            weekday=weekday,
            opens=opens,
            closes=closes,
            **fields,
        )
        for weekday in weekdays
    ]


def make_break(practitioner, location, *, weekday=1, opens=time(12), closes=time(13), **fields):
    return Break.objects.create(
        practitioner=practitioner,
        location=location,
        weekday=weekday,
        opens=opens,
        closes=closes,
        **fields,
    )


def make_reserved_time(
    practitioner, location, *, weekday=1, opens=time(9), closes=time(10), **fields
):
    """Return an hour on Tuesday, reserved for URGENT patients until four hours before."""
    return ReservedTime.objects.create(
        practitioner=practitioner,
        location=location,
        weekday=weekday,
        opens=opens,
        closes=closes,
        **fields,
    )


def make_extra_hours(practitioner, location, *, opens=time(17), closes=time(19), **fields):
    """Return extra hours, by default two hours in the evening of the day after ``NOW``."""
    fields.setdefault("date", date(2026, 6, 2))
    return ExtraHours.objects.create(
        practitioner=practitioner, location=location, opens=opens, closes=closes, **fields
    )


def make_limit(**fields):
    return VisitLimit.objects.create(**{"most": 1} | fields)


def make_closure(*, start, end, **fields):
    return Closure.objects.create(start=start, end=end, **fields)


def make_time_off(practitioner, *, start, end, **fields):
    return TimeOff.objects.create(practitioner=practitioner, start=start, end=end, **fields)


def make_appointment(**fields):
    """Return a booked visit tomorrow at 9 in Austin; create the rows that are not given.

    A ``status`` of ``pending`` makes a hold without a patient, until 15 minutes after ``NOW``.
    """
    status = fields.setdefault("status", Appointment.Status.BOOKED)
    location = fields.pop("location", None) or make_location()
    practitioner = fields.pop("practitioner", None) or make_practitioner(locations=[location])
    service = fields.pop("service", None) or make_service(practitioners=[practitioner])
    start = fields.pop("start", NOW + timedelta(days=1, hours=1))
    end = fields.pop("end", start + timedelta(minutes=service.default_duration))
    if status == Appointment.Status.PENDING:
        fields.setdefault("held_until", NOW + timedelta(minutes=15))
    elif "patient" not in fields:
        fields["patient"] = make_patient()
    fields.setdefault("busy_until", end + timedelta(minutes=service.buffer_after))
    fields.setdefault("buffer_before", service.buffer_before)
    fields.setdefault("time_zone", location.time_zone)
    return Appointment.objects.create(
        location=location,
        practitioner=practitioner,
        service=service,
        start=start,
        end=end,
        **fields,
    )


def make_waitlist_entry(*, patient=None, service=None, joined_at=NOW, **fields):
    """Return a waitlist entry for any time of the coming month, without planning a mail."""
    service = service or make_service()
    defaults = {
        "minutes": service.default_duration,
        "first_day": joined_at.date(),
        "last_day": joined_at.date() + timedelta(days=30),
    }
    return WaitlistEntry.objects.create(
        patient=patient or make_patient(), service=service, joined_at=joined_at, **defaults | fields
    )


def make_waitlist_offer(*, entry=None, **fields):
    """Return an open offer for tomorrow at 9 in Austin, without its hold."""
    location = fields.pop("location", None) or make_location()
    practitioner = fields.pop("practitioner", None) or make_practitioner(locations=[location])
    defaults = {
        "start": NOW + timedelta(days=1, hours=1),
        "time_zone": location.time_zone,
        "made_at": NOW,
        "answer_by": NOW + timedelta(hours=2),
    }
    return WaitlistOffer.objects.create(
        entry=entry or make_waitlist_entry(),
        location=location,
        practitioner=practitioner,
        **defaults | fields,
    )


def make_series(*, patient=None, service=None, **fields):
    fields.setdefault("created_at", NOW)
    return Series.objects.create(
        patient=patient or make_patient(), service=service or make_service(), **fields
    )


def make_questionnaire(*, content=None, **fields):
    defaults = {
        "url": f"https://clinic.example/fhir/Questionnaire/q{next(_numbers)}",
        "version": "1.0.0",
        "title": "Intake",
        "published_at": NOW,
    }
    return Questionnaire.objects.create(
        content=content or {"resourceType": "Questionnaire", "status": "active", "item": []},
        **defaults | fields,
    )


def make_response(*, patient=None, questionnaire=None, **fields):
    """Return answers of ``patient``, or of an anonymous visitor if None."""
    if patient is None:
        fields.setdefault("visitor_hash", "0" * 64)
    return QuestionnaireResponse.objects.create(
        patient=patient, questionnaire=questionnaire or make_questionnaire(), **fields
    )


def make_agreement(*, response, **fields):
    """Return the agreement to today's privacy notice that belongs to submitted answers."""
    defaults = {
        "patient": response.patient,
        "notice": privacy.current_notice("en", practice=Practice.current(), now=NOW),
        "signed_by": response.patient.name,
        "role": Agreement.Role.PATIENT,
        "agreed_at": NOW,
    }
    return Agreement.objects.create(response=response, **defaults | fields)


def make_earlier_answers(*, response, **fields):
    """Return a version of the answers from before a correction."""
    defaults = {
        "number": 1,
        "items": response.items,
        "language": response.language,
        "level": response.level,
        "rules": response.rules,
        "submitted_at": NOW - timedelta(hours=1),
    }
    return EarlierAnswers.objects.create(response=response, **defaults | fields)


def make_alert(**fields):
    defaults = {"level": Level.EMERGENCY, "rules": ["T-E1"], "raised_at": NOW}
    return SafetyAlert.objects.create(**defaults | fields)


def make_on_call(user=None, *, position=1):
    """Return an on-call row for safety alerts, by default of a new clinician."""
    return OnCall.objects.create(user=user or make_clinician(), position=position)


def make_desk_task(**fields):
    fields.setdefault("patient", None)
    subject = fields.pop("subject", None) or fields["patient"] or make_patient()
    kind, now = fields.pop("kind", DeskTask.Kind.BOUNCED), fields.pop("raised_at", NOW)
    return DeskTask.objects.ask(kind=kind, subject=subject, now=now, **fields)


def make_unconfirmed_booking(*, appointment=None, **fields):
    """Return a booking that waits for a mailed link; create its hold if none is given."""
    fields.setdefault("details", {"email": "visitor@example.org", "language": "en"})
    asked = UnconfirmedBooking(
        appointment=appointment or make_appointment(status=Appointment.Status.PENDING), **fields
    )
    asked.token_hash = hash_token(asked.token)
    asked.save()
    return asked


def make_calendar_feed(*, practitioner, created_by, token="t" * 43, **fields):
    return CalendarFeed.objects.create(
        practitioner=practitioner, created_by=created_by, token_hash=hash_token(token), **fields
    )


def make_message(*, patient=None, due_at=NOW, **fields):
    """Return a planned confirmation mail that is due at once and expires after a day."""
    patient = patient or make_patient()
    defaults = {
        "kind": "confirmation",
        "subject_type": "clinic.patient",
        "subject_id": patient.pk,
        "expires_at": due_at + timedelta(days=1),
        "next_attempt_at": due_at,
    }
    return Message.objects.create(patient=patient, due_at=due_at, **defaults | fields)


def make_mail_text(*, kind="confirmation", language="en", **fields):
    """Return the clinic's own text for one kind of mail."""
    with translation.override(language):
        words = wordings.find(kind).words._replace(**fields)
    text = MailText.of(kind, language, words)
    text.save()
    return text


def make_link(*, patient=None, **fields):
    defaults = {
        "token_hash": f"{next(_numbers):064x}",
        "purpose": Link.Purpose.VISIT,
        "expires_at": NOW + timedelta(days=3650),
    }
    return Link.objects.create(patient=patient or make_patient(), **defaults | fields)


def make_emergency_access(*, opened_at=NOW, **fields):
    defaults = {"reason": "Collapsed in the waiting room"}
    expires_at = fields.pop("expires_at", opened_at + timedelta(hours=1))
    return EmergencyAccess.objects.create(
        opened_at=opened_at, expires_at=expires_at, **defaults | fields
    )


def make_audit_event(**fields):
    defaults = {"at": NOW, "action": AuditEvent.Action.READ, "subject_type": "clinic.patient"}
    return AuditEvent.objects.create(**defaults | fields)


def sign_in(client, user, *, second_factor=True, at=None):
    """Give ``client`` a session of ``user`` as allauth creates it after password and code."""
    at = time_module.time() if at is None else at
    client.force_login(user)
    session = client.session
    records = [{"method": "password", "at": at}]
    if second_factor:
        records.append({"method": "mfa", "type": "totp", "at": at})
    session["account_authentication_methods"] = records
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    UserSession.objects.get_or_create(
        session_key=session.session_key, defaults={"user": user, "ip": "127.0.0.1"}
    )
    return client
