import uuid

from django.db import models


class RulesVersion(models.Model):
    """One row, whose token changes with every change of a rule. Only triggers write it."""

    token = models.CharField(max_length=36, default=uuid.uuid4, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "rules version"

    def __str__(self) -> str:
        return self.token
