from django.conf import settings
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from clinic.operations.heartbeat import failing_parts
from clinic.operations.metrics import registry


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Report that this process answers, without other checks: for probes and proxies."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Report whether everything works, or name what does not. For monitoring only.

    ``database`` does not answer; ``scheduler``: no tick was completed for three intervals;
    ``mail``: a message is more than five minutes late.
    """
    try:
        failing = failing_parts(timezone.now())
    except Error:
        failing = ["database"]
    return JsonResponse({"ok": not failing, "failing": failing}, status=503 if failing else 200)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus in its text format with the bearer token; 404 without it."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(given, expected):
        raise Http404
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
