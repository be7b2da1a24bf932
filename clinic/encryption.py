"""Optional encryption at rest of answers and free text, for stolen dumps and backups.

``FIELD_ENCRYPTION_KEYS`` lists Fernet keys, newest first: the first one writes, all of them read.
Without any, or with ``off`` in front, new values are stored in plain text. A stored value names the
key that decrypts it (``enc1:<fingerprint>:<token>``), so nothing is ever guessed. A value without
its key raises KeyMissing, and a process that lacks a key of a stored value does not start.

It does not protect against an attacker inside the running application, which has the keys.
"""

import hmac
import json
import re
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

OFF = "off"
_MARK = re.compile(r"enc1:([0-9a-f]{16}):(.+)", re.DOTALL)


class KeyMissing(ImproperlyConfigured):
    """A stored value was encrypted with a key that FIELD_ENCRYPTION_KEYS does not contain."""


@lru_cache(maxsize=64)
def fingerprint(key: str) -> str:
    """Return a name of a key that does not reveal it."""
    return hmac.digest(key.encode(), b"backstride field key", "sha256").hex()[:16]


def writing_key() -> str:
    """Return the key that encrypts new values; empty if they are stored in plain text."""
    keys = settings.FIELD_ENCRYPTION_KEYS
    return "" if not keys or keys[0] == OFF else keys[0]


def encrypt(plain: str) -> str:
    """Return the value to store: the unchanged text if encryption is off."""
    key = writing_key()
    if not key:
        return plain
    return f"enc1:{fingerprint(key)}:{_cipher(key).encrypt(plain.encode()).decode()}"


def decrypt(stored: str) -> str:
    """Return the plain text of a stored value; raises KeyMissing if no key decrypts it."""
    found = _MARK.fullmatch(stored)
    if found is None:
        return stored
    key = keys_by_fingerprint().get(found[1])
    if key is None:
        raise KeyMissing(missing_keys({found[1]}))
    try:
        return _cipher(key).decrypt(found[2].encode()).decode()
    except InvalidToken:
        raise KeyMissing(
            f"A stored value names the key {found[1]} but was altered: it cannot be opened."
        ) from None


class EncryptedJSONField(models.JSONField):
    """JSON that is stored as one encrypted string if there are keys. Never queried by content.

    The plain value must not be a string.
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
    """Text that is stored encrypted if there are keys, unless it is empty.

    Queries can only ask whether it is empty.
    """

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value if value is None else decrypt(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, str) and value:
            value = encrypt(value)
        return super().get_db_prep_save(value, connection)

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name in ("exact", "isnull") else None


def missing_keys(fingerprints: set[str]) -> str:
    """Return the message that keys with these fingerprints are missing."""
    names = ", ".join(sorted(fingerprints))
    return (
        f"Answers in this database are encrypted with a key that is not in FIELD_ENCRYPTION_KEYS "
        f"(fingerprint {names}). Add it at the end of the list; without it they cannot be read."
    )


def keys_by_fingerprint() -> dict[str, str]:
    """Return the configured keys by their fingerprints."""
    return {fingerprint(key): key for key in settings.FIELD_ENCRYPTION_KEYS if key != OFF}


@lru_cache(maxsize=64)
def _cipher(key: str) -> Fernet:
    return Fernet(key)
