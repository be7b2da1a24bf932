from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from clinic import languages
from clinic.encryption import EncryptedJSONField
from intake.answers import Answers
from intake.fhir_form.questionnaire import Form, Page
from intake.models.responses import QuestionnaireResponse
from intake.rules.levels import Level

# The columns kept of answers that were corrected.
KEPT = (
    "items",
    "language",
    "level",
    "rules",
    "rule_set_version",
    "signed_by",
    "signer_role",
    "notice_version",
    "answers_hash",
    "submitted_at",
    "reviewed_at",
    "reviewed_by",
)


class EarlierAnswersQuerySet(models.QuerySet["EarlierAnswers"]):
    def visible_to(self, viewer: object) -> "EarlierAnswersQuerySet":
        """Return the earlier versions of the answers that ``viewer`` may read."""
        return self.filter(response__in=QuestionnaireResponse.objects.visible_to(viewer))

    @transaction.atomic
    def put_right(
        self, original: QuestionnaireResponse, *, by: QuestionnaireResponse, **signed: Any
    ) -> None:
        """Replace ``original`` by a correction, and keep its earlier answers.

        The higher level stays, and so do the rules of both: only a clinician lowers it. The
        correction's own row is deleted.
        """
        was = QuestionnaireResponse.objects.select_for_update().get(pk=original.pk)
        self.create(
            response=was,
            number=self.filter(response=was).count() + 1,
            **{name: getattr(was, name) for name in KEPT},
        )
        QuestionnaireResponse.objects.filter(pk=was.pk).update(
            status=QuestionnaireResponse.Status.AMENDED,
            items=by.items,
            pages_done=by.pages_done,
            language=by.language,
            level=max(was.level, by.level),
            rules=list(dict.fromkeys([*by.rules, *was.rules])),
            safety_answered_at=by.safety_answered_at,
            reviewed_at=None,
            reviewed_by=None,
            revision=F("revision") + 1,
            **signed,
        )
        by.safety_alerts.update(response=was)
        by.agreements.update(response=was)
        by.lowered_levels.update(response=was)
        by.delete()
        original.refresh_from_db()
        original.observations.take_from(original, now=signed["submitted_at"])


class EarlierAnswers(models.Model):
    """Submitted answers as they were before the patient corrected them; rows are never changed."""

    response = models.ForeignKey(
        QuestionnaireResponse, on_delete=models.CASCADE, related_name="earlier_versions"
    )
    number = models.PositiveSmallIntegerField(_("version"))
    items = EncryptedJSONField(_("answers"))
    language = models.CharField(max_length=8, choices=languages.choices)
    level = models.PositiveSmallIntegerField(_("level"), choices=Level)
    rules = models.JSONField(_("rules that fired"))
    rule_set_version = models.CharField(max_length=20)
    signed_by = models.CharField(_("signed by"), max_length=120, blank=True)
    signer_role = models.CharField(_("signer's role"), max_length=20, blank=True)
    notice_version = models.CharField(_("privacy notice version"), max_length=20, blank=True)
    answers_hash = models.CharField(max_length=64)
    submitted_at = models.DateTimeField(_("submitted"))
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("reviewed by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = EarlierAnswersQuerySet.as_manager()

    class Meta:
        ordering = ["response", "number"]
        verbose_name = _("answers before a correction")
        verbose_name_plural = _("answers before a correction")
        constraints = [
            models.UniqueConstraint(fields=["response", "number"], name="earlieranswers_once"),
        ]

    def __str__(self) -> str:
        return f"{self.response_id} {self.number}"

    @property
    def form(self) -> Form:
        return self.response.form

    @property
    def answers(self) -> Answers:
        return Answers.from_response({"item": self.items})

    def pages(self) -> list[Page]:
        """The pages that were asked."""
        enabled = self.form.enabled(self.answers)
        return [page for page in self.form.pages() if page.is_asked(enabled)]

    def open_pages(self) -> list[Page]:
        return []
