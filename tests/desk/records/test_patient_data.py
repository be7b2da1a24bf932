"""Handing over and erasing everything about one patient."""

import io
import json
import stat
import time
import zipfile
from datetime import timedelta
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.utils import timezone
from fhir.resources.R4B.appointment import Appointment as FhirAppointment
from fhir.resources.R4B.bundle import Bundle as FhirBundle
from fhir.resources.R4B.observation import Observation as FhirObservation
from fhir.resources.R4B.patient import Patient as FhirPatient
from fhir.resources.R4B.questionnaire import Questionnaire as FhirQuestionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as FhirResponse

from booking.models import Appointment, StatusChange
from clinic.encryption import EncryptedJSONField, EncryptedTextField
from clinic.models import AuditEvent, Link, Message, Patient, Role
from clinic.security import audit
from desk.records import erasure
from desk.records.export import SECRET
from intake.models import (
    Observation,
    PrivateNote,
    Questionnaire,
    QuestionnaireResponse,
    SafetyAlert,
)
from intake.rules.levels import Level
from tests import factories as make

pytestmark = pytest.mark.django_db

CANARY = "Zzyzx"
BYTEA = 17
WORDY = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.DateField,
    models.BinaryField,
)


def _group(link_id, question, words):
    answer = {"linkId": question, "answer": [{"valueString": words}]}
    return {"linkId": link_id, "item": [answer]}


class Zzyzx:
    """A patient in every one of whose columns that holds words stands the same word."""

    def __init__(self):
        now = timezone.now()
        make.make_practice()
        self.patient = make.make_patient(
            name=f"{CANARY} Canary",
            email=f"{CANARY}@example.org",
            phone=f"+1 {CANARY}",
            guardian_name=f"{CANARY} Guardian",
        )
        nurse = make.make_clinician()
        self.response = make.make_response(
            patient=self.patient,
            questionnaire=Questionnaire.objects.publish_shipped(now=now),
            status="completed",
            submitted_at=now,
            signed_by=CANARY,
            level=Level.SOON,
            rules=[f"T-{CANARY}"],
            items=[
                _group("habit", "periods", f"{CANARY} private"),
                _group("goal", "goal-words", f"{CANARY} words"),
            ],
        )
        make.make_agreement(response=self.response)
        make.make_earlier_answers(response=self.response, signed_by=CANARY)
        self.alert = make.make_alert(
            patient=self.patient,
            response=self.response,
            callback_name=CANARY,
            callback_phone=CANARY,
            rules=[f"T-{CANARY}"],
            level=Level.URGENT,
        )
        self.alert.acknowledge(by=nurse, now=now)
        self.visit = make.make_appointment(
            patient=self.patient,
            practitioner=nurse.practitioner,
            start=now - timedelta(days=9),
            status="fulfilled",
            intake_response=self.response,
            phone_screen_note=CANARY,
            overlap_reason=CANARY,
            visitor_hash=CANARY,
            booking_key=CANARY,
        )
        StatusChange.objects.create(
            appointment=self.visit, to_status="booked", at=now, reason=f"{CANARY} reason"
        )
        make.make_care(patient=self.patient, practitioner=nurse.practitioner)
        make.make_emergency_access(user=nurse, patient=self.patient, reason=f"{CANARY} reason")
        PrivateNote.objects.create(
            patient=self.patient, text=f"{CANARY} note", written_by=nurse, written_at=now
        )
        self.response.lower(level=Level.ROUTINE, reason=CANARY, by=nurse, now=now)
        self.message = make.make_message(patient=self.patient, state="sent", raw=CANARY.encode())
        Message.objects.create(
            kind="safety-alert",
            user=nurse,
            subject_type="intake.safetyalert",
            subject_id=self.alert.pk,
            due_at=now,
            next_attempt_at=now,
            expires_at=now,
            raw=CANARY.encode(),
        )
        make.make_desk_task(patient=self.patient)
        make.make_link(patient=self.patient, message=self.message)
        make.make_audit_event(patient_id=self.patient.pk, subject_id=str(self.patient.pk))


