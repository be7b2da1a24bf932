"""Sign-in through the real pages: password, second factor, sessions and their ends."""

import re
import time
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.utils import timezone

from clinic.mail.outbox import Skip
from clinic.models import AuditEvent, Message, Role, User
from clinic.operations import staff_mails
from clinic.security import accounts
from tests.factories import PASSWORD, make_patient, make_practice, make_user, sign_in

pytestmark = pytest.mark.django_db

SET_UP = "/accounts/2fa/totp/activate/"
RECORD_PAGES = ["/admin/", "/admin/clinic/patient/", "/clinician/", "/staff/"]


@pytest.fixture(autouse=True)
def practice(settings):
    # The real hasher takes its time by design; nothing here is about hashing.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    return make_practice()


def make_enrolled(**fields):
    user = make_user(password=PASSWORD, **fields)
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    TOTP.activate(user, secret)
    return user, secret


def code_for(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def give_password(client, user, *, password=PASSWORD, follow_to="/admin/"):
    return client.post(
        f"/accounts/login/?next={follow_to}", {"login": user.email, "password": password}
    )


def reaches_records(client):
    return client.get("/admin/clinic/patient/").status_code == 200


def test_a_password_alone_signs_nobody_in_who_has_a_second_factor(client):
    user, _secret = make_enrolled()
    assert give_password(client, user)["Location"].startswith("/accounts/2fa/authenticate/")
    assert "_auth_user_id" not in client.session
    assert not reaches_records(client)


def test_password_and_code_open_the_admin_and_leave_one_audit_row(client):
    user, secret = make_enrolled()
    give_password(client, user)
    response = client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert response["Location"] == "/admin/"
    assert reaches_records(client)
    event = AuditEvent.objects.get(action=AuditEvent.Action.LOGIN)
    assert (event.user, event.fields) == (user, ["mfa", "password"])


def test_a_code_works_once(client):
    user, secret = make_enrolled()
    code = code_for(secret)
    for browser, is_in in [(client, True), (Client(), False)]:
        give_password(browser, user)
        browser.post("/accounts/2fa/authenticate/", {"code": code})
        assert reaches_records(browser) is is_in


def test_a_recovery_code_works_once(client):
    user, _secret = make_enrolled()
    codes = RecoveryCodes.activate(user).get_unused_codes()
    for browser, is_in in [(client, True), (Client(), False)]:
        give_password(browser, user)
        browser.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert reaches_records(browser) is is_in


@pytest.mark.parametrize("path", RECORD_PAGES)
@pytest.mark.parametrize("role", Role.values)
def test_an_account_without_a_second_factor_reaches_no_record(client, role, path):
    make_patient(name="Zzyzx Canary")
    give_password(client, make_user(role=role, password=PASSWORD))
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, SET_UP)
    assert b"Canary" not in response.content


def test_without_a_second_factor_there_is_setting_it_up_and_leaving(client):
    give_password(client, make_user(password=PASSWORD))
    assert client.get(SET_UP).status_code == 200
    assert client.post("/lang/", {"language": "es"}).status_code == 302
    assert client.post("/accounts/logout/").status_code == 302
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "path", ["/accounts/password/change/", "/accounts/email/", "/accounts/2fa/", "/"]
)
def test_without_a_second_factor_nothing_else_answers(client, path):
    give_password(client, make_user(password=PASSWORD))
    assert client.get(path)["Location"] == SET_UP


@pytest.mark.django_db(transaction=True)
def test_setting_up_opens_this_session_and_shows_recovery_codes(client):
    user = make_user(password=PASSWORD)
    give_password(client, user)
    page = client.get(SET_UP)
    secret = page.context["form"].secret
    assert b"data:image/svg+xml" in page.content
    response = client.post(SET_UP, {"code": code_for(secret)}, follow=True)
    assert response.redirect_chain[-1][0] == "/accounts/2fa/recovery-codes/"
    assert len(response.context["unused_codes"]) == 10
    assert reaches_records(client)


