"""A visit as an iCalendar object (RFC 5545), for mail (RFC 5546, 6047) and for download.

A visit keeps one UID and its SEQUENCE rises, so that a calendar updates its entry instead of
adding one. Times are UTC. The text does not say what the visit is for.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress

from booking.appointments.models import Appointment
from clinic.models import Practice
from clinic.plain_text import one_line

PRODUCT = "-//Backstride//Visits//EN"


def request(appointment: Appointment, *, practice: Practice, now: datetime) -> str:
    """Return the invitation or its update, to be mailed with the MIME method REQUEST."""
    event = _event(appointment, practice, now)
    event.add("status", "CONFIRMED")
    _add_people(event, appointment, practice)
    return _calendar("REQUEST", event)


def cancel(appointment: Appointment, *, practice: Practice, now: datetime) -> str:
    """Return the object that removes the entry, to be mailed with the MIME method CANCEL."""
    event = _event(appointment, practice, now)
    event.add("status", "CANCELLED")
    _add_people(event, appointment, practice)
    return _calendar("CANCEL", event)


def publish(
    appointment: Appointment, *, practice: Practice | None = None, now: datetime | None = None
) -> str:
    """Return the calendar file of a visit for download, without attendee or reply request."""
    return publish_all([appointment], practice=practice, now=now)


def publish_all(
    appointments: Iterable[Appointment],
    *,
    practice: Practice | None = None,
    now: datetime | None = None,
) -> str:
    """Return one calendar file of several visits, each under its own UID."""
    practice, now = practice or Practice.current(), now or timezone.now()
    events = []
    for appointment in appointments:
        event = _event(appointment, practice, now)
        is_off = appointment.status == Appointment.Status.CANCELLED
        event.add("status", "CANCELLED" if is_off else "CONFIRMED")
        events.append(event)
    return _calendar("PUBLISH", *events)


def feed(visits: Iterable[Appointment], *, practice: Practice, now: datetime) -> str:
    """Return a practitioner's calendar: time and place, without patient names or reasons."""
    calendar = _empty("PUBLISH")
    calendar.add("name", one_line(practice.name))
    calendar.add("x-wr-calname", one_line(practice.name))
    calendar.add("refresh-interval", timedelta(minutes=30), parameters={"VALUE": "DURATION"})
    for visit in visits:
        event = _timed(visit, now=now)
        event.add("summary", _("Visit"))
        where = [visit.location.name, *([visit.room.name] if visit.room else [])]
        event.add("location", one_line(", ".join(where)))
        event.add("status", "CONFIRMED")
        event.add("class", "PRIVATE")
        calendar.add_component(event)
    return calendar.to_ical().decode()


def _event(appointment: Appointment, practice: Practice, now: datetime) -> Event:
    location = appointment.location
    changed_at = appointment.status_changes.aggregate(last=Max("at"))["last"]
    event = _timed(appointment, now=now)
    event.add("last-modified", (changed_at or appointment.created_at).astimezone(UTC))
    event.add("summary", _("Appointment at %(clinic)s") % {"clinic": one_line(practice.name)})
    event.add("location", one_line(f"{location.name}, {location.full_address}"))
    event.add("description", one_line(_("Questions? Call %(phone)s.") % {"phone": location.phone}))
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE")
    return event


def _timed(appointment: Appointment, *, now: datetime) -> Event:
    event = Event()
    event.add("uid", appointment.ical_uid)
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", appointment.start.astimezone(UTC))
    event.add("dtend", appointment.end.astimezone(UTC))
    return event


def _add_people(event: Event, appointment: Appointment, practice: Practice) -> None:
    organizer = vCalAddress(f"mailto:{practice.email}")
    organizer.params["CN"] = one_line(practice.name).replace('"', "'")
    event.add("organizer", organizer)
    assert appointment.patient is not None
    attendee = vCalAddress(f"mailto:{appointment.patient.email}")
    attendee.params.update(
        {"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}
    )
    event.add("attendee", attendee)


def _calendar(method: str, *events: Event) -> str:
    calendar = _empty(method)
    for event in events:
        calendar.add_component(event)
    return calendar.to_ical().decode()


def _empty(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    return calendar
