"""Alerts, and the short forms between visits: accessible, on a phone, with no script."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinic.security.access import set_grant_cookie
from intake.models import Questionnaire
from intake.rules.levels import Level
from tests.browser.forms import press, tick
from tests.desk.clinician.test_clinician import open_clinician_page
from tests.factories import (
    make_alert,
    make_appointment,
    make_clinician,
    make_link,
    make_on_call,
    make_patient,
    make_practice,
    make_response,
    sign_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    now = timezone.now()
    make_practice()
    Questionnaire.objects.publish_shipped(now=now)
    return now


def as_patient(page, live_server, visit):
    response = HttpResponse()
    set_grant_cookie(response, make_link(patient=visit.patient))
    grant = response.cookies["grant"].value
    page.context.add_cookies([{"name": "grant", "value": grant, "url": live_server.url}])
    return page


def violations(page):
    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_check_before_a_visit_is_answered_on_a_phone_without_javascript(
    now, live_server, open_page, language
):
    visit = make_appointment(start=now + timedelta(days=1))
    page = open_page(width=390, language=language, java_script_enabled=False)
    as_patient(page, live_server, visit)
    page.goto(live_server.url + reverse("rescreen", args=[visit.pk]))
    for name in ("safety-nerve", "safety-body", "safety-illness", "safety-cancer", "safety-bone"):
        tick(page.locator(f"input[name={name}][value=none]"))
    for name in ("safety-injury", "safety-leg-power", "safety-pregnancy"):
        tick(page.locator(f"input[name={name}][value=no]"))
    press(page.locator("main form button[type=submit]"))
    title = "Gracias, ya tenemos" if language == "es" else "Thank you, we have"
    assert title in page.locator("h1").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_forms_between_visits(now, live_server, open_page, scheme):
    ahead = make_appointment(start=now + timedelta(days=1))
    seen = make_appointment(
        patient=ahead.patient, start=now - timedelta(days=7), status="fulfilled"
    )
    page = open_page(width=390, color_scheme=scheme, reduced_motion="reduce")
    as_patient(page, live_server, ahead)
    for name, visit in (("rescreen", ahead), ("check_in", seen)):
        page.goto(live_server.url + reverse(name, args=[visit.pk]))
        assert violations(page) == []
        press(page.locator("main form button[type=submit]"))  # nothing answered: errors show
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_alerts_and_the_rules_month(
    now, client, live_server, open_page, scheme
):
    clinician = make_clinician()
    make_on_call(clinician)
    sign_in(client, clinician)
    make_alert(patient=make_patient(), raised_at=now)
    make_alert(raised_at=now - timedelta(hours=3), level=Level.URGENT)
    make_response(rules=["T-S8"])
    page = open_clinician_page(client, live_server, open_page, reverse("alerts"), width=390)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for path in (reverse("alerts"), reverse("rule_counts"), reverse("clinician_day")):
        page.goto(live_server.url + path)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
