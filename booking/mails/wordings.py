"""What the mails about visits say, as shipped.

``clinic.wordings`` says how a kind takes part.
"""

from django.utils.translation import gettext_lazy as _

from booking.appointments.mail_schedule import (
    ADDRESS_CHECK,
    CANCELLED,
    CHECK_IN,
    CONFIRMATION,
    INTAKE,
    MOVED,
    REMINDER,
    RESCREEN,
)
from booking.mails.visit_mails import MY_VISITS
from clinic.wordings import Wording

CLINIC = {
    "clinic": _("name of the clinic"),
    "clinic_phone": _("phone of the clinic"),
}
VISIT = {
    "when": _("day, time and zone of the visit"),
    "place": _("name of the location"),
    "place_phone": _("phone of the location"),
    "initials": _("initials of the patient"),
    **CLINIC,
}
WHAT_TO_BRING = _(
    "Wear clothes you can move in, and bring the shoes you use most and a list of your medicines."
)

WORDINGS: list[Wording] = [
    Wording(
        kind=CONFIRMATION,
        label=_("Confirmation"),
        subject=_("Booked: {when}"),
        heading=_("Your visit is booked"),
        text=_("We look forward to seeing you at {clinic}."),
        note=WHAT_TO_BRING,
        placeholders=VISIT,
        subject_needs=("when",),
    ),
    Wording(
        kind=INTAKE,
        label=_("Form wanted"),
        subject=_("Your form for {when}"),
        heading=_("Please fill in your form"),
        text=_(
            "A few questions before your visit give us more time for you.\n\n{what_is_missing} "
            "It is saved as you go, and you can finish it later."
        ),
        placeholders=VISIT
        | {"what_is_missing": _("what of the form is missing, and how long it takes")},
        subject_needs=("when",),
    ),
    Wording(
        kind=REMINDER,
        label=_("Reminder"),
        subject=_("Reminder: {when}"),
        heading=_("See you soon"),
        text=_("Your visit is in {time_left}."),
        note=WHAT_TO_BRING,
        placeholders=VISIT | {"time_left": _("how long it is until the visit")},
        subject_needs=("when",),
        stop_label=_("Stop reminder mails"),
    ),
    Wording(
        kind=RESCREEN,
        label=_("Safety check before a visit"),
        subject=_("One minute before {when}"),
        heading=_("A few questions before your visit"),
        text=_("Please answer them now: it takes one minute. We ask them before each visit."),
        placeholders=VISIT,
        subject_needs=("when",),
    ),
    Wording(
        kind=CHECK_IN,
        label=_("Weekly check-in"),
        subject=_("How was your week?"),
        heading=_("How was your week?"),
        text=_("Four questions, half a minute. Your answers show at your next visit how it went."),
        placeholders=VISIT,
        stop_label=_("Stop weekly questions"),
    ),
    Wording(
        kind=MOVED,
        label=_("Moved"),
        subject=_("Moved to: {when}"),
        heading=_("Your visit has a new time"),
        text=_("The time you had before is free again. Please come at the new time."),
        note=WHAT_TO_BRING,
        placeholders=VISIT,
        subject_needs=("when",),
    ),
    Wording(
        kind=CANCELLED,
        label=_("Cancelled"),
        subject=_("Cancelled: {when}"),
        heading=_("Your visit is cancelled"),
        text=_("You do not need to do anything. We are happy to see you another time."),
        placeholders=VISIT,
        subject_needs=("when",),
    ),
    Wording(
        kind=ADDRESS_CHECK,
        label=_("Address to be confirmed"),
        subject=_("Please confirm: {when}"),
        heading=_("One more step to your visit"),
        text=_(
            "Somebody asked for this time and gave your address. It is not booked yet.\n\nOpen the "
            "link and press the button there. We keep the time until {kept_until}."
        ),
        note=_("You did not ask for this? Then you need not do anything."),
        placeholders={key: VISIT[key] for key in VISIT if key != "initials"}
        | {"kept_until": _("until when the time is kept")},
        subject_needs=("when",),
    ),
    Wording(
        kind=MY_VISITS,
        label=_("Link to all visits"),
        subject=_("Your visits at {clinic}"),
        heading=_("Your visits"),
        text=_("This link opens the visits of {initials}. It works for one day."),
        note=_("You did not ask for this? Then you need not do anything."),
        placeholders=CLINIC | {"initials": VISIT["initials"]},
    ),
]
