"""A realistic clinic: two Texas locations in different zones, five people, a gait room.

It has every kind of rule about time: shifts, a break, holidays, equipment, a limit and times
reserved for urgent patients.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils import translation

from booking.appointments.mail_schedule import CONFIRMATION
from clinic import wordings
from clinic.languages import content
from clinic.models import Location, MailText, OnCall, Practice, Practitioner, Role, User
from intake.models import Questionnaire
from schedule.models import (
    Break,
    Equipment,
    OpeningHours,
    ReservedTime,
    ResourceHours,
    Room,
    Service,
    TimeOff,
    VisitLimit,
)
from schedule.shipped_catalogue import load_catalogue


@dataclass(frozen=True)
class Shift:
    location: str
    weekdays: tuple[int, ...]
    opens: time
    closes: time


@dataclass(frozen=True)
class Person:
    name: str
    services: tuple[str, ...]
    shifts: tuple[Shift, ...]


_TEXTS = content(__file__, "texts")
_MORNING, _NOON, _ONE, _EVENING = time(8), time(12), time(13), time(17)
# Runners have these days off, so the clinic does not.
_KEPT_OPEN = ["Columbus Day", "Martin Luther King Jr. Day", "Veterans Day", "Washington's Birthday"]

PEOPLE = (
    Person(
        "Maya Ortiz, MD",
        (
            "tele-triage",
            "sports-doc",
            "imaging-review",
            "injection-consult",
            "regen-consult",
            "load-plan",
            "progress-check",
        ),
        (
            Shift("austin", (0, 1, 2, 4), _MORNING, _NOON),
            Shift("austin", (0, 1, 2, 4), _ONE, _EVENING),
            Shift("el-paso", (3,), time(9), time(16)),
        ),
    ),
    Person(
        "Daniel Reyes, DPT",
        (
            "tele-triage",
            "pt-eval",
            "pt-followup",
            "corrective-exercise",
            "gait-analysis",
            "form-education",
            "manual-therapy",
            "load-plan",
            "footwear",
            "heat-cold-coaching",
            "progress-check",
        ),
        (
            Shift("austin", (0, 1, 2, 3, 4), time(7, 30), _NOON),
            Shift("austin", (0, 1, 3, 4), _ONE, time(16, 30)),
            # Runners do their long runs at the weekend, so the clinic opens then too.
            Shift("austin", (5, 6), time(8), _ONE),
        ),
    ),
    Person(
        "Owen Park, DC",
        ("chiro-consult", "chiro-adjust", "manual-therapy", "progress-check"),
        (
            Shift("austin", (1, 2, 3), time(10), time(14)),
            Shift("austin", (1, 2, 3), time(15), time(19)),
            Shift("austin", (5,), time(9), _ONE),
        ),
    ),
    Person(
        "Priya Nair, RD, LMT",
        ("massage", "nutrition", "mind-body"),
        (
            Shift("austin", (0, 2, 4), time(9), _ONE),
            Shift("el-paso", (1,), time(9), time(17)),
            Shift("austin", (5,), time(9), time(14)),
        ),
    ),
    Person(
        "Hannah Lindqvist, PT",
        (
            "tele-triage",
            "pt-eval",
            "pt-followup",
            "pelvic-health",
            "corrective-exercise",
            "gait-analysis",
            "form-education",
            "load-plan",
            "footwear",
            "progress-check",
        ),
        (
            Shift("el-paso", (0, 1, 2, 3, 4), _MORNING, _NOON),
            Shift("el-paso", (0, 2, 3, 4), _ONE, time(17, 30)),
            Shift("el-paso", (6,), time(9), _ONE),
        ),
    ),
)


def _in_each_language(subject: str, field: str) -> dict[str, str]:
    return {language: texts[subject][field] for language, texts in _TEXTS.items()}


def create_practice() -> Practice:
    return Practice.objects.create(
        pk=1,
        name="Stride & Spine Clinic",
        phone="512-555-0100",
        email="hello@strideandspine.example",
        emergency_number="911",
        advice_line="512-555-0199",
        alert_email="oncall@strideandspine.example",
        time_zone="America/Chicago",
        is_demo=True,
    )


def create_locations() -> dict[str, Location]:
    austin = Location.objects.create(
        slug="austin",
        name="Austin",
        address="2100 Barton Springs Rd",
        city="Austin",
        region="TX",
        postal_code="78704",
        phone="512-555-0100",
        time_zone="America/Chicago",
        map_url="https://www.openstreetmap.org/?mlat=30.2622&mlon=-97.7668#map=17/30.2622/-97.7668",
        holiday_country="US",
        holidays_kept_open=_KEPT_OPEN,
        directions=_in_each_language("austin", "directions"),
    )
    el_paso = Location.objects.create(
        slug="el-paso",
        name="El Paso",
        address="615 N Stanton St",
        city="El Paso",
        region="TX",
        postal_code="79901",
        phone="915-555-0100",
        time_zone="America/Denver",
        map_url="https://www.openstreetmap.org/?mlat=31.7634&mlon=-106.4871#map=17/31.7634/-106.4871",
        holiday_country="US",
        holidays_kept_open=_KEPT_OPEN,
        directions=_in_each_language("el-paso", "directions"),
    )
    return {"austin": austin, "el-paso": el_paso}


def create_services(questionnaire: Questionnaire | None) -> dict[str, Service]:
    return {s.slug: s for s in load_catalogue(questionnaire=questionnaire)}


def create_rooms(locations: dict[str, Location]) -> list[Room]:
    return [
        Room.objects.create(name="Gait lab", location=locations["austin"], kind="gait"),
        Room.objects.create(name="Treadmill room", location=locations["el-paso"], kind="gait"),
    ]


def create_practitioner(
    person: Person, *, locations: dict[str, Location], services: dict[str, Service]
) -> Practitioner:
    practitioner = Practitioner.objects.create(
        name=person.name,
        title=_in_each_language(person.name, "title"),
        bio=_in_each_language(person.name, "bio"),
    )
    practitioner.locations.set({locations[shift.location] for shift in person.shifts})
    OpeningHours.objects.bulk_create(
        OpeningHours(
            practitioner=practitioner,
            location=locations[shift.location],
            weekday=weekday,
            opens=shift.opens,
            closes=shift.closes,
        )
        for shift in person.shifts
        for weekday in shift.weekdays
    )
    for slug in person.services:
        services[slug].practitioners.add(practitioner)
    return practitioner


def create_equipment(
    locations: dict[str, Location], services: dict[str, Service]
) -> list[Equipment]:
    """Create a camera rig in each location; two services need one. Austin's has fixed hours."""
    for slug in ("gait-analysis", "form-education"):
        services[slug].equipment_kind = "camera"
        services[slug].save(update_fields=["equipment_kind"])
    rigs = [
        Equipment.objects.create(name="Camera rig", location=location, kind="camera")
        for location in locations.values()
    ]
    ResourceHours.objects.bulk_create(
        ResourceHours(equipment=rigs[0], weekday=weekday, opens=time(7), closes=time(18))
        for weekday in range(7)
    )
    return rigs


