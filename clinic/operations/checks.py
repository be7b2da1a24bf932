"""Checks of a production configuration: `manage.py check --deploy`.

Django's own deploy checks do not cover these. Each refusal says how to fix it. The checks that
read the practice's row run with `--database default`.
"""

import re
import zoneinfo
from collections.abc import Iterator
from typing import Any

import tzdata
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004
from django.db import DatabaseError
from django.utils import timezone

from clinic import guide
from clinic.languages import gaps
from clinic.models import OnCall, Practice

MAX_IDLE_SECONDS = 60 * 60
# The first release in which British Columbia, Alberta and Morocco no longer change the clock.
OLDEST_TZDATA = "2026c"
CSP_MIDDLEWARE = "django.middleware.csp.ContentSecurityPolicyMiddleware"
SECOND_FACTOR_MIDDLEWARE = "clinic.security.middleware.StaffSessionMiddleware"
SMTP_BACKENDS = ("clinic.mail.smtp.EmailBackend", "django.core.mail.backends.smtp.EmailBackend")

Messages = list[CheckMessage]


@register(Tags.security, deploy=True)
def check_hosts(**kwargs: Any) -> Messages:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Error(
            "ALLOWED_HOSTS accepts any host name.",
            hint="Set ALLOWED_HOSTS to the clinic's own names, or unset it to use BASE_URL's.",
            id="clinic.E001",
        )
    ]


@register(Tags.security, deploy=True)
def check_content_policy(**kwargs: Any) -> Messages:
    policy = getattr(settings, "SECURE_CSP", {})
    sources = {str(source) for values in policy.values() for source in values}
    if (
        CSP_MIDDLEWARE in settings.MIDDLEWARE
        and policy.get("default-src")
        and not any("unsafe" in source or source == "*" for source in sources)
    ):
        return []
    return [
        Error(
            "Pages are sent without a strict content security policy.",
            hint="Restore SECURE_CSP, without 'unsafe-…' or *, and its middleware in settings.py.",
            id="clinic.E002",
        )
    ]


@register(Tags.security, deploy=True)
def check_not_a_demo(**kwargs: Any) -> Messages:
    if not settings.DEMO:
        return []
    return [
        Error(
            "DEMO=1 lets anybody become any member of staff.",
            hint="Unset DEMO, and start with an empty database.",
            id="clinic.E003",
        )
    ]


@register(Tags.security, deploy=True)
def check_debug(**kwargs: Any) -> Messages:
    if not settings.DEBUG:
        return []
    return [
        Error(
            "DEBUG=1 shows patients' data in tracebacks.",
            hint="Unset DEBUG.",
            id="clinic.E004",
        )
    ]


@register(Tags.security, deploy=True)
def check_secret_key(**kwargs: Any) -> Messages:
    weak = [
        key
        for key in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        if len(key) < 50 or len(set(key)) < 10 or "insecure" in key
    ]
    if not weak:
        return []
    return [
        Error(
            "SECRET_KEY or one of SECRET_KEY_FALLBACKS can be guessed; it signs patients' links.",
            hint=(
                "Set it to 50 random characters or more: "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"
            ),
            id="clinic.E005",
        )
    ]


@register(Tags.security, deploy=True)
def check_session_age(**kwargs: Any) -> Messages:
    if settings.SESSION_COOKIE_AGE <= MAX_IDLE_SECONDS and settings.SESSION_SAVE_EVERY_REQUEST:
        return []
    return [
        Error(
            "Staff stay signed in for longer than an hour without touching the keyboard.",
            hint=(
                "Set SESSION_COOKIE_AGE to at most 3600 and keep SESSION_SAVE_EVERY_REQUEST on, "
                "so that the age counts from the last request."
            ),
            id="clinic.E006",
        )
    ]


@register(Tags.security, deploy=True)
def check_second_factor(**kwargs: Any) -> Messages:
    if SECOND_FACTOR_MIDDLEWARE in settings.MIDDLEWARE and settings.MFA_SUPPORTED_TYPES:
        return []
    return [
        Error(
            "A password alone opens patients' records.",
            hint=f"Restore {SECOND_FACTOR_MIDDLEWARE} and MFA_SUPPORTED_TYPES in settings.py.",
            id="clinic.E017",
        )
    ]


@register(Tags.security, deploy=True)
def check_mail_timeout(**kwargs: Any) -> Messages:
    mailers: dict[str, dict[str, Any]] = settings.MAILERS
    endless = [
        name
        for name, mailer in mailers.items()
        if mailer["BACKEND"] in SMTP_BACKENDS and not mailer.get("OPTIONS", {}).get("timeout")
    ]
    if not endless:
        return []
    return [
        Error(
            f"Mail through {', '.join(endless)} waits for ever on a mail server that hangs.",
            hint="Set SMTP_TIMEOUT_SECONDS to a number above 0, for example 20.",
            id="clinic.E007",
        )
    ]