def tables_with(word):
    """Look for a word in every column of every table, as text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            for column in connection.introspection.get_table_description(cursor, table):
                name = connection.ops.quote_name(column.name)
                is_binary = connection.vendor == "postgresql" and column.type_code == BYTEA
                text = f"encode({name}, 'escape')" if is_binary else f"CAST({name} AS text)"
                cursor.execute(
                    f"SELECT count(*) FROM {connection.ops.quote_name(table)} WHERE {text} LIKE %s",
                    [f"%{word}%"],
                )
                if cursor.fetchone()[0]:
                    found.append(f"{table}.{column.name}")
    return found


def erase(*arguments, patient):
    call_command("erase_patient", str(patient.pk), *arguments, verbosity=0)


def test_the_canary_stands_in_every_table_before():
    """Guards the next test: it would pass if the word had never been written."""
    Zzyzx()
    found = {place.partition(".")[0] for place in tables_with(CANARY)}
    assert found >= {
        "clinic_patient",
        "clinic_message",
        "clinic_emergencyaccess",
        "intake_questionnaireresponse",
        "intake_earlieranswers",
        "intake_agreement",
        "intake_safetyalert",
        "intake_privatenote",
        "intake_loweredlevel",
        "booking_appointment",
        "booking_statuschange",
    }


def test_after_erasing_nothing_of_the_patient_is_in_any_table():
    canary = Zzyzx()
    while audit.seal():
        pass
    erase("--yes", patient=canary.patient)
    assert tables_with(CANARY) == []
    faults, _unsealed = audit.verify()
    assert faults == []
    assert AuditEvent.objects.filter(action="erase", patient_id=canary.patient.pk).exists()


def test_bare_visits_and_alerts_stay_to_be_counted():
    canary = Zzyzx()
    erase("--yes", patient=canary.patient)
    visit = Appointment.objects.get(pk=canary.visit.pk)
    assert (visit.start, visit.status) == (canary.visit.start, "fulfilled")
    assert visit.status_changes.count() == 1
    assert str(visit.patient) == "Erased patient"
    assert visit.patient.birth_date is None
    alert = SafetyAlert.objects.get()
    assert (alert.level, alert.rules, alert.response) == (Level.URGENT, [], None)
    assert not QuestionnaireResponse.objects.exists()
    assert not Message.objects.exists()
    assert not Link.objects.exists()


def test_others_keep_everything():
    canary, other = Zzyzx(), make.make_response(patient=make.make_patient(name="Bo Other"))
    make.make_link(patient=other.patient)
    erase("--yes", patient=canary.patient)
    assert QuestionnaireResponse.objects.get() == other
    assert Link.objects.count() == 1
    assert Patient.objects.get(pk=other.patient_id).name == "Bo Other"


def test_a_rehearsal_changes_nothing_and_says_what_would_go(capsys):
    canary = Zzyzx()
    before = tables_with(CANARY)
    erase("--dry-run", patient=canary.patient)
    assert tables_with(CANARY) == before
    said = capsys.readouterr().out
    assert "intake.QuestionnaireResponse: 1 deleted" in said
    assert "booking.Appointment: 1 kept without words" in said
    assert not AuditEvent.objects.filter(action="erase").exists()


def test_a_visit_to_come_has_to_be_cancelled_first():
    canary = Zzyzx()
    coming = make.make_appointment(
        patient=canary.patient, start=timezone.now() + timedelta(days=2), status="booked"
    )
    with pytest.raises(CommandError, match="still to come"):
        erase("--yes", patient=canary.patient)
    erase("--yes", "--cancel", patient=canary.patient)
    coming.refresh_from_db()
    assert coming.status == "cancelled"
    assert not Message.objects.exists()  # nobody is left to be told


def test_an_open_alert_is_seen_to_first():
    canary = Zzyzx()
    make.make_alert(patient=canary.patient)
    with pytest.raises(CommandError, match="alert"):
        erase("--yes", patient=canary.patient)


def test_an_unknown_or_erased_patient_is_an_error():
    with pytest.raises(CommandError, match="no patient"):
        call_command("erase_patient", str(uuid4()), "--yes")
    canary = Zzyzx()
    erase("--yes", patient=canary.patient)
    with pytest.raises(CommandError, match="already"):
        erase("--yes", patient=canary.patient)


def test_the_front_desk_does_not_see_who_was_erased():
    canary = Zzyzx()
    desk = make.make_user()
    assert Patient.objects.visible_to(desk).filter(pk=canary.patient.pk).exists()
    erase("--yes", patient=canary.patient)
    assert not Patient.objects.visible_to(desk).filter(pk=canary.patient.pk).exists()


def test_every_model_about_a_patient_is_erased_or_named_as_kept():
    """A new model that keeps its rows from going, or a new column of words in a kept one."""
    faults = []
    for model in erasure.tables():
        label = model._meta.label
        if model is Patient or label not in erasure.KEPT:
            continue
        settled = erasure.KEPT[label].keys() | erasure.HARMLESS[label]
        faults += [
            f"{label}.{column.name} is neither emptied nor harmless"
            for column in model._meta.concrete_fields
            if isinstance(column, WORDY)
            and not isinstance(column, models.DateTimeField)
            and column.name not in settled
        ]
        faults += [
            f"{label}.{column.name} would keep a row of the patient from being deleted"
            for column in model._meta.concrete_fields
            if isinstance(column, models.ForeignKey)
            and column.related_model in erasure.tables()
            and column.related_model._meta.label not in {*erasure.KEPT, "clinic.Patient"}
            and column.remote_field.on_delete is not models.SET_NULL
        ]
    assert faults == []


def test_no_model_names_a_patient_by_id_unless_it_is_known():
    """Without a foreign key the erasing would not find it."""
    loose = {
        f"{model._meta.label}.{column.name}"
        for model in apps.get_models()
        for column in model._meta.concrete_fields
        if isinstance(column, models.UUIDField)
        and not column.primary_key
        and column.name not in {"id", "subject_id", "claim", "public_id"}
    }
    assert loose == {"clinic.AuditEvent.patient_id"}


def test_words_that_staff_type_about_patients_are_encrypted_fields():
    """Free text of a model about patients is encrypted at rest, or known not to be."""
    plain = {
        f"{model._meta.label}.{column.name}"
        for model in erasure.tables()
        for column in model._meta.concrete_fields
        if isinstance(column, models.TextField)
        and not isinstance(column, EncryptedTextField | EncryptedJSONField)
    }
    assert plain == set()


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_on_sqlite_the_file_itself_holds_nothing_afterwards():
    canary = Zzyzx()
    path = connection.settings_dict["NAME"]

    def bytes_on_disk():
        return b"".join(
            file.read_bytes() for file in path.parent.glob(f"{path.name}*") if file.is_file()
        )

    assert CANARY.encode() in bytes_on_disk()
    erase("--yes", patient=canary.patient)
    assert CANARY.encode() not in bytes_on_disk()


# Handing over


def export(patient, path, *arguments):
    call_command("export_patient", str(patient.pk), str(path), *arguments, verbosity=0)
    return zipfile.ZipFile(io.BytesIO(path.read_bytes()))


def test_the_copy_holds_every_table_and_the_answers_in_words(tmp_path):
    canary = Zzyzx()
    archive = export(canary.patient, tmp_path / "copy.zip")
    record = json.loads(archive.read("record.json"))
    models_of_patient = {model._meta.label for model in erasure.tables()}
    assert record.keys() == models_of_patient | {"clinic.AuditEvent"}
    assert record["clinic.Patient"][0]["name"] == f"{CANARY} Canary"
    assert record["intake.PrivateNote"][0]["text"] == f"{CANARY} note"
    assert record["booking.StatusChange"][0]["reason"] == f"{CANARY} reason"
    assert len(record["clinic.AuditEvent"]) == 1
    assert not SECRET & {name for rows in record.values() for row in rows for name in row}
    assert any(name.startswith("privacy-notice-") for name in archive.namelist())
    assert f"{CANARY} words" in archive.read("answers-1.txt").decode()


def test_private_answers_are_in_the_copy_only_when_asked_for(tmp_path):
    canary = Zzyzx()
    private = f"{CANARY} private"
    usual = export(canary.patient, tmp_path / "usual.zip")
    assert not any(private in usual.read(name).decode() for name in usual.namelist())
    assert "left out" in usual.read("answers-1.txt").decode()
    whole = export(canary.patient, tmp_path / "whole.zip", "--with-private-answers")
    assert private in whole.read("record.json").decode()
    assert private in whole.read("fhir.json").decode()


RESOURCES = {
    "Appointment": FhirAppointment,
    "Observation": FhirObservation,
    "Patient": FhirPatient,
    "Questionnaire": FhirQuestionnaire,
    "QuestionnaireResponse": FhirResponse,
}


def exported_resources(patient, path, *arguments):
    """The resources of the copy's bundle by kind, each read by an independent reader."""
    bundle = json.loads(export(patient, path, *arguments).read("fhir.json"))
    FhirBundle.model_validate(bundle)
    found = {}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        RESOURCES[resource["resourceType"]].model_validate(resource)
        assert entry["fullUrl"].endswith(f"/{resource['resourceType']}/{resource['id']}")
        found.setdefault(resource["resourceType"], []).append(resource)
    return found


