import pytest

from clinic.models import Role
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def front_desk(client):
    client.user = make.make_user(role=Role.FRONT_DESK)
    return make.sign_in(client, client.user)


@pytest.fixture
def manager(client):
    client.user = make.make_user(role=Role.MANAGER)
    return make.sign_in(client, client.user)


def test_home(front_desk):
    make.make_practice()
    response = front_desk.get("/admin/")
    assert response.status_code == 200
    print(response.content.decode())
