"""What a clinician decides on a patient's page: lower a level, mark reviewed, keep a note."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from clinic.models import AuditEvent, Message, Role
from intake.models import LoweredLevel, PrivateNote
from intake.rules.levels import Level
from tests.desk.clinician.test_clinician import make_intake, make_own_patient
from tests.factories import (
    NOW,
    make_appointment,
    make_care,
    make_clinician,
    make_patient,
    make_response,
    make_user,
    sign_in,
)

pytestmark = pytest.mark.django_db

REASON = "Reflexes and power are normal today"
NOTE = "Asked not to be called at work"


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinician(clinician):
    clinician.first_name, clinician.last_name = "Mara", "Voss"
    clinician.save()
    return clinician


@pytest.fixture
def answers(clinician):
    return make_intake(make_own_patient(clinician), level=Level.URGENT)


def lower(client, answers, *, level=Level.SOON, reason=REASON):
    url = reverse("lower_level", args=[answers.pk])
    return client.post(url, {"level": int(level), "reason": reason}, follow=True)


def words_of(response):
    return " ".join(response.content.decode().split())


def test_a_lowered_level_stands_beside_the_rules_own_with_name_and_reason(client, answers):
    page = words_of(lower(client, answers))
    said = f"(rules: Urgent), lowered by Mara Voss because {REASON}"
    assert said in page
    assert '<span class="level level-soon">Soon</span>' in page
    answers.refresh_from_db()
    assert (answers.level, answers.shown_level) == (Level.URGENT, Level.SOON)
    event = AuditEvent.objects.get(action=AuditEvent.Action.CREATE)
    assert (event.user, event.patient_id) == (answers.lowered.lowered_by, answers.patient_id)
    assert event.fields == ["level", "reason"]


def test_the_clinicians_day_shows_both_levels_and_the_reason(client, clinician, answers):
    lower(client, answers)
    make_appointment(
        patient=answers.patient,
        practitioner=clinician.practitioner,
        start=NOW,
        intake_response=answers,
    )
    page = words_of(client.get(reverse("clinician_day")))
    assert f"lowered by Mara Voss because {REASON}" in page


def test_the_front_desk_sees_who_lowered_the_level_but_not_why(client, clinician, answers):
    lower(client, answers)
    visit = make_appointment(
        patient=answers.patient, practitioner=clinician.practitioner, intake_response=answers
    )
    sign_in(client, make_user(role=Role.FRONT_DESK))
    page = words_of(client.get(reverse("admin:booking_appointment_change", args=[visit.pk])))
    assert "rules: Urgent, lowered by Mara Voss" in page
    assert REASON not in page


@pytest.mark.parametrize(
    "fields",
    [{"reason": ""}, {"reason": "  "}, {"level": Level.URGENT}, {"level": Level.EMERGENCY}],
    ids=str,
)
def test_a_level_is_not_lowered_without_a_reason_nor_raised(client, answers, fields):
    assert "Not lowered" in words_of(lower(client, answers, **fields))
    assert not LoweredLevel.objects.exists()


def test_a_level_can_be_lowered_again_and_every_reason_is_kept(client, answers):
    lower(client, answers)
    lower(client, answers, level=Level.ROUTINE, reason="Seen twice since")
    answers.refresh_from_db()
    assert answers.shown_level == Level.ROUTINE
    assert [one.reason for one in answers.lowered_levels.all()] == ["Seen twice since", REASON]


def test_a_judgement_ends_when_the_rules_find_something_else(client, clinician, answers):
    answers.lower(level=Level.SOON, reason=REASON, by=clinician, now=NOW)
    answers.level = Level.EMERGENCY
    answers.save()
    assert answers.lowered is None
    assert answers.shown_level == Level.EMERGENCY


def test_the_database_keeps_a_lowered_level_below_the_rules_and_explained(clinician, answers):
    for level, reason in ((Level.URGENT, REASON), (Level.SOON, "")):
        with pytest.raises(IntegrityError), transaction.atomic():
            answers.lowered_levels.create(
                rules_level=Level.URGENT,
                level=level,
                reason=reason,
                lowered_by=clinician,
                lowered_at=NOW,
            )


def test_the_first_review_keeps_name_and_time(client, clinician, answers):
    url = reverse("mark_reviewed", args=[answers.pk])
    assert client.get(url).status_code == 405
    page = words_of(client.post(url, follow=True))
    assert "reviewed by Mara Voss" in page
    assert url not in page
    colleague = make_clinician()
    make_care(patient=answers.patient, practitioner=colleague.practitioner)
    sign_in(client, colleague)
    assert "Mara Voss reviewed this before you" in words_of(client.post(url, follow=True))
    answers.refresh_from_db()
    assert (answers.reviewed_by, answers.reviewed_at) == (clinician, NOW)
    event = AuditEvent.objects.get(action=AuditEvent.Action.CHANGE)
    assert event.fields == ["reviewed_at", "reviewed_by"]


def test_a_note_is_for_the_clinicians_of_the_care_team_only(client, clinician, answers):
    url = reverse("write_note", args=[answers.patient_id])
    page = words_of(client.post(url, {"text": NOTE}, follow=True))
    assert NOTE in page
    note = PrivateNote.objects.get()
    assert (note.written_by, note.written_at) == (clinician, NOW)
    colleague, stranger = make_clinician(), make_clinician()
    make_care(patient=answers.patient, practitioner=colleague.practitioner)
    others = [stranger, make_user(role=Role.FRONT_DESK), make_user(role=Role.MANAGER)]
    assert list(PrivateNote.objects.visible_to(colleague)) == [note]
    assert not any(PrivateNote.objects.visible_to(other).exists() for other in others)
    assert not Message.objects.exists()


def test_what_is_typed_in_a_note_is_never_markup(client, answers):
    url = reverse("write_note", args=[answers.patient_id])
    page = client.post(url, {"text": "<script>alert(1)</script>"}, follow=True).content.decode()
    assert "<script>alert" not in page
    assert "Not kept" in words_of(client.post(url, {"text": "x" * 2001}, follow=True))
    assert PrivateNote.objects.count() == 1


def test_decisions_about_somebody_elses_patient_are_a_404_and_change_nothing(client, clinician):
    foreign = make_response(patient=make_patient(), level=Level.URGENT)
    posts = [
        (reverse("lower_level", args=[foreign.pk]), {"level": 0, "reason": REASON}),
        (reverse("mark_reviewed", args=[foreign.pk]), {}),
        (reverse("write_note", args=[foreign.patient_id]), {"text": NOTE}),
    ]
    for url, data in posts:
        assert client.post(url, data).status_code == 404
    foreign.refresh_from_db()
    assert foreign.reviewed_at is None
    assert not LoweredLevel.objects.exists()
    assert not PrivateNote.objects.exists()
