from datetime import timedelta

import pytest
from django.utils import timezone

from booking.appointments import mail_schedule
from clinic.mail import outbox
from tests.browser.forms import press
from tests.factories import make_appointment, make_practice


@pytest.mark.django_db(transaction=True)
def test_a_mail_of_the_demo_is_read_and_its_link_followed(live_server, settings, open_page):
    settings.DEMO = True
    settings.BASE_URL = live_server.url
    make_practice()
    now = timezone.now()
    visit = make_appointment(start=now + timedelta(days=3))
    mail_schedule.plan_booked(visit, now)
    outbox.tick(now)

    page = open_page(width=390)
    page.goto(f"{live_server.url}/demo/mail/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    press(page.get_by_role("link", name="Booked: "))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    frame = page.frame_locator("iframe")
    frame.get_by_text("Your visit is booked").wait_for()
    press(page.locator(f'a[href^="{live_server.url}/l/"]').first)

    assert page.url == f"{live_server.url}/visits/{visit.pk}/"