def create_limits_and_breaks(
    people: list[Practitioner], *, locations: dict[str, Location], services: dict[str, Service]
) -> None:
    """Create a lunch break, a limit of first visits, and times reserved for urgent patients."""
    maya, daniel, _, priya, hannah = people
    Break.objects.create(
        practitioner=priya,
        location=locations["el-paso"],
        weekday=1,
        opens=time(12, 30),
        closes=time(13, 15),
    )
    VisitLimit.objects.create(practitioner=daniel, service=services["pt-eval"], most=5)
    austin, el_paso = locations["austin"], locations["el-paso"]
    ReservedTime.objects.bulk_create(
        ReservedTime(
            practitioner=person,
            location=location,
            weekday=weekday,
            opens=opens,
            closes=closes,
            release_hours=3,
        )
        for person, location, opens, closes, weekdays in (
            (maya, austin, time(11), time(12), (0, 1, 2, 4)),
            (daniel, austin, time(15, 30), time(16, 30), (0, 1, 3, 4)),
            (hannah, el_paso, time(11), time(12), (0, 1, 2, 3, 4)),
        )
        for weekday in weekdays
    )


def create_absences(people: list[Practitioner], *, today: datetime) -> None:
    """Create a short leave. ``today`` is a local midnight."""
    away = today + timedelta(days=9)
    TimeOff.objects.create(
        practitioner=people[2], start=away, end=away + timedelta(days=2), reason="Course"
    )


def create_accounts(people: list[Practitioner]) -> dict[Role, User]:
    """Create the three sample accounts, without password: the demo's buttons log in."""
    users = {
        Role.FRONT_DESK: User.objects.create_user(
            "frontdesk@demo.example",
            role=Role.FRONT_DESK,
            is_staff=True,
            first_name="Rosa",
            last_name="Delgado",
        ),
        Role.CLINICIAN: User.objects.create_user(
            "clinician@demo.example",
            role=Role.CLINICIAN,
            first_name="Daniel",
            last_name="Reyes",
        ),
        Role.MANAGER: User.objects.create_user(
            "manager@demo.example",
            role=Role.MANAGER,
            is_staff=True,
            first_name="Grace",
            last_name="Whitman",
        ),
    }
    for position, role in enumerate((Role.CLINICIAN, Role.FRONT_DESK, Role.MANAGER), start=1):
        OnCall.objects.create(user=users[role], position=position)
    people[1].user = users[Role.CLINICIAN]
    people[1].daily_sheet = Practitioner.DailySheet.MORNING
    people[1].save(update_fields=["user", "daily_sheet"])
    return users


def create_mail_texts() -> None:
    """Create the clinic's own text for one mail, in each language."""
    for language, texts in _TEXTS.items():
        with translation.override(language):
            shipped = next(w.words for w in wordings.all_wordings() if w.kind == CONFIRMATION)
        words = shipped._replace(**texts["confirmation"])
        MailText.of(CONFIRMATION, language, words).save()
