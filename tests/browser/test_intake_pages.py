import time
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinic.security.access import set_grant_cookie
from intake.models import Questionnaire, QuestionnaireResponse
from tests.browser.forms import press, tick
from tests.factories import make_appointment, make_link, make_patient, make_practice

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def _collected():
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture
def intake(_collected, live_server, open_page):
    """`intake(4)` opens page 4 of a fresh visit's intake; options are those of `open_page`."""
    make_practice()
    Questionnaire.objects.publish_shipped(now=timezone.now())
    visit = make_appointment(patient=make_patient(), start=timezone.now() + timedelta(days=3))
    response = HttpResponse()
    set_grant_cookie(response, make_link(patient=visit.patient))

    def open_intake(number, **options):
        page = open_page(**options)
        page.context.add_cookies(
            [{"name": "grant", "value": response.cookies["grant"].value, "url": live_server.url}]
        )
        page.goto(live_server.url + reverse("intake_page", args=[visit.pk, number]))
        return page

    return open_intake


def choose(page, name, value):
    tick(page.locator(f'[name="{name}"][value="{value}"]'))


def test_a_question_appears_and_goes_as_its_answer_changes(intake):
    page = intake(3)
    leg_side = page.get_by_role("group", name="Which leg?")
    assert not leg_side.is_visible()
    choose(page, "leg-any", "true")
    assert leg_side.is_visible()
    choose(page, "leg-any", "false")
    assert not leg_side.is_visible()


def test_none_of_these_unticks_the_others_and_the_other_way_round(intake):
    page = intake(1)
    unsure = page.locator('[name="safety-nerve"][value="unsure"]')
    none = page.locator('[name="safety-nerve"][value="none"]')
    choose(page, "safety-nerve", "unsure")
    choose(page, "safety-nerve", "none")
    assert not unsure.is_checked()
    choose(page, "safety-nerve", "unsure")
    assert not none.is_checked()


def test_only_marked_places_can_be_the_main_one(intake):
    page = intake(4)
    choose(page, "body-regions", "sacrum")
    assert page.locator('[name="body-main"][value="sacrum"]').is_visible()
    assert not page.locator('[name="body-main"][value="abdomen"]').is_visible()


def test_distances_say_the_unit_that_was_chosen(intake):
    page = intake(6)
    choose(page, "run-unit", "mi")
    assert page.locator('[data-question="load-now"] .unit').inner_text() == "mi"


def test_the_figure_is_tapped_without_a_script(intake):
    page = intake(4, java_script_enabled=False)
    page.locator("label.region-low-back-left rect").first.click()
    assert page.locator('[name="body-regions"][value="low-back-left"]').is_checked()


def test_without_a_script_the_server_shows_what_an_answer_brings_up(intake):
    page = intake(3, java_script_enabled=False)
    for name in ("pain-now", "pain-average", "pain-worst"):
        choose(page, name, "4")
    choose(page, "pain-type", "ache")
    choose(page, "pain-pattern", "comes-goes")
    choose(page, "pain-stiff-morning", "no")
    choose(page, "pain-night", "no")
    choose(page, "leg-any", "true")
    press(page.get_by_role("button", name="Next"))
    assert page.get_by_role("heading", name="5 more questions").is_visible()
    assert page.get_by_role("group", name="Which leg?").is_visible()
    assert page.locator('[name="pain-worst"][value="4"]').is_checked()
    assert QuestionnaireResponse.objects.get().answers.number("pain-worst") == 4


def test_leaving_by_a_link_saves_what_was_typed(intake):
    page = intake(3)
    choose(page, "pain-now", "4")
    page.get_by_role("link", name="Get help now").first.click()
    page.wait_for_url("**/guide/**")
    deadline = time.monotonic() + 10
    while not QuestionnaireResponse.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert QuestionnaireResponse.objects.get().answers.number("pain-now") == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_pages_of_every_kind(intake, scheme):
    page = intake(1, color_scheme=scheme, reduced_motion="reduce")
    for number in (2, 4, 12, 14):
        page.goto(page.url.rsplit("/", 2)[0] + f"/{number}/")
        found = Axe().run(page).response["violations"]
        assert [(number, v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []


@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_of_the_form_scrolls_sideways(intake, width):
    page = intake(1, width=width)
    for number in range(1, 15):
        page.goto(page.url.rsplit("/", 2)[0] + f"/{number}/")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, number
