"""Mails in the browser: a draft in its sandboxed frame, and the patient's choices on a phone."""

from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from clinic.models import MailText, Role
from clinic.security.access import set_grant_cookie
from tests import factories as make
from tests.browser.forms import press

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_draft_is_shown_in_its_frame_before_it_is_saved(live_server, open_page):
    make.make_practice()
    client = make.sign_in(Client(), make.make_user(role=Role.MANAGER))
    page = open_page(width=390)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(f"{live_server.url}/admin/clinic/mailtext/reminder/en/words/")
    frame = page.frame_locator("iframe[name=look]")
    frame.get_by_text("Your visit is in").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.get_by_label("Text").fill("A draft at {clinic}.")
    page.get_by_role("button", name="Look at it first").click()
    frame.get_by_text("A draft at Backstride Austin.").wait_for()
    page.get_by_label("Text").fill("Hello {name}.")
    page.get_by_role("button", name="Look at it first").click()
    frame.get_by_text("{name} cannot be filled in.").wait_for()
    assert page.get_by_label("Text").input_value() == "Hello {name}."
    assert not MailText.objects.exists()

    page.get_by_label("Text").fill("See you at {clinic}.")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Saved. Mails say so from now on.").wait_for()
    assert MailText.objects.get().text == "See you at {clinic}."


def test_a_patient_chooses_reminders_without_scripts_on_a_phone(live_server, open_page):
    make.make_practice()
    visit = make.make_appointment(start=timezone.now() + timedelta(days=9))
    page = open_page(width=390, language="es", java_script_enabled=False)
    response = HttpResponse()
    set_grant_cookie(response, make.make_link(patient=visit.patient))
    page.context.add_cookies(
        [{"name": "grant", "value": response.cookies["grant"].value, "url": live_server.url}]
    )
    page.goto(f"{live_server.url}/visits/{visit.pk}/")
    press(page.get_by_role("link", name="Sus correos"))
    page.get_by_text("7 días antes").click()
    page.get_by_label("Su zona horaria").select_option("Europe/Madrid")
    press(page.get_by_role("button", name="Guardar"))
    assert page.get_by_text("Guardado.").is_visible()
    visit.patient.refresh_from_db()
    assert visit.patient.declined_reminders == [168]
    assert visit.patient.time_zone == "Europe/Madrid"
