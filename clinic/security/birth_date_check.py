"""The second factor of a mailed link: the patient's birth date, before stored answers are shown.

A mailbox is read by more people than its owner. A mailed link alone therefore opens visits but no
answers; the browser that has just booked proved enough by writing them.
"""

from datetime import date, datetime

from django.conf import settings
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from clinic.models import AuditEvent, Link
from clinic.security import audit
from clinic.security.access import GRANT_SECONDS

PROOF_COOKIE = "proof"
MAX_TRIES = 5


class LinkLocked(Exception):
    """Too many wrong dates were tried: this link opens no answers any more."""


def is_proven(request: HttpRequest, link: Link) -> bool:
    """Whether this browser may see what is stored about the link's patient."""
    if not link.is_mailed:
        return True
    proven = request.get_signed_cookie(
        PROOF_COOKIE, default="", salt="clinic.security.birth_date_check", max_age=GRANT_SECONDS
    )
    return constant_time_compare(proven or "", str(link.pk))


def remember(response: HttpResponse, link: Link) -> None:
    """Note in the browser, and for this link only, that the patient was recognized."""
    response.set_signed_cookie(
        PROOF_COOKIE,
        str(link.pk),
        salt="clinic.security.birth_date_check",
        max_age=GRANT_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def is_locked(link: Link) -> bool:
    return link.failed_tries >= MAX_TRIES


def is_born_on(link: Link, given: date, *, birth_date: date, now: datetime) -> bool:
    """Count one try of ``given`` against the link; raises LinkLocked when none was left.

    A try is taken before the dates are compared and given back when they agree, so that tries
    sent at the same moment cannot be more than five.
    """
    tries = Link.objects.filter(pk=link.pk, failed_tries__lt=MAX_TRIES)
    if not tries.update(failed_tries=F("failed_tries") + 1):
        raise LinkLocked
    if constant_time_compare(given.isoformat(), birth_date.isoformat()):
        Link.objects.filter(pk=link.pk).update(failed_tries=F("failed_tries") - 1)
        return True
    audit.record(
        action=AuditEvent.Action.DENIED,
        user=None,
        subject=link,
        patient_id=link.patient_id,
        fields=["birth_date"],
        now=now,
    )
    link.refresh_from_db(fields=["failed_tries"])
    return False
