"""Access rules: roles, link grants of patients, visitor tokens of people not yet known.

Patients have no account. A mailed link is exchanged for a grant cookie that names a ``Link``
row; every request reads that row again, so revoking it takes effect at once.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache

from clinic.mail import preview
from clinic.models import AuditEvent, Link, Message, Patient, Role, User
from clinic.security import audit, guardianship

GRANT_COOKIE = "grant"
GRANT_SECONDS = 12 * 60 * 60
VISITOR_COOKIE = "visitor"
VISITOR_SECONDS = 24 * 60 * 60
# A link works until this long after the visit it is about.
LINK_DAYS_AFTER_VISIT = 30

VIEW, CHANGE, KEEP = ("view",), ("view", "change"), ("view", "add", "change")
ALL = ("view", "add", "change", "delete")

_permissions: dict[str, set[str]] = {role: set() for role in Role.values}


def allow(role: str, app: str, **verbs_by_model: tuple[str, ...]) -> None:
    """Grant a role rights on an app's models; called in ``AppConfig.ready()``."""
    _permissions[role].update(
        f"{app}.{verb}_{model}" for model, verbs in verbs_by_model.items() for verb in verbs
    )


class RolePermissions(BaseBackend):
    """Derives Django permissions from the account's role; does not authenticate."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not isinstance(user_obj, User) or not user_obj.is_active or obj is not None:
            return set()
        return _permissions.get(user_obj.role, set())

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether the role has any permission in an app: the admin lists only such apps."""
        allowed = self.get_user_permissions(user_obj)
        return any(permission.startswith(f"{app_label}.") for permission in allowed)


class StaffRequest(HttpRequest):
    """A request in a view with ``staff_required``."""

    user: User


def staff_user(request: HttpRequest) -> User:
    """Return the signed-in member of staff, in a view that only staff can reach."""
    assert isinstance(request.user, User)
    return request.user


def staff_required(*roles: str) -> Callable:
    """Allow only active staff with one of ``roles``; others must sign in, or get a 404.

    Browsers and proxies must not store the responses. A denial writes an audit row.
    """

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        @never_cache
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if request.user.role not in roles:
                audit.record(
                    action=AuditEvent.Action.DENIED, user=request.user, subject=view.__name__
                )
                raise Http404
            return view(request, *args, **kwargs)

        return wrapper

    return decorate


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def link_token(message_id: UUID, purpose: str) -> str:
    """Return the same secret each time a mail is rendered, so a resent mail is byte-identical."""
    digest = salted_hmac("clinic.link", f"{message_id}:{purpose}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def issue_links(
    *purposes: str,
    message: Message,
    patient: Patient,
    expires_at: datetime,
    subject_id: UUID | None = None,
) -> dict[str, str]:
    """Return the absolute URL of this message's link for each purpose, storing only hashes.

    Issuing a link again changes nothing, and one INSERT stores all of a mail's links. A preview
    stores nothing, and its URLs open nothing.
    """
    if preview.current():
        return {
            purpose: f"{settings.BASE_URL}/{_link_path(purpose)}/preview/" for purpose in purposes
        }
    tokens = {purpose: link_token(message.pk, purpose) for purpose in purposes}
    links = [
        Link(
            token_hash=hash_token(token),
            purpose=purpose,
            patient_id=patient.pk,
            subject_id=subject_id,
            message_id=message.pk,
            expires_at=expires_at,
        )
        for purpose, token in tokens.items()
    ]
    Link.objects.bulk_create(links, ignore_conflicts=True)
    return {
        purpose: f"{settings.BASE_URL}/{_link_path(purpose)}/{token}/"
        for purpose, token in tokens.items()
    }


def _link_path(purpose: str) -> str:
    return "unsubscribe" if purpose == Link.Purpose.UNSUBSCRIBE else "l"


def grant_to_browser(
    response: HttpResponse,
    *,
    patient: Patient,
    subject_id: UUID | None,
    now: datetime,
    message: Message | None = None,
) -> Link:
    """Let the browser that has just booked see its visit without a mailed link.

    With a ``message``, the grant opens no more than a link in that mail would.
    """
    link = Link.objects.create(
        token_hash=hash_token(secrets.token_urlsafe(32)),
        purpose=Link.Purpose.VISIT,
        patient=patient,
        subject_id=subject_id,
        message=message,
        expires_at=now + timedelta(seconds=GRANT_SECONDS),
    )
    set_grant_cookie(response, link)
    return link


def set_grant_cookie(response: HttpResponse, link: Link) -> None:
    response.set_signed_cookie(
        GRANT_COOKIE,
        str(link.pk),
        salt="clinic.grant",
        max_age=GRANT_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def patient_grant(request: HttpRequest) -> Link | None:
    """Return the valid link that was granted to this browser, or None."""
    value = request.get_signed_cookie(
        GRANT_COOKIE, default=None, salt="clinic.grant", max_age=GRANT_SECONDS
    )
    if value is None:
        return None
    now = timezone.now()
    try:
        link = (
            Link.objects.usable(now=now)
            .exclude(purpose=Link.Purpose.UNSUBSCRIBE)
            .select_related("patient")
            .get(pk=value)
        )
    except (Link.DoesNotExist, ValidationError):
        return None
    return None if guardianship.has_ended(link, now=now) else link


def visitor_hash(request: HttpRequest) -> str:
    """Return the hash that is the key of this visitor's rows, or an empty string if none exists."""
    token = request.COOKIES.get(VISITOR_COOKIE, "")
    return hash_token(token) if len(token) >= 32 else ""


def set_visitor_cookie(response: HttpResponse) -> str:
    """Give the browser a new visitor token; return its hash."""
    token = secrets.token_urlsafe(32)
    response.set_cookie(
        VISITOR_COOKIE,
        token,
        max_age=VISITOR_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return hash_token(token)
