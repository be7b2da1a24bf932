"""What each page on the way to a visit costs the database, by the query.

A transaction counts as two: its beginning and its end.
"""

import pytest

from schedule import rules
from tests.booking.visitor import Visitor, open_clinic, the_visit
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor(time_machine):
    """Somebody at an open clinic who has answered the safety check."""
    time_machine.move_to(NOW)
    visitor = Visitor(open_clinic())
    visitor.answer_gate()
    # Read once and kept until one changes: a dozen queries that no page pays as a rule.
    rules.current()
    return visitor


def test_the_page_of_free_times_takes_ten_queries(visitor, django_assert_num_queries):
    with django_assert_num_queries(10):
        assert visitor.client.get(visitor.slots_url).status_code == 200


def test_the_first_hold_from_a_network_takes_16_queries(visitor, django_assert_num_queries):
    with django_assert_num_queries(16):
        assert visitor.hold().status_code == 302


def test_a_hold_with_somebody_named_takes_16_too(visitor, django_assert_num_queries):
    (practitioner,) = visitor.clinic.practitioners
    with django_assert_num_queries(16):
        assert visitor.hold(who=practitioner.public_id).status_code == 302


def test_the_page_of_details_takes_five_queries(visitor, django_assert_num_queries):
    visitor.hold()
    with django_assert_num_queries(5):
        assert visitor.client.get(visitor.details_url).status_code == 200


def test_the_first_booking_from_a_network_takes_21_queries(visitor, django_assert_num_queries):
    visitor.hold()
    with django_assert_num_queries(21):
        assert visitor.book().status_code == 302


def test_the_page_of_a_visit_takes_four_queries(visitor, django_assert_num_queries):
    visitor.hold()
    visitor.book()
    page = f"/visits/{the_visit().pk}/"
    with django_assert_num_queries(4):
        assert visitor.client.get(page).status_code == 200
