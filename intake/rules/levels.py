from django.db import models
from django.utils.translation import gettext_lazy as _


class Level(models.IntegerChoices):
    """How soon a person should be seen. Rules raise it; only a named clinician lowers it."""

    ROUTINE = 0, _("Routine")
    SOON = 1, _("Soon")
    URGENT = 2, _("Urgent")
    EMERGENCY = 3, _("Emergency")
