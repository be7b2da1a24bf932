"""The append-only record of who read or changed what, sealed in a hash chain.

Rows are inserted unchained, so that requests never wait for each other. The tick then seals the
committed ones in order. Altering, removing or inserting a sealed row breaks every later hash.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from clinic.models import AuditEvent, User


class _SealedMeanwhile(Exception):
    """Another process sealed one of these rows first."""


def record(
    *,
    action: str,
    user: User | None,
    subject: models.Model | str,
    patient_id: UUID | None = None,
    fields: Iterable[str] = (),
    now: datetime | None = None,
) -> AuditEvent:
    """Insert one event. ``subject`` is a row, or a name if there is none (a page, a search)."""
    subject_type, subject_id = (
        (subject._meta.label_lower, str(subject.pk))
        if isinstance(subject, models.Model)
        else (subject, "")
    )
    return AuditEvent.objects.create(
        at=now or timezone.now(),
        user=user,
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        patient_id=patient_id,
        fields=sorted(fields),
    )


def seal() -> int:
    """Chain committed, unsealed events, at most a thousand; return how many.

    Safe to run twice at once: ``sealed_no`` is unique, so of two processes that start from the
    same end of the chain, one commits. The other is rolled back and leaves its rows to the next
    tick. No row is locked first, because the first seal has none to lock.
    """
    try:
        with transaction.atomic():
            last = AuditEvent.objects.filter(sealed_no__isnull=False).order_by("-sealed_no").first()
            number, previous = (last.sealed_no or 0, last.hash) if last else (0, "")
            count = 0
            for event in AuditEvent.objects.filter(sealed_no=None).order_by("at", "id")[:1000]:
                number += 1
                previous = _chain(previous, number, event)
                if not AuditEvent.objects.filter(pk=event.pk, sealed_no=None).update(
                    sealed_no=number, hash=previous
                ):
                    raise _SealedMeanwhile
                count += 1
    except (IntegrityError, _SealedMeanwhile):
        return 0
    return count


def verify() -> tuple[list[str], int]:
    """Return the faults of the sealed chain, and the length of the unsealed tail."""
    faults, previous, expected = [], "", 1
    sealed = AuditEvent.objects.filter(sealed_no__isnull=False).order_by("sealed_no")
    for event in sealed.iterator():
        number = event.sealed_no or 0
        if number != expected:
            # The next row was chained to a missing one, so its hash cannot be checked.
            faults.append(f"sealed rows {expected} to {number - 1} are missing")
        elif event.hash != _chain(previous, number, event):
            faults.append(f"row {event.pk} (sealed {number}) was altered")
        previous, expected = event.hash, number + 1
    return faults, AuditEvent.objects.filter(sealed_no=None).count()


def _chain(previous: str, number: int, event: AuditEvent) -> str:
    content = [
        previous,
        number,
        str(event.pk),
        event.at.isoformat(),
        event.user_id,
        event.action,
        event.subject_type,
        event.subject_id,
        str(event.patient_id or ""),
        event.fields,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
