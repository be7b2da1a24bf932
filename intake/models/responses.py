import hashlib
import json
import secrets
import uuid
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic import languages
from clinic.encryption import EncryptedJSONField
from clinic.models import Link, Patient, Role, User
from intake.answers import Answers
from intake.fhir_form.items import Issue
from intake.fhir_form.questionnaire import Form, Page
from intake.fhir_form.responses import missing, replace_answers, validate_response
from intake.models.decisions import LoweredLevel
from intake.models.questionnaires import Questionnaire
from intake.rules.levels import Level

# No letters or digits that are misread over the phone.
_CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def new_reference_code() -> str:
    return "".join(secrets.choice(_CODE_ALPHABET) for _ in range(6))


class StaleRevision(Exception):
    """The answers were saved elsewhere since this page was shown."""


class IncompleteResponse(Exception):
    """The answers cannot be submitted yet; `issues` name what is missing or wrong."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__(f"{len(issues)} issues in the answers")
        self.issues = issues


def _link_ids(page: Page) -> set[str]:
    return {item.link_id for item in page.walk()}


class QuestionnaireResponseQuerySet(models.QuerySet["QuestionnaireResponse"]):
    def visible_to(self, viewer: Any) -> "QuestionnaireResponseQuerySet":
        """Return the answers ``viewer`` may read: own patients', or the link's patient's.

        Front desk and managers see intake state and level through other queries, not answers.
        """
        if isinstance(viewer, Link):
            return self.filter(patient=viewer.patient_id)
        if isinstance(viewer, User) and viewer.is_active and viewer.role == Role.CLINICIAN:
            return self.filter(patient__in=Patient.objects.in_care_of(viewer))
        return self.none()


class QuestionnaireResponse(models.Model):
    """Answers as a FHIR R4 QuestionnaireResponse, saved page by page.

    The anonymous safety gate is an in-progress response without patient, keyed by the hash of
    the visitor's token; it gets its patient when the visit is booked.
    """

    class Status(models.TextChoices):
        IN_PROGRESS = "in-progress", _("In progress")
        COMPLETED = "completed", _("Completed")
        AMENDED = "amended", _("Amended")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    questionnaire = models.ForeignKey(
        Questionnaire, verbose_name=_("questionnaire"), on_delete=models.PROTECT
    )
    patient = models.ForeignKey(
        Patient,
        verbose_name=_("patient"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="questionnaire_responses",
    )
    visitor_hash = models.CharField(max_length=64, blank=True, db_index=True)
    status = models.CharField(
        _("status"), max_length=12, choices=Status, default=Status.IN_PROGRESS
    )
    items = EncryptedJSONField(_("answers"), default=list)
    pages_done = models.JSONField(default=list)
    language = models.CharField(
        max_length=8, choices=languages.choices, default=settings.LANGUAGE_CODE
    )
    level = models.PositiveSmallIntegerField(_("level"), choices=Level, default=Level.ROUTINE)
    rules = models.JSONField(_("rules that fired"), default=list)
    rule_set_version = models.CharField(max_length=20, blank=True)
    safety_answered_at = models.DateTimeField(_("safety answers given"), null=True, blank=True)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    signed_by = models.CharField(_("signed by"), max_length=120, blank=True)
    signer_role = models.CharField(_("signer's role"), max_length=20, blank=True)
    notice_version = models.CharField(_("privacy notice version"), max_length=20, blank=True)
    answers_hash = models.CharField(max_length=64, blank=True)
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("reviewed by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    corrects = models.OneToOneField(
        "self",
        verbose_name=_("corrects"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="correction",
    )
    revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(_("started"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last saved"), auto_now=True)

    objects = QuestionnaireResponseQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("intake answers")
        verbose_name_plural = _("intake answers")
        constraints = [
            models.CheckConstraint(
                condition=Q(patient__isnull=False) | ~Q(visitor_hash=""),
                name="questionnaireresponse_has_owner",
            ),
            models.CheckConstraint(
                condition=Q(corrects=None) | Q(status="in-progress"),
                name="questionnaireresponse_correction_is_open",
            ),
        ]
        indexes = [models.Index(fields=["status", "updated_at"], name="response_drafts")]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def form(self) -> Form:
        if "questionnaire" not in self._state.fields_cache:
            # Its content is large, and parsed once per process: see Questionnaire.form.
            stored = Questionnaire.objects.defer("content")
            self.questionnaire = stored.get(pk=self.questionnaire_id)
        return self.questionnaire.form

    @property
    def answers(self) -> Answers:
        return Answers.from_response({"item": self.items})

    @property
    def lowered(self) -> LoweredLevel | None:
        """The last lowered level, unless the rules' level or a correction has changed it since."""
        since = self.submitted_at if self.status == self.Status.AMENDED else None
        return next(
            (
                one
                for one in self.lowered_levels.all()
                if one.rules_level == self.level and (since is None or one.lowered_at > since)
            ),
            None,
        )

    @property
    def shown_level(self) -> Level:
        return Level(self.lowered.level if self.lowered else self.level)

    @property
    def is_final(self) -> bool:
        return self.status != self.Status.IN_PROGRESS

    @property
    def open_correction(self) -> "QuestionnaireResponse | None":
        """The patient's unfinished correction of these submitted answers."""
        return QuestionnaireResponse.objects.filter(corrects=self.pk).first()

    @property
    def resource(self) -> dict[str, Any]:
        """The answers as a FHIR R4 QuestionnaireResponse, codes as they are stored."""
        return {
            "resourceType": "QuestionnaireResponse",
            "id": str(self.pk),
            "language": self.language,
            "questionnaire": self.form.canonical,
            "status": self.status,
            "authored": (self.submitted_at or self.updated_at).isoformat(),
            "item": self.items,
        }

    def pages(self) -> list[Page]:
        """The pages this person is asked, by the answers so far."""
        enabled = self.form.enabled(self.answers)
        return [page for page in self.form.pages() if page.is_asked(enabled)]

    def open_pages(self) -> list[Page]:
        """The pages that are not finished, or that need more because of later answers."""
        answers = self.answers
        enabled = self.form.enabled(answers)
        open_items = {item.link_id for item in missing(self.form, answers)}
        return [
            page
            for page in self.form.pages()
            if page.is_asked(enabled)
            and (page.key not in self.pages_done or open_items & _link_ids(page))
        ]

    def seconds_left(self) -> int:
        """Roughly how many seconds the unfinished pages take."""
        enabled = self.form.enabled(self.answers)
        return sum(
            item.seconds
            for page in self.open_pages()
            for item in page.walk()
            if item.link_id in enabled and not item.is_hidden
        )

    def keep(
        self,
        items: list[dict[str, Any]],
        *,
        page: Page,
        is_complete: bool,
        revision: int,
        language: str,
        now: datetime,
    ) -> None:
        """Save a page's answers, as `items` of the whole response.

        A page with errors keeps what was answered but does not count as done. Raises
        StaleRevision, and saves nothing, when the row is no longer at `revision` or was submitted.
        """
        done = [key for key in self.pages_done if key != page.key]
        changed = QuestionnaireResponse.objects.filter(
            pk=self.pk, revision=revision, status=self.Status.IN_PROGRESS
        ).update(
            items=items,
            pages_done=[*done, page.key] if is_complete else done,
            language=language,
            revision=F("revision") + 1,
            updated_at=now,
        )
        if not changed:
            raise StaleRevision
        self.refresh_from_db()

    def submit(
        self, *, today: date, notice_version: str, rule_set_version: str, now: datetime
    ) -> None:
        """Close the answers with their signature, and store the numbers that form trends.

        Raises IncompleteResponse when something required is missing or wrong, StaleRevision when
        they were submitted already. `today` is the day in the practice's zone.
        """
        issues = validate_response(
            self.form, self.resource | {"status": self.Status.COMPLETED.value}, today=today
        )
        if issues:
            raise IncompleteResponse(issues)
        answers = self.answers
        sealed = json.dumps([self.form.canonical, self.items], sort_keys=True)
        signed = {
            "submitted_at": now,
            "signed_by": answers.text("consent-signature"),
            "signer_role": answers.text("about-filler"),
            "notice_version": notice_version,
            "rule_set_version": rule_set_version,
            "answers_hash": hashlib.sha256(sealed.encode()).hexdigest(),
            "updated_at": now,
        }
        with transaction.atomic():
            mine = QuestionnaireResponse.objects.filter(
                pk=self.pk, revision=self.revision, status=self.Status.IN_PROGRESS
            )
            if self.corrects is not None:
                if not mine.select_for_update().exists():
                    raise StaleRevision
                self.corrects.earlier_versions.put_right(self.corrects, by=self, **signed)
                return
            if not mine.update(status=self.Status.COMPLETED, revision=F("revision") + 1, **signed):
                raise StaleRevision
            self.refresh_from_db()
            self.observations.take_from(self, now=now)

    def correct(self, *, without: Iterable[str] = ()) -> "QuestionnaireResponse":
        """Open these submitted answers again, as a copy that replaces them when it is submitted.

        Until then everybody reads the answers as they were. ``without`` are linkIds to be answered
        again, such as the signature. A second call returns the same open correction.
        """
        form, emptied = self.form, set(without)
        open_again = {page.key for page in form.pages() if emptied & _link_ids(page)}
        correction, _is_new = QuestionnaireResponse.objects.get_or_create(
            corrects=self,
            defaults={
                "questionnaire": self.questionnaire,
                "patient": self.patient,
                "items": replace_answers(form, self.items, {one: [] for one in emptied}),
                "pages_done": [key for key in self.pages_done if key not in open_again],
                "language": self.language,
                "level": self.level,
                "rules": self.rules,
                "rule_set_version": self.rule_set_version,
                "safety_answered_at": self.safety_answered_at,
                "notice_version": self.notice_version,
            },
        )
        return correction

    def lower(self, *, level: Level, reason: str, by: User, now: datetime) -> LoweredLevel:
        """Add a clinician's level to that of the rules; raises ValueError unless it is lower."""
        if level >= self.shown_level:
            raise ValueError(f"{level!r} is not below {self.shown_level!r}")
        return self.lowered_levels.create(
            rules_level=self.level, level=level, reason=reason, lowered_by=by, lowered_at=now
        )

    def mark_reviewed(self, *, by: User, now: datetime) -> bool:
        """Store the first review; return False if there was one already."""
        changed = QuestionnaireResponse.objects.filter(pk=self.pk, reviewed_at=None).update(
            reviewed_at=now, reviewed_by=by
        )
        self.refresh_from_db()
        return bool(changed)
