from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models.people import User


class OnCallQuerySet(models.QuerySet["OnCall"]):
    def reachable(self) -> "OnCallQuerySet":
        """Return those who can be notified and can sign in to answer, in order of escalation."""
        return self.filter(user__is_active=True).exclude(user__email="").select_related("user")


class OnCall(models.Model):
    """Who is notified of a safety alert, one after the other until somebody acknowledges it.

    Everybody on the list sees every alert, because an alert is acknowledged by name.
    """

    user = models.OneToOneField(
        User, verbose_name=_("staff account"), on_delete=models.CASCADE, related_name="on_call"
    )
    position = models.PositiveSmallIntegerField(
        _("told as number"), help_text=_("1 is told at once, 2 when nobody has answered in time.")
    )
    history = HistoricalRecords()

    objects = OnCallQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("person on call")
        verbose_name_plural = _("people on call")

    def __str__(self) -> str:
        return f"{self.position}. {self.user}"