def test_the_copy_holds_resources_that_other_systems_read(tmp_path):
    canary = Zzyzx()
    Observation.objects.create(
        patient=canary.patient,
        response=canary.response,
        code="pain-now",
        value=4,
        effective_at=timezone.now(),
    )
    found = exported_resources(canary.patient, tmp_path / "copy.zip")
    assert found.keys() == RESOURCES.keys()
    (patient,), (visit,), (number,) = (
        found[kind] for kind in ("Patient", "Appointment", "Observation")
    )
    reference = {"reference": f"Patient/{patient['id']}"}
    assert patient["name"] == [{"text": f"{CANARY} Canary"}]
    assert visit["status"] == "fulfilled"
    assert visit["participant"][0]["actor"] == number["subject"] == reference
    (answers,), (form,) = found["QuestionnaireResponse"], found["Questionnaire"]
    assert answers["questionnaire"] == f"{form['url']}|{form['version']}"
    assert f"{CANARY} words" in str(answers)


def test_the_resources_of_others_are_not_in_the_copy(tmp_path):
    canary = Zzyzx()
    other = make.make_response(patient=make.make_patient(name="Bo Other"))
    make.make_appointment(patient=other.patient)
    found = exported_resources(canary.patient, tmp_path / "copy.zip")
    assert {kind: len(rows) for kind, rows in found.items()} == {
        "Patient": 1,
        "Appointment": 1,
        "Questionnaire": 1,
        "QuestionnaireResponse": 1,
    }


