"""What a parent or guardian may open ends on the day the patient comes of age."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from clinic.models import DeskTask, Link, Message, Patient
from clinic.security import guardianship
from clinic.security.access import hash_token
from desk import tasks
from tests.booking.visitor import as_patient
from tests.factories import (
    make_appointment,
    make_link,
    make_message,
    make_patient,
    make_practice,
    make_user,
)

pytestmark = pytest.mark.django_db

GUARDIAN = Patient.Contact.GUARDIAN
BORN_ON = date(2008, 6, 2)
# The night in Austin in which Monday becomes the birthday.
EVENING_BEFORE = datetime(2026, 6, 2, 4, 59, tzinfo=UTC)
BIRTHDAY = EVENING_BEFORE + timedelta(minutes=1)
TOKEN = "t" * 43


@pytest.fixture
def young():
    make_practice(time_zone="America/Chicago")
    return make_patient(birth_date=BORN_ON, contact_relation=GUARDIAN, email="eva@example.org")


def mailed_to(patient, **fields):
    message = make_message(patient=patient)
    return make_link(patient=patient, token_hash=hash_token(TOKEN), message=message, **fields)


def visit_page(client, visit, at):
    with time_machine.travel(at, tick=False):
        return client.get(f"/visits/{visit.pk}/").status_code


def test_a_browser_of_a_guardian_is_let_in_until_midnight_of_the_clinic(young):
    visit = make_appointment(patient=young, start=BIRTHDAY + timedelta(days=1))
    with time_machine.travel(EVENING_BEFORE, tick=False):
        client = Client()
        as_patient(client, young)
    assert visit_page(client, visit, EVENING_BEFORE) == 200
    assert visit_page(client, visit, BIRTHDAY) == 404


def test_a_link_mailed_to_a_guardian_opens_nothing_from_the_birthday_on(client, young):
    visit = make_appointment(patient=young, start=BIRTHDAY + timedelta(days=1))
    mailed_to(young, subject_id=visit.pk)
    with time_machine.travel(EVENING_BEFORE, tick=False):
        assert client.get(f"/l/{TOKEN}/").status_code == 302
    with time_machine.travel(BIRTHDAY, tick=False):
        response = Client().get(f"/l/{TOKEN}/")
    assert response.status_code == 404
    assert "grant" not in response.cookies


@pytest.mark.parametrize("relation", [Patient.Contact.SELF, Patient.Contact.HELPER])
def test_who_writes_for_themselves_or_cares_for_an_adult_goes_on(young, relation):
    Patient.objects.update(contact_relation=relation)
    visit = make_appointment(patient=young, start=BIRTHDAY + timedelta(days=1))
    with time_machine.travel(BIRTHDAY, tick=False):
        client = Client()
        as_patient(client, young)
        tasks.sweep()
    assert visit_page(client, visit, BIRTHDAY) == 200
    assert not DeskTask.objects.exists()


def test_the_front_desk_is_asked_once_for_the_patients_own_address(young):
    mailed_to(young)
    for minutes in range(-1, 3):
        guardianship.end_guardians_access(now=BIRTHDAY + timedelta(minutes=minutes))
    task = DeskTask.objects.get()
    assert (task.kind, task.patient, task.raised_at) == (DeskTask.Kind.OF_AGE, young, BIRTHDAY)


def test_nobody_is_asked_about_whoever_has_no_link_that_works(young):
    mailed_to(young, expires_at=BIRTHDAY)
    guardianship.end_guardians_access(now=BIRTHDAY)
    assert not DeskTask.objects.exists()


def test_the_desk_is_asked_again_when_a_later_mail_went_to_the_guardian_too(young):
    mailed_to(young)
    guardianship.end_guardians_access(now=BIRTHDAY)
    DeskTask.objects.get().finish(by=make_user(), now=BIRTHDAY)
    guardianship.end_guardians_access(now=BIRTHDAY)
    assert not DeskTask.objects.open().exists()
    make_link(patient=young)
    guardianship.end_guardians_access(now=BIRTHDAY)
    assert DeskTask.objects.open().exists()


def test_a_guardians_link_stays_closed_when_the_patients_own_address_is_on_file(client, young):
    mailed_to(young)
    guardianship.end_guardians_access(now=BIRTHDAY)
    Patient.objects.update(contact_relation=Patient.Contact.SELF, email="lia@example.org")
    with time_machine.travel(BIRTHDAY, tick=False):
        assert client.get(f"/l/{TOKEN}/").status_code == 404


def test_the_guardian_can_still_stop_the_mails(client, young):
    mailed_to(young, purpose=Link.Purpose.UNSUBSCRIBE)
    guardianship.end_guardians_access(now=BIRTHDAY)
    with time_machine.travel(BIRTHDAY, tick=False):
        assert client.post(f"/unsubscribe/{TOKEN}/").status_code == 200


@pytest.mark.parametrize(("at", "mails"), [(EVENING_BEFORE, 1), (BIRTHDAY, 0)])
def test_a_guardian_who_asks_for_a_link_gets_none_to_an_adult(client, young, at, mails):
    with time_machine.travel(at, tick=False):
        response = client.post("/my-visits/", {"email": young.email})
    assert response.status_code == 200
    assert Message.objects.filter(patient=young).count() == mails


@pytest.mark.parametrize(
    "day",
    [
        *(date(2026, 2, 27) + timedelta(days=n) for n in range(4)),
        *(date(2028, 2, 27) + timedelta(days=n) for n in range(4)),
    ],
)
@pytest.mark.parametrize("born", [date(2008, 2, 28), date(2008, 2, 29), date(2010, 2, 28)])
def test_the_query_and_the_link_agree_around_a_leap_day(young, born, day):
    Patient.objects.update(birth_date=born)
    noon = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
    link = make_link(patient=Patient.objects.get())
    assert guardianship.has_ended(link, now=noon) == guardianship.outgrown(now=noon).exists()
