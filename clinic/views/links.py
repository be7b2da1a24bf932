"""Mailed links. Mail scanners fetch them too, so that only a POST ever changes something."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from clinic import audit
from clinic.access import hash_token, set_grant_cookie
from clinic.models import AuditEvent, Link, Patient

# The page behind a link, by its URL name: these live on the floors above.
DESTINATIONS = {
    Link.Purpose.VISIT: "visit",
    Link.Purpose.INTAKE: "intake",
    Link.Purpose.MY_VISITS: "my_visits",
    Link.Purpose.WAITLIST: "waitlist_entry",
    Link.Purpose.OFFER: "waitlist_offer",
}


@require_safe
@never_cache
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Exchange a mailed token for a grant cookie, at a URL without a secret in it."""
    link = _usable(token)
    if link is None or link.purpose not in DESTINATIONS:
        return link_gone(request)
    about = [] if link.purpose == Link.Purpose.MY_VISITS else [link.subject_id]
    response = redirect(DESTINATIONS[Link.Purpose(link.purpose)], *about)
    response.headers["Referrer-Policy"] = "no-referrer"
    set_grant_cookie(response, link)
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            link.patient.language,
            httponly=True,
            samesite="Lax",
            secure=settings.LANGUAGE_COOKIE_SECURE,
        )
    return response


# Mail programs post here by themselves (RFC 8058), without cookie or form: this token can do
# nothing but stop reminders.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, and on POST stop, reminder mails of one patient. Their visits stay as they are."""
    link = _usable(token)
    if link is None or link.purpose != Link.Purpose.UNSUBSCRIBE:
        return link_gone(request)
    if request.method == "POST":
        now = timezone.now()
        has_changed = Patient.objects.filter(pk=link.patient_id, reminders_stopped_at=None).update(
            reminders_stopped_at=now
        )
        if has_changed:
            audit.record(
                action=AuditEvent.Action.CHANGE,
                user=None,
                subject=link.patient,
                patient_id=link.patient_id,
                fields=["reminders_stopped_at"],
                now=now,
            )
            link.patient.refresh_from_db()
    return secret_page(request, "clinic/unsubscribe.html", {"patient": link.patient})


def _usable(token: str) -> Link | None:
    return (
        Link.objects.usable(now=timezone.now())
        .select_related("patient")
        .filter(token_hash=hash_token(token))
        .first()
    )


def link_gone(request: HttpRequest) -> HttpResponse:
    """Answer alike whether the link never was, ran out, was revoked or is somebody else's."""
    return secret_page(request, "clinic/link_gone.html", status=404)


def secret_page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """A page at an address that holds a token, which must not travel on from there."""
    response = render(request, template, context, status=status)
    # Never the path, which holds the token. The origin stays: without it forms cannot be posted.
    response.headers["Referrer-Policy"] = "strict-origin"
    return response
