"""Find all data about one patient in the database, and erase it.

The tables follow from the foreign keys, so that a new table is covered without being named here.
Rows of a patient are deleted, except those of the KEPT tables, which are counted for years: their
text is erased and the row is kept, with a patient who has no name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from booking.models import Appointment
from clinic.models import AuditEvent, Patient, User
from clinic.security import audit
from intake.models import SafetyAlert

KEPT: dict[str, dict[str, Any]] = {
    # Values that replace the text of a kept row; every text column is here or in HARMLESS.
    "booking.Appointment": {
        "visitor_hash": "",
        "booking_key": None,
        "phone_screen_note": "",
        # Not empty: an empty reason marks a visit that may not overlap.
        "overlap_reason": "erased",
    },
    "booking.StatusChange": {"reason": ""},
    "intake.SafetyAlert": {
        "visitor_hash": "",
        "rules": [],
        "callback_name": "",
        "callback_phone": "",
        "callback_birth_date": None,
    },
}
HARMLESS: dict[str, set[str]] = {
    "booking.Appointment": {"ical_uid", "status", "time_zone"},
    "booking.StatusChange": {"from_status", "to_status"},
    "intake.SafetyAlert": {"code"},
}
# Only these columns of the patient's own row are kept.
_PSEUDONYM = {"id", "created_at", "erased_at"}


class CannotErase(Exception):
    """A condition blocks the erasure; the message says which, in words for users."""


@dataclass
class Erasure:
    """The result of an erasure or a rehearsal: rows by model."""

    cancelled: int = 0
    deleted: dict[str, int] = field(default_factory=dict)
    emptied: dict[str, int] = field(default_factory=dict)


@cache
def tables() -> dict[type[models.Model], tuple[str, ...]]:
    """Return every model whose rows belong to a patient, with its lookups to the patient.

    The patient comes first, and each model after one that it points to.
    """
    found: dict[type[models.Model], tuple[str, ...]] = {Patient: ("pk",)}
    queue: list[type[models.Model]] = [Patient]
    while queue:
        target = queue.pop(0)
        for relation in target._meta.related_objects:
            source, key = relation.related_model, relation.field
            if not isinstance(key, models.ForeignKey) or source in (target, Patient):
                continue
            path = key.name if target is Patient else f"{key.name}__{found[target][0]}"
            if source not in found:
                queue.append(source)
            found[source] = (*found.get(source, ()), path)
    return found


def rows(model: type[models.Model], patient: Patient) -> models.QuerySet[Any]:
    """Return the rows of one model that belong to the patient."""
    belongs = reduce(or_, (Q(**{path: patient.pk}) for path in tables()[model]))
    # By key, because several lookups may find the same row.
    keys = model._base_manager.filter(belongs).values("pk")
    return model._base_manager.filter(pk__in=keys)


def erase(
    patient: Patient,
    *,
    now: datetime,
    by: User | None = None,
    cancels: bool = False,
    is_rehearsal: bool = False,
) -> Erasure:
    """Erase everything about the patient except counts; keep the complete record of access.

    Raise CannotErase while a safety alert is open, the patient is in the clinic, or visits are
    still to come and ``cancels`` is false. A rehearsal changes nothing and returns the result.
    """
    if patient.erased_at is not None:
        raise CannotErase(_("This patient has been erased already."))
    if SafetyAlert.objects.open().filter(patient=patient).exists():
        raise CannotErase(_("A safety alert of this patient is open. Acknowledge it first."))
    visits = Appointment.objects.filter(patient=patient)
    if visits.filter(status=Appointment.Status.ARRIVED).exists():
        raise CannotErase(_("The patient is in the clinic: finish the visit first."))
    coming = list(visits.filter(status=Appointment.Status.BOOKED, start__gt=now))
    if coming and not cancels:
        raise CannotErase(
            ngettext(
                "%(count)d visit is still to come. It has to be cancelled first.",
                "%(count)d visits are still to come. They have to be cancelled first.",
                len(coming),
            )
            % {"count": len(coming)}
        )
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=patient.pk)
        _overwrite_on_disk()
        for visit in coming:
            visit.cancel(now=now, by=by)
        done = _erase(patient, now=now)
        done.cancelled = len(coming)
        audit.record(
            action=AuditEvent.Action.ERASE,
            user=by,
            subject=patient,
            patient_id=patient.pk,
            fields=[*done.deleted, *done.emptied],
            now=now,
        )
        if is_rehearsal:
            transaction.set_rollback(True)
    patient.refresh_from_db()
    return done


def _erase(patient: Patient, *, now: datetime) -> Erasure:
    done = Erasure()
    belonging = {model: rows(model, patient) for model in tables() if model is not Patient}
    gone = [model for model in belonging if model._meta.label not in KEPT]
    # Counted before anything is deleted: deleting one row can cascade to others.
    done.deleted = {model._meta.label: belonging[model].count() for model in gone}
    keys = {model: list(belonging[model].values_list("pk", flat=True)) for model in belonging}
    for model in belonging:
        if model in gone or not keys[model]:
            continue
        done.emptied[model._meta.label] = len(keys[model])
        _empty(model, keys[model])
    for model in reversed(gone):
        model._base_manager.filter(pk__in=keys[model]).delete()
    about = [key for found in keys.values() for key in found if isinstance(key, UUID)]
    # Mails and tasks refer to their subject by id, without a foreign key.
    for model in _naming_by_id():
        extra = model._base_manager.filter(subject_id__in=[*about, patient.pk])
        label = model._meta.label
        done.deleted[label] = done.deleted.get(label, 0) + extra.count()
        extra.delete()
    blank = {
        column.attname: _unset(column)
        for column in Patient._meta.concrete_fields
        if column.name not in _PSEUDONYM
    }
    Patient.objects.filter(pk=patient.pk).update(**blank | {"erased_at": now})
    done.deleted = {label: count for label, count in done.deleted.items() if count}
    return done


def _empty(model: type[models.Model], keys: list[Any]) -> None:
    kept = model._base_manager.filter(pk__in=keys)
    for name, value in KEPT[model._meta.label].items():
        if name == "overlap_reason":
            kept.exclude(overlap_reason="").update(overlap_reason=value)
        else:
            kept.update(**{name: value})


def _naming_by_id() -> Iterator[type[models.Model]]:
    for model in apps.get_models():
        names = {column.name: column for column in model._meta.concrete_fields}
        if isinstance(names.get("subject_id"), models.UUIDField):
            yield model


def _unset(column: Any) -> Any:
    if column.null:
        return None
    return column.get_default() if column.has_default() else ""


def _overwrite_on_disk() -> None:
    """On SQLite, overwrite deleted data with zeros."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")


def compact() -> None:
    """On SQLite, rewrite the file, so that it contains no older version of a row.

    Do nothing inside a transaction, where this is not allowed. PostgreSQL does it by itself at
    some later time; its dumps never contain old versions.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
