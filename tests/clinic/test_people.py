import pytest

from clinic.models import Patient

pytestmark = pytest.mark.django_db


@pytest.mark.postgresql
def test_an_address_is_found_by_index_whatever_its_case():
    Patient.objects.bulk_create(
        [Patient(name="Runner", email=f"Runner{number}@example.org") for number in range(3000)]
    )
    found = Patient.objects.filter(email__iexact="runner7@EXAMPLE.org")
    assert found.count() == 1
    assert "patient_email" in found.order_by().explain()
