"""The endpoint where a mail provider, or a script of the clinic's mail server, reports a bounce."""

import hashlib
import hmac
import json
import re
from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from clinic.mail import bounces
from clinic.mail.delivery_reports import Report, message_id_of
from clinic.security.rate_limits import BOUNCES_PER_IP, client_ip

# Older reports, or reports from the future, are refused as replays.
SIGNATURE_LASTS_SECONDS = 5 * 60


@csrf_exempt
@require_POST
@never_cache
def report_bounce(request: HttpRequest) -> HttpResponse:
    """Process one signed report; 404 without a configured secret. Repeating it is harmless."""
    if not settings.BOUNCES_SECRET:
        raise Http404
    now = timezone.now()
    BOUNCES_PER_IP.hit(client_ip(request), now=now)
    if not _is_signed(request, now):
        return HttpResponse("signature\n", status=403, content_type="text/plain")
    try:
        report = _report(json.loads(request.body))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return HttpResponse("report\n", status=400, content_type="text/plain")
    if report is not None:
        bounces.record(report, now)
    return HttpResponse(status=204)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _is_signed(request: HttpRequest, now: datetime) -> bool:
    given = re.fullmatch(
        r"t=(\d{1,12}),v1=([0-9a-f]{64})", request.headers.get("X-Backstride-Signature", "")
    )
    if given is None or abs(now.timestamp() - int(given[1])) > SIGNATURE_LASTS_SECONDS:
        return False
    return constant_time_compare(
        given[2], signature(settings.BOUNCES_SECRET, given[1], request.body)
    )


def _report(told: dict[str, str]) -> Report | None:
    """Read the report; None if it is not about one of our mails. Raises ValueError."""
    status, recipient = told["status"], str(told.get("recipient", ""))
    if not re.fullmatch(r"[45]\.\d{1,3}\.\d{1,3}", status):
        raise ValueError("no enhanced status code")
    if "message_id" in told:
        message_id = message_id_of(told["message_id"], host=bounces.host())
    else:
        message_id = bounces.latest_to(recipient) if recipient else None
    if message_id is None:
        return None
    return Report(
        message_id=message_id,
        recipient=recipient,
        status=status,
        is_final=told.get("action", "failed") == "failed",
    )
