import hashlib
import json
import secrets
import uuid
from datetime import date, datetime
from decimal import Decimal
from statistics import mean
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.models import Link, Patient, Role, User
from intake.answers import Answers
from intake.items import Issue
from intake.levels import Level
from intake.models.decisions import LoweredLevel
from intake.models.questionnaires import Questionnaire
from intake.questionnaire import Form, Page
from intake.responses import missing, validate_response
from intake.variables import KM_PER_MILE

# No letters or digits that are misread over the phone.
_CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def new_reference_code() -> str:
    return "".join(secrets.choice(_CODE_ALPHABET) for _ in range(6))


class StaleRevision(Exception):
    """The answers were saved from somewhere else since this page was shown."""


class IncompleteResponse(Exception):
    """The answers cannot be submitted yet; `issues` say what is missing or wrong."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__(f"{len(issues)} issues in the answers")
        self.issues = issues


class QuestionnaireResponseQuerySet(models.QuerySet["QuestionnaireResponse"]):
    def visible_to(self, viewer: Any) -> "QuestionnaireResponseQuerySet":
        """Return the answers ``viewer`` may read: own care team's, or the link's patient's.

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
    items = models.JSONField(_("answers"), default=list)
    pages_done = models.JSONField(default=list)
    language = models.CharField(max_length=8, choices=settings.LANGUAGES, default="en")
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
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def form(self) -> Form:
        return self.questionnaire.form

    @property
    def answers(self) -> Answers:
        return Answers.from_response({"item": self.items})

    @property
    def lowered(self) -> LoweredLevel | None:
        """The last clinician's judgement that the rules have not overtaken since."""
        judgements = self.lowered_levels.all()
        return next((one for one in judgements if one.rules_level == self.level), None)

    @property
    def shown_level(self) -> Level:
        return Level(self.lowered.level if self.lowered else self.level)

    @property
    def is_final(self) -> bool:
        return self.status != self.Status.IN_PROGRESS

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

    def is_done(self, page: Page) -> bool:
        """Was the page finished, and do later answers ask for nothing more on it?"""
        return page.key in self.pages_done and not missing(
            self.form, self.answers, [item.link_id for item in page.walk()]
        )

    def first_open_page(self) -> Page | None:
        """The first page that is not finished yet; None when all are."""
        return next((page for page in self.pages() if not self.is_done(page)), None)

    def seconds_left(self) -> int:
        """How long the unfinished pages take, roughly."""
        enabled = self.form.enabled(self.answers)
        return sum(
            item.seconds
            for page in self.pages()
            if not self.is_done(page)
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
        """Close the answers with their signature, and note the numbers worth a trend.

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
        with transaction.atomic():
            changed = QuestionnaireResponse.objects.filter(
                pk=self.pk, revision=self.revision, status=self.Status.IN_PROGRESS
            ).update(
                status=self.Status.COMPLETED,
                submitted_at=now,
                signed_by=answers.text("consent-signature"),
                signer_role=answers.text("about-filler"),
                notice_version=notice_version,
                rule_set_version=rule_set_version,
                answers_hash=hashlib.sha256(sealed.encode()).hexdigest(),
                revision=F("revision") + 1,
                updated_at=now,
            )
            if not changed:
                raise StaleRevision
            self.refresh_from_db()
            self._observe(answers, now)

    def lower(self, *, level: Level, reason: str, by: User, now: datetime) -> LoweredLevel:
        """Put a clinician's level beside that of the rules; raises ValueError unless lower."""
        if level >= self.shown_level:
            raise ValueError(f"{level!r} is not below {self.shown_level!r}")
        return self.lowered_levels.create(
            rules_level=self.level, level=level, reason=reason, lowered_by=by, lowered_at=now
        )

    def mark_reviewed(self, *, by: User, now: datetime) -> bool:
        """Stamp the first review; return False when somebody was faster."""
        changed = QuestionnaireResponse.objects.filter(pk=self.pk, reviewed_at=None).update(
            reviewed_at=now, reviewed_by=by
        )
        self.refresh_from_db()
        return bool(changed)

    def _observe(self, answers: Answers, now: datetime) -> None:
        if self.patient is None:
            return
        for item in self.form.walk():
            numbers = answers.numbers(item.link_id) if item.observation else ()
            if not numbers:
                continue
            unit = item.unit.default if item.unit else ""
            value = mean(numbers)
            if item.unit_choice:
                # Distances make one trend although people change how they count them.
                unit = "km"
                if answers.has(item.unit_choice.question, "mi"):
                    value *= KM_PER_MILE
            Observation.objects.create(
                patient=self.patient,
                response=self,
                code=item.link_id,
                value=Decimal(str(round(value, 3))),
                unit=unit,
                effective_at=now,
            )


class Observation(models.Model):
    """A number worth a trend, taken from submitted answers."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="observations")
    response = models.ForeignKey(
        QuestionnaireResponse, on_delete=models.CASCADE, related_name="observations"
    )
    code = models.CharField(_("what"), max_length=60)
    value = models.DecimalField(_("value"), max_digits=9, decimal_places=3)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    effective_at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("observation")
        verbose_name_plural = _("observations")
        constraints = [
            models.UniqueConstraint(fields=["response", "code"], name="observation_once"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.value}"
