"""Staff accounts, as a manager keeps them."""

import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client

from clinic.models import AuditEvent, Role, User
from tests.factories import PASSWORD, make_practice, make_user, sign_in

pytestmark = pytest.mark.django_db

ACCOUNTS = "/admin/clinic/user/"


@pytest.fixture(autouse=True)
def practice(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return make_practice()


@pytest.fixture
def manager(client):
    client.user = make_user(role=Role.MANAGER)
    return sign_in(client, client.user)


def change(client, user, **changes):
    fields = {
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "role": user.role,
        "language": user.language,
        "is_active": "on",
    }
    posted = {name: value for name, value in (fields | changes).items() if value is not None}
    return client.post(f"{ACCOUNTS}{user.pk}/change/", posted)


def act(client, user, action):
    return client.post(
        f"{ACCOUNTS}{user.pk}/change/",
        {"CHANGE_FORM-action": action, "_selected_action": str(user.pk)},
    )


def is_in(client):
    return client.get("/admin/").status_code == 200


def test_a_manager_makes_an_account_and_vouches_for_its_address(manager):
    response = manager.post(
        f"{ACCOUNTS}add/",
        {
            "email": "New@clinic.example",
            "first_name": "Nora",
            "last_name": "New",
            "role": "front-desk",
            "language": "es",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )
    user = User.objects.get(first_name="Nora")
    assert response.status_code == 302
    assert (user.email, user.role, user.language) == ("new@clinic.example", "front-desk", "es")
    assert (user.is_staff, user.is_superuser) == (False, False)
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.verified) == (user.email, True)
    created = AuditEvent.objects.get(action=AuditEvent.Action.CREATE)
    assert created.subject_id == str(user.pk)
    assert PASSWORD not in str(created.__dict__)


@pytest.mark.parametrize("password", ["short", "password1234"])
def test_a_weak_password_is_refused(manager, password):
    fields = {"email": "new@clinic.example", "role": "front-desk", "language": "en"}
    response = manager.post(
        f"{ACCOUNTS}add/",
        fields | {"usable_password": "true", "password1": password, "password2": password},
    )
    assert response.context["adminform"].form.errors
    assert not User.objects.filter(email="new@clinic.example").exists()


@pytest.mark.parametrize(
    "changes", [{"is_active": None}, {"role": "clinician"}, {"email": "moved@clinic.example"}]
)
def test_switching_off_or_changing_an_account_ends_its_sessions(manager, changes):
    user = make_user()
    theirs = sign_in(Client(), user)
    assert is_in(theirs)
    assert change(manager, user, **changes).status_code == 302
    assert "_auth_user_id" not in theirs.session
    assert not is_in(theirs)


def test_a_switched_off_account_that_is_switched_on_again_has_to_sign_in(manager):
    user = make_user()
    theirs = sign_in(Client(), user)
    assert is_in(theirs)
    change(manager, user, is_active=None)
    user.refresh_from_db()
    change(manager, user)
    assert not is_in(theirs)


def test_a_new_address_replaces_the_old_one_for_signing_in(manager):
    user = make_user(email="old@clinic.example")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    change(manager, user, email="new@clinic.example")
    assert [row.email for row in EmailAddress.objects.filter(user=user)] == ["new@clinic.example"]


def test_resetting_the_second_factor_signs_out_and_is_recorded(manager):
    user = make_user()
    TOTP.activate(user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    theirs = sign_in(Client(), user)
    assert is_in(theirs)
    act(manager, user, "reset_second_factor")
    assert not is_in(theirs)
    assert not user.authenticator_set.exists()
    event = AuditEvent.objects.get(action=AuditEvent.Action.CHANGE)
    assert (event.user, event.subject_id, event.fields) == (
        manager.user,
        str(user.pk),
        ["second_factor"],
    )


def test_signing_somebody_out_everywhere(manager):
    user = make_user()
    browsers = [sign_in(Client(), user) for _ in range(2)]
    assert all(is_in(browser) for browser in browsers)
    act(manager, user, "sign_out_everywhere")
    assert not any(is_in(browser) for browser in browsers)


def test_accounts_are_switched_off_and_never_deleted(manager):
    user = make_user()
    assert manager.get(f"{ACCOUNTS}{user.pk}/delete/").status_code == 403


def test_changing_accounts_asks_for_the_password_again(client):
    user = make_user(role=Role.MANAGER, password=PASSWORD)
    sign_in(client, user, at=time.time() - 10 * 60)
    page = f"{ACCOUNTS}{make_user().pk}/change/"
    assert client.get(page)["Location"].startswith("/accounts/reauthenticate/")
    client.post(f"/accounts/reauthenticate/?next={page}", {"password": PASSWORD})
    assert client.get(page).status_code == 200


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.CLINICIAN])
def test_only_managers_keep_accounts(client, role):
    sign_in(client, make_user(role=role))
    assert client.get(ACCOUNTS).status_code in {302, 403}
    assert client.get(f"{ACCOUNTS}add/").status_code in {302, 403}
