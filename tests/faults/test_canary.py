"""A canary's way through everything: its words are in the database, on its own pages, and nowhere
else.

Real HTTP, a real worker and scheduler, a real mail server, and the broker that belongs to the
engine. What the web process publishes is read from the broker before a worker takes it.
"""

import base64
import json
import re
import subprocess
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import redis as redis_client
from django.conf import settings
from django.utils import timezone

from booking.models import Appointment
from clinic.models import Message
from intake.models import Questionnaire
from schedule.slots import floor_minute
from tests.booking.small_clinic import SmallClinic
from tests.factories import make_practice
from tests.faults.conftest import wait_until
from tests.guest import HEALTHY, Guest, Server
from tests.intake.fhir_form.test_questionnaire import FORM
from tests.intake.filled import page_data

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.usefixtures("collected_static_files"),
]

# The name may be in a mail to its owner; the answers may be in none.
NAME, ANSWER = "Zzyzx", "Qwxyz"
DETAILS = {
    "name": f"{NAME} Canary",
    "email": "canary@runners.example",
    "phone": "512 555 0123",
    "birth_date": HEALTHY["about-birth-date"],
    "language": "en",
    "wants_reminders": "on",
    "book": "1",
}
WORDS = {
    "med-surgery-what": f"{ANSWER} surgery",
    "activity:0:activity-name": f"{ANSWER} running",
    "goal-words": f"{ANSWER} words",
    "goal-notes": f"{ANSWER} notes",
    "consent-signature": f"{NAME} Canary",
    "about-birth-date": HEALTHY["about-birth-date"],
}


class Canary(Guest):
    """A guest who keeps an eye on what the server sends along with each page."""

    def __init__(self, server, *, number):
        super().__init__(server, number=number)
        self.told = []
        self.pages = []

    def post(self, path, fields):
        return self._send("POST", path, urlencode(fields, doseq=True))

    def _remember(self, response):
        self.told.append((response.status, response.headers))
        super()._remember(response)

    def _send(self, method, path, body=None):
        status, page = super()._send(method, path, body)
        self.pages.append((path, page, self.told[-1][1]))
        return status, page

    def follow(self, path):
        """Open a page, going where it leads; return the last address and the page."""
        status, page = self.get(path)
        while status in (301, 302):
            path = page.replace("http://testserver", "")
            status, page = self.get(path)
        assert status == 200, (path, status)
        return path, page

    def send_page(self, visit, number, **changes):
        path = f"/visits/{visit.pk}/intake/{number}/"
        _path, page = self.follow(path)
        hidden = {
            name: re.search(f'name="{name}" value="([^"]*)"', page)[1]
            for name in ("_revision", "_seen", "_asked")
        }
        here = {item.link_id for item in FORM.pages()[number - 1].walk()}
        words = {name: text for name, text in WORDS.items() if name.split(":")[0] in here}
        status, answer = self.post(path, page_data(FORM, number) | words | changes | hidden)
        assert status == 302, (number, re.findall(r"error-summary.*?</div>", answer, re.DOTALL))


def book(canary, clinic):
    now = timezone.now()
    free = Appointment.objects.search(
        clinic.service, since=now, until=now + timedelta(days=4), now=now
    ).starts()
    choice = canary.choice(
        start=floor_minute(free[-1].start),
        place=clinic.location.slug,
        minutes=clinic.service.default_duration,
    )
    canary.answer_gate(clinic.service.slug)
    assert canary.hold(clinic.service.slug, choice) == 302
    status, _page = canary.post(f"/book/{clinic.service.slug}/details/", {**choice, **DETAILS})
    assert status == 302
    return Appointment.objects.exclude(patient=None).get()


def published(broker, state):
    """Every message in the broker, decoded."""
    if broker:
        client = redis_client.Redis.from_url(broker["REDIS_URL"])
        raw = [
            message
            for key in client.scan_iter()
            if client.type(key) == b"list"
            for message in client.lrange(key, 0, -1)
        ]
        client.close()
    else:
        raw = [file.read_bytes() for file in (state / "broker").iterdir()]
    told = []
    for message in raw:
        content = json.loads(message)
        told.append(json.dumps(content["headers"]))
        told.append(base64.b64decode(content["body"]).decode())
    return told


