"""The data that a form is bound to."""

from django.http import HttpRequest, QueryDict


def posted(request: HttpRequest) -> QueryDict | None:
    """Return the posted data, or None if the page is only shown."""
    return request.POST if request.method == "POST" else None
