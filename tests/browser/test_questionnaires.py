"""Questionnaires in a real browser: the script agrees with the server, and words stay words."""

import random
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.models import Practice, Role
from clinic.security.access import set_grant_cookie
from intake.fhir_form.responses import initial_items
from intake.html_form.forms import QuestionForm
from intake.models import Questionnaire, QuestionnaireResponse
from tests import factories as make
from tests.browser.forms import answer, press, tick
from tests.conftest import SOAK
from tests.intake.answering import posted, typed
from tests.intake.fhir_form.test_questionnaire import CONTENT
from tests.intake.fhir_form.test_round_trip import FOREIGN
from tests.intake.small import make_content, make_item

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = 400 if SOAK else 60
SENT = "() => [...new FormData(document.querySelector('form[data-intake]'))]"
VISIBLE = """() => [...document.querySelectorAll("[data-question]")]
    .filter(question => !question.hidden).map(question => question.dataset.question)"""
# By a birth date, which another page asks, the server alone decides.
SETTLED_ELSEWHERE = {"about-birth-date"}
PAYLOADS = (
    "<script>fetch('/beacon')</script>",
    "<img src=/beacon onerror=\"fetch('/beacon')\">",
    "\"><svg onload=fetch('/beacon')>",
    "javascript:fetch('/beacon')",
    "{{ request.user }}{% debug %}</textarea><iframe srcdoc='<script>top.x=1</script>'>",
)


@pytest.fixture
def manager(live_server, open_page):
    make.make_practice()
    client = make.sign_in(Client(), make.make_user(role=Role.MANAGER))

    def open_as_manager(path, **options):
        page = open_page(**options)
        value = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": value, "url": live_server.url}])
        page.goto(live_server.url + path)
        return page

    return open_as_manager


@pytest.mark.parametrize("content", [CONTENT, *FOREIGN.values()], ids=["shipped", *FOREIGN])
def test_what_an_answer_brings_up_is_the_same_on_the_page_and_on_the_server(manager, content):
    row = Questionnaire.objects.publish(content, now=timezone.now())
    page = manager(reverse("admin:intake_questionnaire_preview", args=[row.pk]))
    people, today = random.Random(7), timezone.now().date()
    brought_up = set()
    for _step in range(STEPS):
        fields = {}
        for name, value in page.evaluate(SENT):
            fields.setdefault(name, []).append(value)
        server = QuestionForm(
            posted(fields),
            questionnaire=row.form,
            items=row.form.items,
            stored=initial_items(row.form, today=today),
            language="en",
            today=today,
            zone=Practice.current().zone,
        )
        server.is_valid()
        everything = [*server.questions.values(), *server.notes]
        shown = [question.name for question in everything if question.is_shown]
        visible = page.evaluate(VISIBLE)
        assert sorted(visible) == sorted(shown)
        brought_up |= {
            question.item.link_id
            for question in everything
            if question.is_shown and question.depends_on
        }
        open_ = [
            server.questions[name]
            for name in server.questions
            if name in visible and server.questions[name].item.link_id not in SETTLED_ELSEWHERE
        ]
        deciding = [question for question in open_ if decides(question, row.form)]
        question = people.choice(deciding if people.random() < 0.8 else open_)
        answer(page, typed(question, people, is_needed=False))
    assert brought_up


def decides(question, form):
    link_id = question.item.link_id
    return any(link_id == c.question for item in form.walk() for c in form.conditions(item))


def open_form(page, live_server, questionnaire, *, number=1):
    """The page of a visit whose service asks this questionnaire."""
    service = make.make_service(questionnaire=questionnaire)
    visit = make.make_appointment(
        service=service,
        patient=make.make_patient(),
        start=timezone.now() + timedelta(days=3),
    )
    response = HttpResponse()
    set_grant_cookie(response, make.make_link(patient=visit.patient))
    grant = response.cookies["grant"].value
    page.context.add_cookies([{"name": "grant", "value": grant, "url": live_server.url}])
    page.goto(live_server.url + reverse("intake_page", args=[visit.pk, number]))
    return visit


