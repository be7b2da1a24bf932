"""A first visit booked in real Chromium: every page on the way is accessible and fits."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from intake.models import Questionnaire
from tests.browser.forms import answer, press
from tests.browser.test_public_pages import STANDARDS
from tests.factories import (
    make_hours,
    make_location,
    make_practice,
    make_practitioner,
    make_service,
)
from tests.intake.filled import FILLED


@pytest.fixture
def site(live_server):
    make_practice()
    questionnaire = Questionnaire.objects.publish_shipped(now=timezone.now())
    location = make_location(slug="austin", name="Austin")
    practitioner = make_practitioner(locations=[location], title="Physical therapist")
    make_hours(practitioner, location)
    offered = {"practitioners": [practitioner], "questionnaire": questionnaire}
    make_service(slug="pt-eval", name="Evaluation", **offered)
    make_service(slug="pt-followup", name="Follow-up", is_first_visit=False, **offered)
    return live_server.url


def check(page, name):
    """``open_page`` fails by itself on a script error or a breach of the content policy."""
    found = Axe().run(page, options={"runOnly": STANDARDS}).response["violations"]
    assert [(name, v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "dark")])
def test_a_visit_is_booked_on_pages_that_axe_finds_nothing_on(site, open_page, width, scheme):
    page = open_page(width=width, color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"{site}/book/")
    page.get_by_role("heading", name="After a first visit").click()
    assert page.get_by_text("Follow-up").first.is_visible()
    check(page, "book")
    press(page.get_by_role("link", name="Evaluation"))
    check(page, "safety")
    press(page.get_by_role("button", name="Next"))
    check(page, "safety, refused")
    answer(page, FILLED)
    press(page.get_by_role("button", name="Next"))
    check(page, "slots")
    press(page.locator("button.slot-chip").first)
    check(page, "details")
    press(page.get_by_role("button", name="Book this visit"))
    check(page, "details, refused")
    page.get_by_label("Full name").fill("Ana Ruiz")
    page.locator("[name=email]").fill("ana@patients.example")
    page.get_by_label("Phone").fill("512 555 0188")
    press(page.get_by_role("button", name="Book this visit"))
    check(page, "visit")
    press(page.get_by_role("link", name="All my visits"))
    check(page, "my visits")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_emergency_page_is_accessible(site, open_page, scheme):
    page = open_page(color_scheme=scheme)
    page.goto(f"{site}/book/safety/?service=pt-eval")
    answer(page, FILLED | {"safety-nerve": ["saddle-numb"]})
    press(page.get_by_role("button", name="Next"))
    assert page.get_by_role("link", name="Call 911").is_visible()
    check(page, "emergency")
