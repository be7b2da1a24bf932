"""Pictures of the pages, for docs/screenshots/: one walk through a demo started for it.

    python -m tests.browser.screenshots

What the folder held and the walk no longer makes is removed.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from pypdf import PdfReader

import tests.environment  # noqa: F401 - settings of its own, as under pytest
from tests.browser.forms import answer, press
from tests.intake.filled import FILLED
from tests.running_demo import Demo
from tests.throwaway import chromium

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
WIDTHS = {"phone": 390, "desktop": 1280}
HEIGHTS = {"phone": 844, "desktop": 800}
# A longer page shows its beginning: pictures are looked at side by side.
TALLEST = {"phone": 1500, "desktop": 1000}

# The pages of the intake that get a picture, by number.
INTAKE_PAGES = {4: "intake-body-chart", 12: "intake-daily-life"}
IN_SPANISH = {"home", "safety", "slots", "intake-daily-life"}

HEALTHY = FILLED | {"load-now": "18.5"}
EMERGENCY = FILLED | {"safety-nerve": ["saddle-numb"]}


@dataclass
class Camera:
    """Takes the pictures of one device and language."""

    browser: Browser
    site: str
    device: str
    language: str
    taken: set[Path] = field(default_factory=set)

    @contextmanager
    def visitor(self) -> Iterator[Page]:
        """A browser session of its own."""
        context = self.browser.new_context(
            viewport={"width": WIDTHS[self.device], "height": HEIGHTS[self.device]},
            locale=self.language,
            reduced_motion="reduce",
            base_url=self.site,
        )
        yield context.new_page()
        context.close()

    def take(self, page: Page, name: str, path: str = "") -> None:
        """Picture the page as it is, or the one at ``path``."""
        if path:
            page.goto(path)
        if self.language == "es" and name not in IN_SPANISH:
            return
        page.wait_for_load_state()
        suffix = "-es" if self.language == "es" else ""
        file = FOLDER / f"{name}-{self.device}{suffix}.png"
        length = page.evaluate("document.documentElement.scrollHeight")
        height = min(max(length, HEIGHTS[self.device]), TALLEST[self.device])
        clip = {"x": 0, "y": 0, "width": WIDTHS[self.device], "height": height}
        page.screenshot(path=file, full_page=True, clip=clip)
        self.taken.add(file)


def public_pages(camera: Camera) -> None:
    with camera.visitor() as page:
        camera.take(page, "home", "/")
        camera.take(page, "services", "/services/")
        camera.take(page, "guide-page", "/guide/why-it-hurts/")
        camera.take(page, "sign-in", "/accounts/login/")
        camera.take(page, "demo", "/demo/")


def emergency(camera: Camera) -> None:
    with camera.visitor() as page:
        page.goto("/book/safety/?service=pt-eval")
        answer(page, EMERGENCY)
        press(page.locator("main form button").last)
        camera.take(page, "emergency")


def booking(camera: Camera) -> None:
    """Book a visit and fill in its form, as one patient does."""
    with camera.visitor() as page:
        camera.take(page, "book", "/book/")
        camera.take(page, "safety", "/book/safety/?service=pt-eval")
        answer(page, HEALTHY)
        press(page.locator("main form button").last)
        camera.take(page, "slots")
        page.goto(page.locator(".week-strip a").last.evaluate("link => link.href"))
        press(page.locator("button.slot-chip").first)
        camera.take(page, "details")
        page.fill("[name=name]", FILLED["consent-signature"])
        # An address of its own: three visits for one e-mail are enough for the clinic.
        page.fill("[name=email]", f"ana@{camera.device}-{camera.language}.example")
        page.fill("[name=phone]", "512 555 0188")
        press(page.locator("[name=book]"))
        camera.take(page, "visit")
        visit = page.url
        camera.take(page, "my-visits", "/my-visits/")
        camera.take(page, "intake-start", f"{visit}intake/")
        page.goto(f"{visit}intake/1/")
        while "/review/" not in page.url:
            here = page.url
            answer(page, HEALTHY)
            number = int(here.rstrip("/").rpartition("/")[2])
            if name := INTAKE_PAGES.get(number):
                camera.take(page, name)
            press(page.locator("button[name=next]"))
            assert page.url != here, page.locator("main").inner_text()
        camera.take(page, "intake-review")


def clinician(camera: Camera) -> None:
    with camera.visitor() as page:
        page.goto("/demo/")
        press(page.locator("button[value=clinician]"))
        telling = page.locator("tr:has(.intake-done):has(.level-soon) th a")
        while not telling.count():
            press(page.locator("[rel=next]"))
        camera.take(page, "clinician-day")
        press(telling.first)
        camera.take(page, "summary")
        _prints_on_one_page(page)
        page.goto("/clinician/")
        while not _open_compared(page):
            press(page.locator("[rel=next]"))
        camera.take(page, "summary-compared")
        _prints_on_one_page(page)


def _open_compared(page: Page) -> bool:
    """Open the summary of the runner of this day who has an earlier form to compare with."""
    day = page.url
    links = page.locator("tr:has(.intake-done) th a")
    for path in [link.get_attribute("href") for link in links.all()]:
        page.goto(path)
        if page.locator("polyline.chart-line").count():
            return True
    page.goto(day)
    return False


def _prints_on_one_page(page: Page) -> None:
    printed = PdfReader(BytesIO(page.pdf(format="Letter")))
    assert len(printed.pages) == 1, "the summary prints on one page"


def front_desk(camera: Camera) -> None:
    with camera.visitor() as page:
        page.goto("/demo/")
        press(page.locator("button[value=front-desk]"))
        camera.take(page, "front-desk", "/admin/")
        camera.take(page, "visits", "/admin/booking/appointment/")
        press(page.locator("#result_list tbody th a").first)
        visit = page.url.removesuffix("change/")
        camera.take(page, "move-visit", f"{visit}move/")
        camera.take(page, "add-visit", "/admin/booking/appointment/add/")
        page.goto("/admin/intake/safetyalert/")
        press(page.locator("#result_list tr:has(.level-urgent) th a").first)
        camera.take(page, "alert")


def mail(camera: Camera) -> None:
    with camera.visitor() as page:
        page.goto("/demo/mail/")
        booked = page.get_by_role("link", name="Booked: ")
        while not booked.count():
            page.wait_for_timeout(500)
            page.reload()
        press(booked.first)
        page.wait_for_load_state("networkidle")
        camera.take(page, "mail")


WALKS = {
    "en": [public_pages, emergency, booking, clinician, front_desk, mail],
    "es": [public_pages, booking],
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    taken: set[Path] = set()
    with tempfile.TemporaryDirectory() as state, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        with Demo(Path(state) / "demo", TICK_SECONDS="1") as demo:
            site = demo.first_line().removeprefix("Ready at ")
            for language, walks in WALKS.items():
                for device in WIDTHS:
                    camera = Camera(browser, site, device, language, taken)
                    for walk in walks:
                        walk(camera)
        browser.close()
    for old in set(FOLDER.glob("*.png")) - taken:
        old.unlink()


if __name__ == "__main__":
    main()
