import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from clinic.models import AuditEvent
from clinic.security import audit
from tests.factories import NOW, make_audit_event, make_patient, make_user

pytestmark = pytest.mark.django_db


def make_sealed_events(count):
    events = [make_audit_event(at=NOW + timedelta(seconds=number)) for number in range(count)]
    audit.seal()
    return events


def test_an_event_names_the_row_and_the_fields_but_no_value():
    patient, user = make_patient(name="Zzyzx Canary"), make_user()
    event = audit.record(
        action=AuditEvent.Action.CHANGE,
        user=user,
        subject=patient,
        patient_id=patient.pk,
        fields=["phone", "name"],
        now=NOW,
    )
    assert (event.subject_type, event.subject_id) == ("clinic.patient", str(patient.pk))
    assert event.fields == ["name", "phone"]
    assert "Canary" not in str([getattr(event, f.attname) for f in event._meta.fields])


def test_events_outlive_the_patient_they_are_about():
    patient = make_patient()
    event = make_audit_event(patient_id=patient.pk)
    patient.delete()
    event.refresh_from_db()
    assert event.patient_id is not None


def test_sealing_numbers_the_rows_in_order_and_only_once():
    events = make_sealed_events(3)
    later = make_audit_event(at=NOW + timedelta(days=1))
    assert audit.seal() == 1
    assert audit.seal() == 0
    numbers = [AuditEvent.objects.get(pk=event.pk).sealed_no for event in [*events, later]]
    assert numbers == [1, 2, 3, 4]
    assert audit.verify() == ([], 0)


def test_a_row_that_commits_late_is_sealed_after_the_others():
    make_sealed_events(2)
    late = make_audit_event(at=NOW - timedelta(minutes=5))
    audit.seal()
    late.refresh_from_db()
    assert late.sealed_no == 3
    assert audit.verify() == ([], 0)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("action", "change"),
        ("subject_id", "another"),
        ("fields", ["phone"]),
        ("at", NOW + timedelta(hours=1)),
        ("patient_id", "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_altering_a_sealed_row_is_found_and_named(column, value):
    events = make_sealed_events(3)
    AuditEvent.objects.filter(pk=events[1].pk).update(**{column: value})
    faults, _ = audit.verify()
    assert faults == [f"row {events[1].pk} (sealed 2) was altered"]


def test_blaming_somebody_else_is_found():
    events = make_sealed_events(3)
    AuditEvent.objects.filter(pk=events[1].pk).update(user=make_user())
    assert audit.verify()[0] == [f"row {events[1].pk} (sealed 2) was altered"]


def test_removing_a_sealed_row_is_found():
    events = make_sealed_events(4)
    AuditEvent.objects.filter(pk=events[1].pk).delete()
    assert audit.verify()[0] == ["sealed rows 2 to 2 are missing"]


def test_renumbering_after_a_removal_is_found():
    events = make_sealed_events(4)
    AuditEvent.objects.filter(pk=events[1].pk).delete()
    for number, event in enumerate(events[2:], start=2):
        AuditEvent.objects.filter(pk=event.pk).update(sealed_no=number)
    assert len(audit.verify()[0]) == 2


def test_verify_audit_fails_on_a_fault_and_names_the_row(capsys):
    events = make_sealed_events(2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE clinic_auditevent SET subject_type = 'x' WHERE sealed_no = 1")
    with pytest.raises(CommandError, match="broken in 1 places"):
        call_command("verify_audit")
    assert str(events[0].pk) in capsys.readouterr().err


def test_verify_audit_passes_on_a_whole_chain_and_counts_the_unsealed_tail(capsys):
    make_sealed_events(2)
    make_audit_event()
    call_command("verify_audit")
    out = capsys.readouterr().out
    assert "1 rows are not sealed yet" in out
    assert "whole" in out


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("already_sealed", [0, 3], ids=["first seal ever", "later seal"])
def test_two_sealers_at_once_leave_one_whole_chain(already_sealed):
    make_sealed_events(already_sealed)
    for number in range(40):
        make_audit_event(at=NOW + timedelta(hours=1, seconds=number))
    start, errors, sealed = threading.Barrier(4), [], []

    def seal_at_the_same_moment():
        start.wait()
        try:
            sealed.append(audit.seal())
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    sealers = [threading.Thread(target=seal_at_the_same_moment) for _ in range(4)]
    for sealer in sealers:
        sealer.start()
    for sealer in sealers:
        sealer.join()
    audit.seal()
    assert errors == []
    assert 40 in sealed
    assert audit.verify() == ([], 0)
    assert AuditEvent.objects.count() == already_sealed + 40
