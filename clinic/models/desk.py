import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models.people import Patient, User


class DeskTaskQuerySet(models.QuerySet["DeskTask"]):
    def open(self) -> "DeskTaskQuerySet":
        return self.filter(done_at=None)

    def ask(
        self,
        *,
        kind: "DeskTask.Kind",
        subject: models.Model,
        now: datetime,
        patient: Patient | None = None,
    ) -> "DeskTask":
        """Create a task for the front desk; while it is open, asking again changes nothing.

        ``subject`` is the row that the task is about: any row with a UUID key.
        """
        task, _is_new = self.get_or_create(
            kind=kind,
            subject_type=subject._meta.label_lower,
            subject_id=subject.pk,
            done_at=None,
            defaults={"patient": patient, "raised_at": now},
        )
        return task


class DeskTask(models.Model):
    """A task for the front desk, usually a phone call. It contains no health details."""

    class Kind(models.TextChoices):
        BOUNCED = "bounced", _("Mail bounced: phone the patient")
        MANY_VISITS = "many-visits", _("Many visits for one e-mail: check with the patient")
        WORSE = "worse", _("Doing worse: offer an earlier visit")
        OFFER = "offer", _("A time for somebody on the waitlist: phone them")
        OF_AGE = "of-age", _("Of age now: ask for the patient's own e-mail")
        NO_TIME = "no-time", _("No time within three working days: phone and find one")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("what to do"), max_length=20, choices=Kind)
    subject_type = models.CharField(_("about"), max_length=40)
    subject_id = models.UUIDField(_("about id"))
    patient = models.ForeignKey(
        Patient,
        verbose_name=_("patient"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="desk_tasks",
    )
    raised_at = models.DateTimeField(_("since"))
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("done by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = DeskTaskQuerySet.as_manager()

    class Meta:
        ordering = ["raised_at"]
        verbose_name = _("desk task")
        verbose_name_plural = _("desk tasks")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_type", "subject_id"],
                condition=Q(done_at=None),
                name="desktask_open_once",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    def finish(self, *, by: User, now: datetime) -> bool:
        """Mark it as done; return False if it was done already."""
        done = DeskTask.objects.open().filter(pk=self.pk).update(done_at=now, done_by=by)
        self.refresh_from_db()
        return bool(done)
