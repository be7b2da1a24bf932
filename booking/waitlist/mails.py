"""The mails about the waitlist and about a series.

The rules for when to send them are in ``booking.appointments.mail_schedule``.

Like all mails they contain time, place and link, and do not say what a visit is for.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from booking.appointments import ical
from booking.appointments.mail_schedule import (
    OFFER_LAPSED,
    SERIES,
    WAIT_ENDED,
    WAITLIST_JOINED,
    WAITLIST_OFFER,
)
from booking.appointments.models import Appointment
from booking.series.models import Series
from booking.waitlist.models import WaitlistEntry, WaitlistOffer
from clinic.mail.letters import build_letter, day_text, time_text, zone_text
from clinic.mail.mail import Mail
from clinic.mail.outbox import Compose, Skip
from clinic.models import Link, Location, Message, Patient, Practice
from clinic.security.access import LINK_DAYS_AFTER_VISIT, issue_links

# The link to a waitlist entry works until this long after the entry's last day.
LINK_DAYS_AFTER_WAIT = 30


class Post(NamedTuple):
    """Recipient and sender of a mail, and the row it is sent for."""

    patient: Patient
    practice: Practice
    message: Message

    def link(self, purpose: str, *, subject_id: UUID, expires_at: datetime) -> str:
        urls = issue_links(
            purpose,
            message=self.message,
            patient=self.patient,
            subject_id=subject_id,
            expires_at=expires_at,
        )
        return urls[purpose]

    def mail(
        self,
        values: Mapping[str, str] | None = None,
        *,
        calendar: str = "",
        method: str = "",
        **parts: Any,
    ) -> Mail:
        """Write the letter of this kind, in the clinic's own words if it has them.

        Takes the arguments of ``letters.build_letter``, and fills in the placeholders that all
        these mails share.
        """
        letter = build_letter(
            self.message.kind,
            {
                "initials": self.patient.initials,
                "clinic": self.practice.name,
                "clinic_phone": self.practice.phone,
                **(values or {}),
            },
            **parts,
        )
        return letter.as_mail(
            to=self.patient.email, practice=self.practice, calendar=calendar, method=method
        )


def _to(patient: Patient, message: Message, write: Callable[[Post], Mail | Skip]) -> Mail | Skip:
    """Write in the patient's language; skip a patient without an address."""
    if not patient.email:
        return Skip("no-address")
    with translation.override(patient.language):
        return write(Post(patient, Practice.current(), message))


def _about_entry(write: Callable[[WaitlistEntry, Post], Mail | Skip]) -> Compose:
    @wraps(write)
    def compose(message: Message, now: datetime) -> Mail | Skip:
        entry = (
            WaitlistEntry.objects.select_related("patient", "practitioner", "location")
            .filter(pk=message.subject_id)
            .first()
        )
        if entry is None:
            return Skip("gone")
        return _to(entry.patient, message, lambda post: write(entry, post))

    return compose


def _about_offer(write: Callable[[WaitlistOffer, Post], Mail | Skip]) -> Compose:
    @wraps(write)
    def compose(message: Message, now: datetime) -> Mail | Skip:
        offer = (
            WaitlistOffer.objects.select_related("entry__patient", "location")
            .filter(pk=message.subject_id)
            .first()
        )
        if offer is None:
            return Skip("gone")
        return _to(offer.entry.patient, message, lambda post: write(offer, post))

    return compose


def _entry_url(entry: WaitlistEntry, post: Post) -> str:
    last = entry.joined_at + timedelta(days=1)
    last = max(last, datetime.combine(entry.last_day, last.timetz()))
    return post.link(
        Link.Purpose.WAITLIST,
        subject_id=entry.pk,
        expires_at=last + timedelta(days=LINK_DAYS_AFTER_WAIT),
    )


def _when(local: datetime) -> str:
    return f"{day_text(local)}, {time_text(local)} {zone_text(local)}"


def _wishes(entry: WaitlistEntry, post: Post) -> list[tuple[str, str]]:
    first, last = day_text(entry.first_day), day_text(entry.last_day)
    facts = [
        (_("Between"), _("%(first)s and %(last)s") % {"first": first, "last": last}),
        (_("Days"), ", ".join(entry.day_names) or _("Any day")),
        (_("Time of day"), ", ".join(entry.part_names) or _("Any time")),
        (_("Where"), entry.location.name if entry.location else _("Any location")),
        (_("For"), post.patient.initials),
    ]
    if entry.practitioner:
        facts.insert(4, (_("With"), entry.practitioner.name))
    return facts