@register(Tags.security, deploy=True)
def check_base_url(**kwargs: Any) -> Messages:
    if not settings.BASE_URL.startswith("https://"):
        return [
            Error(
                "Patients would be mailed links that travel unencrypted.",
                hint="Set BASE_URL to the clinic's https:// address.",
                id="clinic.E008",
            )
        ]
    if not settings.SECURE_PROXY_SSL_HEADER:
        return [
            Warning(
                "BASE_URL is https, but no proxy is trusted to say that a request came by it.",
                hint=(
                    "Behind a proxy that sets X-Forwarded-Proto, set TRUSTED_PROXY=1; otherwise "
                    "every page redirects to itself."
                ),
                id="clinic.W009",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def check_broker(**kwargs: Any) -> Messages:
    if settings.CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
        return []
    return [
        Warning(
            "The broker is a folder: every process must run on this one machine.",
            hint="Set REDIS_URL, or silence this check on a single machine.",
            id="clinic.W010",
        )
    ]


@register(Tags.security, deploy=True)
def check_time_zone_data(**kwargs: Any) -> Messages:
    version = tzdata.IANA_VERSION
    if zoneinfo.TZPATH:
        problem = "Clock changes are read from the operating system's copy, which may be old."
        hint = "Keep zoneinfo.reset_tzpath(()) in settings.py, so that the tzdata package is used."
    elif version < OLDEST_TZDATA or _release_year(version) < timezone.now().year - 1:
        problem = f"Time zone data {version} is old: visits may be shown an hour off."
        hint = "Renew it: make lock LOCKFLAGS='-P tzdata', then install requirements.lock."
    else:
        return []
    return [Error(problem, hint=hint, id="clinic.E011")]


def _release_year(version: str) -> int:
    """Return the year of an IANA release such as ``2026c``."""
    found = re.match(r"\d{4}", version)
    return int(found[0]) if found else 0


@register(Tags.translation, deploy=True)
def check_languages(**kwargs: Any) -> Messages:
    """Warn of pages of the clinic and of the catalogue that a registered language lacks."""
    return gaps(_missing_texts, check_id="clinic.W019")


def _missing_texts(language: str) -> Iterator[str]:
    for name in ("privacy", *(f"guide/{page.slug}" for page in guide.PAGES)):
        path = f"templates/clinic/{name}.{language}.html"
        if not (settings.BASE_DIR / path).exists():
            yield path
    path = f"locale/{language}/LC_MESSAGES/django.mo"
    # The texts of the default language are in the code.
    if language != settings.LANGUAGE_CODE and not (settings.BASE_DIR / path).exists():
        yield path


@register(Tags.database, deploy=True)
def check_practice(**kwargs: Any) -> Messages:
    """Refuse to go live while nobody can be notified of an emergency."""
    try:
        practice = Practice.objects.first()
    except DatabaseError:
        return [
            Error(
                "The practice cannot be read from the database.",
                hint="Run `manage.py migrate` with this DATABASE_URL.",
                id="clinic.E012",
            )
        ]
    if practice is None:
        return [
            Error(
                "There is no practice yet.",
                hint="Sign in at /admin/ and fill in the practice.",
                id="clinic.E013",
            )
        ]
    missing = [field.replace("_", " ") for field in practice.missing_for_safety]
    messages: Messages = []
    if missing:
        messages.append(
            Error(
                f"A patient in an emergency could not be helped: {', '.join(missing)} missing.",
                hint="Fill them in at /admin/clinic/practice/.",
                id="clinic.E014",
            )
        )
    if not OnCall.objects.reachable().exists():
        messages.append(
            Error(
                "A safety alert that nobody acknowledges goes on to nobody.",
                hint="Name who is told, and in which order, at /admin/clinic/oncall/.",
                id="clinic.E018",
            )
        )
    if practice.is_demo:
        messages.append(
            Error(
                "The database holds the sample clinic.",
                hint="Point DATABASE_URL at an empty database and run `manage.py migrate`.",
                id="clinic.E015",
            )
        )
    if not practice.signed_off_by:
        messages.append(
            Warning(
                "No clinician has signed off the questionnaire and its rules.",
                hint=(
                    "Have one read docs/questionnaire.md and docs/rules.md, and enter who signed "
                    "at /admin/clinic/practice/."
                ),
                id="clinic.W016",
            )
        )
    return messages
