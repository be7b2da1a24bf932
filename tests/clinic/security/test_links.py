"""Mailed links: what they open, and that fetching them changes nothing."""

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from booking.appointments import mail_schedule
from booking.mails import visit_mails
from clinic.mail import outbox
from clinic.models import AuditEvent, Link, Message
from clinic.security.access import (
    GRANT_COOKIE,
    VISITOR_COOKIE,
    hash_token,
    issue_links,
    patient_grant,
    set_grant_cookie,
    visitor_hash,
)
from intake.models import Questionnaire
from tests.factories import (
    make_appointment,
    make_link,
    make_message,
    make_patient,
    make_practice,
    make_service,
)

pytestmark = pytest.mark.django_db

TOKEN = "t" * 43


def make_mailed(purpose, *, token=TOKEN, **fields):
    """Return the path of a mailed link."""
    link = make_link(token_hash=hash_token(token), purpose=purpose, **fields)
    folder = "unsubscribe" if purpose == Link.Purpose.UNSUBSCRIBE else "l"
    return link, f"/{folder}/{token}/"


def all_rows():
    """Every row of our own apps, by table."""
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values_list()))
        for app in ("clinic", "intake", "schedule", "booking", "desk", "sessions")
        for model in apps.get_app_config(app).get_models()
    }


@pytest.mark.parametrize(
    ("purpose", "path"),
    [
        (Link.Purpose.VISIT, "/visits/{}/"),
        (Link.Purpose.INTAKE, "/visits/{}/intake/"),
        (Link.Purpose.MY_VISITS, "/my-visits/"),
    ],
)
def test_a_link_is_exchanged_for_a_grant_at_a_url_without_a_secret(client, purpose, path):
    visit = make_appointment()
    link, url = make_mailed(purpose, patient=visit.patient, subject_id=visit.pk)
    response = client.get(url)

    assert response.status_code == 302
    assert response["Location"] == path.format(visit.pk)
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    cookie = response.cookies[GRANT_COOKIE]
    assert str(link.pk) in cookie.value
    assert TOKEN not in str(response.cookies)
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 12 * 60 * 60


def test_a_link_opens_again_and_again_until_it_runs_out(client):
    link, url = make_mailed(Link.Purpose.MY_VISITS, expires_at=timezone.now() + timedelta(hours=1))
    assert [client.get(url).status_code for _ in range(3)] == [302] * 3

    link.expires_at = timezone.now()
    link.save()
    assert client.get(url).status_code == 404


def test_a_link_opens_pages_in_the_patients_language_unless_the_browser_chose_one(client):
    _, url = make_mailed(Link.Purpose.MY_VISITS, patient=make_patient(language="es"))
    assert client.get(url).cookies["lang"].value == "es"

    client.cookies["lang"] = "en"
    assert "lang" not in client.get(url).cookies


def test_unknown_expired_revoked_foreign_and_broken_links_all_look_alike(client):
    make_practice()
    now = timezone.now()
    bad = {
        "expired": make_mailed(Link.Purpose.VISIT, token="a" * 43, expires_at=now)[1],
        "revoked": make_mailed(Link.Purpose.VISIT, token="b" * 43, revoked_at=now)[1],
        "of another kind": make_mailed(Link.Purpose.UNSUBSCRIBE, token="c" * 43)[1].replace(
            "unsubscribe", "l"
        ),
        "unknown": f"/l/{TOKEN}/",
        "cut off": make_mailed(Link.Purpose.VISIT, token="d" * 43)[1][:-5] + "/",
        "upper case": make_mailed(Link.Purpose.VISIT, token="e" * 43)[1].replace("e", "E"),
        "to stop with": make_mailed(Link.Purpose.VISIT, token="f" * 43)[1].replace(
            "/l/", "/unsubscribe/"
        ),
        "hostile": "/l/%F0%9F%92%A9' OR 1=1 --/",
        "very long": f"/l/{'x' * 5000}/",
    }
    pages = set()
    for url in bad.values():
        response = client.get(url)
        assert response.status_code == 404
        assert response["Referrer-Policy"] == "strict-origin"
        assert GRANT_COOKIE not in response.cookies
        page = response.content.decode()
        # What the language switch posts: a fresh token each time, and the page's own address.
        page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)
        pages.add(re.sub(r'name="next" value="[^"]*"', "", page))

    assert len(pages) == 1
    assert 'href="/my-visits/"' in pages.pop()


