import os
import subprocess
import sys
import zoneinfo

import pytest
import tzdata
from django.core.checks import run_checks

from clinic.operations import checks
from tests.factories import make_on_call, make_practice, make_user


@pytest.fixture
def production(settings):
    """Settings of a production that nothing is wrong with."""
    settings.ALLOWED_HOSTS = ["clinic.example"]
    settings.BASE_URL = "https://clinic.example"
    settings.CELERY_BROKER_URL = "redis://redis:6379/0"
    settings.DEBUG = settings.DEMO = False
    settings.MAILERS = {
        "default": {"BACKEND": checks.SMTP_BACKENDS[0], "OPTIONS": {"host": "smtp", "timeout": 20}}
    }
    settings.SECRET_KEY = "".join(map(chr, range(48, 112)))
    settings.SECRET_KEY_FALLBACKS = []
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    return settings


def ids(*tags: str) -> list[str]:
    """Our own refusals; Django's checks of the models would want a database."""
    messages = [
        message
        for message in run_checks(tags=tags or ["security"], include_deployment_checks=True)
        if message.id.startswith("clinic.")
    ]
    assert all(message.hint for message in messages), "each refusal says how to mend it"
    return [message.id for message in messages]


def test_a_sound_production_is_accepted(production):
    assert ids() == []


@pytest.mark.parametrize(
    ("setting", "value", "refusal"),
    [
        ("ALLOWED_HOSTS", ["clinic.example", "*"], "clinic.E001"),
        ("SECURE_CSP", {}, "clinic.E002"),
        (
            "SECURE_CSP",
            {"default-src": ["'self'"], "style-src": ["'unsafe-inline'"]},
            "clinic.E002",
        ),
        ("SECURE_CSP", {"default-src": ["'self'"], "img-src": ["*"]}, "clinic.E002"),
        ("DEMO", True, "clinic.E003"),
        ("DEBUG", True, "clinic.E004"),
        ("SECRET_KEY", "x" * 49, "clinic.E005"),
        ("SECRET_KEY", "x" * 80, "clinic.E005"),
        ("SECRET_KEY_FALLBACKS", ["short"], "clinic.E005"),
        ("SESSION_COOKIE_AGE", 3601, "clinic.E006"),
        ("SESSION_SAVE_EVERY_REQUEST", False, "clinic.E006"),
        ("MFA_SUPPORTED_TYPES", [], "clinic.E017"),
        ("MAILERS", {"default": {"BACKEND": checks.SMTP_BACKENDS[0]}}, "clinic.E007"),
        ("MAILERS", {"reminders": {"BACKEND": checks.SMTP_BACKENDS[1]}}, "clinic.E007"),
        ("BASE_URL", "http://clinic.example", "clinic.E008"),
        ("SECURE_PROXY_SSL_HEADER", None, "clinic.W009"),
        ("CELERY_BROKER_URL", "folder://localhost", "clinic.W010"),
    ],
)
def test_an_unsafe_setting_is_refused(production, setting, value, refusal):
    setattr(production, setting, value)
    assert ids() == [refusal]


@pytest.mark.parametrize(
    ("middleware", "refusal"),
    [
        (checks.CSP_MIDDLEWARE, "clinic.E002"),
        (checks.SECOND_FACTOR_MIDDLEWARE, "clinic.E017"),
    ],
)
def test_a_missing_middleware_is_refused(production, middleware, refusal):
    production.MIDDLEWARE = [name for name in production.MIDDLEWARE if name != middleware]
    assert ids() == [refusal]


@pytest.mark.parametrize("version", ["2026b", "2019c", "unknown"])
def test_old_time_zone_data_is_refused(production, monkeypatch, version):
    monkeypatch.setattr(tzdata, "IANA_VERSION", version)
    assert ids() == ["clinic.E011"]


def test_the_operating_system_s_time_zone_data_is_refused(production):
    zoneinfo.reset_tzpath(["/usr/share/zoneinfo"])
    try:
        assert ids() == ["clinic.E011"]
    finally:
        zoneinfo.reset_tzpath(())


@pytest.mark.django_db
def test_a_complete_practice_may_go_live(production):
    make_practice(signed_off_by="A. Clinician")
    make_on_call()
    assert ids("database") == []


@pytest.mark.django_db
def test_alerts_that_go_on_to_nobody_cannot_go_live(production):
    make_practice(signed_off_by="A. Clinician")
    assert ids("database") == ["clinic.E018"]
    make_on_call(make_user(is_active=False))
    assert ids("database") == ["clinic.E018"]


@pytest.mark.django_db
def test_no_practice_cannot_go_live(production):
    assert ids("database") == ["clinic.E013"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value", "refusal"),
    [
        ("phone", "", "clinic.E014"),
        ("emergency_number", "", "clinic.E014"),
        ("advice_line", "", "clinic.E014"),
        ("alert_email", "", "clinic.E014"),
        ("staffed_hours", {}, "clinic.E014"),
        ("is_demo", True, "clinic.E015"),
        ("signed_off_by", "", "clinic.W016"),
    ],
)
def test_an_incomplete_practice_cannot_go_live(production, field, value, refusal):
    make_practice(**{"signed_off_by": "A. Clinician", field: value})
    make_on_call()
    assert ids("database") == [refusal]


@pytest.mark.parametrize(
    ("base_url", "starts"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("https://clinic.example", False),
        ("http://10.0.0.5:8000", False),
        ("http://127.0.0.1.clinic.example", False),
    ],
)
def test_a_demo_starts_on_a_loopback_address_only(base_url, starts):
    result = subprocess.run(
        [sys.executable, "-c", "import clinic.settings"],
        env={**os.environ, "DEMO": "1", "BASE_URL": base_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode == 0) == starts
    assert starts or "Unset DEMO" in result.stderr