@pytest.mark.django_db(transaction=True)
def test_a_session_opened_with_the_password_before_enrolment_is_not_lifted_by_it(client):
    user = make_user(password=PASSWORD)
    give_password(client, user)
    owner = Client()
    give_password(owner, user)
    secret = owner.get(SET_UP).context["form"].secret
    owner.post(SET_UP, {"code": code_for(secret)})
    assert reaches_records(owner)
    assert client.get("/admin/")["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session


def test_the_secret_is_not_stored_in_the_clear():
    user, secret = make_enrolled()
    row = Authenticator.objects.get(user=user)
    assert secret not in str(row.data)
    assert row.wrap().validate_code(code_for(secret))


def test_secrets_survive_the_rotation_of_the_key(settings):
    user, secret = make_enrolled()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    assert Authenticator.objects.get(user=user).wrap().validate_code(code_for(secret))


def test_nobody_can_give_up_the_second_factor(client):
    user, secret = make_enrolled()
    give_password(client, user)
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    response = client.post("/accounts/2fa/totp/deactivate/")
    assert response.status_code == 200
    assert Authenticator.objects.filter(user=user, type="totp").exists()


def test_a_wrong_password_is_recorded_without_what_was_typed(client):
    user = make_user(password=PASSWORD)
    assert give_password(client, user, password="wrong Canary").status_code == 200
    event = AuditEvent.objects.get(action=AuditEvent.Action.DENIED)
    assert (event.user, event.subject_id, event.fields) == (None, "", [])


def test_known_and_unknown_addresses_get_the_same_answer(client):
    known = make_user(password=PASSWORD)
    pages = []
    for address in (known.email, "nobody@clinic.example"):
        page = Client().post("/accounts/login/", {"login": address, "password": "wrong"})
        text = page.content.decode().replace(address, "")
        pages.append((page.status_code, re.sub(r'(nonce|value)="[^"]*"', "", text)))
    assert pages[0] == pages[1]


def test_guessing_passwords_is_slowed_down_for_the_account(client):
    user, _secret = make_enrolled()
    for _ in range(6):
        give_password(client, user, password="wrong")
    assert "Location" not in give_password(client, user)


def test_an_address_of_the_next_protocol_signs_in_too(client):
    user, secret = make_enrolled()
    client.defaults["REMOTE_ADDR"] = "2001:db8:1:2:3::4"
    give_password(client, user)
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert reaches_records(client)
    assert UserSession.objects.get(user=user).ip == "2001:db8:1:2::"


def test_nobody_signs_up(client):
    fields = {"email": "new@clinic.example", "password1": PASSWORD, "password2": PASSWORD}
    page = client.post("/accounts/signup/", fields)
    assert page.status_code == 200
    assert not EmailAddress.objects.filter(email="new@clinic.example").exists()
    assert "_auth_user_id" not in client.session


def test_the_admin_has_no_sign_in_of_its_own(client):
    user = make_user(password=PASSWORD)
    response = client.post("/admin/login/", {"username": user.email, "password": PASSWORD})
    assert response["Location"] == "/accounts/login/?next=/admin/"
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/admin/clinic/patient/", "/admin/clinic/patient/"),
        ("//evil.example/", "/admin/"),
        ("https:evil.example", "/admin/"),
        ("/\\evil.example", "/admin/"),
        ("http://testserver:1@evil.example/", "/admin/"),
    ],
)
def test_the_admins_sign_in_sends_nobody_off_the_site(client, wanted, goes_to):
    response = client.get("/admin/login/", {"next": wanted})
    assert response["Location"] == f"/accounts/login/?next={goes_to}"


def test_idle_sessions_end_after_a_quarter_of_an_hour(client):
    with time_machine.travel(time.time(), tick=False) as clock:
        sign_in(client, make_user())
        clock.shift(timedelta(minutes=14))
        assert reaches_records(client)
        clock.shift(timedelta(minutes=14))
        assert reaches_records(client)
        clock.shift(timedelta(minutes=16))
        assert not reaches_records(client)


def test_busy_sessions_end_after_twelve_hours(client):
    twelve_hours = 12 * 60 * 60
    sign_in(client, make_user(), at=time.time() - twelve_hours + 60)
    assert reaches_records(client)
    sign_in(client, make_user(), at=time.time() - twelve_hours - 1)
    assert client.get("/admin/")["Location"].startswith("/accounts/login/?next=/admin/")


def test_a_session_that_did_not_come_from_the_sign_in_pages_is_ended(client):
    client.force_login(make_user())
    assert not reaches_records(client)
    assert "_auth_user_id" not in client.session


def test_deactivating_an_account_ends_its_sessions_at_once(client):
    user = make_user()
    sign_in(client, user)
    assert reaches_records(client)
    user.is_active = False
    user.save()
    assert not reaches_records(client)


def test_signing_in_changes_the_session_key(client):
    user, secret = make_enrolled()
    give_password(client, user)
    before = client.session.session_key
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert client.session.session_key != before


def test_signing_out_ends_the_session_and_clears_the_browser(client):
    sign_in(client, make_user())
    reaches_records(client)
    old_cookie = client.cookies["sessionid"].value
    response = client.post("/admin/logout/")
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    client.cookies["sessionid"] = old_cookie
    assert not reaches_records(client)


def test_record_pages_are_never_stored(client):
    sign_in(client, make_user())
    patient = make_patient()
    for path in ("/admin/", f"/admin/clinic/patient/{patient.pk}/change/"):
        assert "no-store" in client.get(path)["Cache-Control"]


