"""The front desk in a real browser: every page keeps the content policy, and a call is booked."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from booking.models import Appointment
from clinic.models import Patient, Role
from intake.models import Questionnaire
from tests import factories as make
from tests.browser.forms import press

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clinic():
    make.make_practice()
    Questionnaire.objects.publish_shipped(now=timezone.now())
    location = make.make_location(name="Austin")
    practitioner = make.make_practitioner(name="Mara Voss", locations=[location])
    make.make_hours(practitioner, location)
    service = make.make_service(name="Running evaluation", practitioners=[practitioner])
    patient = make.make_patient(name="Ana Ruiz")
    for hours, state in [(1, "booked"), (3, "arrived"), (25, "booked")]:
        make.make_appointment(
            start=timezone.now() + timedelta(hours=hours),
            status=state,
            patient=patient,
            practitioner=practitioner,
            location=location,
            service=service,
            intake_response=make.make_response(patient=patient),
        )
    make.make_alert(patient=patient)
    make.make_closure(start=timezone.now(), end=timezone.now() + timedelta(days=1))
    make.make_message(patient=patient)


def open_signed_in(open_page, live_server, role):
    client = make.sign_in(Client(), make.make_user(role=role))
    page = open_page(width=1280, height=900)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return page


def test_every_page_of_the_admin_keeps_the_content_policy(clinic, live_server, open_page):
    """``open_page`` fails on what the browser complains about."""
    page = open_signed_in(open_page, live_server, Role.MANAGER)
    page.goto(f"{live_server.url}/admin/")
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages = [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        if row := model.objects.first():
            pages.append(reverse(f"{name}_change", args=[row.pk]))
            if hasattr(model, "history"):
                pages.append(reverse(f"{name}_history", args=[row.pk]))
        for path in pages:
            page.goto(live_server.url + path)
            assert "nonce=" not in page.inner_text("body"), path


def test_a_caller_is_booked_from_the_home_page(clinic, live_server, open_page):
    page = open_signed_in(open_page, live_server, Role.FRONT_DESK)
    page.goto(f"{live_server.url}/admin/")
    press(page.get_by_role("link", name="Add visit"))
    page.get_by_label("Name:", exact=True).fill("Bo Larsen")
    page.get_by_label("Phone:", exact=True).fill("+1 512 555 0188")
    page.get_by_label("Date of birth").fill("1985-04-03")
    page.get_by_label("Service").select_option(label="Running evaluation")
    page.get_by_label("Location").select_option(label="Austin")
    tomorrow = timezone.now() + timedelta(days=2)
    page.get_by_label("From").fill(f"{tomorrow:%Y-%m-%d}")
    press(page.get_by_role("button", name="Next: red-flag questions"))
    assert "nonce=" not in page.inner_text("body")
    press(page.get_by_role("link", name="Not asked"))
    page.get_by_label("Red-flag questions not asked because").fill("Walked in, asked in person")
    press(page.locator(".starts button").first)
    page.get_by_text("Booked for").wait_for()
    page.get_by_label("Action").select_option(label="Move")
    press(page.get_by_role("button", name="Run"))
    assert "nonce=" not in page.inner_text("body")
    press(page.locator(".starts button").nth(3))
    page.get_by_text("Moved to").wait_for()
    patient = Patient.objects.get(name="Bo Larsen")
    assert Appointment.objects.get(patient=patient).phone_screen_note
