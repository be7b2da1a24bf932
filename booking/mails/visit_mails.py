"""The content of every mail about a visit.

The rules for when to send them are in ``booking.appointments.mail_schedule``.

Mails contain time, place and link. They name neither the service nor anything about health: other
people may see the screen, and mail servers can read all mail.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from booking.appointments import ical, mail_schedule
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
from booking.appointments.models import Appointment
from booking.appointments.status import CAME
from booking.appointments.unconfirmed import UnconfirmedBooking
from clinic.mail import outbox
from clinic.mail.letters import Letter, build_letter, day_text, time_left_text, time_text, zone_text
from clinic.mail.mail import Mail
from clinic.mail.outbox import Compose, Postpone, Skip
from clinic.models import Link, Message, Patient, Practice
from clinic.security.access import LINK_DAYS_AFTER_VISIT, issue_links
from intake.models import QuestionnaireResponse
from intake.rules.thresholds import SAFETY_ANSWERS_LAST

MY_VISITS = "my-visits"

# The form's signature question.
SIGNATURE = "consent-signature"

# The same patient can request a link to all visits once in this time.
MY_VISITS_EVERY = timedelta(minutes=5)
MY_VISITS_LINK_LASTS = timedelta(days=1)


def plan_my_visits(patient: Patient | None, now: datetime) -> Message:
    """Plan the mail with the link to all visits of a patient; a repeat at once changes nothing.

    None, for an unknown address, plans a row that will be skipped: it takes the same time.
    """
    return outbox.plan(
        kind=MY_VISITS,
        subject=patient or Patient(),
        version=int(now.timestamp() // MY_VISITS_EVERY.total_seconds()),
        patient=patient,
        due_at=now,
        expires_at=now + MY_VISITS_LINK_LASTS,
    )


class Visit(NamedTuple):
    """The data from which the mails about one visit are written."""

    appointment: Appointment
    patient: Patient
    practice: Practice
    message: Message
    now: datetime

    @property
    def when(self) -> str:
        """Day, time and zone, for a subject: "Thursday, November 26, 9:00 AM CST"."""
        start = self.appointment.local_start
        return f"{day_text(start)}, {time_text(start)} {zone_text(start)}"

    @property
    def values(self) -> dict[str, str]:
        """The placeholder values that all mails about a visit share."""
        location = self.appointment.location
        return {
            "when": self.when,
            "place": location.name,
            "place_phone": location.phone,
            "initials": self.patient.initials,
            "clinic": self.practice.name,
            "clinic_phone": self.practice.phone,
        }

    def build_letter(self, **parts: Any) -> Letter:
        """Build the letter of this kind, in the clinic's own words if it has them.

        Takes the arguments of ``Letter`` except the words, and ``values`` for more placeholders.
        """
        values = self.values | parts.pop("values", {})
        return build_letter(self.message.kind, values, **parts)

    @property
    def facts(self) -> list[tuple[str, str]]:
        start, end = self.appointment.local_start, self.appointment.local_end
        location = self.appointment.location
        times = (
            f"{day_text(start)}, {time_text(start)} – {time_text(end)} {zone_text(end)} "
            f"({self.appointment.time_zone})"
        )
        facts = [(_("When"), times)]
        own = self.appointment.start.astimezone(self.patient.zone) if self.patient.zone else start
        if own.utcoffset() != start.utcoffset():
            own_time = f"{day_text(own)}, {time_text(own)} {zone_text(own)}"
            facts.append((_("On your clock"), f"{own_time} ({self.patient.time_zone})"))
        facts += [
            # Families share an address.
            (_("For"), self.for_whom),
            (_("Where"), f"{location.name}, {location.full_address}"),
        ]
        if location.directions:
            facts.append((_("How to find us"), str(location.directions)))
        return facts

    @property
    def for_whom(self) -> str:
        """The patient's initials, with a note if another person is the contact."""
        initials = self.patient.initials
        if self.patient.contact_relation == Patient.Contact.SELF:
            return initials
        return _("%(initials)s (you are the contact)") % {"initials": initials}

    @property
    def links(self) -> list[tuple[str, str]]:
        map_url = self.appointment.location.map_url
        return [(_("Map"), map_url)] if map_url else []

    @property
    def wants_intake(self) -> bool:
        response = self.appointment.intake_response
        is_done = response is not None and response.status in {
            QuestionnaireResponse.Status.COMPLETED,
            QuestionnaireResponse.Status.AMENDED,
        }
        return bool(self.appointment.service.questionnaire_id) and not is_done

    @property
    def opens(self) -> list[str]:
        """The links of nearly every mail about a visit."""
        return [Link.Purpose.VISIT, *([Link.Purpose.INTAKE] if self.wants_intake else [])]

    @property
    def link_days(self) -> int:
        """How long after the visit the mail's links work: a check-in may come six weeks later."""
        is_later = self.message.kind == CHECK_IN
        return LINK_DAYS_AFTER_VISIT * 2 if is_later else LINK_DAYS_AFTER_VISIT

    def issue_links(self, *purposes: str) -> dict[str, str]:
        return issue_links(
            *purposes,
            message=self.message,
            patient=self.patient,
            subject_id=self.appointment.pk,
            expires_at=self.appointment.end + timedelta(days=self.link_days),
        )

    def mail(self, letter: Letter, **parts: object) -> Mail:
        return letter.as_mail(to=self.patient.email, practice=self.practice, **parts)

    def invitation(self) -> dict[str, object]:
        calendar = ical.request(self.appointment, practice=self.practice, now=self.now)
        return {"calendar": calendar, "method": "REQUEST"}


