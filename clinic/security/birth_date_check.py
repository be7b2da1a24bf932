"""The second factor of a mailed link: the patient's birth date, before stored answers are shown.

People other than its owner may read a mailbox. A mailed link alone therefore opens visits but no
answers. The browser that has just booked needs no proof, because it wrote the answers.
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
    """There were too many wrong dates: this link opens no answers any more."""


def is_proven(request: HttpRequest, link: Link) -> bool:
    """Whether this browser may see what is stored about the link's patient."""
    if not link.is_mailed:
        return True
    proven = request.get_signed_cookie(
        PROOF_COOKIE, default="", salt="clinic.security.birth_date_check", max_age=GRANT_SECONDS
    )
    return constant_time_compare(proven or "", str(link.pk))


def remember(response: HttpResponse, link: Link) -> None:
    """Record in the browser, for this link only, that the birth date was proven."""
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
    """Whether ``given`` is right. Counts one try on the link; raises LinkLocked if none is left.

    The try is counted before the dates are compared, and subtracted if they agree, so that tries
    sent at the same moment cannot exceed five.
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
