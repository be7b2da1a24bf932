"""Calendar parts, read back by a calendar library."""

from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from booking.appointments import ical
from booking.models import Appointment, StatusChange
from tests.factories import NOW, make_appointment, make_location, make_patient, make_practice

pytestmark = pytest.mark.django_db

HOSTILE = 'Evil, "quoted"; back\\slash\r\nEND:VEVENT\nBEGIN:VEVENT\x00\u202e ' + "ünïcødé " * 30


def event_of(text):
    calendar = Calendar.from_ical(text)
    assert calendar.errors == []
    (event,) = calendar.events
    assert event.errors == []
    return event


def request(visit, *, practice=None):
    return ical.request(visit, practice=practice or make_practice(), now=NOW)


def test_an_invitation_names_both_sides_and_asks_for_no_answer():
    visit = make_appointment(patient=make_patient(email="runner@example.org"))
    text = request(visit)
    calendar = Calendar.from_ical(text)
    event = event_of(text)

    assert calendar["VERSION"] == "2.0"
    assert calendar["METHOD"] == "REQUEST"
    assert event["STATUS"] == "CONFIRMED"
    assert event["ORGANIZER"] == "mailto:hello@clinic.example"
    assert event["ATTENDEE"] == "mailto:runner@example.org"
    assert event["ATTENDEE"].params["RSVP"] == "FALSE"
    assert event["UID"] == visit.ical_uid
    assert str(visit.pk) not in text


def test_an_entry_says_nothing_about_what_the_visit_is_for():
    visit = make_appointment()
    event = event_of(request(visit))

    assert event["SUMMARY"] == "Appointment at Backstride Austin"
    assert event["CLASS"] == "PRIVATE"
    assert str(visit.service.name) not in str(event.to_ical())
    assert visit.patient.name not in str(event.to_ical())
    assert not event.alarms.times


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("America/New_York", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 3, 14, 7, 0, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2027, 4, 3, 15, 0, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2026, 6, 1, 4, 15, tzinfo=UTC)),
    ],
)
def test_times_are_the_same_instants_in_utc(zone, start):
    visit = make_appointment(location=make_location(time_zone=zone), start=start)
    text = request(visit)
    event = event_of(text)

    assert event.start == start
    assert event.end == start + timedelta(hours=1)
    assert f"DTSTART:{start:%Y%m%dT%H%M%SZ}\r\n" in text
    assert "VTIMEZONE" not in text


def test_a_cancellation_takes_the_same_entry_back():
    visit = make_appointment()
    first = event_of(request(visit))
    visit.cancel(now=NOW)
    text = ical.cancel(visit, practice=make_practice(), now=NOW + timedelta(minutes=3))
    last = event_of(text)

    assert Calendar.from_ical(text)["METHOD"] == "CANCEL"
    assert last["STATUS"] == "CANCELLED"
    assert last["SEQUENCE"] > first["SEQUENCE"]
    for name in ("UID", "ORGANIZER", "ATTENDEE"):
        assert last[name] == first[name]
    assert last["DTSTAMP"].dt > first["DTSTAMP"].dt


def test_a_download_has_no_attendee_and_follows_the_status():
    visit = make_appointment()
    text = ical.publish(visit)
    event = event_of(text)

    assert Calendar.from_ical(text)["METHOD"] == "PUBLISH"
    assert "ATTENDEE" not in event
    assert "ORGANIZER" not in event
    assert event["STATUS"] == "CONFIRMED"
    visit.status = Appointment.Status.CANCELLED
    assert event_of(ical.publish(visit))["STATUS"] == "CANCELLED"


def test_last_modified_is_the_last_change():
    visit = make_appointment()
    StatusChange.objects.create(appointment=visit, to_status="booked", at=NOW)

    assert event_of(request(visit))["LAST-MODIFIED"].dt == NOW


def test_hostile_text_stays_text_and_lines_are_folded():
    visit, practice = make_appointment(), make_practice()
    # In memory only: PostgreSQL would not store the NUL.
    visit.location.name, visit.location.address = HOSTILE, "1; Trail, Street"
    practice.name = HOSTILE
    text = request(visit, practice=practice)
    event = event_of(text)

    assert text.count("BEGIN:VEVENT\r\n") == 1
    assert "\x00" not in text
    assert "\u202e" not in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")
    assert event["LOCATION"].startswith('Evil, "quoted"; back\\slash END:VEVENT BEGIN:VEVENT')
    assert "1; Trail, Street" in event["LOCATION"]


def test_booked_moved_and_cancelled_leave_a_calendar_empty():
    """A calendar that follows RFC 5546: the highest sequence of a UID wins."""
    entries: dict[str, tuple[int, datetime]] = {}

    def receive(text):
        calendar, event = Calendar.from_ical(text), event_of(text)
        uid, sequence = str(event["UID"]), int(event["SEQUENCE"])
        if uid in entries and sequence < entries[uid][0]:
            return
        if calendar["METHOD"] == "CANCEL":
            entries.pop(uid, None)
        else:
            entries[uid] = (sequence, event.start)

    visit = make_appointment()
    sent = [request(visit)]
    receive(sent[0])
    for sequence in (1, 2):
        visit.sequence = sequence
        visit.start, visit.end = visit.start + timedelta(days=1), visit.end + timedelta(days=1)
        visit.busy_until = visit.end
        visit.save()
        sent.append(request(visit))
        receive(sent[-1])
        receive(sent[0])
        assert entries == {visit.ical_uid: (sequence, visit.start)}
    visit.cancel(now=NOW)
    receive(ical.cancel(visit, practice=make_practice(), now=NOW))

    assert entries == {}
