"""Readers for the process environment, which raise errors instead of guessing."""

import os
from collections.abc import MutableMapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


# If any of these is set, this process was configured.
_CONFIGURATION = (
    "SECRET_KEY", "DEBUG", "DEMO", "BASE_URL", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL",
    "EMAIL_URL", "FIELD_ENCRYPTION_KEYS", "TRUSTED_PROXY",
)  # fmt: skip
_CHECKOUT = Path(__file__).resolve().parent.parent


def use_development_settings(
    environ: MutableMapping[str, str], *, checkout: Path = _CHECKOUT
) -> bool:
    """Set ``DEBUG`` in a developer's checkout without configuration; return whether it was set.

    For `manage.py` only: servers, workers and images (without `.git`) stay strict.
    """
    if any(name in environ for name in _CONFIGURATION) or not (checkout / ".git").exists():
        return False
    environ["DEBUG"] = "1"
    return True


def env_str(name: str, default: str | None = None) -> str:
    """Return the variable, or ``default``; raise ImproperlyConfigured if neither exists."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set the environment variable {name} (see .env.example).")
    return value


def env_bool(name: str, *, default: bool = False) -> bool:
    value = os.environ.get(name, "1" if default else "0").strip().lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")


def env_int(name: str, default: int) -> int:
    value = os.environ.get(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def fernet_keys(name: str) -> list[str]:
    """Return the list of Fernet keys, newest first; the first entry may be ``off``."""
    keys = env_list(name)
    for position, key in enumerate(keys):
        if position == 0 and key == "off":
            continue
        try:
            Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(
                f"Key {position + 1} of {name} is no Fernet key: 32 random bytes in URL-safe "
                "base64. Make one with: python3 -c 'import base64, os; "
                "print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
            ) from None
    return keys


def is_loopback(url: str) -> bool:
    """Whether ``url`` can only be reached from this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def database_from_url(url: str) -> dict[str, object]:
    """Return a ``DATABASES`` entry for ``sqlite:///path`` or ``postgres://user:pass@host/name``."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path[1:]) or ":memory:",
            "OPTIONS": {
                # IMMEDIATE takes the write lock when a transaction begins, in place of row locks.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;"
                    "PRAGMA cache_size=-20000;PRAGMA temp_store=MEMORY;PRAGMA mmap_size=134217728;"
                ),
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path[1:]),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            # Planning took half of the server's time for a booking, so each statement is planned
            # once per connection. A connection pooler must support prepared statements.
            "OPTIONS": {"server_side_binding": True, "prepare_threshold": 5},
            **_credentials(parts),
        }
    raise ImproperlyConfigured("DATABASE_URL must start with sqlite:/// or postgres://.")


def mailer_from_url(url: str, *, timeout: int) -> dict[str, object]:
    """Return a ``MAILERS`` entry for ``smtp``, ``smtps``, ``smtp+tls``, ``file`` and providers.

    ``anymail+postmark://TOKEN`` is a provider that django-anymail supports. Its further settings
    follow as a query: ``anymail+mailgun://KEY?sender_domain=mg.clinic.example``.
    """
    parts = urlsplit(url)
    if parts.scheme.startswith("anymail+"):
        provider = parts.scheme.removeprefix("anymail+")
        token_name = {"postmark": "server_token"}.get(provider, "api_key")
        # From the URL itself, because ``hostname`` is in lower case.
        token = unquote(url.partition("://")[2].partition("?")[0].rstrip("/"))
        return {
            "BACKEND": f"anymail.backends.{provider}.EmailBackend",
            "OPTIONS": ({token_name: token} if token else {}) | dict(parse_qsl(parts.query)),
        }
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        folder.mkdir(parents=True, exist_ok=True)
        return {
            "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "OPTIONS": {"file_path": str(folder)},
        }
    if parts.scheme not in {"smtp", "smtps", "smtp+tls"}:
        raise ImproperlyConfigured(
            "EMAIL_URL must start with smtp://, smtps://, smtp+tls://, file:/// or anymail+NAME://."
        )
    return {
        "BACKEND": "clinic.mail.smtp.EmailBackend",
        "OPTIONS": {
            "host": parts.hostname or "localhost",
            "port": parts.port or {"smtp": 25, "smtps": 465, "smtp+tls": 587}[parts.scheme],
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_ssl": parts.scheme == "smtps",
            "use_tls": parts.scheme == "smtp+tls",
            # Django's default has no time limit.
            "timeout": timeout,
        },
    }


def _credentials(parts: SplitResult) -> dict[str, object]:
    return {
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }
