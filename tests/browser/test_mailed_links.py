"""Every mailed link, opened in a browser that runs every script on the page: nothing changes."""

import pytest

from tests.mailed import a_mail_of_every_kind, domain_rows, links_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_opening_every_mailed_link_in_chromium_changes_nothing(open_page, live_server, settings):
    settings.BASE_URL = live_server.url
    mails = a_mail_of_every_kind()
    before = domain_rows()
    paths = sorted({path for mail in mails.values() for path in links_in(mail)})
    assert paths
    page = open_page()
    for path in paths:
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")
        assert domain_rows() == before, path
