"""A practitioner's visits for their own calendar program, at a secret address."""

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods, require_safe

from booking.appointments import ical
from booking.appointments.status import TAKES_PLACE
from booking.models import Appointment
from clinic.context import practice_of
from clinic.models import AuditEvent, Practitioner, Role
from clinic.security import audit
from clinic.security.access import StaffRequest, staff_required
from clinic.security.rate_limits import FEEDS_PER_IP, client_ip
from desk.models import CalendarFeed

SHOWN_BEFORE, SHOWN_AFTER = timedelta(days=30), timedelta(days=180)
FRESH_SECONDS = 300


@require_safe
def practitioner_feed(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    FEEDS_PER_IP.hit(client_ip(request), now=now)
    feed = CalendarFeed.objects.with_token(token)
    if feed is None:
        raise Http404
    # The practitioner's own visits, read without any patient data.
    visits = (
        Appointment.objects.filter(
            practitioner=feed.practitioner,
            status__in=TAKES_PLACE,
            start__gt=now - SHOWN_BEFORE,
            start__lt=now + SHOWN_AFTER,
        )
        .select_related("location", "room")
        .order_by("start")
    )
    with translation.override(feed.language):
        response = HttpResponse(
            ical.feed(visits, practice=practice_of(request), now=now),
            content_type="text/calendar; charset=utf-8",
        )
    patch_cache_control(response, private=True, max_age=FRESH_SECONDS)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


@require_http_methods(["GET", "POST"])
@staff_required(Role.CLINICIAN)
def calendar_feed(request: StaffRequest) -> HttpResponse:
    """Create the user's own feed and show its address once, or revoke the feed."""
    now = timezone.now()
    practitioner = Practitioner.objects.filter(user=request.user, is_active=True).first()
    if practitioner is None:
        raise Http404
    url = ""
    if "make" in request.POST:
        feed, token = CalendarFeed.objects.make(practitioner, by=request.user, now=now)
        audit.record(action=AuditEvent.Action.CREATE, user=request.user, subject=feed, now=now)
        url = settings.BASE_URL + reverse("practitioner_feed", args=[token])
    active = CalendarFeed.objects.active().filter(practitioner=practitioner).first()
    if "revoke" in request.POST:
        if active is not None and active.revoke(now=now):
            audit.record(
                action=AuditEvent.Action.CHANGE,
                user=request.user,
                subject=active,
                fields=["revoked_at"],
                now=now,
            )
        return redirect("calendar_feed")
    return render(request, "desk/clinician/calendar_feed.html", {"feed": active, "url": url})
