"""The whole intake form in Chromium, as people fill it in who have little: a keyboard, a phone, no
script, another language, another device half way.

The server is the real one with collected static files, so that what a page weighs is what a phone
loads.
"""

from datetime import date, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinic.security.access import set_grant_cookie
from intake.models import EarlierAnswers, Questionnaire, QuestionnaireResponse
from tests.browser.forms import press, tick
from tests.factories import (
    make_appointment,
    make_link,
    make_message,
    make_patient,
    make_practice,
)
from tests.guest import Server
from tests.intake.filled import FILLED

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.usefixtures("collected_static_files"),
]

BORN = FILLED["about-birth-date"]
HEAVIEST = 60_000
PAGES = 14
# More presses of the tabulator than any page needs.
MOST_STOPS = 250

_FOCUSED = """() => {
  const at = document.activeElement;
  const details = at.tagName === "SUMMARY" ? at.parentElement : null;
  return {
    tag: at.tagName, type: at.type || "", name: at.name || "", value: at.value || "",
    checked: at.checked || false,
    closed: details && !details.open
      ? [...details.querySelectorAll("input, textarea")].map((one) => one.name) : [],
  };
}"""


@pytest.fixture
def visit(transactional_db):
    make_practice()
    Questionnaire.objects.publish_shipped(now=timezone.now())
    return make_appointment(
        patient=make_patient(birth_date=date.fromisoformat(BORN)),
        start=timezone.now() + timedelta(days=3),
    )


@pytest.fixture
def site(visit, process_env):
    env = process_env | {"ALLOWED_HOSTS": "127.0.0.1"}
    with Server(env) as server:
        yield f"http://127.0.0.1:{server.port}"


def grant(page, site, visit, **link):
    response = HttpResponse()
    set_grant_cookie(response, make_link(patient=visit.patient, **link))
    page.context.add_cookies(
        [{"name": "grant", "value": response.cookies["grant"].value, "url": site}]
    )


class Scales:
    """Weighs each page as a first visit would load it."""

    def __init__(self, page):
        self.weights = {}
        self._page, self._loaded = page, 0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.on("Network.loadingFinished", self._add)

    def _add(self, event):
        self._loaded += event["encodedDataLength"]

    def weigh(self):
        """Load the page that is shown once more, from nothing."""
        self._page.wait_for_load_state("networkidle")
        self._loaded = 0
        self._page.reload(wait_until="networkidle")
        self.weights[self._page.url.partition("/intake/")[2]] = self._loaded