def test_another_one_is_added_without_a_script_and_nothing_typed_is_lost(live_server, open_page):
    make.make_practice()
    row = Questionnaire.objects.publish(FOREIGN["medicines"], now=timezone.now())
    page = open_page(java_script_enabled=False)
    open_form(page, live_server, row)
    tick(page.get_by_label("Yes"))
    press(page.get_by_role("button", name="Next"))
    page.get_by_label("Name").fill("First")
    press(page.get_by_role("button", name="Add another: Medicine"))
    assert not page.locator(".error-summary").count()
    names = page.get_by_label("Name")
    assert [names.nth(n).input_value() for n in range(names.count())] == ["First", ""]
    names.nth(1).fill("Second")
    # Return in a text box goes on; it does not add a third.
    with page.expect_navigation():
        names.nth(1).press("Enter")
    assert page.get_by_label("Name").count() == 2
    assert page.locator(".error-summary").count() == 1
    for index in (0, 1):
        group = page.get_by_role("group", name="Do you still take it?").nth(index)
        tick(group.get_by_label("Yes"))
    press(page.get_by_role("button", name="Next"))
    kept = QuestionnaireResponse.objects.get().answers
    assert kept.values("medicine-name") == ("First", "Second")
    assert page.get_by_label("What do you react to? 1").count() == 1


@pytest.mark.parametrize("name", FOREIGN)
def test_axe_finds_nothing_on_a_foreign_form_and_it_fits_a_phone(manager, name):
    row = Questionnaire.objects.publish(FOREIGN[name], now=timezone.now())
    page = manager(
        reverse("admin:intake_questionnaire_preview", args=[row.pk]) + "?language=es",
        reduced_motion="reduce",
    )
    page.evaluate(
        """() => document.querySelectorAll("[hidden], details").forEach(
            one => { one.hidden = false; one.open = true })"""
    )
    found = Axe().run(page).response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_is_typed_stays_words_on_every_page_that_shows_it(live_server, open_page):
    """``open_page`` fails on a script error and on a violation of the content policy."""
    make.make_practice()
    content = make_content(
        *[make_item(f"t{n}", "text") for n, _payload in enumerate(PAYLOADS)],
        make_item("list", "string", repeats=True),
    )
    row = Questionnaire.objects.publish(content, now=timezone.now())
    page = open_page()
    beacons = []
    page.on(
        "request", lambda request: beacons.append(request.url) if "beacon" in request.url else None
    )
    page.on("dialog", lambda dialog: beacons.append(dialog.message))
    visit = open_form(page, live_server, row)
    for index, payload in enumerate(PAYLOADS):
        page.locator(f'[name="t{index}"]').fill(payload)
    page.locator('[name="list:0"]').fill(PAYLOADS[0])
    press(page.get_by_role("button", name="Next"))
    for payload in PAYLOADS:
        assert payload in page.locator("main").inner_text()
    press(page.get_by_role("link", name="Change"))
    assert page.locator('[name="t0"]').input_value() == PAYLOADS[0]
    shipped = Questionnaire.objects.publish_shipped(now=timezone.now())
    clinician = make.make_clinician()
    make.make_care(patient=visit.patient, practitioner=clinician.practitioner)
    visit.patient.name = PAYLOADS[0]
    visit.patient.save()
    make.make_response(
        patient=visit.patient,
        questionnaire=shipped,
        status="completed",
        submitted_at=timezone.now(),
        items=[
            {
                "linkId": "goal",
                "item": [
                    {"linkId": link_id, "answer": [{"valueString": payload}]}
                    for link_id, payload in zip(
                        ("goal-words", "goal-notes"), PAYLOADS, strict=False
                    )
                ],
            }
        ],
    )
    make.make_alert(patient=visit.patient, callback_name=PAYLOADS[1])
    for role, path in (
        (clinician, reverse("clinician_summary", args=[visit.patient_id])),
        (None, reverse("admin:intake_safetyalert_changelist")),
        (None, reverse("admin:clinic_patient_change", args=[visit.patient_id])),
        (None, reverse("admin:booking_appointment_change", args=[visit.pk])),
    ):
        user = role or make.make_user(role=Role.FRONT_DESK)
        value = make.sign_in(Client(), user).cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": value, "url": live_server.url}])
        page.goto(live_server.url + path)
        assert PAYLOADS[0] in page.locator("body").inner_text() + str(
            page.eval_on_selector_all("input", "inputs => inputs.map(input => input.value)")
        )
    assert beacons == []
