"""What calendar programs make of our mails: three parsers that share no code, and one small model.

Mails are read as they are on the wire, sent by the outbox from a visit that is booked, moved twice
and cancelled.
"""

import email
import email.policy
from datetime import UTC, datetime, timedelta

import ical.calendar_stream
import pytest
import time_machine
import vobject
from icalendar import Calendar

from clinic.mail import outbox
from tests.booking.small_clinic import NINE
from tests.booking.visitor import Visitor, open_clinic, the_visit
from tests.factories import NOW

pytestmark = pytest.mark.django_db

HOSTILE = 'Evil, "quoted"; back\\slash END:VEVENT BEGIN:VEVENT ünïcødé ' + "long " * 12


def by_icalendar(text):
    calendar = Calendar.from_ical(text)
    (event,) = calendar.events
    return {
        "method": str(calendar["METHOD"]),
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "start": event.start.astimezone(UTC),
        "end": event.end.astimezone(UTC),
        "status": str(event["STATUS"]),
        "summary": str(event["SUMMARY"]),
        "location": str(event["LOCATION"]),
    }


def by_vobject(text):
    calendar = vobject.readOne(text)
    (event,) = calendar.vevent_list
    return {
        "method": calendar.method.value,
        "uid": event.uid.value,
        "sequence": int(event.sequence.value),
        "start": event.dtstart.value.astimezone(UTC),
        "end": event.dtend.value.astimezone(UTC),
        "status": event.status.value,
        "summary": event.summary.value,
        "location": event.location.value,
    }


def by_ical(text):
    stream = ical.calendar_stream.IcsCalendarStream.calendar_from_ics(text)
    (event,) = stream.events
    return {
        "method": stream.method,
        "uid": event.uid,
        "sequence": event.sequence,
        "start": event.dtstart.astimezone(UTC),
        "end": event.dtend.astimezone(UTC),
        "status": str(event.status.value),
        "summary": event.summary,
        "location": event.location,
    }


def calendar_part(mail):
    """The method of the MIME type, and the text, of the mail as bytes on the wire."""
    message = email.message_from_bytes(mail.message().as_bytes(), policy=email.policy.default)
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    return part["Content-Type"].params["method"], part.get_content()


class TinyCalendar:
    """Follows RFC 5546: per UID the highest sequence wins, and a cancellation takes it out."""

    def __init__(self):
        self.entries, self.latest = {}, {}

    def receive(self, read):
        uid = read["uid"]
        if read["sequence"] < self.latest.get(uid, -1):
            return
        self.latest[uid] = read["sequence"]
        if read["method"] == "CANCEL":
            self.entries.pop(uid, None)
        else:
            self.entries[uid] = (read["start"], read["end"])


def mails_of_a_life(mailoutbox):
    """Book → move → move → cancel, each told before the next; the wall clock runs along."""
    visitor = Visitor(open_clinic())
    visitor.book_all_the_way(NINE + timedelta(days=1))
    instants = [the_visit().start]
    outbox.tick(NOW)
    for number, day in enumerate((2, 3), start=1):
        with time_machine.travel(NOW + timedelta(hours=number), tick=False):
            choice = visitor.choice(NINE + timedelta(days=day))
            visitor.client.post(f"/visits/{the_visit().pk}/move/", choice)
            instants.append(the_visit().start)
            outbox.tick(NOW + timedelta(hours=number, minutes=4))
    with time_machine.travel(NOW + timedelta(hours=3), tick=False):
        visitor.client.post(f"/visits/{the_visit().pk}/cancel/")
        outbox.tick(NOW + timedelta(hours=3, minutes=4))
    return [*instants, instants[-1]], [calendar_part(mail) for mail in mailoutbox]


@pytest.mark.parametrize("read", [by_icalendar, by_vobject, by_ical])
def test_a_visits_life_in_a_calendar_program_ends_empty(read, mailoutbox):
    with time_machine.travel(NOW, tick=False):
        instants, parts = mails_of_a_life(mailoutbox)
    assert [method for method, _text in parts] == ["REQUEST", "REQUEST", "REQUEST", "CANCEL"]
    events = [read(text) for _method, text in parts]
    assert [event["method"] for event in events] == [method for method, _text in parts]
    assert {event["uid"] for event in events} == {the_visit().ical_uid}
    assert [event["sequence"] for event in events] == [0, 1, 2, 3]
    assert [event["start"] for event in events] == instants
    assert [event["end"] - event["start"] for event in events] == [timedelta(hours=1)] * 4
    assert [event["status"] for event in events] == ["CONFIRMED"] * 3 + ["CANCELLED"]
    assert {event["summary"] for event in events} == {"Appointment at Backstride Austin"}

    in_order, muddled = TinyCalendar(), TinyCalendar()
    for event in events:
        in_order.receive(event)
    # Mails overtake each other: what arrives late and is older changes nothing.
    for number in (1, 0, 3, 2):
        muddled.receive(events[number])
    assert in_order.entries == muddled.entries == {}


def test_an_undone_cancellation_brings_the_entry_back(mailoutbox):
    """The visit was cancelled, that was told, and staff bring it back: one entry again."""
    with time_machine.travel(NOW, tick=False):
        _instants, parts = mails_of_a_life(mailoutbox)
        the_visit().restore(now=NOW + timedelta(hours=5))
        outbox.tick(NOW + timedelta(hours=5))
    calendar = TinyCalendar()
    for _method, text in [*parts, calendar_part(mailoutbox[-1])]:
        calendar.receive(by_icalendar(text))
    assert calendar.entries == {the_visit().ical_uid: (the_visit().start, the_visit().end)}


@pytest.mark.parametrize("read", [by_icalendar, by_vobject, by_ical])
def test_text_that_looks_like_calendar_syntax_stays_text(read, mailoutbox):
    with time_machine.travel(NOW, tick=False):
        visitor = Visitor(open_clinic())
        location = visitor.clinic.location
        location.name, location.address = "1; Trail, Street\\n", HOSTILE.strip()
        location.save()
        visitor.book_all_the_way()
        outbox.tick(NOW)
    _method, text = calendar_part(mailoutbox[0])
    assert text.count("BEGIN:VEVENT\r\n") + text.count("BEGIN:VEVENT\n") == 1
    assert all(len(line.encode()) <= 75 for line in text.splitlines())
    found = read(text)["location"]
    assert found.startswith("1; Trail, Street\\n")
    assert HOSTILE.strip() in found


@pytest.mark.parametrize("read", [by_icalendar, by_vobject, by_ical])
def test_the_download_is_the_same_entry(read):
    with time_machine.travel(NOW, tick=False):
        visitor = Visitor(open_clinic())
        visitor.book_all_the_way()
        response = visitor.client.get(f"/visits/{the_visit().pk}/calendar.ics")
    event = read(response.content.decode())
    assert response["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert event["method"] == "PUBLISH"
    assert event["uid"] == the_visit().ical_uid
    assert event["start"] == the_visit().start == datetime(2026, 6, 2, 14, tzinfo=UTC)