def test_the_phone_of_a_child_s_parent_stands_with_the_parent(tmp_path):
    child = make.make_patient(
        contact_relation="guardian", guardian_name="Eva Runner", phone="512 555 0123", email=""
    )
    (patient,) = exported_resources(child, tmp_path / "copy.zip")["Patient"]
    assert "telecom" not in patient
    (contact,) = patient["contact"]
    assert contact["name"] == {"text": "Eva Runner"}
    assert contact["telecom"] == [{"system": "phone", "value": "512 555 0123"}]


def test_a_contact_of_whom_nothing_is_known_is_left_out(tmp_path):
    child = make.make_patient(contact_relation="guardian", phone="", email="")
    (patient,) = exported_resources(child, tmp_path / "copy.zip")["Patient"]
    assert "contact" not in patient


def test_only_its_owner_can_read_the_copy_and_no_file_is_overwritten(tmp_path):
    canary, path = Zzyzx(), tmp_path / "copy.zip"
    export(canary.patient, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert AuditEvent.objects.get(action="export").patient_id == canary.patient.pk
    with pytest.raises(CommandError, match="exists"):
        export(canary.patient, path)


# In the admin


def page_of(patient):
    return f"/admin/clinic/patient/{patient.pk}/erase/"


def test_a_manager_erases_after_typing_the_initials(client):
    canary = Zzyzx()
    make.sign_in(client, make.make_user(role=Role.MANAGER))
    change_page = client.get(f"/admin/clinic/patient/{canary.patient.pk}/change/")
    assert page_of(canary.patient) in change_page.content.decode()
    assert "rows are deleted" in client.get(page_of(canary.patient)).content.decode()
    wrong = client.post(page_of(canary.patient), {"initials": "AB"})
    assert wrong.context["form"].errors["initials"]
    assert tables_with(CANARY)
    client.post(page_of(canary.patient), {"initials": "zc"})
    assert tables_with(CANARY) == []
    assert AuditEvent.objects.get(action="erase").user is not None


def test_the_password_is_asked_again_first(client):
    canary = Zzyzx()
    user = make.make_user(role=Role.MANAGER, password=make.PASSWORD)
    make.sign_in(client, user, at=time.time() - 10 * 60)
    for method in (client.get, client.post):
        response = method(page_of(canary.patient), {"initials": "ZC"})
        assert response["Location"].startswith("/accounts/reauthenticate/")
    assert tables_with(CANARY)


def test_a_visit_to_come_is_cancelled_only_when_ticked(client):
    canary = Zzyzx()
    visit = make.make_appointment(
        patient=canary.patient, start=timezone.now() + timedelta(days=2), status="booked"
    )
    make.sign_in(client, make.make_user(role=Role.MANAGER))
    refused = client.post(page_of(canary.patient), {"initials": "ZC"})
    assert "still to come" in refused.content.decode()
    client.post(page_of(canary.patient), {"initials": "ZC", "cancels": "on"})
    visit.refresh_from_db()
    assert visit.status == "cancelled"


def test_the_front_desk_cannot_erase(client):
    canary = Zzyzx()
    make.sign_in(client, make.make_user())
    assert client.post(page_of(canary.patient), {"initials": "ZC"}).status_code == 403
    change_page = client.get(f"/admin/clinic/patient/{canary.patient.pk}/change/")
    assert page_of(canary.patient) not in change_page.content.decode()
