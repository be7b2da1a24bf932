"""The pages anyone may read, in both languages."""

import itertools
import re
from html.parser import HTMLParser

import pytest
from django.urls import reverse

from clinic import guide
from tests.factories import make_link, make_location, make_patient, make_practice

pytestmark = pytest.mark.django_db

GUIDE_PAGES = [f"/guide/{page.slug}/" for page in guide.PAGES]
PAGES = ["/guide/", *GUIDE_PAGES, "/locations/", "/privacy/"]


class Words(HTMLParser):
    """Collects what a reader sees of the main part of a page."""

    def __init__(self):
        super().__init__()
        self.inside, self.words = False, []

    def handle_starttag(self, tag, attrs):
        self.inside = self.inside or tag == "main"

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "main"

    def handle_data(self, data):
        if self.inside:
            self.words += data.split()


def words(response):
    parser = Words()
    parser.feed(response.content.decode())
    return parser.words


def get_in(client, language, path):
    client.cookies["lang"] = language
    return client.get(path)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_public_page_answers_in_the_language_asked_for(client, language, path):
    make_practice()
    make_location()
    response = get_in(client, language, path)
    assert response.status_code == 200
    assert f'<html lang="{language}"' in response.content.decode()


@pytest.mark.parametrize("path", [*GUIDE_PAGES, "/privacy/"])
def test_the_spanish_text_is_as_long_as_the_english_and_not_the_same(client, path):
    make_practice()
    english = words(get_in(client, "en", path))
    spanish = words(get_in(client, "es", path))
    assert 0.8 < len(spanish) / len(english) < 1.4
    shared = len(set(english) & set(spanish)) / len(set(english))
    assert shared < 0.5


@pytest.mark.parametrize("path", GUIDE_PAGES)
def test_both_languages_of_a_guide_page_have_the_same_outline(client, path):
    make_practice()

    def outline(language):
        return re.findall(
            r"<(h[1-6]|figure|table|li|section)\b", get_in(client, language, path).content.decode()
        )

    assert outline("en") == outline("es")


@pytest.mark.parametrize("path", ["/guide/", *GUIDE_PAGES])
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_guide_page_leads_to_booking_and_says_when_not_to_wait(client, language, path):
    make_practice(emergency_number="112")
    main = get_in(client, language, path).content.decode().split("<main")[1].split("</main>")[0]
    assert 'href="/book/"' in main
    assert "112" in main


def test_a_guide_page_that_does_not_exist_is_not_found(client):
    assert client.get("/guide/miracle-cures/").status_code == 404


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_words_promise_nothing_and_scare_nobody(client, language, path):
    make_practice()
    text = " ".join(words(get_in(client, language, path))).lower()
    never = (
        r"pain-free|sin dolor garantiz|guaranteed|garantizad|crippl|degenerat|bad form|\bcleared\b"
    )
    assert re.findall(never, text) == []


def test_every_heading_level_follows_the_one_before(client):
    make_practice()
    for path in PAGES:
        levels = [int(n) for n in re.findall(r"<h([1-6])\b", client.get(path).content.decode())]
        assert levels[0] == 1
        assert levels.count(1) == 1
        jumps = [b for a, b in itertools.pairwise(levels) if b > a + 1]
        assert jumps == [], path


def test_locations_show_address_map_phone_and_the_local_clock(client):
    make_practice(staffed_hours={"0": [["08:00", "12:00"], ["13:00", "18:00"]]})
    make_location(name="El Paso", time_zone="America/Denver", map_url="https://map.example/x")
    make_location(name="Closed for good", is_active=False)
    page = client.get("/locations/").content.decode()
    assert "El Paso" in page
    assert "https://map.example/x" in page
    assert re.search(r"M[SD]T", page)
    assert "1:00 PM – 6:00 PM" in page
    assert "Closed for good" not in page


def test_the_language_switch_changes_the_browser_and_returns_to_the_page(client):
    make_practice()
    response = client.post(reverse("lang"), {"language": "es", "next": "/guide/"})
    assert response.status_code == 302
    assert response.url == "/guide/"
    assert client.cookies["lang"].value == "es"
    assert '<html lang="es"' in client.get("/guide/").content.decode()


def test_the_language_switch_never_leads_to_another_site(client):
    response = client.post(reverse("lang"), {"language": "es", "next": "https://evil.example/"})
    assert "evil" not in response.url


def test_the_language_switch_does_nothing_on_get(client):
    assert client.get(reverse("lang") + "?language=es").status_code == 405
    assert "lang" not in client.cookies


def grant(client, link):
    from django.http import HttpResponse

    from clinic.security.access import set_grant_cookie

    response = HttpResponse()
    set_grant_cookie(response, link)
    client.cookies["grant"] = response.cookies["grant"].value


def test_a_patient_with_a_grant_gets_later_mails_in_the_language_chosen(client):
    make_practice()
    ana, ben = make_patient(language="en"), make_patient(language="en")
    grant(client, make_link(patient=ana))
    client.post(reverse("lang"), {"language": "es"})
    ana.refresh_from_db()
    ben.refresh_from_db()
    assert (ana.language, ben.language) == ("es", "en")


def test_an_unknown_language_changes_no_patient(client):
    patient = make_patient(language="en")
    grant(client, make_link(patient=patient))
    client.post(reverse("lang"), {"language": "xx"})
    patient.refresh_from_db()
    assert patient.language == "en"