def test_nothing_of_a_patient_is_anywhere_but_in_the_database_and_on_their_own_pages(
    worker_env, broker, smtp_sink, start, tmp_path
):
    make_practice(time_zone="America/Chicago")
    questionnaire = Questionnaire.objects.publish_shipped(now=timezone.now() - timedelta(days=1))
    clinic = SmallClinic(slug="pt-eval", questionnaire=questionnaire)
    log = tmp_path / "web.log"
    (tmp_path / "static").symlink_to(settings.STATIC_ROOT)
    env = worker_env | broker | {"EMAIL_URL": smtp_sink.url, "TRUSTED_PROXY": "1"}
    with Server(env, log=log) as server:
        canary = Canary(server, number=1)
        visit = book(canary, clinic)

        # No worker has run yet: all that was published still lies in the broker.
        waiting = published(broker, tmp_path)
        assert any("deliver_message" in text for text in waiting)
        start("worker", env=env)
        start("beat", env=env)
        wait_until(lambda: Message.objects.filter(state="sent").exists())

        # The mail is opened on another device, which proves itself by the birth date.
        (mail,) = smtp_sink.to(DETAILS["email"])
        link = re.search(r"http://testserver(/l/\S+)", mail.get_body(("plain",)).get_content())[1]
        other = Canary(server, number=2)
        other.follow(link)
        asked, _page = other.follow(f"/visits/{visit.pk}/intake/")
        assert asked.endswith("/birth-date/")
        other.post(asked, {"birth_date": DETAILS["birth_date"]})
        for number in range(1, 15):
            other.send_page(visit, number)
        review = f"/visits/{visit.pk}/intake/review/"
        assert f"{ANSWER} notes" in other.follow(review)[1]
        assert other.post(review, {})[0] == 302
        assert other.post(f"/visits/{visit.pk}/intake/correct/", {})[0] == 302
        other.send_page(visit, 13, **{"goal-notes": f"{ANSWER} corrected"})
        other.send_page(visit, 14)
        assert other.post(review, {})[0] == 302
        # Every reminder is due now.
        now = timezone.now()
        Message.objects.filter(state="planned").update(due_at=now, next_attempt_at=now)
        wait_until(lambda: not Message.objects.filter(state__in=["planned", "sending"]).exists())
        # A page of nonsense and a page that does not exist are logged, and say nothing.
        other.get(f"/visits/{visit.pk}/intake/99/")
        other.post(f"/visits/{visit.pk}/intake/13/", {"goal-notes": f"{ANSWER}\x00"})
        processes = subprocess.run(
            ["ps", "-eo", "args"], capture_output=True, text=True, check=True
        ).stdout
        for guest in (canary, other):
            guest.close()

    visit.refresh_from_db()
    assert visit.intake_response.status == "amended"
    assert visit.intake_response.answers.text("goal-notes") == f"{ANSWER} corrected"

    files = [
        (path, path.read_bytes().decode(errors="replace"))
        for path in tmp_path.rglob("*")
        if path.is_file()
    ]
    assert any(path == log for path, _text in files)
    mails = [(str(mail["Message-ID"]), as_text(mail)) for mail in smtp_sink.mails]
    assert len(mails) > 1
    published_texts = [("broker", text) for text in [*waiting, *published(broker, tmp_path)]]
    headers = [
        (path, f"{path}\n{told}") for guest in (canary, other) for path, _page, told in guest.pages
    ]
    everywhere = [*files, *published_texts, *headers, ("ps", processes)]
    assert [place for place, text in everywhere if NAME in text or ANSWER in text] == []
    assert [place for place, text in mails if ANSWER in text] == []

    # What shows them is kept by no browser and no proxy.
    showing = [
        (path, told["Cache-Control"])
        for guest in (canary, other)
        for path, page, told in guest.pages
        if NAME in page or ANSWER in page
    ]
    assert showing
    assert [path for path, cache in showing if "no-store" not in (cache or "")] == []


def as_text(mail):
    """Headers and every part of a mail, decoded."""
    parts = [
        part.get_payload(decode=True).decode(errors="replace")
        for part in mail.walk()
        if not part.is_multipart()
    ]
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *parts])
