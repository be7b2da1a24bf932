"""A mail of every registered kind, and the links in them."""

import re
from contextlib import suppress
from datetime import timedelta
from itertools import product

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from clinic.mail import outbox, samples
from clinic.mail.mail import Mail
from clinic.models import Message, Role
from desk.daily_sheet import DAILY_SHEET
from tests import factories as make
from tests.test_access_matrix import World

OURS = ("clinic", "intake", "booking", "desk")


class _NotThisOne(Exception):
    pass


def a_mail_of_every_kind():
    """Compose one mail of each kind about a row of the access matrix's World.

    Return them by kind; a kind is missing if no row gives a mail of it.
    """
    world, now = World(), timezone.now()
    # A cancelled visit, one whose form is not started, and one that took place.
    for day, status in ((3, "cancelled"), (5, "booked"), (-3, "fulfilled")):
        make.make_appointment(
            patient=world.patient,
            practitioner=world.clinician.practitioner,
            location=world.location,
            service=world.service,
            start=now + timedelta(days=day),
            status=status,
        )
    ended = {"state": "ran-out", "closed_at": now}
    make.make_waitlist_entry(patient=world.patient, service=world.service, **ended)
    mails, users = {}, (world.clinician, make.make_user(role=Role.MANAGER))
    for kind in sorted(outbox.registered()):
        if kind == DAILY_SHEET:  # about a day, not about a row
            mails[kind] = samples.sample(kind)(now)
            continue
        for row, user in product(_rows(), users):
            with suppress(Exception), transaction.atomic():
                mails[kind] = _compose(kind, row, patient=world.patient, user=user, now=now)
            if kind in mails:
                break
    return mails


def _rows():
    for app in OURS:
        for model in apps.get_app_config(app).get_models():
            if isinstance(model._meta.pk, models.UUIDField):
                yield from model._base_manager.all()


def _compose(kind, row, *, patient, user, now):
    message = Message.objects.create(
        kind=kind,
        subject_type=row._meta.label_lower,
        subject_id=row.pk,
        subject_version=getattr(row, "sequence", 0),
        patient=patient,
        user=user,
        due_at=now,
        next_attempt_at=now,
        expires_at=now + timedelta(days=1),
    )
    content = outbox.registered()[kind](message, now)
    if not isinstance(content, Mail):
        raise _NotThisOne
    return content


def links_in(mail):
    """Return every link to our site in the mail's text and headers, as paths."""
    words = " ".join([mail.text, *mail.headers.values()])
    found = re.findall(re.escape(settings.BASE_URL) + r"(/[^\s>\"]*)", words)
    return sorted(set(found))


def domain_rows():
    """Return every row of our own apps, by table, without rate limits.

    Sessions are left out too: allauth moves a password reset's key from the address into one.
    """
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values_list()))
        for app in OURS
        for model in apps.get_app_config(app).get_models()
        if model._meta.model_name != "ratelimit"
    }
