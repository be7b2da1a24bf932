"""The whole sample clinic, small or large, in one call."""

from datetime import datetime

from clinic.models import Practitioner, Role
from demo.sample import practice
from demo.sample.intakes import create_intakes
from demo.sample.large import create_large
from demo.sample.visits import create_patients, create_visits
from demo.sample.waiting import create_series, create_waitlist
from intake.models import Questionnaire


def create_clinic(*, size: str, now: datetime) -> None:
    """Fill an empty database with the clinic; ``size`` is small or large."""
    practice.create_practice()
    practice.create_mail_texts()
    locations = practice.create_locations()
    questionnaire = Questionnaire.objects.publish_shipped(now=now)
    services = practice.create_services(questionnaire)
    rooms = practice.create_rooms(locations)
    equipment = practice.create_equipment(locations, services)
    people: list[Practitioner] = [
        practice.create_practitioner(person, locations=locations, services=services)
        for person in practice.PEOPLE
    ]
    midnight = now.astimezone(locations["austin"].zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    practice.create_limits_and_breaks(people, locations=locations, services=services)
    practice.create_absences(people, today=midnight)
    accounts = practice.create_accounts(people)
    if size == "large":
        create_large(locations=locations, services=services, now=now)
        return
    visits = create_visits(
        patients=create_patients(),
        services=services,
        rooms=rooms,
        equipment=equipment,
        now=now,
    )
    create_intakes(visits, questionnaire=questionnaire, now=now)
    create_waitlist(visits, service=services["pt-eval"], now=now)
    create_series(
        visits,
        service=services["pt-followup"],
        practitioner=people[1],
        location=locations["austin"],
        by=accounts[Role.FRONT_DESK],
        now=now,
    )
