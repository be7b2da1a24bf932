"""What the mails about the waitlist and about a series say, as shipped."""

from django.utils.translation import gettext_lazy as _

from booking.appointments.mail_schedule import (
    OFFER_LAPSED,
    SERIES,
    WAIT_ENDED,
    WAITLIST_JOINED,
    WAITLIST_OFFER,
)
from booking.mails.wordings import CLINIC, VISIT
from clinic.wordings import Wording

ENTRY = CLINIC | {"initials": VISIT["initials"]}
TIME = ENTRY | {"when": VISIT["when"]}

WORDINGS: list[Wording] = [
    Wording(
        kind=WAITLIST_JOINED,
        label=_("Waitlist joined"),
        subject=_("You are on our waitlist"),
        heading=_("You are on our waitlist"),
        text=_(
            "When a time becomes free that suits you, we keep it for you and write to you. "
            "Please look at your mail now and then: each time is kept for some hours only."
        ),
        placeholders=ENTRY,
    ),
    Wording(
        kind=WAITLIST_OFFER,
        label=_("Waitlist: a time is offered"),
        subject=_("A time is free: {when}"),
        heading=_("A time is free for you"),
        text=_("We keep it for you until {kept_until}. Please take it or let it go."),
        note=_(
            "Without an answer the time goes to the next person. It is booked once you take it."
        ),
        placeholders=TIME
        | {"place": VISIT["place"], "kept_until": _("until when the time is kept")},
        subject_needs=("when",),
    ),
    Wording(
        kind=OFFER_LAPSED,
        label=_("Waitlist: an offer ran out"),
        subject=_("Not kept any more: {when}"),
        heading=_("The time we kept for you is gone"),
        text=_(
            "You did not answer in time, so it went to the next person.\n\nYou are still on the "
            "waitlist. If the next offer stays without an answer too, we take you off."
        ),
        placeholders=TIME,
        subject_needs=("when",),
    ),
    Wording(
        kind=WAIT_ENDED,
        label=_("Waitlist: the wait has ended"),
        subject=_("You are not on our waitlist any more"),
        heading=_("You are not on our waitlist any more"),
        text=_(
            "{reason}\n\nDo you still need a visit? Book one, join the waitlist again, or call us."
        ),
        placeholders=ENTRY | {"reason": _("why the wait has ended, in a sentence")},
    ),
    Wording(
        kind=SERIES,
        label=_("Series booked"),
        subject=_("Your visits are booked, the first on {when}"),
        heading=_("Your visits are booked"),
        text=_("We look forward to seeing you at {clinic}."),
        note=_(
            "Your calendar program can add all of the visits from the file in "
            "this mail. You find the same file behind the link."
        ),
        placeholders=TIME | {"place": VISIT["place"]},
        subject_needs=("when",),
    ),
]
