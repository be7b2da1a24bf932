"""The Celery application: a broker message only wakes a worker, rows say what is owed."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

app = Celery("backstride")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
