"""The Celery application: a broker message only wakes a worker; the rows are the truth."""

import os

from celery import Celery
from celery.signals import worker_init
from django.core.exceptions import ImproperlyConfigured
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

TRANSPORT_ALIASES["folder"] = "clinic.operations.folder_broker:Transport"

app = Celery("backstride")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def require_keys(**kwargs: object) -> None:
    from clinic import encryption_keys

    try:
        encryption_keys.require_keys()
    except ImproperlyConfigured as error:
        # Celery logs any other exception of a receiver, and continues.
        raise SystemExit(str(error)) from error
