"""What a role opens in the admin."""

import pytest

from clinic.models import Role
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "apps"),
    [
        (Role.FRONT_DESK, {"clinic", "intake", "schedule", "booking"}),
        (Role.MANAGER, {"clinic", "intake", "schedule", "booking", "desk"}),
        (Role.CLINICIAN, set()),
    ],
)
def test_the_admin_lists_the_apps_in_which_the_role_may_do_something(role, apps):
    user = make_user(role=role)
    listed = {
        app
        for app in ("clinic", "intake", "schedule", "booking", "desk", "account")
        if user.has_module_perms(app)
    }
    assert listed == apps


def test_nobody_inactive_may_do_anything():
    assert not make_user(role=Role.MANAGER, is_active=False).has_module_perms("clinic")
