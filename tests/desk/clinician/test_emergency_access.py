"""A clinician outside the care team opens a record: with a reason, and for an hour."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse

from clinic.mail import outbox
from clinic.models import AuditEvent, EmergencyAccess, Message, Patient, Role
from clinic.security.emergency_access import LASTS
from clinic.security.rate_limits import EMERGENCIES_PER_USER
from intake.models import PrivateNote
from tests.desk.clinician.test_clinician import CANARY, make_intake, summary_url
from tests.factories import (
    NOW,
    make_clinician,
    make_emergency_access,
    make_patient,
    make_practice,
    make_user,
    sign_in,
)

pytestmark = pytest.mark.django_db

URL = "/clinician/emergency/"
BORN = date(1990, 1, 31)
REASON = "Collapsed in the waiting room"


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def patient():
    patient = make_patient(name="Zara Ñandú", birth_date=BORN)
    make_intake(patient)
    return patient


def open_record(client, *, name="Zara Ñandú", birth_date=BORN, reason=REASON):
    return client.post(URL, {"name": name, "birth_date": birth_date.isoformat(), "reason": reason})


def test_a_typed_reason_opens_the_summary_for_an_hour(client, clinician, patient):
    assert client.get(summary_url(patient)).status_code == 404
    assert open_record(client)["Location"] == summary_url(patient)
    page = client.get(summary_url(patient)).content.decode()
    assert CANARY in page
    assert "Opened in an emergency, until" in page
    assert summary_url(patient) in client.get(URL).content.decode()
    access = EmergencyAccess.objects.get()
    assert (access.user, access.patient, access.reason) == (clinician, patient, REASON)
    with time_machine.travel(NOW + LASTS - timedelta(seconds=1), tick=False):
        sign_in(client, clinician)
        assert client.get(summary_url(patient)).status_code == 200
    with time_machine.travel(NOW + LASTS, tick=False):
        sign_in(client, clinician)
        assert client.get(summary_url(patient)).status_code == 404
        assert summary_url(patient) not in client.get(URL).content.decode()


def test_opening_and_reading_leave_audit_rows(client, clinician, patient):
    open_record(client)
    client.get(summary_url(patient))
    rows = AuditEvent.objects.filter(user=clinician, patient_id=patient.pk)
    kinds = set(rows.values_list("action", "subject_type"))
    assert ("create", "clinic.emergencyaccess") in kinds
    assert ("read", "intake.questionnaireresponse") in kinds
    assert REASON not in str(list(rows.values()))


def test_every_active_manager_is_mailed_without_a_name_or_reason(client, clinician, patient):
    managers = [make_user(role=Role.MANAGER), make_user(role=Role.MANAGER)]
    make_user(role=Role.MANAGER, is_active=False)
    make_user(role=Role.FRONT_DESK)
    open_record(client)
    outbox.tick(NOW)
    assert sorted(sent.to[0] for sent in mail.outbox) == sorted(one.email for one in managers)
    access = EmergencyAccess.objects.get()
    for sent in mail.outbox:
        everything = sent.message().as_string()
        assert str(access.pk) in sent.body
        for word in ("Zara", "Collapsed", str(clinician), clinician.email):
            assert word not in everything


def test_a_manager_who_left_before_the_mail_gets_none(client, clinician, patient):
    manager = make_user(role=Role.MANAGER)
    open_record(client)
    manager.is_active = False
    manager.save()
    outbox.tick(NOW)
    assert Message.objects.get().reason == "no-account"
    assert mail.outbox == []


def test_managers_find_it_in_the_admin_and_cannot_change_it(client, clinician, patient):
    open_record(client)
    access = EmergencyAccess.objects.get()
    sign_in(client, make_user(role=Role.MANAGER))
    listed = client.get(reverse("admin:clinic_emergencyaccess_changelist")).content.decode()
    assert REASON in listed
    page = reverse("admin:clinic_emergencyaccess_change", args=[access.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"reason": "x"}).status_code == 403
    sign_in(client, make_user(role=Role.FRONT_DESK))
    assert client.get(page).status_code in (403, 404)


@pytest.mark.parametrize(
    "given",
    [{"name": "Zara"}, {"name": "%"}, {"birth_date": date(1990, 2, 1)}, {"name": "Zara Ñandú x"}],
    ids=str,
)
def test_nothing_less_than_name_and_birth_date_opens_a_record(client, clinician, patient, given):
    response = open_record(client, **given)
    assert "Nobody on file" in response.content.decode()
    assert not EmergencyAccess.objects.exists()
    denied = AuditEvent.objects.get(action=AuditEvent.Action.DENIED)
    assert denied.subject_type == "open_in_emergency"


@pytest.mark.parametrize("name", ["zara ñandú", "  ZARA   ÑANDÚ ", "Zara N\u0303andu\u0301"])
def test_a_name_may_be_typed_in_any_case_and_spacing(client, clinician, patient, name):
    assert open_record(client, name=name).status_code == 302


@pytest.mark.parametrize("reason", ["", "  ", "urgent"])
def test_without_a_reason_in_words_nothing_opens(client, clinician, patient, reason):
    assert open_record(client, reason=reason).status_code == 200
    assert not EmergencyAccess.objects.exists()


def test_a_record_that_was_made_twice_opens_in_both_halves(client, clinician, patient):
    twin = make_patient(name="Zara Ñandú", birth_date=BORN)
    page = client.get(open_record(client)["Location"]).content.decode()
    assert summary_url(patient) in page
    assert summary_url(twin) in page


def test_names_cannot_be_guessed_in_bulk(client, clinician, patient):
    statuses = [
        open_record(client, name="Nobody").status_code
        for _ in range(EMERGENCIES_PER_USER.burst + 1)
    ]
    assert statuses == [200] * EMERGENCIES_PER_USER.burst + [429]


def test_it_opens_to_this_clinician_alone_and_only_while_one(clinician, patient):
    make_emergency_access(user=clinician, patient=patient)
    note = PrivateNote.objects.create(
        patient=patient, text="x", written_by=clinician, written_at=NOW
    )
    assert list(Patient.objects.visible_to(clinician)) == [patient]
    assert list(PrivateNote.objects.visible_to(clinician)) == [note]
    assert not Patient.objects.visible_to(make_clinician()).exists()
    clinician.is_active = False
    assert not Patient.objects.visible_to(clinician).exists()


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.MANAGER])
def test_only_clinicians_open_records_in_an_emergency(client, patient, role):
    make_practice()
    sign_in(client, make_user(role=role))
    assert client.get(URL).status_code == 404
    assert open_record(client).status_code == 404
    assert not EmergencyAccess.objects.exists()


def test_the_database_wants_a_reason_and_an_end(clinician, patient):
    for fields in ({"reason": ""}, {"expires_at": NOW}):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_emergency_access(user=clinician, patient=patient, **fields)
