"""Every mail about a visit: what it says. When it is owed is in ``booking.owed``.

Mails carry time, place and link. They name neither the service nor anything about health: other
people read mail over a shoulder, and mail servers read it all.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from booking import ical
from booking.models import Appointment, UnconfirmedBooking
from booking.owed import ADDRESS_CHECK, CANCELLED, CONFIRMATION, INTAKE, MOVED, REMINDER
from clinic import outbox
from clinic.access import LINK_DAYS_AFTER_VISIT, issue_links
from clinic.letters import Letter, day_text, time_left_text, time_text, zone_text
from clinic.models import Link, Message, Patient, Practice
from clinic.outbox import Compose, Mail, Postpone, Skip
from intake.models import QuestionnaireResponse

MY_VISITS = "my-visits"

# The same patient can ask for a link to all visits once in this long.
MY_VISITS_EVERY = timedelta(minutes=5)
MY_VISITS_LINK_LASTS = timedelta(days=1)


def plan_my_visits(patient: Patient | None, now: datetime) -> Message:
    """Owe one patient the link to all their visits; asking again at once changes nothing.

    None, for an address nobody has, plans a row that will be skipped: it takes just as long.
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
    """What the mails about one visit are written from."""

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
    def facts(self) -> list[tuple[str, str]]:
        start, end = self.appointment.local_start, self.appointment.local_end
        location = self.appointment.location
        times = (
            f"{day_text(start)}, {time_text(start)} – {time_text(end)} {zone_text(end)} "
            f"({self.appointment.time_zone})"
        )
        facts = [
            (_("When"), times),
            # Families share an address.
            (_("For"), self.for_whom),
            (_("Where"), f"{location.name}, {location.full_address}"),
        ]
        if location.local_directions:
            facts.append((_("How to find us"), location.local_directions))
        return facts

    @property
    def for_whom(self) -> str:
        """The patient's initials, with a word to whoever books for them and reads this."""
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
        """What nearly every mail about a visit links to."""
        return [Link.Purpose.VISIT, *([Link.Purpose.INTAKE] if self.wants_intake else [])]

    @property
    def what_to_bring(self) -> str:
        return _(
            "Wear clothes you can move in, and bring the shoes you use most and a list of your "
            "medicines."
        )

    def issue_links(self, *purposes: str) -> dict[str, str]:
        return issue_links(
            *purposes,
            message=self.message,
            patient=self.patient,
            subject_id=self.appointment.pk,
            expires_at=self.appointment.end + timedelta(days=LINK_DAYS_AFTER_VISIT),
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


# Nothing else is read: above all, no answers. Columns cost time in every mail.
READ = [
    *("status", "sequence", "start", "end", "time_zone", "ical_uid", "created_at"),
    "safety_hold_alert",
    *("patient__name", "patient__email", "patient__language", "patient__reminders_stopped_at"),
    "patient__contact_relation",
    *("location__name", "location__address", "location__city", "location__region"),
    *("location__postal_code", "location__phone", "location__map_url"),
    *("location__directions", "location__directions_es"),
    "service__questionnaire",
    "intake_response__status",
]


def _about_visit(write: Callable[[Visit], Mail | Skip]) -> Compose:
    """Read the visit as it is now, and write in the patient's language, or say why not."""

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
        tells_of_cancelling = message.kind == CANCELLED
        expected = (
            Appointment.Status.CANCELLED if tells_of_cancelling else Appointment.Status.BOOKED
        )
        if appointment.status != expected:
            return Skip(f"visit-{appointment.status}")
        if appointment.safety_hold_alert_id and not tells_of_cancelling:
            return Postpone("safety-hold")
        if not appointment.patient.email:
            return Skip("no-address")
        visit = Visit(appointment, appointment.patient, Practice.current(), message, now)
        with translation.override(appointment.patient.language):
            return write(visit)

    return compose


@_about_visit
def confirmation(visit: Visit) -> Mail:
    letter = Letter(
        subject=_("Booked: %(when)s") % {"when": visit.when},
        heading=_("Your visit is booked"),
        paragraphs=[
            _("We look forward to seeing you at %(clinic)s.") % {"clinic": visit.practice.name}
        ],
        facts=visit.facts,
        links=visit.links,
        buttons=_buttons(visit.issue_links(*visit.opens)),
        notes=[visit.what_to_bring],
    )
    return visit.mail(letter, **visit.invitation())


@_about_visit
def intake_wanted(visit: Visit) -> Mail | Skip:
    if not visit.wants_intake:
        return Skip("intake-done")
    url = visit.issue_links(Link.Purpose.INTAKE)[Link.Purpose.INTAKE]
    letter = Letter(
        subject=_("Your form for %(when)s") % {"when": visit.when},
        heading=_("Please fill in your form"),
        paragraphs=[
            _(
                "A few questions before your visit give us more time for you. It takes about ten "
                "minutes, is saved as you go, and you can finish it later."
            )
        ],
        facts=visit.facts,
        buttons=[(_("Fill in your form"), url)],
    )
    return visit.mail(letter)


@_about_visit
def reminder(visit: Visit) -> Mail | Skip:
    if visit.patient.reminders_stopped_at:
        return Skip("stopped")
    time_left = time_left_text(visit.appointment.start - visit.now)
    paragraphs = [_("Your visit is in %(time_left)s.") % {"time_left": time_left}]
    if visit.wants_intake:
        paragraphs.append(_("Your form is not finished yet. Please fill it in before you come."))
    urls = visit.issue_links(*visit.opens, Link.Purpose.UNSUBSCRIBE)
    stop_url = urls[Link.Purpose.UNSUBSCRIBE]
    letter = Letter(
        subject=_("Reminder: %(when)s") % {"when": visit.when},
        heading=_("See you soon"),
        paragraphs=paragraphs,
        facts=visit.facts,
        links=visit.links,
        buttons=_buttons(urls),
        notes=[visit.what_to_bring],
        stop_url=stop_url,
    )
    return visit.mail(
        letter,
        headers={
            "List-Unsubscribe": f"<{stop_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


@_about_visit
def moved(visit: Visit) -> Mail:
    letter = Letter(
        subject=_("Moved to: %(when)s") % {"when": visit.when},
        heading=_("Your visit has a new time"),
        paragraphs=[_("The time you had before is free again. Please come at the new time.")],
        facts=visit.facts,
        links=visit.links,
        buttons=_buttons(visit.issue_links(*visit.opens)),
        notes=[visit.what_to_bring],
    )
    return visit.mail(letter, **visit.invitation())


@_about_visit
def cancelled(visit: Visit) -> Mail:
    letter = Letter(
        subject=_("Cancelled: %(when)s") % {"when": visit.when},
        heading=_("Your visit is cancelled"),
        paragraphs=[_("You do not need to do anything. We are happy to see you another time.")],
        facts=visit.facts,
        buttons=[(_("Book a new time"), f"{settings.BASE_URL}/book/")],
    )
    calendar = ical.cancel(visit.appointment, practice=visit.practice, now=visit.now)
    return visit.mail(letter, calendar=calendar, method="CANCEL")


def address_check(message: Message, now: datetime) -> Mail | Skip:
    """Write the link that makes a hold a visit. Whoever gets it may know nothing of it."""
    asked = (
        UnconfirmedBooking.objects.select_related("appointment__location")
        .filter(pk=message.subject_id, appointment__status=Appointment.Status.PENDING)
        .first()
    )
    if asked is None:
        return Skip("gone")
    held, practice = asked.appointment, Practice.current()
    url = settings.BASE_URL + reverse("confirm_booking", args=[asked.token])
    with translation.override(asked.language):
        start = held.local_start
        when = f"{day_text(start)}, {time_text(start)} {zone_text(start)}"
        until = asked.kept_until
        return Letter(
            subject=_("Please confirm: %(when)s") % {"when": when},
            heading=_("One more step to your visit"),
            paragraphs=[
                _("Somebody asked for this time and gave your address. It is not booked yet."),
                _("Open the link and press the button there. We keep the time until %(time)s.")
                % {"time": f"{time_text(until)} {zone_text(until)}"},
            ],
            facts=[
                (_("When"), when),
                (_("Where"), f"{held.location.name}, {held.location.full_address}"),
            ],
            buttons=[(_("Go on to your visit"), url)],
            notes=[_("You did not ask for this? Then you need not do anything.")],
        ).as_mail(to=asked.email, practice=practice)


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
    with translation.override(patient.language):
        return Letter(
            subject=_("Your visits at %(clinic)s") % {"clinic": practice.name},
            heading=_("Your visits"),
            paragraphs=[
                _("This link opens the visits of %(initials)s. It works for one day.")
                % {"initials": patient.initials}
            ],
            buttons=[(_("Open my visits"), urls[Link.Purpose.MY_VISITS])],
            notes=[_("You did not ask for this? Then you need not do anything.")],
        ).as_mail(to=patient.email, practice=practice)


COMPOSERS: dict[str, Compose] = {
    ADDRESS_CHECK: address_check,
    CONFIRMATION: confirmation,
    INTAKE: intake_wanted,
    REMINDER: reminder,
    MOVED: moved,
    CANCELLED: cancelled,
    MY_VISITS: my_visits,
}
