"""A mail's own HTML as a page: the one exception to the content policy.

Mail programs do not support style sheets, so a mail's HTML has inline styles. It is shown in a
frame that can run no script, load nothing and submit nothing.
"""

from typing import Any

from django.http import HttpResponse
from django.utils.csp import CSP

MAIL_BODY_CSP: dict[str, Any] = {
    "sandbox": True,
    "default-src": [CSP.NONE],
    "style-src": [CSP.UNSAFE_INLINE],
    "img-src": ["data:"],
    "frame-ancestors": [CSP.SELF],
}


def mail_page(html: str, *, status: int = 200) -> HttpResponse:
    response = HttpResponse(html, status=status)
    # As Django's decorator does, but only for this response, not for every response of a view.
    response._csp_config = MAIL_BODY_CSP  # type: ignore[attr-defined]
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Cache-Control"] = "no-store"
    return response
