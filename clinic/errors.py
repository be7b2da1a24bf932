"""Neutral error pages: they say what to do, never whether something exists."""

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent):
        return render(request, "413.html", status=413)
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "403.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    # Django's own handler would put the requested path into the template's context.
    response = render(request, "404.html", status=404)
    # The same address may be allowed tomorrow, so the answer must not be cached.
    response.headers["Cache-Control"] = "no-store"
    return response


def too_many_requests(request: HttpRequest, *, retry_after_seconds: int) -> HttpResponse:
    response = render(request, "429.html", status=429)
    response.headers["Retry-After"] = str(retry_after_seconds)
    return response
