"""The public pages in real Chromium: accessible, at any width, light and dark, with no script."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from clinic import guide
from tests.browser.forms import press
from tests.factories import (
    make_hours,
    make_location,
    make_practice,
    make_practitioner,
    make_service,
)

PAGES = [
    "/",
    "/services/",
    "/locations/",
    "/privacy/",
    "/guide/",
    *(f"/guide/{page.slug}/" for page in guide.PAGES),
    "/accounts/login/",
    "/no/such/page/",
]
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def site(live_server):
    make_practice()
    location = make_location(name="Austin")
    practitioner = make_practitioner(locations=[location], title="Physical therapist")
    make_hours(practitioner, location)
    make_service(slug="pt-eval", practitioners=[practitioner])
    return live_server.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_public_page(site, open_page, scheme):
    page = open_page(width=390, color_scheme=scheme, reduced_motion="reduce")
    for path in PAGES:
        page.goto(site + path)
        found = Axe().run(page, options={"runOnly": STANDARDS}).response["violations"]
        assert [(path, v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_scrolls_sideways(site, open_page, width):
    page = open_page(width=width)
    for path in PAGES:
        page.goto(site + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_menu_language_and_booking_work_without_javascript(site, open_page):
    page = open_page(java_script_enabled=False)
    page.goto(site + "/guide/faq/")
    assert page.get_by_role("link", name="Book an appointment").first.is_visible()
    menu = page.locator("details.menu")
    assert menu.get_by_role("link", name="Locations").count() == 0
    menu.get_by_text("Menu", exact=True).click()
    assert menu.get_by_role("link", name="Locations").is_visible()
    press(menu.get_by_role("button", name="Español"))
    assert page.url == site + "/guide/faq/"
    assert page.locator("html").get_attribute("lang") == "es"
    assert page.locator("h1").inner_text() == "Preguntas de corredores"


def test_the_first_tab_leads_past_the_header(site, open_page):
    page = open_page(width=1280)
    page.goto(site + "/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_a_refused_form_puts_the_focus_on_what_to_mend(site, open_page):
    page = open_page()
    page.goto(site + "/accounts/login/")
    page.fill("[name=login]", "nobody@clinic.example")
    page.fill("[name=password]", "wrong")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#error-summary")
    assert page.evaluate("document.activeElement.id") == "error-summary"


def test_touch_targets_are_large_enough(site, open_page):
    page = open_page()
    page.goto(site + "/")
    page.get_by_text("Menu", exact=True).click()
    heights = page.locator("header a, header button, header summary").evaluate_all(
        "all => all.filter(e => e.offsetParent).map(e => e.getBoundingClientRect().height)"
    )
    assert heights
    assert min(heights) >= 44
