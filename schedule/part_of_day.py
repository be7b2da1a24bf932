from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

_NOON, _EVENING = 12, 17


class PartOfDay(models.TextChoices):
    MORNING = "morning", _("Morning")
    AFTERNOON = "afternoon", _("Afternoon")
    EVENING = "evening", _("Evening")

    @classmethod
    def of(cls, local: datetime) -> "PartOfDay":
        if local.hour < _NOON:
            return cls.MORNING
        return cls.AFTERNOON if local.hour < _EVENING else cls.EVENING
