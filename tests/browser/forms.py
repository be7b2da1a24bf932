"""How the tests and the pictures fill in pages quickly, in a real browser."""

from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Locator, Page

_ANSWER = """answers => {
  for (const [name, given] of Object.entries(answers))
    for (const input of document.getElementsByName(name)) {
      if (input.closest("[hidden]") || input.type === "hidden") continue;
      if (input.type === "radio" || input.type === "checkbox") {
        const wanted = given === "on" || [given].flat().includes(input.value);
        if (input.checked !== wanted) input.click();
      } else {
        input.value = given;
        input.dispatchEvent(new Event("change", {bubbles: true}));
      }
    }
}"""


def answer(page: Page, answers: Mapping[str, Any]) -> None:
    """Give those answers, by field name, that the page asks for; one may bring up the next."""
    page.evaluate(_ANSWER, dict(answers))


def tick(box: Locator) -> None:
    """Tick a box or choose a radio button by key: a click misses while the page still moves."""
    if not box.is_checked():
        box.press("Space")


def press(target: Locator) -> None:
    """Press what leads to another page, and wait for that."""
    with target.page.expect_navigation():
        target.click()
