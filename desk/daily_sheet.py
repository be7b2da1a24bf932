"""The day's visits, mailed to practitioners who want them: times, initials, state of the form.

Others may see a mailbox, so the mail contains no names, services or answers.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from booking.appointments.status import TAKES_PLACE
from booking.mails.samples import NAME
from booking.mails.wordings import CLINIC
from booking.models import Appointment
from clinic import days
from clinic.mail import outbox
from clinic.mail.letters import build_letter, day_text, time_text, zone_text
from clinic.mail.mail import Mail
from clinic.mail.outbox import Skip
from clinic.models import Location, Message, Patient, Practice, Practitioner
from clinic.wordings import Wording
from intake.models import QuestionnaireResponse

DAILY_SHEET = "daily-sheet"
SUBJECT_TYPE = Practitioner._meta.label_lower

# Wall-clock times at the practitioner's first location: the day before, or the day itself.
EVENING, MORNING = time(18), time(6, 30)
# By then everyone who works that day has looked into the system.
OF_USE_UNTIL = time(12)

WORDING = Wording(
    kind=DAILY_SHEET,
    label=gettext_lazy("Daily sheet"),
    subject=gettext_lazy("Your day: {day}"),
    heading=gettext_lazy("Your day"),
    text=gettext_lazy("On {day} you have {visits}."),
    note=gettext_lazy("Names and forms are in the system only."),
    placeholders=CLINIC
    | {"day": gettext_lazy("the day"), "visits": gettext_lazy("how many visits there are")},
    subject_needs=("day",),
)


def plan(now: datetime) -> None:
    """Plan the next sheet, ahead of time, for each practitioner who wants one.

    When it is due, an empty day is skipped. Safe to repeat.
    """
    wanting = list(
        Practitioner.objects.exclude(daily_sheet="")
        .filter(is_active=True, user__is_active=True)
        .select_related("user")
    )
    if not wanting:
        return
    practice = Practice.current()
    known = set(
        Message.objects.filter(
            subject_type=SUBJECT_TYPE,
            subject_id__in=[practitioner.public_id for practitioner in wanting],
            due_at__gt=now,
        ).values_list("subject_id", "step")
    )
    outbox.plan_all(
        [
            _sheet(practitioner, practice, now)
            for practitioner in wanting
            if (practitioner.public_id, practitioner.daily_sheet) not in known
        ]
    )


def _sheet(practitioner: Practitioner, practice: Practice, now: datetime) -> Message:
    zone = _zone(practitioner, practice)
    day = days.local_date(now, zone)
    while _due_at(practitioner.daily_sheet, day, zone) <= now:
        day += timedelta(days=1)
    due_at = _due_at(practitioner.daily_sheet, day, zone)
    return Message(
        kind=DAILY_SHEET,
        step=practitioner.daily_sheet,
        subject_type=SUBJECT_TYPE,
        subject_id=practitioner.public_id,
        subject_version=day.toordinal(),
        user=practitioner.user,
        due_at=due_at,
        next_attempt_at=due_at,
        expires_at=datetime.combine(day, OF_USE_UNTIL, zone).astimezone(UTC),
    )


def _due_at(choice: str, day: date, zone: ZoneInfo) -> datetime:
    if choice == Practitioner.DailySheet.EVENING:
        return datetime.combine(day - timedelta(days=1), EVENING, zone).astimezone(UTC)
    return datetime.combine(day, MORNING, zone).astimezone(UTC)


def _zone(practitioner: Practitioner, practice: Practice) -> ZoneInfo:
    location = practitioner.locations.filter(is_active=True).first()
    return location.zone if location else practice.zone


def compose(message: Message, now: datetime) -> Mail | Skip:
    practitioner = Practitioner.objects.filter(public_id=message.subject_id).first()
    if practitioner is None or not practitioner.is_active:
        return Skip("deactivated")
    if practitioner.daily_sheet != message.step:
        return Skip("stopped")
    user = message.user
    if user is None or not user.is_active or user.pk != practitioner.user_id:
        return Skip("no-account")
    practice = Practice.current()
    zone, day = _zone(practitioner, practice), date.fromordinal(message.subject_version)
    start, end = days.instants(day, day, zone)
    visits = list(
        Appointment.objects.visible_to(user)
        .filter(
            practitioner=practitioner,
            status__in=TAKES_PLACE,
            start__gte=start,
            start__lt=end,
        )
        .select_related("patient", "location", "intake_response")
        .only(
            *("start", "end", "time_zone", "patient__name", "location__name"),
            "intake_response__status",
        )
        .order_by("start")
    )
    if not visits:
        return Skip("no-visits")
    with translation.override(user.language):
        return _write(visits, day=day, to=user.email, practice=practice)


def sample(now: datetime) -> Mail:
    practice = Practice.current()
    location = Location.objects.filter(is_active=True).first() or Location(name=practice.name)
    day = days.local_date(now, practice.zone) + timedelta(days=1)
    visits = []
    states = QuestionnaireResponse.Status
    for name, clock, form in (
        (NAME, time(9), QuestionnaireResponse(status=states.COMPLETED)),
        ("Tom Berg", time(10, 30), QuestionnaireResponse(status=states.IN_PROGRESS)),
        ("Ana Sol", time(14), None),
    ):
        start = datetime.combine(day, clock, practice.zone)
        visits.append(
            Appointment(
                patient=Patient(name=name),
                location=location,
                start=start.astimezone(UTC),
                end=start.astimezone(UTC) + timedelta(minutes=60),
                time_zone=practice.time_zone,
                intake_response=form,
            )
        )
    return _write(visits, day=day, to="clinician@example.org", practice=practice)


def _write(visits: Sequence[Appointment], *, day: date, to: str, practice: Practice) -> Mail:
    count = ngettext("%(count)d visit", "%(count)d visits", len(visits)) % {"count": len(visits)}
    values = {
        "day": day_text(datetime.combine(day, time())),
        "visits": count,
        "clinic": practice.name,
        "clinic_phone": practice.phone,
    }
    return build_letter(
        DAILY_SHEET,
        values,
        facts=[_line(visit) for visit in visits],
        buttons=[(_("Open your day"), settings.BASE_URL + reverse("clinician_day"))],
    ).as_mail(to=to, practice=practice)


def _line(visit: Appointment) -> tuple[str, str]:
    start, end = visit.local_start, visit.local_end
    assert visit.patient is not None
    form = _("Form: %(state)s") % {"state": visit.intake_state.label}
    return (
        f"{time_text(start)} – {time_text(end)} {zone_text(start)}",
        f"{visit.patient.initials} · {form} · {visit.location.name}",
    )
