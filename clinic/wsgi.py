import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

application = get_wsgi_application()

from clinic import encryption_keys  # noqa: E402, needs the apps that the line above loads

encryption_keys.require_keys()
