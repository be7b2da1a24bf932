"""What a visitor meets when a page cannot be shown."""

from contextlib import closing
from io import BytesIO

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from clinic import errors
from tests.factories import make_practice


@pytest.fixture
def request_(db):
    make_practice(name="Trail Clinic")
    return RequestFactory().get("/secret-path/")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (lambda request: errors.bad_request(request, SuspiciousOperation("x")), 400),
        (lambda request: errors.bad_request(request, RequestDataTooBig("x")), 413),
        (errors.forbidden, 403),
        (errors.csrf_failure, 403),
        (lambda request: errors.not_found(request, Exception("secret-path")), 404),
        (lambda request: errors.too_many_requests(request, retry_after_seconds=90), 429),
    ],
)
def test_an_error_page_keeps_the_clinic_around_it_and_tells_nothing(request_, answer, status):
    response = answer(request_)
    page = response.content.decode()
    assert response.status_code == status
    assert "Trail Clinic" in page
    assert 'href="/book/"' in page
    assert "secret-path" not in page.replace('value="/secret-path/"', "")


def test_too_many_requests_say_when_to_come_back(request_):
    assert errors.too_many_requests(request_, retry_after_seconds=90).headers["Retry-After"] == "90"


@pytest.mark.parametrize("template", ["500.html", "503.html"])
def test_the_page_of_a_broken_server_needs_nothing_that_may_be_broken(template):
    page = render_to_string(template)
    assert 'lang="es"' in page
    assert "/static/theme.css" in page


def test_an_unknown_address_is_the_neutral_page(client, db):
    make_practice()
    response = client.get("/no/such/page/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_a_form_without_its_token_is_refused_politely(db):
    make_practice()
    response = Client(enforce_csrf_checks=True).post("/lang/", {"language": "es"})
    assert response.status_code == 403
    assert "Nothing was changed" in response.content.decode()


def test_a_body_that_is_too_large_is_answered_413(db):
    make_practice()
    huge = {"language": "e" * 600_000}
    response = Client(enforce_csrf_checks=True).post("/lang/", huge)
    assert response.status_code in {403, 413}
    assert Client().post("/lang/", huge).status_code == 413


@pytest.mark.parametrize(
    "page", ["/", "/no/such/page/", "/static/theme.css", "/static/no-such.css", "/healthz"]
)
def test_every_answer_carries_the_content_policy(client, db, page):
    make_practice()
    with closing(client.get(page)) as response:
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_the_refusal_of_a_foreign_host_carries_the_content_policy(client, db, settings):
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_a_refused_body_is_read_to_its_end_so_that_the_answer_arrives(db):
    make_practice()
    body = BytesIO(b"a" * 10_000_000)
    response = Client().generic("POST", "/book/", **{"wsgi.input": body, "CONTENT_LENGTH": 10**7})
    assert response.status_code == 413
    assert not body.read()


def test_a_body_announced_as_endless_is_not_waited_for(db):
    make_practice()
    body = BytesIO(b"a")
    response = Client().generic("POST", "/book/", **{"wsgi.input": body, "CONTENT_LENGTH": 10**12})
    assert response.status_code == 413
    assert body.read()