def _buttons(urls: dict[str, str]) -> list[tuple[str, str]]:
    labels = {
        Link.Purpose.VISIT: _("See, move or cancel your visit"),
        Link.Purpose.INTAKE: _("Fill in your form"),
    }
    return [(label, urls[purpose]) for purpose, label in labels.items() if purpose in urls]


# Read nothing else, above all no answers. Each column costs time in every mail.
READ = [
    *("status", "sequence", "start", "end", "time_zone", "ical_uid", "created_at"),
    "safety_hold_alert",
    *("patient__name", "patient__email", "patient__language", "patient__time_zone"),
    *("patient__mail_stops", "patient__declined_reminders", "patient__contact_relation"),
    *("location__name", "location__address", "location__city", "location__region"),
    *("location__postal_code", "location__phone", "location__map_url", "location__directions"),
    "service__questionnaire",
    "intake_response__status",
    "rescreen_response",
]


# The status a visit needs for a mail of this kind; all other kinds need booked.
STATUS_FOR = {CANCELLED: Appointment.Status.CANCELLED, CHECK_IN: Appointment.Status.FULFILLED}


def _about_visit(write: Callable[[Visit], Mail | Skip]) -> Compose:
    """Read the visit's current row and write in the patient's language, or return the reason."""

    @wraps(write)
    def compose(message: Message, now: datetime) -> Mail | Skip | Postpone:
        appointment = (
            Appointment.objects.select_related("patient", "location", "service", "intake_response")
            .only(*READ)
            .filter(pk=message.subject_id)
            .first()
        )
        if appointment is None or appointment.patient is None:
            return Skip("gone")
        if appointment.sequence != message.subject_version:
            return Skip("superseded")
        if appointment.status != STATUS_FOR.get(message.kind, Appointment.Status.BOOKED):
            return Skip(f"visit-{appointment.status}")
        # A safety hold concerns a coming visit: it ends when that is called off or has taken place.
        is_ahead = appointment.status == Appointment.Status.BOOKED
        if appointment.safety_hold_alert_id and is_ahead:
            return Postpone("safety-hold")
        if not appointment.patient.email:
            return Skip("no-address")
        visit = Visit(appointment, appointment.patient, Practice.current(), message, now)
        with translation.override(appointment.patient.language):
            return write(visit)

    return compose


@_about_visit
def confirmation(visit: Visit) -> Mail:
    letter = visit.build_letter(
        facts=visit.facts,
        links=visit.links,
        buttons=_buttons(visit.issue_links(*visit.opens)),
    )
    return visit.mail(letter, **visit.invitation())


@_about_visit
def intake_wanted(visit: Visit) -> Mail | Skip:
    if not visit.wants_intake:
        return Skip("intake-done")
    url = visit.issue_links(Link.Purpose.INTAKE)[Link.Purpose.INTAKE]
    letter = visit.build_letter(
        values={"what_is_missing": _what_is_missing(visit)},
        facts=visit.facts,
        buttons=[(_("Fill in your form"), url)],
    )
    return visit.mail(letter)


def _what_is_missing(visit: Visit) -> str:
    """Describe the form's progress. Naming the open questions would already reveal something."""
    response = visit.appointment.intake_response
    if response is None:
        return _("You have not started yet. It takes about ten minutes.")
    # The answers are read only to count what is left.
    response = QuestionnaireResponse.objects.select_related("questionnaire").get(pk=response.pk)
    pages = response.open_pages()
    if all(SIGNATURE in {item.link_id for item in page.walk()} for page in pages):
        return _("Only your signature is missing. That takes a minute.")
    answered_at = response.safety_answered_at
    if answered_at and answered_at < visit.now - SAFETY_ANSWERS_LAST:
        return _("Some of your answers are too old by now. Please look at the first page again.")
    minutes = max(1, round(response.seconds_left() / 60))
    return ngettext(
        "You have started already. About %(count)d minute is left.",
        "You have started already. About %(count)d minutes are left.",
        minutes,
    ) % {"count": minutes}


