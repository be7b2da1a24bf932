"""Sign-in of staff accounts: allauth's flows with our additional rules.

A session counts as signed in only with proof of a second factor; the middleware
(``clinic.security.middleware``) refuses all others. A manager creates each account in the admin
and confirms its address. Nobody can sign up or switch the second factor off.
"""

import base64
import time
from datetime import timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from clinic.mail import outbox
from clinic.models import AuditEvent, User
from clinic.security import audit
from clinic.security.rate_limits import client_ip

RESET_MAIL = "password-reset"

# After signing in this recently a sensitive step does not ask for the password again.
FRESH_SECONDS = 5 * 60


class StaffAccountAdapter(DefaultAccountAdapter):
    """Accounts are staff accounts, created by a manager in the admin."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        records = get_authentication_records(self.request, self.request.user)
        is_fresh = bool(records) and time.time() - records[-1]["at"] < FRESH_SECONDS
        return not is_fresh and super().is_reauthentication_required(app=app, **kwargs)

    def get_client_ip(self, request: HttpRequest) -> str:
        # For an IPv6 network its first address: the column stores addresses only.
        return client_ip(request).partition("/")[0]

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # By account and address: by account alone, a stranger's wrong tries would lock staff out.
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:{client_ip(request)}"

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        methods = [record["method"] for record in get_authentication_records(request, user)]
        audit.record(action=AuditEvent.Action.LOGIN, user=user, subject=user, fields=methods)

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        # Planned, not sent here: a slow mail server must not reveal which accounts exist.
        asked = audit.record(
            action=AuditEvent.Action.CHANGE, user=None, subject=user, fields=["password_reset"]
        )
        outbox.plan(
            kind=RESET_MAIL,
            subject=asked,
            user=user,
            due_at=asked.at,
            expires_at=asked.at + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
        )

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        # Record neither address nor password: people often type one in the field of the other.
        audit.record(action=AuditEvent.Action.DENIED, user=None, subject="sign-in")


class StaffMFAAdapter(DefaultMFAAdapter):
    """Owners cannot remove their second factors, whose secrets are stored encrypted."""

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        # Between removing one and setting up the next, a password alone would be enough.
        return authenticator.type != Authenticator.Type.TOTP

    def encrypt(self, text: str) -> str:
        return _secrets_at_rest().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _secrets_at_rest().decrypt(encrypted_text.encode()).decode()


def has_second_factor(request: HttpRequest) -> bool:
    """Whether this session itself has proved a second factor; one on the account is not enough.

    Enrolment must not give access to an earlier session that was opened with the password alone.
    """
    records = get_authentication_records(request, request.user)
    return any(record["method"] == "mfa" for record in records)


def record_second_factor(request: HttpRequest, user: User, **proof: Any) -> None:
    """Record in the session, as allauth does, that ``user`` proved a second factor."""
    record_authentication(request, user, method="mfa", **proof)


def sign_in_without_proof(request: HttpRequest, user: User) -> None:
    """Sign ``user`` in as if both factors had been given; only for the demo's role buttons.

    Always raises PermissionDenied outside the demo.
    """
    if not settings.DEMO:
        raise PermissionDenied
    logout(request)
    record_second_factor(request, user, type="demo")
    get_adapter().login(request, user)
    UserSession.objects.create_from_request(request)


def vouch_for_address(user: User) -> None:
    """Make the account's address its one verified address.

    allauth lets only accounts without an unverified address add a second factor, and would still
    accept an earlier address for signing in.
    """
    with transaction.atomic():
        EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )


def end_sessions(user: User) -> None:
    """Sign ``user`` out everywhere, at once."""
    for session in UserSession.objects.filter(user=user):
        session.end()


def reset_second_factor(user: User) -> None:
    """Delete the account's authenticator and recovery codes, and sign it out everywhere.

    The next sign-in must set up a new one before any other page.
    """
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user)


@receiver(authenticator_added)
def _enrolment_proves_possession(
    request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any
) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        record_second_factor(request, user, type=authenticator.type, id=authenticator.pk)


def _secrets_at_rest() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        Fernet(
            base64.urlsafe_b64encode(
                salted_hmac("clinic.second-factor", "", secret=key, algorithm="sha256").digest()
            )
        )
        for key in keys
    )
