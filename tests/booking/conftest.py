import pytest

from tests.booking.visitor import Visitor, open_clinic


@pytest.fixture
def visitor(frozen_clock):
    """A new visitor of an open clinic, without any answers yet."""
    return Visitor(open_clinic())
