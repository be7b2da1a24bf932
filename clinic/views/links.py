"""Mailed links. Mail scanners fetch them too, so only a POST changes anything."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from clinic import wordings
from clinic.models import AuditEvent, Link
from clinic.security import audit, guardianship
from clinic.security.access import hash_token, set_grant_cookie

# The kind of mail that a stop link outside a mail stops.
REMINDER = "reminder"

# The page behind a link, by its URL name: these pages are in the apps above.
DESTINATIONS = {
    Link.Purpose.VISIT: "visit",
    Link.Purpose.INTAKE: "intake",
    Link.Purpose.RESCREEN: "rescreen",
    Link.Purpose.CHECK_IN: "check_in",
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
    if guardianship.has_ended(link, now=timezone.now()):
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


# Mail programs post here by themselves (RFC 8058), without cookie or form: this token can only
# stop mails of one kind.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to stop one patient's mails of the link's kind, and stop them on POST.

    Their visits do not change.
    """
    link = _usable(token)
    if link is None or link.purpose != Link.Purpose.UNSUBSCRIBE:
        return link_gone(request)
    kind = link.message.kind if link.message else REMINDER
    if request.method == "POST":
        now = timezone.now()
        if link.patient.stop_mails(kind, now=now):
            audit.record(
                action=AuditEvent.Action.CHANGE,
                user=None,
                subject=link.patient,
                patient_id=link.patient_id,
                fields=["mail_stops"],
                now=now,
            )
    context = {
        "patient": link.patient,
        "is_stopped": link.patient.has_stopped(kind),
        "what": wordings.stop_label(kind) or _("Stop these mails"),
        "is_reminder": kind == REMINDER,
    }
    return secret_page(request, "clinic/unsubscribe.html", context)


def _usable(token: str) -> Link | None:
    return (
        Link.objects.usable(now=timezone.now())
        .select_related("patient", "message")
        .filter(token_hash=hash_token(token))
        .first()
    )


def link_gone(request: HttpRequest) -> HttpResponse:
    """Give the same answer for an unknown, an expired, a revoked and another patient's link."""
    return secret_page(request, "clinic/link_gone.html", status=404)


def secret_page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Return a page whose URL contains a token, and keep the token out of referrers."""
    response = render(request, template, context, status=status)
    # Never the path, which contains the token. Without the origin, forms could not be posted.
    response.headers["Referrer-Policy"] = "strict-origin"
    return response
