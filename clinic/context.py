from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clinic.models import Practice


def practice(request: HttpRequest) -> dict[str, object]:
    """Give every template the clinic's own name and numbers, read once when used."""
    return {"practice": SimpleLazyObject(Practice.current)}
