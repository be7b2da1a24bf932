"""Requests no honest browser sends, turned away before a view or the database meets them."""

from collections.abc import Callable, Iterable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse


class HostileInputMiddleware:
    """Answers 413 to a body that is too long, 400 to NUL bytes and lone surrogates.

    PostgreSQL refuses to store either, SQLite takes both: here they meet the same end on both.
    Cookies are looked at too, since their quoted form can spell a NUL; so this stands before the
    session, which would look one up.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Said by the header alone: the body is not read, so it costs nothing.
        if _content_length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig("the body is too long")
        if any(map(_is_unstorable, _texts(request))):
            raise SuspiciousOperation("a NUL byte or lone surrogate in the request")
        return self.get_response(request)


def _content_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _texts(request: HttpRequest) -> Iterable[str]:
    yield request.path_info
    yield from request.COOKIES.values()
    for fields in (request.GET, request.POST):
        for name, values in fields.lists():
            yield name
            yield from values


def _is_unstorable(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text)
