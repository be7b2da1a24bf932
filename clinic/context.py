from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clinic.models import Practice


def practice_of(request: HttpRequest) -> Practice:
    """Return the practice, read once per request."""
    if not hasattr(request, "_practice"):
        request._practice = Practice.current()  # type: ignore[attr-defined]
    return request._practice  # type: ignore[attr-defined]


def practice(request: HttpRequest) -> dict[str, object]:
    """Give every template the clinic's own name and phone numbers, read on first use."""
    return {"practice": SimpleLazyObject(lambda: practice_of(request))}
