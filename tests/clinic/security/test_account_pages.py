"""Staff sign-in and second factor: allauth's pages, in our look and under our content policy."""

import re

import pytest

from tests.factories import PASSWORD, make_practice, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def practice():
    return make_practice(name="Trail Clinic")


def sign_in(client):
    user = make_user(password=PASSWORD)
    client.post(
        "/accounts/login/?next=/admin/", {"login": user.email, "password": PASSWORD}, follow=True
    )


def assert_ours(response):
    page = response.content.decode()
    assert response.status_code == 200
    assert "Trail Clinic" in page
    assert "/static/theme.css" in page
    assert re.findall(r"\sstyle=|<style|\son[a-z]+=", page) == []


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/reset/"])
def test_the_way_in_looks_like_the_clinic(client, path):
    assert_ours(client.get(path))


def test_a_failed_sign_in_says_so_once_at_the_top(client):
    page = client.post("/accounts/login/", {"login": "who@clinic.example", "password": "wrong"})
    assert_ours(page)
    assert page.content.decode().count('class="error-summary"') == 1
    assert "alert-danger" not in page.content.decode()


def test_setting_up_the_second_factor_looks_like_the_clinic(client):
    sign_in(client)
    page = client.get("/accounts/2fa/totp/activate/")
    assert_ours(page)
    assert 'class="qr"' in page.content.decode()