def test_vouching_makes_the_address_the_only_one():
    user = make_user(email="new@clinic.example")
    EmailAddress.objects.create(user=user, email="old@clinic.example", verified=True, primary=True)
    accounts.vouch_for_address(user)
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.verified, address.primary) == ("new@clinic.example", True, True)


def reset_mail(client, address):
    client.post("/accounts/password/reset/", {"email": address})
    message = Message.objects.filter(kind=accounts.RESET_MAIL).first()
    return message and staff_mails.password_reset(message, timezone.now())


def test_a_new_password_is_chosen_by_a_mailed_link_and_still_takes_the_second_factor(client):
    user, secret = make_enrolled()
    mail = reset_mail(client, user.email)
    assert mail.to == user.email
    path = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.text)[1]
    form = client.get(path, follow=True).redirect_chain[-1][0]
    fields = {"password1": "an entirely new passphrase", "password2": "an entirely new passphrase"}
    assert client.post(form, fields).status_code == 302
    assert "_auth_user_id" not in client.session
    response = give_password(client, user, password="an entirely new passphrase")
    assert response["Location"].startswith("/accounts/2fa/authenticate/")
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert reaches_records(client)
    assert client.get(path, follow=True).context["token_fail"]


def test_a_reset_link_works_for_one_hour(client):
    user, _secret = make_enrolled()
    path = re.search(r"http://testserver(/\S+)", reset_mail(client, user.email).text)[1]
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert client.get(path, follow=True).context["token_fail"]


def test_nobody_is_mailed_for_an_unknown_or_switched_off_address(client):
    user = make_user(is_active=False, password=PASSWORD)
    assert reset_mail(client, "nobody@clinic.example") is None
    assert reset_mail(client, user.email) is None


def test_an_account_switched_off_meanwhile_gets_no_link(client):
    user, _secret = make_enrolled()
    client.post("/accounts/password/reset/", {"email": user.email})
    User.objects.update(is_active=False)
    message = Message.objects.get()
    assert staff_mails.password_reset(message, timezone.now()) == Skip("no-account")


def test_known_and_unknown_addresses_get_the_same_answer_to_a_reset(client):
    user, _secret = make_enrolled()
    for address in (user.email, "nobody@clinic.example"):
        response = Client().post("/accounts/password/reset/", {"email": address})
        assert response["Location"] == "/accounts/password/reset/done/"


def test_the_command_lets_a_locked_out_manager_set_up_a_new_second_factor(client):
    user, secret = make_enrolled(role=Role.MANAGER)
    give_password(client, user)
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    call_command("reset_second_factor", user.email)
    assert not Authenticator.objects.filter(user=user).exists()
    assert not reaches_records(client)
    give_password(client, user)
    assert client.get("/admin/")["Location"] == SET_UP
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "nobody@clinic.example")


@override_settings(DEMO=False)
def test_the_demos_door_is_not_there_elsewhere(client):
    make_user(email="manager@demo.example", role=Role.MANAGER)
    assert client.get("/demo/").status_code == 404
    assert client.post("/demo/", {"role": "manager"}).status_code == 404
    assert "_auth_user_id" not in client.session


@override_settings(DEMO=True)
@pytest.mark.parametrize(
    ("role", "home"),
    [("front-desk", "/admin/"), ("clinician", "/clinician/"), ("manager", "/admin/")],
)
def test_the_demo_lets_anybody_become_a_role(client, role, home):
    address = role.replace("-", "") + "@demo.example"
    make_user(email=address, role=role)
    make_user(email="other@demo.example", role=role)
    assert client.get("/demo/").status_code == 200
    assert client.post("/demo/", {"role": role})["Location"] == "/staff/"
    assert client.get("/staff/")["Location"] == home
    event = AuditEvent.objects.get(action=AuditEvent.Action.LOGIN)
    assert (event.user.email, event.fields) == (address, ["mfa"])


@override_settings(DEMO=True)
def test_the_demos_door_knows_its_sample_accounts_only(client):
    make_user(email="real@clinic.example", role=Role.MANAGER)
    assert client.post("/demo/", {"role": "manager"}).status_code == 404


def test_wrong_guesses_from_elsewhere_keep_nobody_from_signing_in(client):
    user, _secret = make_enrolled()
    for number in range(12):
        stranger = Client(REMOTE_ADDR=f"198.51.100.{number % 2}")
        give_password(stranger, user, password="a wrong guess")
    answer = give_password(stranger, user)
    assert "Location" not in answer.headers  # that stranger has to wait
    assert give_password(client, user)["Location"].startswith("/accounts/2fa/authenticate/")
