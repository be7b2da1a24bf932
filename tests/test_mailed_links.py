"""No link in any mail changes anything until the reader presses a button on its page."""

import pytest

from clinic.mail import outbox
from tests.conftest import SOAK
from tests.mailed import a_mail_of_every_kind, domain_rows, links_in

pytestmark = pytest.mark.django_db

# Once for each of the scanners; twenty times in a soak test.
TIMES = 20 if SOAK else 4
SCANNERS = [
    {"User-Agent": "Mozilla/5.0 (compatible; LinkScanner/1.0)"},
    {"User-Agent": "Outlook-SafeLinks/2.0", "Sec-Purpose": "prefetch;prerender"},
    {"User-Agent": "GoogleImageProxy", "Purpose": "prefetch", "X-Moz": "prefetch"},
    {"User-Agent": "curl/8"},
]


@pytest.fixture
def mails():
    return a_mail_of_every_kind()


def test_there_is_a_mail_of_every_kind_to_look_at(mails):
    """A new kind needs a row of its subject in the access matrix's World."""
    assert set(outbox.registered()) - set(mails) == set()
    assert sum(len(links_in(mail)) for mail in mails.values()) > len(mails)


@pytest.mark.parametrize("method", ["get", "head"])
def test_fetching_the_links_of_every_kind_of_mail_changes_nothing(client, mails, method):
    before = domain_rows()
    for kind, mail in mails.items():
        for path in links_in(mail):
            statuses = set()
            for number in range(TIMES):
                headers = SCANNERS[number % len(SCANNERS)]
                response = getattr(client, method)(path, follow=True, headers=headers)
                statuses.add(response.status_code)
            assert len(statuses) == 1, (kind, path)
            assert statuses < {200, 404}, (kind, path)
        assert domain_rows() == before, kind


def secret_links(mails):
    """Yield the links with a token of ours, without those to sign-in or a new password."""
    for mail in mails.values():
        for path in links_in(mail):
            token = max(path.split("/"), key=len)
            if len(token) >= 40 and not path.startswith(("/accounts/", "/staff/")):
                yield path, token


def test_a_page_with_a_secret_in_its_address_tells_nobody_where_one_came_from(client, mails):
    """A token that stays in the address must not be sent in the Referer header."""
    for path, token in secret_links(mails):
        response = client.get(path)
        assert response["Referrer-Policy"] in {"no-referrer", "strict-origin"}, path
        assert "no-store" in response["Cache-Control"], path
        assert token not in response.get("Location", "")


def test_tokens_are_long_and_stand_in_no_table(mails):
    stored, found = str(domain_rows()), list(secret_links(mails))
    assert found
    for _path, token in found:
        assert len(token) == 43  # 256 bits in base64
        assert token not in stored


def test_tampered_cut_off_and_shouted_links_are_one_neutral_404(client, mails):
    for path, token in secret_links(mails):
        for broken in (token[:-1], token.upper(), token[:20] + "x" + token[21:], token + "="):
            if broken == token:
                continue
            for method in ("get", "post"):
                response = getattr(client, method)(path.replace(token, broken))
                assert response.status_code in {404, 405}, path
                assert "This link does not work any more" in response.text or method == "post"
