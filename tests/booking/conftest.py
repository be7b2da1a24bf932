import pytest

from tests.booking.visitor import Visitor, open_clinic


@pytest.fixture
def visitor(frozen_clock):
    """Somebody new at a clinic that is open, who has answered nothing yet."""
    return Visitor(open_clinic())
