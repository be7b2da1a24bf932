"""The second factor of a mailed link: nothing stored is shown before the birth date was given."""

from datetime import date, timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from booking.models import Appointment
from clinic.models import AuditEvent, Link
from clinic.security.access import set_grant_cookie
from clinic.security.birth_date_check import MAX_TRIES, PROOF_COOKIE
from clinic.security.rate_limits import BIRTH_DATES_PER_PATIENT
from intake.fhir_form.responses import replace_answers
from intake.models import Questionnaire, QuestionnaireResponse
from tests.booking.visitor import URGENT, Visitor, open_clinic
from tests.factories import (
    NOW,
    make_alert,
    make_appointment,
    make_link,
    make_message,
    make_patient,
    make_practice,
    make_response,
)
from tests.intake.fhir_form.test_questionnaire import FORM
from tests.intake.filled import page_data

pytestmark = pytest.mark.django_db

BORN = date(1992, 3, 12)
WRONG = date(1992, 12, 3)
SECRET = "Dance at the wedding"


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


def make_visit(*, birth_date=BORN, answers=(("goal-words", "valueString", SECRET),)):
    """A visit with answers of which one is a secret, or with none stored."""
    make_practice()
    questionnaire = Questionnaire.objects.publish_shipped(now=NOW)
    patient = make_patient(birth_date=birth_date)
    response = answers and make_response(
        patient=patient,
        questionnaire=questionnaire,
        items=replace_answers(
            FORM, [], {link_id: [{kind: value}] for link_id, kind, value in answers}
        ),
    )
    return make_appointment(
        patient=patient, start=NOW + timedelta(days=3), intake_response=response or None
    )


def follow(link, client=None):
    """The browser in which a link was opened."""
    client = client or Client()
    response = HttpResponse()
    set_grant_cookie(response, link)
    client.cookies.update(response.cookies)
    return client


def mailed_link(patient):
    message = make_message(patient=patient, resend=patient.messages.count())
    return make_link(patient=patient, message=message)


def pages_of(visit):
    return [
        reverse("intake", args=[visit.pk]),
        reverse("intake_page", args=[visit.pk, 13]),
        reverse("intake_review", args=[visit.pk]),
    ]


def ask_url(visit):
    return reverse("intake_birth_date", args=[visit.pk])


def give(client, visit, birth_date):
    return client.post(ask_url(visit), {"birth_date": birth_date.isoformat()})


def test_a_mailed_link_opens_the_visit_but_no_answers_before_the_birth_date():
    visit = make_visit()
    browser = follow(mailed_link(visit.patient))
    assert browser.get(reverse("visit", args=[visit.pk])).status_code == 200
    for url in pages_of(visit):
        response = browser.get(url)
        assert (response.status_code, response["Location"]) == (302, ask_url(visit))
    page = browser.get(ask_url(visit)).content.decode()
    assert SECRET not in page
    assert "1992" not in page


def test_the_birth_date_is_asked_once_a_link_and_opens_the_answers():
    visit = make_visit()
    link = mailed_link(visit.patient)
    browser = follow(link)
    assert give(browser, visit, BORN)["Location"] == reverse("intake", args=[visit.pk])
    assert SECRET in browser.get(pages_of(visit)[1]).content.decode()
    assert browser.get(ask_url(visit))["Location"] == reverse("intake", args=[visit.pk])
    assert browser.cookies[PROOF_COOKIE]["httponly"]
    link.refresh_from_db()
    assert link.failed_tries == 0
    assert follow(link).get(pages_of(visit)[0]).status_code == 302
    assert follow(mailed_link(visit.patient), browser).get(pages_of(visit)[0]).status_code == 302


def test_a_page_sent_without_the_birth_date_stores_nothing():
    visit = make_visit()
    before = visit.intake_response.items
    browser = follow(mailed_link(visit.patient))
    browser.post(reverse("intake_page", args=[visit.pk, 13]), {"goal-words": "x", "_revision": 0})
    assert QuestionnaireResponse.objects.get().items == before


def test_every_wrong_date_counts_and_leaves_an_audit_row_without_the_date():
    visit = make_visit()
    link = mailed_link(visit.patient)
    response = give(follow(link), visit, WRONG)
    assert "This is not the date we have" in response.content.decode()
    link.refresh_from_db()
    assert link.failed_tries == 1
    event = AuditEvent.objects.get(action=AuditEvent.Action.DENIED)
    assert (event.subject_id, event.patient_id) == (str(link.pk), visit.patient_id)
    assert event.fields == ["birth_date"]


def test_what_is_no_date_is_no_try():
    visit = make_visit()
    link = mailed_link(visit.patient)
    for typed in ("", "yesterday", "1992-13-45", "12/03/1992"):
        follow(link).post(ask_url(visit), {"birth_date": typed})
    link.refresh_from_db()
    assert link.failed_tries == 0


