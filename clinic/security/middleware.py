"""Middleware for requests of members of staff."""

import time
from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from clinic.models import Practice
from clinic.security.accounts import has_second_factor

# The only views after a password alone: set up the second factor, sign out, change the language.
OPEN_WITHOUT_SECOND_FACTOR = {
    "mfa_activate_totp",
    "account_reauthenticate",
    "account_logout",
    "lang",
}


class StaffSessionMiddleware:
    """Requires a second factor and an age of at most 12 hours from every signed-in session.

    The session cookie's own age ends idle sessions. When a session ends, browsers must clear
    their caches. The admin uses the practice's time zone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without the cookie there is no session to load, so public pages need no query for it.
        was_signed_in = (
            settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated
        )
        try:
            response = self.get_response(request)
        finally:
            timezone.deactivate()
        if was_signed_in and not request.user.is_authenticated:
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def process_view(
        self, request: HttpRequest, view: Callable, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        assert match is not None
        if match.app_name == "admin":
            timezone.activate(Practice.current().zone)
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        if not request.user.is_authenticated:
            return None
        records = get_authentication_records(request, request.user)
        if not records or time.time() - records[0]["at"] > settings.SESSION_MAX_SECONDS:
            return self._sign_in_again(request)
        if has_second_factor(request) or match.view_name in OPEN_WITHOUT_SECOND_FACTOR:
            return None
        if Authenticator.objects.filter(user=request.user).exists():
            # Enrolled in another browser in the meantime: this session never gave the factor.
            return self._sign_in_again(request)
        return redirect("mfa_activate_totp")

    def _sign_in_again(self, request: HttpRequest) -> HttpResponse:
        logout(request)
        return redirect_to_login(request.get_full_path())