@pytest.mark.parametrize("method", ["get", "head"])
def test_fetching_every_link_of_every_mail_changes_nothing(client, mailoutbox, method):
    make_practice()
    now = timezone.now()
    service = make_service(questionnaire=Questionnaire.objects.publish_shipped(now=now))
    visit = make_appointment(start=now + timedelta(days=10), service=service)
    mail_schedule.plan_booked(visit, now)
    visit_mails.plan_my_visits(visit.patient, now)
    for moment in (now, now + timedelta(days=1), visit.start - timedelta(hours=5)):
        outbox.tick(moment)
    assert {mail.subject.split(":")[0] for mail in mailoutbox} > {"Booked", "Reminder"}
    words = " ".join(mail.body for mail in mailoutbox).split()
    paths = [word.removeprefix("http://testserver") for word in words if "testserver/" in word]
    assert {path.split("/")[1] for path in paths} == {"l", "unsubscribe"}

    before = all_rows()
    for path in paths * 3:
        response = getattr(client, method)(
            path, follow=True, headers={"User-Agent": "LinkScanner/1.0", "Purpose": "prefetch"}
        )
        assert response.status_code == 200
    assert all_rows() == before


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_a_link_can_only_be_fetched(client, method):
    _, url = make_mailed(Link.Purpose.VISIT)
    assert getattr(client, method)(url).status_code == 405


def test_reminders_are_stopped_by_a_post_without_cookie_or_csrf_token():
    make_practice()
    link, url = make_mailed(Link.Purpose.UNSUBSCRIBE)
    client = Client(enforce_csrf_checks=True)
    page = client.get(url)
    link.patient.refresh_from_db()
    assert page.status_code == 200
    assert not link.patient.has_stopped("reminder")

    for _ in range(2):
        response = client.post(url, {"List-Unsubscribe": "One-Click"})
        assert response.status_code == 200
        assert response.cookies.get(GRANT_COOKIE) is None
    link.patient.refresh_from_db()
    assert link.patient.has_stopped("reminder")
    event = AuditEvent.objects.get()
    assert event.fields == ["mail_stops"]
    assert event.patient_id == link.patient_id


def test_a_grant_from_a_stop_link_does_not_exist(client):
    _, url = make_mailed(Link.Purpose.UNSUBSCRIBE)
    assert GRANT_COOKIE not in client.post(url).cookies


def test_a_grant_that_names_a_stop_link_opens_nothing(rf):
    """However the cookie came about: that link travels in every mail's header."""
    request = rf.get("/")
    for purpose, opens in [(Link.Purpose.UNSUBSCRIBE, False), (Link.Purpose.MY_VISITS, True)]:
        jar = HttpResponse()
        set_grant_cookie(jar, make_link(purpose=purpose))
        request.COOKIES[GRANT_COOKIE] = jar.cookies[GRANT_COOKIE].value
        assert bool(patient_grant(request)) == opens


@pytest.mark.parametrize(("length", "counts"), [(0, False), (31, False), (32, True), (43, True)])
def test_a_visitor_token_that_could_be_guessed_keys_no_rows(rf, length, counts):
    request = rf.get("/")
    request.COOKIES[VISITOR_COOKIE] = "v" * length
    assert bool(visitor_hash(request)) == counts


def test_an_issued_link_is_the_one_that_opens(client):
    message = make_message()
    for _ in range(2):
        urls = issue_links(
            Link.Purpose.MY_VISITS,
            Link.Purpose.UNSUBSCRIBE,
            message=message,
            patient=message.patient,
            expires_at=timezone.now() + timedelta(days=1),
        )
    opens, stops = (url.removeprefix("http://testserver") for url in urls.values())
    assert client.get(opens).status_code == 302
    assert client.post(stops).status_code == 200
    links = Message.objects.get().links.all()
    assert {link.purpose for link in links} == set(urls)
    assert len(links) == 2
    assert not any(link.token_hash in url for link in links for url in urls.values())
