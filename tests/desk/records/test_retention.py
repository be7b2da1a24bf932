from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection

from clinic.models import Link, RateLimit
from clinic.security.rate_limits import Limit
from desk.records import retention
from desk.records.retention import KEEP_DRAFTS, KEEP_EXPIRED_LINKS
from intake.models import QuestionnaireResponse
from tests.factories import (
    NOW,
    make_alert,
    make_appointment,
    make_link,
    make_patient,
    make_response,
    make_waitlist_entry,
)

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def last_saved(response, at):
    QuestionnaireResponse.objects.filter(pk=response.pk).update(updated_at=at)
    return response


def draft(**fields):
    return make_response(patient=make_patient(), **fields)


def left():
    retention.sweep(now=NOW)
    return set(QuestionnaireResponse.objects.all())


def test_an_unsent_form_goes_thirty_days_after_it_was_last_saved():
    kept = last_saved(draft(), NOW - KEEP_DRAFTS)
    last_saved(draft(), NOW - KEEP_DRAFTS - SECOND)
    assert left() == {kept}


def test_an_unsent_form_that_is_saved_while_the_sweep_runs_stays():
    response = last_saved(draft(), NOW - KEEP_DRAFTS - SECOND)

    def save_before_it_goes(execute, sql, params, many, context):
        if sql.startswith("SELECT COUNT(*)"):
            last_saved(response, NOW)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(save_before_it_goes):
        assert retention.forget_drafts(now=NOW) == 0
    assert QuestionnaireResponse.objects.get() == response


def test_a_sent_form_stays():
    sent = draft(status="completed", submitted_at=NOW)
    amended = draft(status="amended", submitted_at=NOW)
    for response in (sent, amended):
        last_saved(response, NOW - timedelta(days=4000))
    assert left() == {sent, amended}


def test_an_unsent_form_that_raised_an_alert_stays():
    alerting = draft()
    make_alert(response=alerting, patient=alerting.patient)
    last_saved(alerting, NOW - timedelta(days=4000))
    assert left() == {alerting}


def test_the_safety_answers_of_somebody_on_the_waitlist_stay_while_they_wait():
    answers = draft()
    entry = make_waitlist_entry(patient=answers.patient, intake_response=answers)
    last_saved(answers, NOW - KEEP_DRAFTS - SECOND)
    assert left() == {answers}
    entry.leave(now=NOW)
    assert left() == set()


def test_the_form_of_a_visit_stays_until_thirty_days_after_it():
    kept, gone = draft(), draft()
    for response, end in ((kept, NOW - KEEP_DRAFTS), (gone, NOW - KEEP_DRAFTS - SECOND)):
        make_appointment(
            patient=response.patient,
            intake_response=response,
            start=end - timedelta(hours=1),
            end=end,
        )
        last_saved(response, NOW - timedelta(days=90))
    assert left() == {kept}


def test_an_unsent_correction_goes_and_what_it_corrects_stays():
    sent = draft(status="completed", submitted_at=NOW)
    correction = make_response(
        patient=sent.patient, corrects=sent, questionnaire=sent.questionnaire
    )
    visit = make_appointment(patient=sent.patient, intake_response=sent, start=NOW)
    last_saved(correction, NOW - timedelta(days=90))
    assert left() == {sent, correction}
    visit.delete()
    assert left() == {sent}


def test_a_link_goes_thirty_days_after_it_ran_out():
    kept = make_link(expires_at=NOW - KEEP_EXPIRED_LINKS)
    make_link(expires_at=NOW - KEEP_EXPIRED_LINKS - SECOND)
    retention.sweep(now=NOW)
    assert list(Link.objects.all()) == [kept]


def test_sessions_of_staff_go_when_they_ran_out():
    for key, seconds in (("old", -1), ("live", 60)):
        session = SessionStore()
        session.save(must_create=True)
        Session.objects.filter(pk=session.session_key).update(
            session_key=key, expire_date=NOW + timedelta(seconds=seconds)
        )
    retention.sweep(now=NOW)
    assert [session.pk for session in Session.objects.all()] == ["live"]


def test_addresses_that_are_not_held_back_any_more_are_forgotten():
    limit = Limit("test", every=timedelta(minutes=2), burst=3)
    limit.hit("old", now=NOW - timedelta(minutes=3))
    limit.hit("held back", now=NOW)
    retention.sweep(now=NOW)
    assert [bucket.key for bucket in RateLimit.objects.all()] == [limit.key("held back")]


def test_the_sweep_reports_counts_and_nothing_else(caplog):
    gone = last_saved(draft(), NOW - timedelta(days=90))
    assert retention.sweep(now=NOW)["drafts"] == 1
    assert caplog.messages == ["swept drafts: 1"]
    assert str(gone.pk) not in caplog.text
    caplog.clear()
    retention.sweep(now=NOW)
    assert caplog.messages == []
