from django.db import models
from django.utils.translation import gettext_lazy as _


class EncryptionKey(models.Model):
    """A key that stored values may be encrypted with: its fingerprint, never the key itself.

    Written when a process starts with a new key; removed by ``manage.py rotate_keys`` when no
    value is stored under it any more.
    """

    fingerprint = models.CharField(_("fingerprint"), max_length=16, unique=True)
    first_used_at = models.DateTimeField(_("first used"))

    class Meta:
        verbose_name = _("encryption key")
        verbose_name_plural = _("encryption keys")

    def __str__(self) -> str:
        return self.fingerprint