def test_after_five_wrong_dates_the_link_opens_no_answers_even_with_the_right_one():
    visit = make_visit()
    link = mailed_link(visit.patient)
    browser = follow(link)
    statuses = [give(browser, visit, WRONG).status_code for _ in range(MAX_TRIES)]
    assert statuses == [200, 200, 200, 200, 403]
    closed = give(browser, visit, BORN)
    assert closed.status_code == browser.get(ask_url(visit)).status_code == 403
    page = closed.content.decode()
    assert "+1 512 555 0100" in page
    assert reverse("my_visits") in page
    assert browser.get(pages_of(visit)[0]).status_code == 302
    assert browser.get(reverse("visit", args=[visit.pk])).status_code == 200
    link.refresh_from_db()
    assert link.failed_tries == MAX_TRIES
    assert give(follow(mailed_link(visit.patient)), visit, BORN).status_code == 302


def test_fresh_links_do_not_bring_endless_tries():
    visit = make_visit()
    statuses = [
        give(follow(mailed_link(visit.patient)), visit, WRONG).status_code
        for _ in range(BIRTH_DATES_PER_PATIENT.burst + 1)
    ]
    assert statuses == [200] * BIRTH_DATES_PER_PATIENT.burst + [429]


def test_following_the_link_and_looking_at_the_question_writes_nothing():
    visit = make_visit()
    link = mailed_link(visit.patient)
    browser = follow(link)
    before = list(Link.objects.values()), AuditEvent.objects.count()
    for url in [*pages_of(visit), ask_url(visit)]:
        browser.get(url)
        browser.head(url)
    assert (list(Link.objects.values()), AuditEvent.objects.count()) == before


def test_a_foreign_visit_is_not_asked_about():
    visit = make_visit()
    other = mailed_link(make_patient())
    assert follow(other).get(ask_url(visit)).status_code == 404
    assert give(follow(other), visit, BORN).status_code == 404
    assert give(Client(), visit, BORN).status_code == 404


def test_a_forged_or_foreign_proof_does_not_open_answers():
    visit = make_visit()
    link, other = mailed_link(visit.patient), mailed_link(visit.patient)
    browser = follow(link)
    browser.cookies[PROOF_COOKIE] = f"{link.pk}:forged"
    assert browser.get(pages_of(visit)[0]).status_code == 302
    give(follow(other, browser), visit, BORN)
    assert browser.get(pages_of(visit)[0]).status_code == 200
    assert follow(link, browser).get(pages_of(visit)[0]).status_code == 302


def test_an_emergency_is_not_told_before_the_birth_date():
    visit = make_visit()
    make_alert(patient=visit.patient, response=visit.intake_response)
    browser = follow(mailed_link(visit.patient))
    assert browser.get(pages_of(visit)[0])["Location"] == ask_url(visit)
    give(browser, visit, BORN)
    assert browser.get(pages_of(visit)[0])["Location"] == reverse("emergency")


def test_without_a_birth_date_on_file_whoever_starts_the_form_goes_on_with_it():
    visit = make_visit(birth_date=None, answers=())
    link = mailed_link(visit.patient)
    browser = follow(link)
    url = reverse("intake_page", args=[visit.pk, 1])
    assert browser.get(url).status_code == 200
    assert PROOF_COOKIE not in browser.cookies
    assert browser.post(url, page_data(FORM, 1) | {"_revision": "0"}).status_code == 302
    assert browser.get(reverse("intake_page", args=[visit.pk, 2])).status_code == 200
    closed = follow(link).get(url, follow=True)
    assert closed.status_code == 403
    assert "+1 512 555 0100" in closed.content.decode()


def test_the_birth_date_in_the_answers_stands_in_for_one_on_file():
    visit = make_visit(
        birth_date=None,
        answers=(("about-birth-date", "valueDate", "1992-03-12"),),
    )
    browser = follow(mailed_link(visit.patient))
    assert give(browser, visit, WRONG).status_code == 200
    assert give(browser, visit, BORN).status_code == 302


def test_the_browser_that_has_just_booked_is_not_asked():
    visitor = Visitor(open_clinic())
    visitor.book_all_the_way()
    visit = Appointment.objects.get()
    assert visitor.client.get(reverse("intake", args=[visit.pk])).status_code == 200


def test_booking_again_through_a_mailed_link_does_not_stand_in_for_the_birth_date():
    clinic = open_clinic()
    first = make_visit()
    visitor = Visitor(clinic, client=follow(mailed_link(first.patient)))
    visitor.answer_gate()
    visitor.hold()
    for _attempt in range(2):
        visitor.book()
        for visit in Appointment.objects.filter(patient=first.patient):
            assert visitor.client.get(reverse("intake", args=[visit.pk]))["Location"] == ask_url(
                visit
            )
    assert Appointment.objects.filter(patient=first.patient).count() == 2


def test_no_booking_page_tells_a_mailed_link_the_birth_date():
    open_clinic()
    visit = make_visit()
    browser = follow(mailed_link(visit.patient))
    browser.post("/book/safety/", URGENT)
    gate = browser.get("/book/safety/callback/")
    assert gate.status_code in (200, 302)
    assert "1992-03-12" not in gate.content.decode()
