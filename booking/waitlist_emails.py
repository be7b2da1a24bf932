"""The mails about the waitlist and about a series. When they are owed is in ``booking.owed``.

Like all mails they carry time, place and link, and say nothing about what a visit is for.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import NamedTuple

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from booking import ical
from booking.models import Appointment, Series, WaitlistEntry, WaitlistOffer
from booking.owed import OFFER_LAPSED, SERIES, WAIT_ENDED, WAITLIST_JOINED, WAITLIST_OFFER
from clinic.access import LINK_DAYS_AFTER_VISIT, issue_links
from clinic.letters import Letter, day_text, time_text, zone_text
from clinic.models import Link, Message, Patient, Practice
from clinic.outbox import Compose, Mail, Skip

# The link to a place on the list works until this long after the last day that was wished for.
LINK_DAYS_AFTER_WAIT = 30


class Post(NamedTuple):
    """To whom a mail goes, from whom, and for which row."""

    patient: Patient
    practice: Practice
    message: Message

    def link(self, purpose: str, *, subject_id: object, expires_at: datetime) -> str:
        urls = issue_links(
            purpose,
            message=self.message,
            patient=self.patient,
            subject_id=subject_id,  # type: ignore[arg-type]
            expires_at=expires_at,
        )
        return urls[purpose]

    def mail(self, letter: Letter, **parts: object) -> Mail:
        return letter.as_mail(to=self.patient.email, practice=self.practice, **parts)


def _to(patient: Patient, message: Message, write: Callable[[Post], Mail | Skip]) -> Mail | Skip:
    """Write in the patient's language, or not at all without an address."""
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


@_about_entry
def joined(entry: WaitlistEntry, post: Post) -> Mail | Skip:
    if not entry.is_waiting:
        return Skip(f"entry-{entry.state}")
    letter = Letter(
        subject=_("You are on our waitlist"),
        heading=_("You are on our waitlist"),
        paragraphs=[
            _(
                "When a time becomes free that suits you, we keep it for you and write to you. "
                "Please look at your mail now and then: each time is kept for some hours only."
            )
        ],
        facts=_wishes(entry, post),
        buttons=[(_("See or leave the waitlist"), _entry_url(entry, post))],
    )
    return post.mail(letter)


@_about_offer
def offered(offer: WaitlistOffer, post: Post) -> Mail | Skip:
    if not offer.is_open:
        return Skip(f"offer-{offer.state}")
    until, place = _when(offer.local_answer_by), offer.location
    url = post.link(
        Link.Purpose.OFFER,
        subject_id=offer.pk,
        expires_at=offer.start + timedelta(days=LINK_DAYS_AFTER_VISIT),
    )
    letter = Letter(
        subject=_("A time is free: %(when)s") % {"when": _when(offer.local_start)},
        heading=_("A time is free for you"),
        paragraphs=[
            _("We keep it for you until %(until)s. Please take it or let it go.") % {"until": until}
        ],
        facts=[
            (_("When"), f"{_when(offer.local_start)} ({offer.time_zone})"),
            (_("Kept until"), until),
            (_("For"), post.patient.initials),
            (_("Where"), f"{place.name}, {place.full_address}"),
        ],
        links=[(_("Map"), place.map_url)] if place.map_url else (),
        buttons=[(_("Take it or let it go"), url)],
        notes=[
            _("Without an answer the time goes to the next person. It is booked once you take it.")
        ],
    )
    return post.mail(letter)


@_about_offer
def lapsed(offer: WaitlistOffer, post: Post) -> Mail | Skip:
    if not offer.entry.is_waiting:
        return Skip(f"entry-{offer.entry.state}")
    letter = Letter(
        subject=_("The time we kept for you is gone"),
        heading=_("The time we kept for you is gone"),
        paragraphs=[
            _("You did not answer in time, so it went to the next person."),
            _(
                "You are still on the waitlist. If the next offer stays without an answer too, we "
                "take you off."
            ),
        ],
        facts=[(_("When"), _when(offer.local_start)), (_("For"), post.patient.initials)],
        buttons=[(_("See or leave the waitlist"), _entry_url(offer.entry, post))],
    )
    return post.mail(letter)


@_about_entry
def wait_ended(entry: WaitlistEntry, post: Post) -> Mail | Skip:
    words = {
        WaitlistEntry.State.UNANSWERED: _("Two offers in a row stayed without an answer."),
        WaitlistEntry.State.RAN_OUT: _("No time that suits you became free before your last day."),
    }
    if entry.state not in words:
        return Skip(f"entry-{entry.state}")
    letter = Letter(
        subject=_("You are not on our waitlist any more"),
        heading=_("You are not on our waitlist any more"),
        paragraphs=[
            words[WaitlistEntry.State(entry.state)],
            _("Do you still need a visit? Book one, join the waitlist again, or call us."),
        ],
        facts=[(_("For"), post.patient.initials)],
        buttons=[(_("See the free times"), f"{settings.BASE_URL}/book/")],
    )
    return post.mail(letter)


def series_booked(message: Message, now: datetime) -> Mail | Skip:
    """All visits of a series in one mail, with one calendar file of them all.

    Its method is PUBLISH: an invitation (REQUEST) with several visits is one that mail programs
    show the first visit of. A later change of one visit reaches the calendar by that visit's UID.
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

    def write(post: Post) -> Mail:
        first, place = visits[0], visits[0].location
        url = post.link(
            Link.Purpose.VISIT,
            subject_id=first.pk,
            expires_at=visits[-1].end + timedelta(days=LINK_DAYS_AFTER_VISIT),
        )
        letter = Letter(
            subject=_("Your visits are booked, the first on %(when)s")
            % {"when": _when(first.local_start)},
            heading=_("Your visits are booked"),
            paragraphs=[
                _("We look forward to seeing you at %(clinic)s.") % {"clinic": post.practice.name}
            ],
            facts=[
                *(
                    (
                        _("Visit %(number)d of %(count)d")
                        % {"number": number, "count": len(visits)},
                        _when(visit.local_start),
                    )
                    for number, visit in enumerate(visits, 1)
                ),
                (_("For"), post.patient.initials),
                (_("Where"), f"{place.name}, {place.full_address}"),
            ],
            links=[(_("Map"), place.map_url)] if place.map_url else (),
            buttons=[(_("See, move or cancel your visits"), url)],
            notes=[
                _(
                    "Your calendar program can add all of them from the file in this mail. You "
                    "find the same file behind the link."
                )
            ],
        )
        calendar = ical.publish_all(visits, practice=post.practice, now=now)
        return post.mail(letter, calendar=calendar, method="PUBLISH")

    return _to(series.patient, message, write)


COMPOSERS: dict[str, Compose] = {
    WAITLIST_JOINED: joined,
    WAITLIST_OFFER: offered,
    OFFER_LAPSED: lapsed,
    WAIT_ENDED: wait_ended,
    SERIES: series_booked,
}
