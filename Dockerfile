FROM python:3.13-slim-trixie

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONTZPATH="" STATE_DIR=/srv/state PORT=8000

# For `manage.py backup` and `restore`. The same version as the server in docker-compose.yml.
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /srv/backstride
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

# django-anymail, for EMAIL_URL=anymail+…. Without it the image is smaller and all packages pinned.
ARG PROVIDERS=0
RUN if [ "$PROVIDERS" = 1 ]; then pip install --no-cache-dir "django-anymail>=15.2"; fi

COPY manage.py ./
COPY clinic clinic
COPY intake intake
COPY schedule schedule
COPY booking booking
COPY desk desk
COPY demo demo
COPY templates templates
COPY static static
COPY locale locale
COPY deploy deploy

# Collected during the build, so that the running container never writes the files it serves. The
# settings need a key to load; it signs nothing.
RUN useradd --system --home-dir /srv/state --create-home backstride \
    && SECRET_KEY=unused-while-collecting-static-files python manage.py collectstatic --noinput \
    && chown -R backstride /srv/state
USER backstride

EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["python", "deploy/healthcheck.py"]

# No access log: the path of a mailed link is a secret.
CMD ["sh", "-c", "exec gunicorn clinic.wsgi --bind 0.0.0.0:${PORT} --worker-class gthread --workers 4 --threads 2 --no-control-socket"]
