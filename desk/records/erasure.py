"""Everything in the database that is about one patient: to be handed over, or erased.

Which tables that is, is worked out from the foreign keys, so that a new one is covered without
being named here. Rows of a patient are deleted, except those of the KEPT tables, which are counted
for years to come: of them the words go and the row stays, with a patient who has no name.
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
    # What replaces the words of a row that stays; every text column is here or in HARMLESS.
    "booking.Appointment": {
        "visitor_hash": "",
        "booking_key": None,
        "phone_screen_note": "",
        # Not emptied, or the visit would count as one that may not overlap.
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
# Of the patient's own row only these stay.
_PSEUDONYM = {"id", "created_at", "erased_at"}


class CannotErase(Exception):
    """Something has to be settled first; says what, in words for people."""


@dataclass
class Erasure:
    """What was done, or would be: rows by model."""

    cancelled: int = 0
    deleted: dict[str, int] = field(default_factory=dict)
    emptied: dict[str, int] = field(default_factory=dict)


@cache
def tables() -> dict[type[models.Model], tuple[str, ...]]:
    """Every model whose rows belong to a patient, with the lookups that lead there.

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
    """The rows of one model that belong to the patient."""
    belongs = reduce(or_, (Q(**{path: patient.pk}) for path in tables()[model]))
    # By key, because a row may be found by several ways at once.
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
    """Erase everything about the patient but bare counts; the record of access stays whole.

    Raises CannotErase while a safety alert is open, somebody is in the clinic, or visits are still
    to come that it may not cancel. A rehearsal changes nothing and returns what would be done.
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
    # Counted before anything goes: deleting one row can take others along.
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
    # Mails and tasks name what they are about by its id, without a foreign key.
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
    """On SQLite, what is deleted is overwritten with zeros, not only forgotten."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")


def compact() -> None:
    """On SQLite, write the file anew, so that no older version of a row is left in it.

    Does nothing inside a transaction, where that is not allowed. PostgreSQL does it by itself,
    sooner or later; its dumps never hold such remains.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
