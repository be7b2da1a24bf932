import pytest

from tests.factories import make_clinician, make_practice, sign_in


@pytest.fixture
def clinician(client, db):
    """A clinician's account, signed in."""
    user = make_clinician()
    make_practice()
    sign_in(client, user)
    return user
