"""Keys that the database needs, and the rows that are stored under each."""

from django.apps import apps
from django.db import DatabaseError
from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from clinic.encryption import (
    EncryptedJSONField,
    EncryptedTextField,
    KeyMissing,
    fingerprint,
    keys_by_fingerprint,
    missing_keys,
    writing_key,
)
from clinic.models import EncryptionKey

Encrypted = EncryptedJSONField | EncryptedTextField


def encrypted_fields() -> list[tuple[type[Model], Encrypted]]:
    """Return every column that is encrypted at rest, with its model."""
    return [
        (model, field)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, Encrypted)
    ]


def not_under(key: str, model: type[Model], field: Encrypted) -> QuerySet[Model]:
    """Return the rows whose column is not stored with ``key``, or not in plain without a key."""
    quote = '"' if isinstance(field, EncryptedJSONField) else ""
    rows = model._base_manager.annotate(as_stored=Cast(field.name, TextField()))
    if not key:
        return rows.filter(as_stored__startswith=f"{quote}enc1:")
    return rows.exclude(
        Q(as_stored__startswith=f"{quote}enc1:{fingerprint(key)}:")
        | Q(as_stored="")
        | Q(as_stored=None)
    )


def require_keys() -> None:
    """Refuse to start without the keys of all stored values; record the one that writes.

    Raises KeyMissing. A database without the table is empty.
    """
    try:
        needed = set(EncryptionKey.objects.values_list("fingerprint", flat=True))
    except DatabaseError:
        return
    missing = needed - set(keys_by_fingerprint())
    if missing:
        raise KeyMissing(missing_keys(missing))
    note_writing_key()


def note_writing_key() -> None:
    """Record that values may be stored under the first key from now on."""
    if key := writing_key():
        EncryptionKey.objects.get_or_create(
            fingerprint=fingerprint(key), defaults={"first_used_at": timezone.now()}
        )
