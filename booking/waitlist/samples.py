"""Sample waitlist and series mails, from rows in no database, for preview and test mail."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from inspect import unwrap
from typing import Any

from booking.appointments.mail_schedule import (
    OFFER_LAPSED,
    SERIES,
    WAIT_ENDED,
    WAITLIST_JOINED,
    WAITLIST_OFFER,
)
from booking.appointments.models import Appointment
from booking.mails.samples import ADDRESS, NAME
from booking.waitlist.mails import COMPOSERS, Post, write_series
from booking.waitlist.models import WaitlistEntry, WaitlistOffer
from clinic.languages import active_language
from clinic.mail.mail import Mail
from clinic.mail.samples import Sample
from clinic.models import Location, Message, Patient, Practice


class _Example:
    """Rows that are in no database, for the preview and the test mail."""

    def __init__(self, kind: str, now: datetime) -> None:
        practice = Practice.current()
        self.now = now
        self.location = Location.objects.filter(is_active=True).first() or Location(
            name=practice.name, phone=practice.phone, time_zone=practice.time_zone
        )
        self.patient = Patient(
            name=NAME,
            email=ADDRESS,
            language=active_language(),
        )
        self.start = (now.astimezone(self.location.zone) + timedelta(days=2)).replace(
            hour=9, minute=0, second=0, microsecond=0
        )
        self.entry = WaitlistEntry(
            patient=self.patient,
            minutes=60,
            first_day=now.date(),
            last_day=now.date() + timedelta(days=30),
            joined_at=now,
        )
        self.offer = WaitlistOffer(
            entry=self.entry,
            location=self.location,
            start=self.start.astimezone(UTC),
            time_zone=self.location.time_zone,
            answer_by=now + timedelta(hours=2),
        )
        message = Message(kind=kind, subject_id=self.entry.pk, patient=self.patient)
        self.post = Post(self.patient, practice, message)

    @property
    def visits(self) -> list[Appointment]:
        starts = [self.start + timedelta(weeks=week) for week in range(3)]
        return [
            Appointment(
                status=Appointment.Status.BOOKED,
                patient=self.patient,
                location=self.location,
                start=start.astimezone(UTC),
                end=start.astimezone(UTC) + timedelta(minutes=60),
                time_zone=self.location.time_zone,
                created_at=self.now,
            )
            for start in starts
        ]


def _sample(kind: str, row: Callable[[_Example], Any]) -> Sample:
    write: Callable[[Any, Post], Mail] = unwrap(COMPOSERS[kind])

    def composed(now: datetime) -> Mail:
        example = _Example(kind, now)
        return write(row(example), example.post)

    return composed


def _run_out(example: _Example) -> WaitlistEntry:
    example.entry.state = WaitlistEntry.State.RAN_OUT
    return example.entry


def _sample_series(now: datetime) -> Mail:
    example = _Example(SERIES, now)
    return write_series(example.visits, example.post, now=now)


SAMPLES: dict[str, Sample] = {
    WAITLIST_JOINED: _sample(WAITLIST_JOINED, lambda example: example.entry),
    WAITLIST_OFFER: _sample(WAITLIST_OFFER, lambda example: example.offer),
    OFFER_LAPSED: _sample(OFFER_LAPSED, lambda example: example.offer),
    WAIT_ENDED: _sample(WAIT_ENDED, _run_out),
    SERIES: _sample_series,
}
