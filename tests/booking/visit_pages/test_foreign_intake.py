"""A clinic's own questionnaire on a visit: asked, kept, sent, and safe from what people post."""

import json
import time
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from clinic.models import AuditEvent
from clinic.security.access import set_grant_cookie
from intake import fhir
from intake.answers import Answers
from intake.fhir_form.questionnaire import Form
from intake.fhir_form.responses import validate_response
from intake.models import Questionnaire, QuestionnaireResponse
from tests.factories import (
    NOW,
    make_appointment,
    make_care,
    make_clinician,
    make_link,
    make_patient,
    make_practice,
    make_service,
    sign_in,
)
from tests.intake.answering import page_form, untouched
from tests.intake.fhir_form.test_round_trip import FOREIGN
from tests.intake.small import make_content, make_item

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def ask(client):
    """`ask(content)` gives the client a visit with that form; the page's address by number."""

    def ask(content):
        make_practice(time_zone="America/Chicago")
        service = make_service(questionnaire=Questionnaire.objects.publish(content, now=NOW))
        visit = make_appointment(
            service=service, patient=make_patient(), start=NOW + timedelta(days=3)
        )
        response = HttpResponse()
        set_grant_cookie(response, make_link(patient=visit.patient))
        client.cookies["grant"] = response.cookies["grant"].value
        return lambda number: reverse("intake_page", args=[visit.pk, number])

    return ask


def kept():
    response = QuestionnaireResponse.objects.get()
    return Answers.from_response({"item": response.items})


def test_a_foreign_form_is_filled_in_page_by_page_and_sent(client, ask):
    page = ask(FOREIGN["intake_at_home"])
    fields = {
        "_revision": "0",
        "1.1": "123-45-6789",
        "1.2": "2026-05-01T07:30",
        "1.3": "06:15",
        "1.4:0": "run.example/me",
        "1.5": "12,5",
        "1.5:unit": "kg",
        "1.6": "The hills",
    }
    assert client.post(page(1), fields).url == page(2)
    # A wall-clock time is the clinic's: half past seven in Chicago.
    assert kept().values("1.2")[0].isoformat() == "2026-05-01T07:30:00-05:00"
    assert kept().values("1.4") == ("https://run.example/me",)
    assert (
        client.post(page(2), {"_revision": "1", "2.2": ["ice"], "2.3": "A doctor"}).status_code
        == 200
    )
    done = client.post(
        page(2), {"_revision": "2", "2.2": ["ice"], "2.3": "A doctor", "2.4": "Dr. Ruiz"}
    )
    review = client.get(done.url)
    for words in ("12.5 kg", "6:15 AM", "Dr. Ruiz", "1. Chart number", "123-45-6789"):
        assert words in review.content.decode()
    client.post(done.url)
    response = QuestionnaireResponse.objects.get()
    assert response.status == "completed"
    form = Form.parse(fhir.questionnaire(response.questionnaire))
    assert validate_response(form, fhir.questionnaire_response(response)) == []


def test_a_clinician_reads_every_answer_whatever_was_asked(client, ask):
    page = ask(FOREIGN["medicines"])
    client.post(page(1), {"_revision": "0", "any": "true"})
    response = QuestionnaireResponse.objects.get()
    own, other = make_clinician(), make_clinician()
    make_care(patient=response.patient, practitioner=own.practitioner)
    address = reverse("clinician_answers", args=[response.pk])
    for user, status in ((other, 404), (own, 200)):
        answer = sign_in(client, user).get(address)
        assert answer.status_code == status
    assert "Do you take medicines?" in answer.content.decode()
    summary = client.get(reverse("clinician_summary", args=[response.patient_id]))
    assert address in summary.content.decode()
    read = AuditEvent.objects.filter(subject_id=str(response.pk), action="read")
    assert [row.user_id for row in read] == [own.pk, own.pk]


def test_a_form_begins_with_its_initial_answers_and_a_cleared_one_stays_cleared(client, ask):
    page = ask(FOREIGN["antes_de_la_visita"])
    assert 'value="México" selected' in client.get(page(1)).content.decode()
    assert not QuestionnaireResponse.objects.exists()
    client.post(page(1), {"_revision": "0", "país": "Chile"})
    assert kept().values("país") == ("Chile",)
    client.post(page(1), {"_revision": "1", "país": ""})
    assert "selected>México" not in client.get(page(1)).content.decode().replace("\n", "")


