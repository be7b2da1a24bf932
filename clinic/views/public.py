"""Public pages: the guide, the locations, the privacy notice, and the language switch."""

from datetime import time

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.views import i18n
from django.views.decorators.http import require_POST, require_safe

from clinic import guide as guide_pages
from clinic.languages import active_language, templates
from clinic.models import Location, Patient, Practice
from clinic.security.access import patient_grant


@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    return render(request, "clinic/guide.html", {"pages": guide_pages.PAGES})


@require_safe
def guide_page(request: HttpRequest, slug: str) -> HttpResponse:
    page = guide_pages.find(slug)
    if page is None:
        raise Http404
    return render(request, page.templates, {"page": page, "pages": guide_pages.PAGES})


@require_safe
def locations(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    return render(
        request,
        "clinic/locations.html",
        {
            "locations": [
                (location, now.astimezone(location.zone))
                for location in Location.objects.filter(is_active=True)
            ],
            "staffed_hours": _staffed_week(Practice.current()),
        },
    )


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    texts = templates("clinic/privacy", active_language())
    return render(request, "clinic/privacy.html", {"texts": texts})


@require_POST
def lang(request: HttpRequest) -> HttpResponseBase:
    """Switch the language of this browser, and of the mails to the patient of its grant."""
    response = i18n.set_language(request)
    language = request.POST.get("language", "")
    if i18n.check_for_language(language):
        _remember_language(request, language)
    return response


def switch_language(request: HttpRequest, response: HttpResponse, language: str) -> None:
    """Switch the language of a page that first saves what was typed on it."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
    )
    _remember_language(request, language)


def _remember_language(request: HttpRequest, language: str) -> None:
    grant = patient_grant(request)
    if grant is not None:
        Patient.objects.visible_to(grant).update(language=language)


def _staffed_week(practice: Practice) -> list[tuple[str, list[tuple[time, ...]]]]:
    return [
        (
            name,
            [
                tuple(time.fromisoformat(clock) for clock in span)
                for span in practice.staffed_hours.get(str(weekday), [])
            ],
        )
        for weekday, name in WEEKDAYS.items()
    ]
