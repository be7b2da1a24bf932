from datetime import timedelta

import pytest

from clinic.models import Message
from intake.models import Questionnaire, QuestionnaireResponse, SafetyAlert
from intake.rules.levels import Level
from intake.workflow import gate
from tests.factories import (
    NOW,
    make_alert,
    make_patient,
    make_practice,
    make_response,
    make_user,
)

pytestmark = pytest.mark.django_db

VISITOR = "a" * 64


@pytest.fixture
def questionnaire():
    return Questionnaire.objects.publish_shipped(now=NOW)


def item(link_id, *codes):
    return {"linkId": link_id, "answer": [{"valueCoding": {"code": code}} for code in codes]}


def save(response, *answers, is_complete=True, patient=None, now=NOW):
    return gate.save(
        response,
        items=[{"linkId": "safety", "item": list(answers)}],
        is_complete=is_complete,
        patient=patient,
        language="en",
        practice=make_practice(),
        now=now,
    )


@pytest.fixture
def response(questionnaire):
    return QuestionnaireResponse(questionnaire=questionnaire, visitor_hash=VISITOR)


def found(now=NOW, visitor_hash=VISITOR, patient=None):
    return gate.response_of(visitor_hash=visitor_hash, patient=patient, now=now)


def test_the_latest_published_version_is_asked(questionnaire):
    newer = questionnaire.content | {"version": "2.0.0"}
    Questionnaire.objects.store(newer, publish=False, now=NOW)
    assert gate.questionnaire() == questionnaire
    published = Questionnaire.objects.publish(newer, now=NOW + timedelta(days=1))
    assert gate.questionnaire() == published


def test_answers_are_found_by_the_visitor_who_gave_them_and_by_nobody_else(response):
    save(response, item("safety-nerve", "none"))
    assert found() == response
    assert found(visitor_hash="b" * 64) is None
    assert found(visitor_hash="") is None


def test_half_an_answer_is_kept_but_opens_nothing(response):
    save(response, item("safety-nerve", "none"), is_complete=False)
    assert not gate.is_answered(found(), now=NOW)
    save(response, item("safety-nerve", "none"))
    assert gate.is_answered(found(), now=NOW)
    assert not gate.is_answered(found(), now=NOW + timedelta(hours=24))


def test_half_an_answer_with_a_danger_sign_raises_the_alert(response):
    outcome = save(response, item("safety-nerve", "saddle-numb"), is_complete=False)
    assert outcome.level == Level.EMERGENCY
    alert = SafetyAlert.objects.get()
    assert alert.visitor_hash == VISITOR
    assert {message.subject_id for message in Message.objects.all()} == {alert.pk}


def test_a_worse_answer_raises_a_second_alert_and_the_same_one_none(response):
    save(response, item("safety-illness", "fever"))
    save(response, item("safety-illness", "fever"))
    assert SafetyAlert.objects.count() == 1
    save(response, item("safety-illness", "fever"), item("safety-nerve", "saddle-numb"))
    assert [alert.level for alert in SafetyAlert.objects.order_by("level")] == [
        Level.URGENT,
        Level.EMERGENCY,
    ]


def test_answering_again_never_lowers_an_alerts_level(response):
    save(response, item("safety-illness", "fever"))
    outcome = save(response, item("safety-illness", "none"))
    assert outcome.level == Level.URGENT
    assert "urgent-only" in outcome.restrictions
    assert outcome.messages[0] == "M3"


def test_correcting_an_answer_does_not_lower_soon(response):
    save(response, item("safety-cancer", "tired-unwell"))
    outcome = save(response, item("safety-cancer", "none"))
    assert outcome.level == Level.SOON
    assert outcome.rule_ids == ("T-S8", "T-R0")
    assert "soon-only" in outcome.restrictions
    assert outcome.messages == ("M4",)
    response.refresh_from_db()
    assert save(response, item("safety-cancer", "none")).level == Level.SOON


def test_a_corrected_soon_answer_stops_counting_when_a_clinician_lowers_the_level(response):
    save(response, item("safety-cancer", "tired-unwell"))
    save(response, item("safety-cancer", "none"))
    response.lower(level=Level.ROUTINE, reason="A slip of the finger", by=make_user(), now=NOW)
    assert save(response, item("safety-cancer", "none")).level == Level.ROUTINE
    # What is still answered so goes on counting.
    assert save(response, item("safety-cancer", "tired-unwell")).level == Level.SOON


def test_somebody_elses_soon_does_not_stick(response, questionnaire):
    save(response, item("safety-cancer", "tired-unwell"))
    other = QuestionnaireResponse(questionnaire=questionnaire, visitor_hash="b" * 64)
    assert save(other, item("safety-cancer", "none")).level == Level.ROUTINE


