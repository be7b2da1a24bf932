"""Pictures of every page, for docs/screenshots/: one walk through a demo started for it.

    python -m tests.browser.screenshots

What the folder held and the walk no longer makes is removed.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from playwright.sync_api import Browser, Page, sync_playwright

import tests.environment  # noqa: F401 - before the settings are
from tests.intake.filled import FILLED
from tests.throwaway import chromium

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
WIDTHS = {"phone": 390, "desktop": 1280}
HEIGHTS = {"phone": 844, "desktop": 800}
# A longer page shows its beginning: pictures are looked at side by side.
TALLEST = {"phone": 1900, "desktop": 1400}

BODY_CHART, DAILY_LIFE = 4, 12
EMERGENCY = FILLED | {"safety-nerve": ["saddle-numb"]}

# Gives the answers that a page asks for. Questions may show only after an earlier answer.
ANSWER = """answers => {
  for (const [name, given] of Object.entries(answers))
    for (const input of document.getElementsByName(name)) {
      if (input.closest("[hidden]") || input.type === "hidden") continue;
      if (input.type === "radio" || input.type === "checkbox") {
        if (input.checked !== [given].flat().includes(input.value)) input.click();
      } else {
        input.value = given;
        input.dispatchEvent(new Event("change", {bubbles: true}));
      }
    }
}"""


@dataclass
class Camera:
    """Takes the pictures of one device, language and colour scheme."""

    browser: Browser
    site: str
    folder: Path
    device: str
    language: str = "en"
    scheme: str = "light"
    taken: set[str] = field(default_factory=set)

    @contextmanager
    def visitor(self) -> Iterator[Page]:
        """A browser session of its own."""
        context = self.browser.new_context(
            viewport={"width": WIDTHS[self.device], "height": HEIGHTS[self.device]},
            locale=self.language,
            color_scheme=self.scheme,
            reduced_motion="reduce",
            base_url=self.site,
        )
        yield context.new_page()
        context.close()

    def take(self, page: Page, name: str, path: str = "") -> None:
        if path:
            page.goto(path)
        page.wait_for_load_state()
        words = [name, self.device]
        words += ["es"] if self.language == "es" else []
        words += ["dark"] if self.scheme == "dark" else []
        file = f"{'-'.join(words)}.png"
        height = min(
            max(page.evaluate("document.documentElement.scrollHeight"), HEIGHTS[self.device]),
            TALLEST[self.device],
        )
        clip = {"x": 0, "y": 0, "width": WIDTHS[self.device], "height": height}
        page.screenshot(path=self.folder / file, full_page=True, clip=clip)
        self.taken.add(file)


def press(page: Page, selector: str) -> None:
    """Press what leads to another page, and wait for it."""
    with page.expect_navigation():
        page.locator(selector).last.click()


def public_pages(camera: Camera) -> None:
    with camera.visitor() as page:
        camera.take(page, "home", "/")
        if camera.language == "en":
            camera.take(page, "services", "/services/")
            camera.take(page, "guide", "/guide/")
            camera.take(page, "guide-page", "/guide/why-it-hurts/")
            camera.take(page, "my-visits-sign-in", "/my-visits/")
            camera.take(page, "sign-in", "/accounts/login/")
            camera.take(page, "demo", "/demo/")


def emergency(camera: Camera) -> None:
    with camera.visitor() as page:
        page.goto("/book/safety/?service=pt-eval")
        page.evaluate(ANSWER, EMERGENCY)
        press(page, "main form button")
        camera.take(page, "emergency")


def booking(camera: Camera) -> None:
    """Book a visit and fill in its form, as one patient does."""
    with camera.visitor() as page:
        camera.take(page, "book", "/book/")
        camera.take(page, "safety", "/book/safety/?service=pt-eval")
        page.evaluate(ANSWER, FILLED)
        press(page, "main form button")
        camera.take(page, "slots")
        page.goto(page.locator(".week-strip a").last.evaluate("link => link.href"))
        press(page, "button.slot-chip")
        camera.take(page, "details")
        page.fill("[name=name]", FILLED["consent-signature"])
        page.fill("[name=email]", f"ana@{token_hex(4)}.example")
        page.fill("[name=phone]", "512 555 0188")
        press(page, "[name=book]")
        camera.take(page, "visit")
        visit = page.url
        camera.take(page, "my-visits", "/my-visits/")
        camera.take(page, "intake", f"{visit}intake/")
        page.goto(f"{visit}intake/1/")
        while "/review/" not in page.url:
            here = page.url
            page.evaluate(ANSWER, FILLED)
            number = int(here.rstrip("/").rpartition("/")[2])
            camera.take(page, f"intake-{number:02}")
            press(page, "button[name=next]")
            assert page.url != here, page.locator("main").inner_text()
        camera.take(page, "intake-review")
        press(page, "main form button")
        camera.take(page, "intake-sent")


def clinician(camera: Camera) -> None:
    with camera.visitor() as page:
        page.goto("/demo/")
        press(page, "button[value=clinician]")
        telling = page.locator("tr:has(.intake-done):has(.level-soon) th a")
        while not telling.count():
            press(page, "[rel=next]")
        camera.take(page, "clinician-day")
        telling.first.click()
        camera.take(page, "summary")


def front_desk(camera: Camera) -> None:
    with camera.visitor() as page:
        page.goto("/demo/")
        press(page, "button[value=front-desk]")
        camera.take(page, "front-desk", "/admin/")
        camera.take(page, "visits", "/admin/booking/appointment/")
        page.locator("#result_list tbody th a").first.click()
        camera.take(page, "visit-admin")
        visit = page.url.removesuffix("change/")
        camera.take(page, "move-visit", f"{visit}move/")
        camera.take(page, "add-visit", "/admin/booking/appointment/add/")
        camera.take(page, "alerts", "/admin/intake/safetyalert/")
        page.locator("#result_list tbody th a").first.click()
        camera.take(page, "alert")


def mail(camera: Camera) -> None:
    with camera.visitor() as page:
        camera.take(page, "mails", "/demo/mail/")
        page.locator("main td a, main li a").first.click()
        page.wait_for_load_state("networkidle")
        camera.take(page, "mail")


WALKS = [public_pages, emergency, booking, clinician, front_desk, mail]
SPANISH_WALKS = [public_pages, emergency, booking]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", help="a demo that runs already")
    parser.add_argument("--to", type=Path, default=FOLDER)
    parser.add_argument("--device", nargs="+", default=list(WIDTHS), choices=WIDTHS)
    parser.add_argument("--language", nargs="+", default=["en", "es"], choices=["en", "es"])
    parser.add_argument("--scheme", default="light", choices=["light", "dark"])
    parser.add_argument("--walk", nargs="+", default=[walk.__name__ for walk in WALKS])
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for device in options.device:
            for language in options.language:
                camera = Camera(browser, options.site, options.to, device, language, options.scheme)
                for walk in WALKS if language == "en" else SPANISH_WALKS:
                    if walk.__name__ in options.walk:
                        try:
                            walk(camera)
                        except Exception as e:
                            print(walk.__name__, device, language, repr(e)[:600])
        browser.close()


if __name__ == "__main__":
    main()
