"""The one settings file. Every value that differs between machines comes from the environment."""

import zoneinfo
from pathlib import Path
from urllib.parse import urlsplit

from bootstrap_wrapper import get_bootstrap_dir
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from whitenoise.compress import Compressor

from clinic.environment import (
    database_from_url,
    env_bool,
    env_int,
    env_list,
    env_str,
    fernet_keys,
    is_loopback,
    mailer_from_url,
)

# Time zones come from the pinned tzdata package, not from the system's older copy.
zoneinfo.reset_tzpath(())

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = Path(env_str("STATE_DIR", str(BASE_DIR / "var")))

# Core

DEBUG = env_bool("DEBUG")
DEMO = env_bool("DEMO")
SECRET_KEY = env_str("SECRET_KEY", "insecure-for-development-only" if DEBUG else None)
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
BASE_URL = env_str("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
if DEMO and not is_loopback(BASE_URL):
    raise ImproperlyConfigured(
        "DEMO=1 signs anybody in as any member of staff, so BASE_URL must be a loopback address "
        "such as http://127.0.0.1:8000. Unset DEMO to run a real clinic."
    )
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS") or [urlsplit(BASE_URL).hostname or "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "clinic",
    "intake",
    "schedule",
    "booking",
    "desk",
    "demo",
    "desk.apps.FrontDeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.forms",
    "whitenoise.runserver_nostatic",
    "clinic.operations.static_files.StaticFiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "simple_history",
]

MIDDLEWARE = [
    # First, so that its header is also on responses of the other middleware.
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "clinic.security.request_limits.HostileInputMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "clinic.security.middleware.StaffSessionMiddleware",
    "clinic.security.rate_limits.RateLimitedMiddleware",
]

ROOT_URLCONF = "clinic.urls"
WSGI_APPLICATION = "clinic.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinic.context.practice",
                "intake.context.alert_banner",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# Databases and cache

DATABASES = {
    "default": database_from_url(
        env_str("DATABASE_URL", f"sqlite:///{STATE_DIR / 'backstride.sqlite3'}")
    )
}
CACHES = {
    # In the database, so that rate limits apply across processes and without Redis.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "clinic_cache",
    }
}

# Mail

SMTP_TIMEOUT_SECONDS = env_int("SMTP_TIMEOUT_SECONDS", 20)
MAILERS = {
    "default": mailer_from_url(
        env_str("EMAIL_URL", f"file://{STATE_DIR / 'mail'}"), timeout=SMTP_TIMEOUT_SECONDS
    )
}
# A class of the clinic's own that sends mails instead (clinic/mail/senders.py).
SENDER = env_str("SENDER", "")
DEFAULT_FROM_EMAIL = env_str("DEFAULT_FROM_EMAIL", "clinic@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Bounces: a mailbox that is read, and the key of reports to /bounces/.
BOUNCES_URL = env_str("BOUNCES_URL", "")
BOUNCES_SECRET = env_str("BOUNCES_SECRET", "")
# "user:password" of django-anymail's webhooks for providers.
PROVIDER_WEBHOOK_SECRET = env_str("PROVIDER_WEBHOOK_SECRET", "")
if PROVIDER_WEBHOOK_SECRET:
    ANYMAIL = {"WEBHOOK_SECRET": PROVIDER_WEBHOOK_SECRET}

# Languages and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LANGUAGE_COOKIE_NAME = "lang"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "clinic.formats"
TIME_ZONE = "UTC"
USE_TZ = True

# Sign-in

AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "clinic.security.access.RolePermissions",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "staff_home"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 60 * 60
ACCOUNT_ADAPTER = "clinic.security.accounts.StaffAccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
# An address without an account gets no mail; the page's answer is the same in both cases.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = False
MFA_ADAPTER = "clinic.security.accounts.StaffMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Backstride"

# Security

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "frame-src": [CSP.SELF],
    "object-src": [CSP.NONE],
    "manifest-src": [CSP.SELF],
}
_HTTPS = BASE_URL.startswith("https://")
SECURE_SSL_REDIRECT = _HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _HTTPS
# Not "no-referrer": browsers would then post forms with "Origin: null", which CSRF refuses.
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "clinic.errors.csrf_failure"
# Trusted only behind a proxy that sets (and strips) these headers.
TRUSTED_PROXY = env_bool("TRUSTED_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Staff are signed out after this idle time; patients have link grants, not sessions.
SESSION_COOKIE_AGE = 15 * 60
SESSION_SAVE_EVERY_REQUEST = True
# Counted from the sign-in, whatever the activity since.
SESSION_MAX_SECONDS = 12 * 60 * 60
X_FRAME_OPTIONS = "DENY"

# Encryption at rest of answers and free text: the first key encrypts, all of them decrypt
FIELD_ENCRYPTION_KEYS = fernet_keys("FIELD_ENCRYPTION_KEYS")

# Static files

STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("bootstrap/css", get_bootstrap_dir() / "css"),
]
# In addition to types that are compressed already: source maps, which only a debugger requests.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# Celery: the rows are the truth; a lost or repeated message changes nothing

