"""Joining the waitlist and taking an offered time in real Chromium."""

from datetime import timedelta

import pytest
from django.utils import timezone

from booking.models import Appointment, WaitlistEntry, WaitlistOffer
from tests.browser.forms import answer, press
from tests.browser.test_booking_pages import check, site  # noqa: F401 - a fixture
from tests.intake.filled import FILLED


@pytest.mark.parametrize(
    ("language", "scheme", "words"),
    [
        ("en", "light", ("Join the waitlist", "Put me on", "Take it or let it go", "Take this")),
        ("es", "dark", ("Unirse a la lista", "Ponerme en", "Tomarla o dejarla", "Tomar esta")),
    ],
)
def test_somebody_waits_and_takes_a_time_on_pages_that_axe_finds_nothing_on(
    site,  # noqa: F811
    open_page,
    language,
    scheme,
    words,
):
    join, put_me_on, look, take = words
    page = open_page(width=390, language=language, color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"{site}/book/safety/?service=pt-eval")
    answer(page, FILLED)
    press(page.locator("main form button[type=submit]").last)
    press(page.get_by_role("link", name=join))
    check(page, "join")
    press(page.get_by_role("button", name=put_me_on))
    check(page, "join, refused")
    page.locator("[name=name]").fill("Ana Ruiz")
    page.locator("[name=email]").fill("ana@patients.example")
    page.locator("[name=phone]").fill("512 555 0188")
    press(page.get_by_role("button", name=put_me_on))
    check(page, "on the list")

    entry, now = WaitlistEntry.objects.get(), timezone.now()
    free = Appointment.objects.search(
        entry.service, since=now + timedelta(days=2), until=now + timedelta(days=4), now=now
    ).starts()
    practitioner = entry.service.practitioners.get()
    entry.offer(
        start=free[-1].start,
        practitioner=practitioner,
        location=practitioner.locations.get(),
        # By day in the clinic, whatever the hour at which this test runs.
        now=now.replace(hour=18, minute=0),
    )
    later = now + timedelta(hours=2)
    WaitlistOffer.objects.update(answer_by=later)
    Appointment.objects.update(held_until=later)
    page.reload()
    check(page, "on the list, with an offer")
    press(page.get_by_role("link", name=look))
    check(page, "offer")
    press(page.get_by_role("button", name=take))
    visit = Appointment.objects.get()
    assert page.url.endswith(f"/visits/{visit.pk}/")
    assert visit.patient == entry.patient