def test_field_names_of_the_page_itself_are_not_taken_by_a_question(client, ask):
    page = ask(FOREIGN["antes_de_la_visita"])
    posted = {"_revision": "0", "país": "Chile", ":next": "4", ":_revision": "7,5"}
    assert client.post(page(1), posted).status_code == 302
    assert (kept().number("next"), kept().number("_revision")) == (4, 7.5)


def test_one_more_is_asked_for_again_and_again_up_to_the_limit(client, ask):
    page = ask(FOREIGN["medicines"])
    client.post(page(1), {"_revision": "0", "any": "true"})
    fields = {"_add": "medicine", "medicine:count": "1", "medicine:0:medicine-name": "One"}
    for wanted in range(2, 12):
        revision = QuestionnaireResponse.objects.get().revision
        html = client.post(page(2), fields | {"_revision": str(revision)}).content.decode()
        count = min(wanted, 8)
        assert html.count(':medicine-name" ') == count
        assert f'name="medicine:count" value="{count}"' in html
        assert "error-summary" not in html
        fields["medicine:count"] = str(count)
    assert 'value="medicine">' not in html
    assert kept().values("medicine-name") == ("One",)


@pytest.mark.parametrize(
    "count", ["9" * 400, "-5", "1e9", "٣", "", "999", "0x10"], ids=lambda value: value[:5]
)
def test_a_made_up_count_makes_no_more_fields_than_the_limit(client, ask, count):
    page = ask(FOREIGN["medicines"])
    client.post(page(1), {"_revision": "0", "any": "true"})
    html = client.post(page(2), {"_revision": "1", "medicine:count": count}).content.decode()
    assert html.count(':medicine-name" ') <= 8


HOSTILE = {
    "a NUL": ({"t": "a\x00b"}, {400}),
    "a lone surrogate": (b"t=%ED%A0%80&_revision=0", {200, 302, 400}),
    "2,001 fields": ({f"f{n}": "x" for n in range(2001)}, {400, 413}),
    "10 MB": ({"t": "x" * 10_000_000}, {413}),
    "an answer beyond its limit": ({"t": "x" * 4001}, {200}),
    "not a number": ({"n": "NaN"}, {200}),
    "infinity": ({"n": "Infinity"}, {200}),
    "a number that takes all memory": ({"n": "1e999999999"}, {200}),
    "more than 32 bits": ({"i": "2147483648"}, {200}),
    "a file": ({"t": ["a", "b"], "i": ["1", "2"]}, {200, 302}),
    "an option of another question": ({"c": "<script>"}, {200}),
}


@pytest.mark.parametrize(("posted", "statuses"), HOSTILE.values(), ids=HOSTILE)
def test_what_no_browser_sends_ends_in_words_and_not_in_the_database(client, ask, posted, statuses):
    page = ask(
        make_content(
            make_item("t", "text"),
            make_item("n", "decimal"),
            make_item("i", "integer"),
            make_item("c", "choice", answerOption=[{"valueString": "x"}]),
            version="hostile",
        )
    )
    browser = Client(raise_request_exception=False)
    browser.cookies = client.cookies
    started = time.process_time()
    if isinstance(posted, bytes):
        kind = "application/x-www-form-urlencoded"
        response = browser.post(page(1), posted, content_type=kind)
    else:
        response = browser.post(page(1), {"_revision": "0"} | posted)
    assert time.process_time() - started < 1
    assert response.status_code in statuses
    for row in QuestionnaireResponse.objects.all():
        stored = json.dumps(row.items, allow_nan=False)
        assert len(stored) < 5000
        assert not {"\\u0000", "\\ud800", "script"} & set(stored.split('"'))


def test_naughty_words_are_kept_and_shown_as_they_are(client, ask):
    words = [
        "‮evil‬",
        "Z̴̡a̷lgo",
        "👩‍👩‍👧",
        "İstanbul",
        "%s {0.__class__} {{7*7}}",
        "'; DROP TABLE x;--",
    ]
    content = make_content(
        *[make_item(f"t{n}", "text") for n in range(len(words))], version="words"
    )
    page = ask(content)
    posted = {f"t{n}": word for n, word in enumerate(words)}
    assert client.post(page(1), {"_revision": "0"} | posted).status_code == 302
    assert [kept().text(f"t{n}") for n in range(len(words))] == words
    form = Form.parse(content)
    stored = QuestionnaireResponse.objects.get().items
    shown = untouched(page_form(form, form.pages()[0], stored))
    assert shown == {name: [word] for name, word in posted.items()}
