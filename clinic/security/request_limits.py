"""Refuse requests that no ordinary browser sends, before they reach a view or the database."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError

# Our forms never send more than this, so the rest is not read.
MAX_DISCARDED = 32 * 1024 * 1024
CHUNK = 64 * 1024
# NUL, and lone surrogates.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class HostileInputMiddleware:
    """Answers 413 to a body that is too long, 400 to NUL bytes and lone surrogates.

    PostgreSQL refuses to store these, SQLite stores both; this gives one result on both. Cookies
    are checked too, because their quoted form can contain a NUL. Therefore this comes before the
    session middleware, which would look one up.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = _content_length(request)
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            if length <= MAX_DISCARDED:
                _discard_body(request)
            raise RequestDataTooBig("the body is too long")
        if any(map(UNSTORABLE.search, _texts(request))):
            raise SuspiciousOperation("a NUL byte or lone surrogate in the request")
        return self.get_response(request)


def _content_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _discard_body(request: HttpRequest) -> None:
    """Read and discard the body: senders read the answer only after they have sent everything.

    If the server closes the connection before, they report "connection reset".
    """
    with suppress(UnreadablePostError):
        while request.read(CHUNK):
            pass


def _texts(request: HttpRequest) -> Iterable[str]:
    yield request.path_info
    yield from request.COOKIES.values()
    for fields in (request.GET, request.POST):
        for name, values in fields.lists():
            yield name
            yield from values