@_about_visit
def reminder(visit: Visit) -> Mail | Skip:
    if visit.patient.has_stopped(REMINDER):
        return Skip("stopped")
    if mail_schedule.is_declined(visit.message, visit.patient):
        return Skip("declined")
    paragraphs = []
    if visit.wants_intake:
        paragraphs.append(_("Your form is not finished yet. Please fill it in before you come."))
    urls = visit.issue_links(*visit.opens, Link.Purpose.UNSUBSCRIBE)
    letter = visit.build_letter(
        values={"time_left": time_left_text(visit.appointment.start - visit.now)},
        paragraphs=paragraphs,
        facts=visit.facts,
        links=visit.links,
        buttons=_buttons(urls),
        stop_url=urls[Link.Purpose.UNSUBSCRIBE],
    )
    return visit.mail(letter)


@_about_visit
def moved(visit: Visit) -> Mail:
    letter = visit.build_letter(
        facts=visit.facts,
        links=visit.links,
        buttons=_buttons(visit.issue_links(*visit.opens)),
    )
    return visit.mail(letter, **visit.invitation())


@_about_visit
def cancelled(visit: Visit) -> Mail:
    letter = visit.build_letter(
        facts=visit.facts,
        buttons=[(_("Book a new time"), f"{settings.BASE_URL}/book/")],
    )
    calendar = ical.cancel(visit.appointment, practice=visit.practice, now=visit.now)
    return visit.mail(letter, calendar=calendar, method="CANCEL")


@_about_visit
def rescreen(visit: Visit) -> Mail | Skip:
    """The link to the safety page has its own mail (decision 15), without words about health."""
    if mail_schedule.rescreen_of(visit.appointment):
        return Skip("answered")
    url = visit.issue_links(Link.Purpose.RESCREEN)[Link.Purpose.RESCREEN]
    letter = visit.build_letter(facts=visit.facts, buttons=[(_("Answer the questions"), url)])
    return visit.mail(letter)


@_about_visit
def check_in(visit: Visit) -> Mail | Skip:
    patient = visit.patient
    if patient.has_stopped(CHECK_IN):
        return Skip("stopped")
    later = Appointment.objects.filter(patient_id=patient.pk, start__gt=visit.appointment.start)
    if later.filter(status__in=CAME).exists():
        return Skip("seen-again")
    urls = visit.issue_links(Link.Purpose.CHECK_IN, Link.Purpose.UNSUBSCRIBE)
    letter = visit.build_letter(
        facts=[(_("For"), patient.initials)],
        buttons=[(_("Answer the questions"), urls[Link.Purpose.CHECK_IN])],
        stop_url=urls[Link.Purpose.UNSUBSCRIBE],
    )
    return visit.mail(letter)


def address_check(message: Message, now: datetime) -> Mail | Skip:
    """Write the link that makes a hold a visit. The recipient may not know about the booking."""
    asked = (
        UnconfirmedBooking.objects.select_related("appointment__location")
        .filter(pk=message.subject_id, appointment__status=Appointment.Status.PENDING)
        .first()
    )
    if asked is None:
        return Skip("gone")
    url = settings.BASE_URL + reverse("confirm_booking", args=[asked.token])
    with translation.override(asked.language):
        return write_address_check(asked.appointment, url, until=asked.kept_until, to=asked.email)


def write_address_check(held: Appointment, url: str, *, until: datetime, to: str) -> Mail:
    start, practice = held.local_start, Practice.current()
    when = f"{day_text(start)}, {time_text(start)} {zone_text(start)}"
    values = {
        "when": when,
        "kept_until": f"{time_text(until)} {zone_text(until)}",
        "place": held.location.name,
        "place_phone": held.location.phone,
        "clinic": practice.name,
        "clinic_phone": practice.phone,
    }
    return build_letter(
        ADDRESS_CHECK,
        values,
        facts=[
            (_("When"), when),
            (_("Where"), f"{held.location.name}, {held.location.full_address}"),
        ],
        buttons=[(_("Go on to your visit"), url)],
    ).as_mail(to=to, practice=practice)


def my_visits(message: Message, now: datetime) -> Mail | Skip:
    """Write the link to all visits of one patient; with initials, since families share mail."""
    patient = message.patient
    if patient is None or not patient.email:
        return Skip("no-address")
    practice = Practice.current()
    urls = issue_links(
        Link.Purpose.MY_VISITS,
        message=message,
        patient=patient,
        expires_at=message.due_at + MY_VISITS_LINK_LASTS,
    )
    values = {
        "initials": patient.initials,
        "clinic": practice.name,
        "clinic_phone": practice.phone,
    }
    with translation.override(patient.language):
        return build_letter(
            MY_VISITS, values, buttons=[(_("Open my visits"), urls[Link.Purpose.MY_VISITS])]
        ).as_mail(to=patient.email, practice=practice)


COMPOSERS: dict[str, Compose] = {
    ADDRESS_CHECK: address_check,
    CONFIRMATION: confirmation,
    INTAKE: intake_wanted,
    REMINDER: reminder,
    MOVED: moved,
    CANCELLED: cancelled,
    RESCREEN: rescreen,
    CHECK_IN: check_in,
    MY_VISITS: my_visits,
}
