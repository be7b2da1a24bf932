from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from clinic import encryption, encryption_keys
from clinic.encryption_keys import Encrypted
from clinic.models import EncryptionKey

BATCH = 200


class Command(BaseCommand):
    help = (
        "Bring everything that is encrypted at rest under the first of FIELD_ENCRYPTION_KEYS, "
        "what is still in plain included; with `off` in front of the keys, back to plain. Can be "
        "stopped and run again at any time, and beside the running clinic once all its processes "
        "have the new list."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what would change")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if not settings.FIELD_ENCRYPTION_KEYS:
            raise CommandError("FIELD_ENCRYPTION_KEYS is empty: see .env.example.")
        encryption_keys.require_keys()
        key = encryption.writing_key()
        for model, field in encryption_keys.encrypted_fields():
            name = f"{model._meta.label}.{field.name}"
            total = encryption_keys.not_under(key, model, field).count()
            self.stdout.write(f"{name}: {total} to rewrite")
            done, last = 0, None
            while not dry_run and (keys := _rewrite(key, model, field, after=last)):
                done, last = done + len(keys), keys[-1]
                self.stdout.write(f"{name}: {done} of {total}")
        if dry_run:
            return
        keep = [encryption.fingerprint(key)] if key else []
        EncryptionKey.objects.exclude(fingerprint__in=keep).delete()
        self.stdout.write(
            self.style.SUCCESS(
                "Everything is under the first key: the others can be removed from the list."
                if key
                else "Everything is in plain: FIELD_ENCRYPTION_KEYS can be unset."
            )
        )


def _rewrite(key: str, model: type[models.Model], field: Encrypted, *, after: Any) -> list[Any]:
    """Rewrite the next batch; return the keys of its rows."""
    with transaction.atomic():
        rows = encryption_keys.not_under(key, model, field).order_by("pk")
        if after is not None:
            rows = rows.filter(pk__gt=after)
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        locked = model._base_manager.filter(pk__in=keys).order_by("pk").select_for_update()
        for pk, value in locked.values_list("pk", field.name):
            model._base_manager.filter(pk=pk).update(**{field.name: value})
    return keys
