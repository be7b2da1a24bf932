from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic import languages


class PrivacyNotice(models.Model):
    """The text of the privacy notice as it was agreed to; rows never change.

    Two rows of one version differ in the practice's own entries, such as its phone.
    """

    version = models.CharField(_("version"), max_length=20)
    language = models.CharField(_("language"), max_length=8, choices=languages.choices)
    text = models.TextField(_("text"))
    digest = models.CharField(max_length=64)
    first_shown_at = models.DateTimeField(_("first agreed to"))

    class Meta:
        ordering = ["-first_shown_at"]
        verbose_name = _("privacy notice")
        verbose_name_plural = _("privacy notices")
        constraints = [
            models.UniqueConstraint(
                fields=["version", "language", "digest"], name="privacynotice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.language}"
