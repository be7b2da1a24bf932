"""Rate limits, counted in the database so that they apply across processes.

A leaky bucket per key (GCRA): one conditional upsert counts a try or changes nothing, so two
processes can never both use the last try. Keys contain a keyed hash, never the address or the
e-mail itself.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from clinic.errors import too_many_requests
from clinic.models import RateLimit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# In SQL because the ORM's upsert has no condition: with the ORM, every limited request would need
# up to three statements.
_TAKE_ROOM = """
    INSERT INTO clinic_ratelimit (key, full_until) VALUES (%s, %s)
    ON CONFLICT (key) DO UPDATE SET full_until = CASE
        WHEN clinic_ratelimit.full_until < %s THEN %s ELSE clinic_ratelimit.full_until + %s END
    WHERE clinic_ratelimit.full_until <= %s
    RETURNING full_until
"""


class RateLimited(Exception):
    """The answer is a 429; ``retry_after`` is in whole seconds, at least one."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many tries, again in {retry_after} s")
        self.retry_after = retry_after


@dataclass(frozen=True)
class Limit:
    """``burst`` tries at once, then one more per ``every``."""

    name: str
    every: timedelta
    burst: int

    def hit(self, subject: str, *, now: datetime) -> None:
        """Count one try by ``subject`` (an address, an e-mail); raises RateLimited.

        Call it outside a transaction to count tries that fail later too, or inside one to count
        only those that succeed.
        """
        key, every, at = self.key(subject), _microseconds(self.every), _microseconds(now - _EPOCH)
        # The bucket is full when the next conforming try is this far ahead.
        room_until = at + every * (self.burst - 1)
        with connection.cursor() as cursor:
            cursor.execute(_TAKE_ROOM, [key, at + every, at, at + every, every, room_until])
            if cursor.fetchone():
                return
        rows = RateLimit.objects.filter(key=key).values_list("full_until", flat=True)
        # None if the sweep deleted the row in between.
        full_until = rows.first() or room_until
        raise RateLimited(max(1, ceil((full_until - room_until) / 1_000_000)))

    def key(self, subject: str) -> str:
        digest = salted_hmac(
            "clinic.security.rate_limits", f"{self.name}:{subject}", algorithm="sha256"
        )
        return f"{self.name}:{digest.hexdigest()}"


HOLDS_PER_IP = Limit("hold-ip", every=timedelta(seconds=1), burst=100)
GATES_PER_IP = Limit("gate-ip", every=timedelta(seconds=2), burst=60)
# Bookings by people who have not proved that the address is theirs. Beyond this limit, they need a
# mailed link, which has a limit too.
UNPROVEN_PER_IP = Limit("booking-ip", every=timedelta(hours=2), burst=10)
ADDRESS_CHECKS_PER_IP = Limit("address-check-ip", every=timedelta(minutes=10), burst=10)
CALLS_PER_IP = Limit("call-ip", every=timedelta(minutes=10), burst=10)
LINKS_PER_IP = Limit("my-visits-ip", every=timedelta(seconds=30), burst=20)
BIRTH_DATES_PER_IP = Limit("birth-date-ip", every=timedelta(seconds=30), burst=20)
# Each new link allows five tries; this limits all of them together.
BIRTH_DATES_PER_PATIENT = Limit("birth-date-patient", every=timedelta(hours=1), burst=10)
EMERGENCIES_PER_USER = Limit("emergency-access", every=timedelta(minutes=5), burst=10)
FEEDS_PER_IP = Limit("feed-ip", every=timedelta(seconds=1), burst=120)
BOUNCES_PER_IP = Limit("bounce-ip", every=timedelta(seconds=1), burst=200)
LINKS_PER_EMAIL = Limit("my-visits-email", every=timedelta(minutes=10), burst=3)


def forget_empty_buckets(*, now: datetime) -> int:
    """Delete rows that no longer limit anybody; return how many."""
    return RateLimit.objects.filter(full_until__lt=_microseconds(now - _EPOCH)).delete()[0]


def _microseconds(time: timedelta) -> int:
    return time // timedelta(microseconds=1)


def client_ip(request: HttpRequest) -> str:
    """Return the address a request came from; for IPv6 the /64 network, which has one owner.

    ``X-Forwarded-For`` is read only behind a trusted proxy. Only its last entry counts, which that
    proxy wrote; the client may have invented the others.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.TRUSTED_PROXY else ""
    for candidate in (forwarded.rpartition(",")[2].strip(), peer):
        try:
            address = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped:
                return str(address.ipv4_mapped)
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address)
    return peer


class RateLimitedMiddleware:
    """Turns RateLimited, raised by any view, into the 429 page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, RateLimited):
            return None
        return too_many_requests(request, retry_after_seconds=exception.retry_after)
