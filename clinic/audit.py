"""The append-only record of who read or changed what, sealed in a hash chain.

Rows are inserted unchained, so that requests never wait for each other; the tick then seals the
committed ones in order. Altering, removing or inserting a sealed row breaks every later hash.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from clinic.models import AuditEvent, User


def record(
    *,
    action: str,
    user: User | None,
    subject: models.Model | str,
    patient_id: UUID | None = None,
    fields: Iterable[str] = (),
    now: datetime | None = None,
) -> AuditEvent:
    """Insert one event. ``subject`` is a row, or a name for what has none (a page, a search)."""
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
    """Chain every committed, unsealed event; return how many. Safe to run twice at once."""
    with transaction.atomic():
        # The last sealed row is the lock: a second sealer waits here and then sees our work.
        last = (
            AuditEvent.objects.select_for_update()
            .filter(sealed_no__isnull=False)
            .order_by("-sealed_no")
            .first()
        )
        number, previous = (last.sealed_no or 0, last.hash) if last else (0, "")
        unsealed = AuditEvent.objects.filter(sealed_no=None).order_by("at", "id")
        count = 0
        for event in unsealed[:1000]:
            number += 1
            previous = _chain(previous, number, event)
            AuditEvent.objects.filter(pk=event.pk).update(sealed_no=number, hash=previous)
            count += 1
    return count


def verify() -> tuple[list[str], int]:
    """Return what is wrong with the sealed chain, and the length of the unsealed tail."""
    faults, previous, expected = [], "", 1
    for event in AuditEvent.objects.filter(sealed_no__isnull=False).order_by("sealed_no"):
        number = event.sealed_no or 0
        if number != expected:
            faults.append(f"sealed rows {expected} to {number - 1} are missing")
        if event.hash != _chain(previous, number, event):
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
