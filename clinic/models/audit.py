import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEvent(models.Model):
    """Who read or changed what. Append-only; contains ids and field names, never values.

    ``patient_id`` is not a foreign key: after erasure, the record keeps it as a pseudonym.
    Rows are inserted unchained; the tick seals committed ones in order (``sealed_no``, ``hash``).
    """

    class Action(models.TextChoices):
        READ = "read", _("Read")
        SEARCH = "search", _("Searched")
        CREATE = "create", _("Created")
        CHANGE = "change", _("Changed")
        DELETE = "delete", _("Deleted")
        EXPORT = "export", _("Exported")
        ERASE = "erase", _("Erased")
        LOGIN = "login", _("Signed in")
        DENIED = "denied", _("Denied")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(_("at"), db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    action = models.CharField(_("action"), max_length=10, choices=Action)
    subject_type = models.CharField(_("what"), max_length=60)
    subject_id = models.CharField(_("which"), max_length=64, blank=True)
    patient_id = models.UUIDField(_("patient"), null=True, blank=True, db_index=True)
    fields = models.JSONField(_("fields"), default=list, blank=True)
    sealed_no = models.PositiveBigIntegerField(_("seal"), null=True, blank=True, unique=True)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-at"]
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.subject_type} {self.subject_id}"