def test_a_rule_that_staff_have_judged_no_longer_counts(response):
    save(response, item("safety-nerve", "saddle-numb"))
    SafetyAlert.objects.get().reopen_booking(by=make_user(), now=NOW)
    outcome = gate.current_triage(response, patient=None, practice=make_practice(), now=NOW)
    assert outcome.level == Level.ROUTINE
    worse = save(response, item("safety-nerve", "saddle-numb"), item("safety-body", "tearing"))
    assert worse.level == Level.EMERGENCY
    assert SafetyAlert.objects.blocking().get().rules[0] == "T-E3"


def test_a_patients_new_answers_do_not_lower_the_level_of_an_alert_that_stands(questionnaire):
    patient = make_patient()
    alert = make_alert(patient=patient, level=Level.URGENT)
    again = QuestionnaireResponse(questionnaire=questionnaire, visitor_hash=VISITOR)
    assert save(again, item("safety-illness", "none"), patient=patient).level == Level.URGENT
    assert SafetyAlert.objects.get() == alert
    alert.reopen_booking(by=make_user(), now=NOW)
    assert save(again, item("safety-illness", "none"), patient=patient).level == Level.ROUTINE


def test_a_rule_judged_for_earlier_answers_counts_when_it_comes_up_again(questionnaire):
    patient = make_patient()
    make_alert(patient=patient, level=Level.URGENT, rules=["T-U4"], booking_reopened_at=NOW)
    again = QuestionnaireResponse(questionnaire=questionnaire, visitor_hash=VISITOR)
    outcome = save(again, item("safety-illness", "fever"), patient=patient)
    assert outcome.level == Level.URGENT
    assert SafetyAlert.objects.blocking().get().response == again


def test_an_emergency_shuts_booking_for_its_visitor_and_its_patient():
    patient = make_patient()
    alert = make_alert(visitor_hash=VISITOR, patient=patient)
    make_alert(level=Level.URGENT, visitor_hash="c" * 64)
    assert gate.emergency_alert(visitor_hash=VISITOR, patient=None) == alert
    assert gate.emergency_alert(visitor_hash="", patient=patient) == alert
    assert gate.emergency_alert(visitor_hash="", patient=None) is None
    assert gate.emergency_alert(visitor_hash="c" * 64, patient=make_patient()) is None
    alert.reopen_booking(by=make_user(), now=NOW)
    assert gate.emergency_alert(visitor_hash=VISITOR, patient=patient) is None


def test_attached_answers_and_alerts_belong_to_the_patient(response):
    save(response, item("safety-illness", "fever"))
    patient = make_patient()
    gate.attach(response, patient)
    assert found() is None
    assert found(patient=patient) == response
    assert SafetyAlert.objects.get().patient == patient
    gate.attach(response, make_patient())
    response.refresh_from_db()
    assert response.patient == patient


def test_an_earlier_intake_counts_except_for_its_safety_answers(response):
    patient = make_patient()
    make_response(
        patient=patient,
        questionnaire=response.questionnaire,
        status=QuestionnaireResponse.Status.COMPLETED,
        submitted_at=NOW - timedelta(days=30),
        items=[
            {"linkId": "safety", "item": [item("safety-illness", "fever")]},
            {
                "linkId": "consent",
                "item": [{"linkId": "consent-signature", "answer": [{"valueString": "Ana"}]}],
            },
        ],
    )
    outcome = save(response, item("safety-illness", "none"), patient=patient)
    assert outcome.level == Level.ROUTINE
    assert "intake-incomplete" not in outcome.restrictions
    assert "intake-incomplete" in save(response, item("safety-illness", "none")).restrictions


def test_day_old_answers_go_unless_something_came_of_them(questionnaire):
    kept_for_its_alert = make_response(questionnaire=questionnaire, visitor_hash="1" * 64)
    make_alert(response=kept_for_its_alert)
    kept_for_its_patient = make_response(questionnaire=questionnaire, patient=make_patient())
    abandoned = make_response(questionnaire=questionnaire, visitor_hash="2" * 64)
    QuestionnaireResponse.objects.update(updated_at=NOW)
    assert gate.forget_unclaimed(now=NOW + timedelta(hours=23)) == 0
    assert gate.forget_unclaimed(now=NOW + timedelta(hours=25)) == 1
    left = set(QuestionnaireResponse.objects.all())
    assert left == {kept_for_its_alert, kept_for_its_patient}
    assert abandoned not in left


def test_answers_taken_in_two_windows_at_once_go_to_one_patient(response):
    save(response, item("safety-illness", "none"))
    elsewhere = QuestionnaireResponse.objects.get(pk=response.pk)
    first, second = make_patient(), make_patient()
    gate.attach(response, first)
    gate.attach(elsewhere, second)
    assert QuestionnaireResponse.objects.get().patient == first
    assert elsewhere.patient is None
