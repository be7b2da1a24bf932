"""The pages around an intake: the birth date, a summary with something to compare, emergencies."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.http import HttpResponse
from django.urls import reverse

from clinic.security.access import set_grant_cookie
from intake.models import QuestionnaireResponse
from intake.rules.levels import Level
from tests.browser.forms import press
from tests.desk.clinician.test_clinician import open_clinician_page, summary_url
from tests.desk.clinician.test_summary_change import make_two_intakes
from tests.factories import (
    NOW,
    make_appointment,
    make_clinician,
    make_link,
    make_message,
    make_patient,
    make_practice,
    sign_in,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_clinicians_pages(client, live_server, open_page, scheme):
    clinician = make_clinician()
    make_practice()
    sign_in(client, clinician)
    patient = make_two_intakes(clinician)
    shown = QuestionnaireResponse.objects.latest("created_at")
    shown.lower(level=Level.ROUTINE, reason="Power is normal", by=clinician, now=NOW)
    page = open_clinician_page(client, live_server, open_page, summary_url(patient))
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for details in page.locator("details").all():
        details.evaluate("one => { one.open = true }")
    assert Axe().run(page).response["violations"] == []
    page.goto(live_server.url + reverse("open_in_emergency"))
    assert Axe().run(page).response["violations"] == []


def test_axe_finds_nothing_on_the_question_for_the_birth_date(live_server, open_page):
    make_practice()
    visit = make_appointment(patient=make_patient())
    message = make_message(patient=visit.patient)
    response = HttpResponse()
    set_grant_cookie(response, make_link(patient=visit.patient, message=message))
    page = open_page(width=390, height=800)
    grant = response.cookies["grant"].value
    page.context.add_cookies([{"name": "grant", "value": grant, "url": live_server.url}])
    page.goto(live_server.url + reverse("intake", args=[visit.pk]))
    assert page.url.endswith("/birth-date/")
    assert Axe().run(page).response["violations"] == []
    page.get_by_label("Date of birth").fill("2001-01-01")
    press(page.get_by_role("button", name="Open my form"))
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
