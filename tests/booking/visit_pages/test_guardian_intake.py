"""A young person's form, which a parent may open by the same link."""

from datetime import date

import pytest
from django.urls import reverse

from intake.summary import readback
from tests.booking.filling_in import (
    FORM,
    a_visit_with_a_form,
    fill_in,
    grant,
    page_url,
    post_page,
    send,
    stored,
)
from tests.factories import NOW, make_link

pytestmark = pytest.mark.django_db

GUARDIAN = {
    "guardian__name": "Rosa Ruiz",
    "guardian__relation": "parent",
    "guardian__attest": "on",
}
TEEN = {"about__birth_date": "2010-05-01"}


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def visit():
    return a_visit_with_a_form(birth_date=date(2010, 5, 1), guardian_name="Rosa Ruiz")


@pytest.fixture
def home(client, visit):
    """The family's browser."""
    grant(client, make_link(patient=visit.patient))
    return client


def page_with(link_id):
    return next(p.number for p in FORM.pages() if link_id in {i.link_id for i in p.walk()})


def question(link_id):
    return FORM.item(link_id).text.in_language("en")


def test_private_answers_are_kept_but_not_shown_again(home, visit):
    fill_in(home, visit, safety__illness=["weak-immunity"], **TEEN, **GUARDIAN)
    kept = stored(visit).answers
    assert kept.answered("periods")
    assert kept.has("safety-illness", "weak-immunity")
    for link_id in ("periods", "safety-pregnancy", "safety-illness"):
        html = home.get(page_url(visit, page_with(link_id))).content.decode()
        assert f'name="{link_id}"' not in html
        assert "may read along" in html
    review = home.get(reverse("intake_review", args=[visit.pk])).content.decode()
    assert question("pain-worst") in review
    assert question("periods") not in review
    assert "may read along" in review


def test_sending_a_page_again_keeps_what_it_did_not_show(home, visit):
    fill_in(home, visit, **TEEN, **GUARDIAN)
    number = page_with("periods")
    assert post_page(home, visit, number).status_code == 302
    assert stored(visit).answers.answered("periods")
    send(home, visit)
    assert stored(visit).is_final


def test_a_parent_who_fills_in_the_form_is_not_asked_about_periods(home, visit):
    fill_in(home, visit, pages=[1, 2], about__filler="guardian", **TEEN)
    html = home.get(page_url(visit, page_with("periods"))).content.decode()
    assert 'name="periods"' not in html
    assert "in private at the visit" in html


def test_two_versions_of_a_page_differ_in_nothing_private(home, visit):
    fill_in(home, visit, **TEEN, **GUARDIAN)
    items = stored(visit).items
    given = {"language": "en", "placeholders": {}}
    whole = readback.differences(FORM, [], items, **given)
    shown = readback.differences(FORM, [], items, withheld={"periods"}, **given)
    assert {one.question for one in whole} - {one.question for one in shown} == {
        question("periods")
    }
