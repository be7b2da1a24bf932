import pytest
from django.db import connection

from demo.sample import marker
from tests.factories import make_patient, make_practice, make_user

pytestmark = pytest.mark.django_db


def test_a_migrated_database_that_nobody_uses_is_empty():
    assert marker.is_empty_or_raise()


def test_a_sample_clinic_is_known_by_its_marker():
    make_practice(is_demo=True)
    make_patient()
    assert not marker.is_empty_or_raise()


@pytest.mark.parametrize("make", [make_practice, make_patient, make_user])
def test_whatever_a_clinic_has_entered_is_left_alone(make):
    make()
    with pytest.raises(marker.NotASample):
        marker.is_empty_or_raise()


def test_another_program_s_tables_are_left_alone():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE invoices (id integer)")
        with pytest.raises(marker.NotASample):
            marker.is_empty_or_raise()