TICK_SECONDS = env_int("TICK_SECONDS", 60)
# A claimed mail that is not finished after this time belongs to a process that died.
LEASE_SECONDS = env_int("LEASE_SECONDS", SMTP_TIMEOUT_SECONDS + 30)

REDIS_URL = env_str("REDIS_URL", "")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object]
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Publishing to a broker that is down fails at once: nothing waits, and the tick sends.
        "max_retries": 0,
        "visibility_timeout": 600,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 1,
        "socket_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
    }
else:
    # Kombu warns of an address without a host.
    CELERY_BROKER_URL = "folder://localhost"
    # Publishers and consumers share one folder, without a server.
    _QUEUE_DIR = STATE_DIR / "broker"
    _QUEUE_DIR.mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_QUEUE_DIR),
        "data_folder_out": str(_QUEUE_DIR),
        # Each poll takes one message. If messages came faster, only those about to expire would
        # be taken, and the tick might never be among them.
        "polling_interval": 0.1,
    }
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TIMEZONE = "UTC"
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ACKS_LATE = CELERY_TASK_REJECT_ON_WORKER_LOST = CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# One process sends, so that killing a worker leaves the outcome of only one mail unknown.
CELERY_WORKER_CONCURRENCY = 1
# A process that was killed counts as lost after this time; until then no other task runs.
CELERY_WORKER_LOST_WAIT = 1
CELERY_TASK_TIME_LIMIT, CELERY_TASK_SOFT_TIME_LIMIT = 120, 90
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
# A lost broker must not interrupt a mail in the middle of SMTP: it would be sent twice.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "celerybeat-schedule")
# Ticks that accumulate while no worker runs expire and are not run later.
_EVERY_TICK = {"schedule": TICK_SECONDS, "options": {"expires": 5 * TICK_SECONDS}}
CELERY_BEAT_SCHEDULE = {
    "tick": {"task": "clinic.tasks.tick", **_EVERY_TICK},
    "sweep": {"task": "desk.tasks.sweep", **_EVERY_TICK},
    "waitlist": {"task": "desk.tasks.process_waitlist", **_EVERY_TICK},
}
if BOUNCES_URL:
    CELERY_BEAT_SCHEDULE["bounces"] = {
        "task": "clinic.tasks.read_bounces",
        "schedule": 5 * TICK_SECONDS,
        "options": {"expires": 5 * TICK_SECONDS},
    }

# Monitoring

# The bearer token for /metrics; without one there is no such page.
METRICS_TOKEN = env_str("METRICS_TOKEN", "")

# Logging

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "clinic.operations.logs.JSONFormatter"},
    },
    "filters": {"no_link_tokens": {"()": "clinic.operations.logs.NoLinkTokens"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["no_link_tokens"],
            "formatter": env_str("LOG_FORMAT", "text"),
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    # Django would mail the posted form to ADMINS on a server error: that is patient data.
    "loggers": {"django": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