def check(page):
    found = Axe().run(page).response["violations"]
    assert [(page.url, v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def tab_to(page, wanted):
    """Press the tabulator until `wanted` says yes to what has the focus."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if wanted(focused := page.evaluate(_FOCUSED)):
            return focused
    raise AssertionError(f"not reached by keyboard on {page.url}")


def press_by_keyboard(page, name="", tag="BUTTON"):
    tab_to(page, lambda at: at["tag"] == tag and at["name"] == name)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def type_birth_date(page):
    """In the order that the browser's own language wants, which the page does not decide."""
    year, month, day = BORN.split("-")
    field = page.locator('[name="birth_date"]')
    for typed in (f"{month}{day}{year}", f"{day}{month}{year}"):
        tab_to(page, lambda at: at["name"] == "birth_date")
        page.keyboard.type(typed)
        if field.input_value() == BORN:
            return
        # Back to the field's first part: a field for a date has three.
        while page.evaluate(_FOCUSED)["name"] == "birth_date":
            page.keyboard.press("Shift+Tab")
    raise AssertionError(field.input_value())


def fill_in_by_keyboard(page, answers):
    """Answer what the page asks, going from field to field with nothing but keys."""

    def give(at):
        if at["tag"] == "SUMMARY" and set(at["closed"]) & answers.keys():
            page.keyboard.press("Enter")
        given = answers.get(at["name"])
        if given is None or at["tag"] not in ("INPUT", "TEXTAREA"):
            return
        if at["type"] == "checkbox":
            if at["checked"] != (given == "on" or at["value"] in given):
                page.keyboard.press("Space")
        elif at["type"] == "radio":
            if at["value"] == given:
                page.keyboard.press("Space")
            for _ in range(20):
                if page.evaluate(_FOCUSED)["value"] == given:
                    break
                page.keyboard.press("ArrowDown")
        elif at["type"] != "date" and at["value"] != given:
            # The clinic knows the date of birth: it stands there.
            page.keyboard.press("Control+a")
            page.keyboard.type(given)

    def is_next(at):
        give(at)
        return at["tag"] == "BUTTON" and at["name"] == "next"

    tab_to(page, is_next)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_by_keyboard_alone_in_spanish_on_a_phone_and_on_a_second_device(site, visit, open_page):
    page = open_page(language="es", reduced_motion="reduce")
    grant(page, site, visit)
    scales = Scales(page)
    page.goto(site + reverse("intake", args=[visit.pk]))
    assert page.locator("html").get_attribute("lang") == "es"
    check(page)
    scales.weigh()
    for number in range(1, 8):
        page.goto(site + reverse("intake_page", args=[visit.pk, number]))
        check(page)
        scales.weigh()
        fill_in_by_keyboard(page, FILLED)
        assert not page.url.endswith(f"/{number}/"), page.locator("#error-summary").inner_text()
    page.context.close()

    # The session is gone. Another device opens the mailed link, and is asked who it is.
    page = open_page(language="es", reduced_motion="reduce")
    grant(page, site, visit, message=make_message(patient=visit.patient))
    scales_of_the_second = Scales(page)
    page.goto(site + reverse("intake", args=[visit.pk]))
    check(page)
    type_birth_date(page)
    press_by_keyboard(page)
    go_on = page.locator("a.btn-track")
    assert go_on.get_attribute("href").endswith("/intake/8/")
    for number in range(8, PAGES + 1):
        page.goto(site + reverse("intake_page", args=[visit.pk, number]))
        check(page)
        scales_of_the_second.weigh()
        fill_in_by_keyboard(page, FILLED)
        assert not page.url.endswith(f"/{number}/"), page.locator("#error-summary").inner_text()
    assert page.url.endswith("/review/")
    check(page)
    scales_of_the_second.weigh()
    tab_to(page, lambda at: at["tag"] == "BUTTON" and at["type"] == "submit" and not at["name"])
    sent = page.locator("main form button[type=submit]")
    sent.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    check(page)
    response = QuestionnaireResponse.objects.get()
    assert (response.status, response.language) == ("completed", "es")
    assert response.answers.text("goal-words") == FILLED["goal-words"]
    weights = scales.weights | scales_of_the_second.weights
    assert len(weights) == PAGES + 2
    assert {path: weight for path, weight in weights.items() if weight > HEAVIEST} == {}


def fill_in_without_a_script(page, answers):
    """Answer what is in sight and press Next, as often as answers bring up questions."""
    number = page.url.rstrip("/").rpartition("/")[2]
    for _round in range(4):
        for name, given in answers.items():
            for value in given if isinstance(given, list) else [given]:
                boxes = page.locator(f'main [name="{name}"]:not([type=hidden])')
                if not boxes.count() or not boxes.first.is_visible():
                    continue
                if boxes.first.get_attribute("type") not in ("radio", "checkbox"):
                    boxes.first.fill(value)
                elif value == "on":
                    tick(boxes.first)
                else:
                    tick(page.locator(f'main [name="{name}"][value="{value}"]'))
        press(page.get_by_role("button", name="Next"))
        if not page.url.endswith(f"/{number}/"):
            return
    raise AssertionError(page.locator("main").inner_text()[:500])


def test_without_javascript_sent_and_corrected(site, visit, open_page):
    page = open_page(java_script_enabled=False)
    grant(page, site, visit)
    page.goto(site + reverse("intake_page", args=[visit.pk, 1]))
    for _page in range(PAGES):
        for details in page.locator("main details > summary").all():
            details.click()
        here = {field.get_attribute("name") for field in page.locator("main [name]").all()}
        fill_in_without_a_script(page, {k: v for k, v in FILLED.items() if k in here})
    press(page.get_by_role("button", name="Send my answers"))
    press(page.get_by_role("button", name="Correct my answers"))
    page.goto(site + reverse("intake_page", args=[visit.pk, 3]))
    tick(page.locator('[name="pain-worst"][value="9"]'))
    # Going back saves as well.
    press(page.get_by_role("button", name="Back"))
    assert page.url.endswith("/intake/2/")
    page.goto(site + reverse("intake_page", args=[visit.pk, PAGES]))
    fill_in_without_a_script(page, FILLED)
    press(page.get_by_role("button", name="Send my corrected answers"))
    response = QuestionnaireResponse.objects.get()
    assert response.status == "amended"
    assert response.answers.number("pain-worst") == 9
    assert EarlierAnswers.objects.get().answers.number("pain-worst") == 6
