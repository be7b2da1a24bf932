"""Optional encryption at rest of answers and free text, for stolen dumps and backups.

``FIELD_ENCRYPTION_KEYS`` lists Fernet keys, newest first: the first one writes, all of them read.
Without any, or with ``off`` in front, new values are stored in plain. A stored value names the key
that opens it (``enc1:<fingerprint>:<token>``), so that nothing is ever guessed: what no key opens
raises KeyMissing, and a process whose keys do not open what is stored does not start.

It does not protect against somebody who is in the running application, which has the keys.
"""

import hmac
import json
import re
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, models
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

OFF = "off"
_MARK = re.compile(r"enc1:([0-9a-f]{16}):(.+)", re.DOTALL)


class KeyMissing(ImproperlyConfigured):
    """Something stored was encrypted with a key that FIELD_ENCRYPTION_KEYS does not hold."""


@lru_cache(maxsize=64)
def fingerprint(key: str) -> str:
    """Name a key without giving it away."""
    return hmac.digest(key.encode(), b"backstride field key", "sha256").hex()[:16]


def writing_key() -> str:
    """The key that new values are encrypted with; empty when they are stored in plain."""
    keys = settings.FIELD_ENCRYPTION_KEYS
    return "" if not keys or keys[0] == OFF else keys[0]


def encrypt(plain: str) -> str:
    """Return what to store; the text as it is when encryption is off."""
    key = writing_key()
    if not key:
        return plain
    return f"enc1:{fingerprint(key)}:{_cipher(key).encrypt(plain.encode()).decode()}"


def decrypt(stored: str) -> str:
    """Return the plain text of what is stored; raises KeyMissing when no key opens it."""
    found = _MARK.fullmatch(stored)
    if found is None:
        return stored
    key = _keys_by_fingerprint().get(found[1])
    if key is None:
        raise KeyMissing(_missing({found[1]}))
    try:
        return _cipher(key).decrypt(found[2].encode()).decode()
    except InvalidToken:
        raise KeyMissing(
            f"A stored value names the key {found[1]} but was altered: it cannot be opened."
        ) from None


class EncryptedJSONField(models.JSONField):
    """JSON that is stored as one encrypted string when there are keys. Never queried by content.

    The plain value must not itself be a string.
    """

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        value = super().from_db_value(value, expression, connection)
        if not isinstance(value, str):
            return value
        return json.loads(decrypt(value), cls=self.decoder)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is not None and writing_key():
            value = encrypt(json.dumps(value, cls=self.encoder))
        return super().get_db_prep_value(value, connection, prepared)

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def get_transform(self, name: str) -> Any:
        return None


class EncryptedTextField(models.TextField):
    """Text that is stored encrypted when there are keys, except when it is empty.

    Whether there is any can be queried, nothing else.
    """

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value if value is None else decrypt(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, str) and value:
            value = encrypt(value)
        return super().get_db_prep_save(value, connection)

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name in ("exact", "isnull") else None


Encrypted = EncryptedJSONField | EncryptedTextField


def encrypted_fields() -> list[tuple[type[models.Model], Encrypted]]:
    """Every column that is encrypted at rest, with its model."""
    from django.apps import apps

    return [
        (model, field)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, EncryptedJSONField | EncryptedTextField)
    ]


def not_under(
    key: str, model: type[models.Model], field: Encrypted
) -> "models.QuerySet[models.Model]":
    """Return the rows whose column is stored otherwise than with ``key``, or in plain if empty."""
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
    """Refuse to start with keys that do not open what is stored; note the one that now writes.

    Raises KeyMissing. A database without the table holds nothing yet.
    """
    from clinic.models import EncryptionKey

    try:
        needed = set(EncryptionKey.objects.values_list("fingerprint", flat=True))
    except DatabaseError:
        return
    missing = needed - set(_keys_by_fingerprint())
    if missing:
        raise KeyMissing(_missing(missing))
    note_writing_key()


def note_writing_key() -> None:
    """Remember that from now on values may be stored under the first key."""
    from clinic.models import EncryptionKey

    if key := writing_key():
        EncryptionKey.objects.get_or_create(
            fingerprint=fingerprint(key), defaults={"first_used_at": timezone.now()}
        )


def _missing(fingerprints: set[str]) -> str:
    names = ", ".join(sorted(fingerprints))
    return (
        f"Answers in this database are encrypted with a key that is not in FIELD_ENCRYPTION_KEYS "
        f"(fingerprint {names}). Add it at the end of the list; without it they cannot be read."
    )


def _keys_by_fingerprint() -> dict[str, str]:
    return {fingerprint(key): key for key in settings.FIELD_ENCRYPTION_KEYS if key != OFF}


@lru_cache(maxsize=64)
def _cipher(key: str) -> Fernet:
    return Fernet(key)
