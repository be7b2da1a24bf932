"""The product's main story, told once by real parts: Chromium, web, worker, beat, SMTP server."""

import re
import sqlite3
import time
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from demo.sample.runners import EVERYBODY, STORIES
from tests.browser.forms import press
from tests.running_demo import Demo
from tests.smtp import SmtpSink

pytestmark = pytest.mark.slow

NAME, EMAIL = "Zyanya Testigo", "zyanya@patients.example"
GATE = {
    "about-birth-date": "1992-03-12",
    "onset-duration": "w2-6",
    "pain-worst": 7,
    "pain-run": 7,
}


def label_of(page: Page, name: str, value: object) -> Locator:
    return page.locator(f'label:has(input[name="{name}"][value="{value}"])').or_(
        page.locator(f'input[name="{name}"][value="{value}"] + label')
    )


def answer(page: Page, name: str, value: Any) -> None:
    """Give one answer the way a finger does: by its label, or by typing."""
    field = page.locator(f'[name="{name}"]').first
    if field.get_attribute("type") not in ("radio", "checkbox"):
        field.fill(str(value))
        return
    words = {True: "true", False: "false"}
    for one in value if isinstance(value, list) else [value]:
        box = page.locator(f'input[name="{name}"][value="{words.get(one, one)}"]')
        if box.count() == 0:
            box = field  # a box of its own: "I agree"
        if not box.is_checked():
            page.locator(f'label[for="{box.get_attribute("id")}"]').last.click()
        expect(box).to_be_checked()


def asked_on(page: Page) -> list[str]:
    """The names of the questions on the page, in order, the optional ones unfolded."""
    page.locator("main details").evaluate_all("all => all.forEach(one => (one.open = true))")
    shown = page.locator("main form input:visible, main form textarea:visible")
    names = [field.get_attribute("name") or "" for field in shown.all()]
    return list(dict.fromkeys(names))


def link_in(mail: EmailMessage, words: str) -> str:
    text = mail.get_body(("plain",)).get_content()
    return re.search(rf"{re.escape(words)}:?\s+(http\S+)", text)[1]


def subjects(sink: SmtpSink) -> list[str]:
    return [str(mail["Subject"]) for mail in sink.to(EMAIL)]


def wait_until(condition, *, seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.2)


def let_the_day_before_come(state: Path) -> None:
    """Move the rows' times instead of the clock: the reminder's hour is now."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    with sqlite3.connect(state / "backstride.sqlite3", timeout=20) as database:
        changed = database.execute(
            "UPDATE clinic_message SET due_at = ?, next_attempt_at = ?"
            " WHERE kind = 'reminder' AND step = '24h' AND state = 'planned' AND patient_id ="
            " (SELECT id FROM clinic_patient WHERE email = ?)",
            (now, now, EMAIL),
        ).rowcount
    database.close()
    assert changed == 1


def test_a_runner_books_fills_the_form_and_the_clinician_reads_it(tmp_path, smtp_sink, open_page):
    state = tmp_path / "state"
    mail_server = f"smtp://127.0.0.1:{smtp_sink.port}"
    with Demo(state, EMAIL_URL=mail_server, TICK_SECONDS="1") as demo:
        site = demo.first_line().removeprefix("Ready at ").rstrip("/")

        visit_day = book(open_page(), site)
        wait_until(lambda: any("Booked" in subject for subject in subjects(smtp_sink)))
        confirmation = smtp_sink.to(EMAIL)[0]

        # The mail is opened on another device: nothing of the first browser is needed.
        fill_in_the_form(open_page(), link_in(confirmation, "Fill in your form"))

        sent_before = len(subjects(smtp_sink))
        let_the_day_before_come(state)
        wait_until(lambda: len(subjects(smtp_sink)) > sent_before)
        assert "Reminder" in subjects(smtp_sink)[-1]
        assert set(smtp_sink.copies.values()) == {1}

        read_the_summary(open_page(width=1280, height=800), site, visit_day)


def book(page: Page, site: str) -> date:
    """Walk from the home page to a booked visit with the demo's clinician; return its day."""
    page.goto(site)
    press(page.get_by_role("link", name="Book an appointment").first)
    press(page.get_by_role("link", name="Physical therapy evaluation"))
    for name in asked_on(page):
        answer(page, name, (EVERYBODY | STORIES["half-marathon"] | GATE)[name])
    press(page.get_by_role("button", name="Next"))

    # Worsening leg symptoms are not asked at the gate: at this point any time may be chosen.
    # In Austin the demo's clinician is the one who gives evaluations.
    page.goto(f"{page.url.partition('?')[0]}?place=austin")
    last_day = page.locator(".week-strip a").last
    last_day.click()
    expect(last_day).to_have_attribute("aria-current", "date")
    press(page.locator("button.slot-chip").first)
    expect(page.get_by_role("heading", level=1)).to_have_text("Who is coming?")
    page.get_by_label("Full name").fill(NAME)
    page.get_by_label("E-mail", exact=False).first.fill(EMAIL)
    page.get_by_label("Phone").fill("512 555 0188")
    press(page.get_by_role("button", name="Book this visit"))
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")
    return date.fromisoformat(page.locator("time").first.get_attribute("datetime")[:10])


def fill_in_the_form(page: Page, link: str) -> None:
    page.goto(link)
    assert "/l/" not in page.url
    page.get_by_label("Date of birth").fill(GATE["about-birth-date"])
    press(page.get_by_role("button", name="Open my form"))
    story = EVERYBODY | STORIES["half-marathon"] | GATE
    story |= {"about-sex": "female", "goal-event-date": "", "consent-signature": NAME}
    for number, activity in enumerate(story["activity"]):
        for name, value in activity.items():
            story[f"activity:{number}:{name}"] = value
    press(page.get_by_role("link", name="Go on"))
    while not page.url.endswith("/review/"):
        # An answer can bring the next question: look again until nothing new shows.
        done: set[str] = set()
        while new := [n for n in asked_on(page) if n in story and n not in done]:
            answer(page, new[0], story[new[0]])
            done.add(new[0])
        press(page.get_by_role("button", name="Next"))
        expect(page.locator(".error-summary")).to_have_count(0)
    press(page.get_by_role("button", name="Send my answers"))
    expect(page.locator("main")).to_contain_text("Thank you")


def read_the_summary(page: Page, site: str, visit_day: date) -> None:
    page.goto(f"{site}/demo/")
    press(page.get_by_role("button", name="Clinician"))
    page.goto(f"{site}/clinician/?day={visit_day}")
    press(page.get_by_role("table").get_by_role("link", name=NAME))
    sheet = page.locator("main")
    expect(sheet).to_contain_text("SOON", ignore_case=True)
    expect(sheet).to_contain_text("right low back", ignore_case=True)
    expect(sheet).to_contain_text(STORIES["half-marathon"]["goal-words"])