def _place(location: Location) -> str:
    return f"{location.name}, {location.full_address}"


def _map(location: Location) -> list[tuple[str, str]]:
    return [(_("Map"), location.map_url)] if location.map_url else []


@_about_entry
def joined(entry: WaitlistEntry, post: Post) -> Mail | Skip:
    if not entry.is_waiting:
        return Skip(f"entry-{entry.state}")
    return post.mail(
        facts=_wishes(entry, post),
        buttons=[(_("See or leave the waitlist"), _entry_url(entry, post))],
    )


@_about_offer
def offered(offer: WaitlistOffer, post: Post) -> Mail | Skip:
    if not offer.is_open:
        return Skip(f"offer-{offer.state}")
    when, until = _when(offer.local_start), _when(offer.local_answer_by)
    url = post.link(
        Link.Purpose.OFFER,
        subject_id=offer.pk,
        expires_at=offer.start + timedelta(days=LINK_DAYS_AFTER_VISIT),
    )
    return post.mail(
        {"when": when, "kept_until": until, "place": offer.location.name},
        facts=[
            (_("When"), f"{when} ({offer.time_zone})"),
            (_("Kept until"), until),
            (_("For"), post.patient.initials),
            (_("Where"), _place(offer.location)),
        ],
        links=_map(offer.location),
        buttons=[(_("Take it or let it go"), url)],
    )


@_about_offer
def lapsed(offer: WaitlistOffer, post: Post) -> Mail | Skip:
    if not offer.entry.is_waiting:
        return Skip(f"entry-{offer.entry.state}")
    when = _when(offer.local_start)
    return post.mail(
        {"when": when},
        facts=[(_("When"), when), (_("For"), post.patient.initials)],
        buttons=[(_("See or leave the waitlist"), _entry_url(offer.entry, post))],
    )


@_about_entry
def wait_ended(entry: WaitlistEntry, post: Post) -> Mail | Skip:
    reasons = {
        WaitlistEntry.State.UNANSWERED: _("Two offers in a row stayed without an answer."),
        WaitlistEntry.State.RAN_OUT: _("No time that suits you became free before your last day."),
    }
    if entry.state not in reasons:
        return Skip(f"entry-{entry.state}")
    return post.mail(
        {"reason": reasons[WaitlistEntry.State(entry.state)]},
        facts=[(_("For"), post.patient.initials)],
        buttons=[(_("See the free times"), f"{settings.BASE_URL}/book/")],
    )


def series_booked(message: Message, now: datetime) -> Mail | Skip:
    """All visits of a series in one mail, with one calendar file of them all.

    Its method is PUBLISH: of an invitation (REQUEST) with several visits, mail programs show only
    the first. A later change of one visit reaches the calendar by that visit's UID.
    """
    series = Series.objects.select_related("patient").filter(pk=message.subject_id).first()
    if series is None:
        return Skip("gone")
    visits = list(
        series.visits.filter(status=Appointment.Status.BOOKED, end__gt=now)
        .select_related("location", "patient")
        .order_by("start")
    )
    if not visits:
        return Skip("visits-called-off")
    return _to(series.patient, message, lambda post: write_series(visits, post, now=now))


def write_series(visits: Sequence[Appointment], post: Post, *, now: datetime) -> Mail:
    first, place = visits[0], visits[0].location
    url = post.link(
        Link.Purpose.VISIT,
        subject_id=first.pk,
        expires_at=visits[-1].end + timedelta(days=LINK_DAYS_AFTER_VISIT),
    )
    count = len(visits)
    dates = [
        (_("Visit %(number)d of %(count)d") % {"number": number, "count": count}, _when(local))
        for number, local in enumerate((visit.local_start for visit in visits), 1)
    ]
    return post.mail(
        {"when": _when(first.local_start), "place": place.name},
        facts=[*dates, (_("For"), post.patient.initials), (_("Where"), _place(place))],
        links=_map(place),
        buttons=[(_("See, move or cancel your visits"), url)],
        calendar=ical.publish_all(visits, practice=post.practice, now=now),
        method="PUBLISH",
    )


COMPOSERS: dict[str, Compose] = {
    WAITLIST_JOINED: joined,
    WAITLIST_OFFER: offered,
    OFFER_LAPSED: lapsed,
    WAIT_ENDED: wait_ended,
    SERIES: series_booked,
}
