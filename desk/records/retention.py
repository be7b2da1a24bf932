"""How long each class of data is kept, and the deletion of expired data.

Visits, submitted answers, their corrections and agreements, mail rows and the record of access are
kept until the patient is erased (``desk.records.erasure``): health-record law sets that time, and
it differs by jurisdiction.
"""

import logging
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q

from booking.models import Appointment, WaitlistEntry
from clinic.models import Link
from clinic.security.rate_limits import forget_empty_buckets
from intake.models import QuestionnaireResponse, SafetyAlert
from intake.workflow import gate

logger = logging.getLogger(__name__)

# Counted from the last save, or from the end of the form's visit or wait if that is later.
KEEP_DRAFTS = timedelta(days=30)
# For this time an expired link is reported as expired, not as unknown.
KEEP_EXPIRED_LINKS = timedelta(days=30)


def sweep(*, now: datetime) -> dict[str, int]:
    """Delete expired data; return the count of each class, and log the counts."""
    counts = {
        "holds": Appointment.objects.drop_expired(now=now),
        "gate answers": gate.forget_unclaimed(now=now),
        "drafts": forget_drafts(now=now),
        "links": Link.objects.filter(expires_at__lt=now - KEEP_EXPIRED_LINKS).delete()[0],
        "staff sessions": Session.objects.filter(expire_date__lt=now).delete()[0],
    }
    forget_empty_buckets(now=now)
    deleted = {name: count for name, count in counts.items() if count}
    if deleted:
        logger.info("swept %s", ", ".join(f"{name}: {count}" for name, count in deleted.items()))
    return counts


def forget_drafts(*, now: datetime) -> int:
    """Delete forms that were started and never submitted, unless they raised a safety alert.

    Unsubmitted corrections of submitted answers count as such forms.
    """
    limit = now - KEEP_DRAFTS
    for_a_visit = Appointment.objects.filter(
        Q(intake_response=OuterRef("pk")) | Q(intake_response=OuterRef("corrects")), end__gte=limit
    )
    for_a_wait = WaitlistEntry.objects.waiting().filter(intake_response=OuterRef("pk"))
    drafts = QuestionnaireResponse.objects.filter(
        status=QuestionnaireResponse.Status.IN_PROGRESS,
        patient__isnull=False,
        updated_at__lt=limit,
    ).exclude(Exists(SafetyAlert.objects.filter(response=OuterRef("pk"))))
    keys = list(
        drafts.exclude(Exists(for_a_visit) | Exists(for_a_wait)).values_list("pk", flat=True)
    )
    # Check the age again on deletion: a patient may be saving a page now.
    gone = QuestionnaireResponse.objects.filter(pk__in=keys, updated_at__lt=limit)
    count = gone.count()
    gone.delete()
    return count
