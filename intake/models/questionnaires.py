from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from intake.fhir_form.items import OWN, Issue
from intake.fhir_form.questionnaire import Form, InvalidQuestionnaire, load_json

SHIPPED = Path(__file__).parents[1] / "questionnaires"
INTAKE = SHIPPED / "running-lbp-intake-1.0.0.json"

# Parsing costs 20 ms and a published questionnaire never changes.
_forms: dict[tuple[int, str, str, datetime], Form] = {}


class PublishedQuestionnaire(Exception):
    """A published questionnaire has answers, so it must not change."""


# The columns that a published questionnaire never changes.
FIXED = {"url", "version", "content"}

VERSION_EXISTS = Issue(
    "Questionnaire.version",
    "version-exists",
    "This version is stored with other content: give it a new one.",
)


def _keep_what_rules_read(form: Form) -> None:
    """Refuse a version of our own questionnaire that lacks a question of the last version.

    Safety gate, rules and summary read our questions by their linkIds: without one they would be
    silent. A questionnaire with other questions needs an address of its own.
    """
    last = Questionnaire.objects.published().filter(url=form.url).order_by("published_at").last()
    if last is None or not form.url.startswith(f"{OWN}/"):
        return
    lost = [item.link_id for item in last.form.walk() if item.link_id not in form]
    if lost:
        words = f"Rules read questions that are missing here: {', '.join(lost)}."
        raise InvalidQuestionnaire([Issue("Questionnaire.item", "rules-read", words)])


@cache
def _shipped() -> list[tuple[Form, Any]]:
    """Return the shipped questionnaires, the intake last; read once a process."""
    paths = sorted(SHIPPED.glob("*.json"), key=lambda path: (path == INTAKE, path))
    contents = [load_json(path.read_bytes()) for path in paths]
    return [(Form.parse(content), content) for content in contents]


def shipped_forms() -> list[Form]:
    """The questionnaires that come with the code."""
    return [form for form, _content in _shipped()]


class QuestionnaireQuerySet(models.QuerySet["Questionnaire"]):
    def published(self) -> "QuestionnaireQuerySet":
        return self.exclude(published_at=None)

    def store(self, content: Any, *, publish: bool, now: datetime) -> "Questionnaire":
        """Validate a FHIR R4 Questionnaire and store it as a new version.

        Raises InvalidQuestionnaire for one that cannot be asked, and for a version that exists
        with other content. Storing the same again is safe, and may publish it.
        """
        return self._store(Form.parse(content), content, publish=publish, now=now)

    def _store(self, form: Form, content: Any, *, publish: bool, now: datetime) -> "Questionnaire":
        _keep_what_rules_read(form)
        with transaction.atomic():
            questionnaire, _created = Questionnaire.objects.get_or_create(
                url=form.url,
                version=form.version,
                defaults={"title": form.title.default or form.url, "content": content},
            )
            if questionnaire.content != content:
                raise InvalidQuestionnaire([VERSION_EXISTS])
            if publish:
                questionnaire.publish(now=now)
        return questionnaire

    def update(self, **fields: Any) -> int:
        """Raises PublishedQuestionnaire if this would change a published questionnaire."""
        if FIXED & fields.keys() and self.published().exists():
            raise PublishedQuestionnaire
        return super().update(**fields)

    def publish(self, content: Any, *, now: datetime) -> "Questionnaire":
        return self.store(content, publish=True, now=now)

    def publish_shipped(self, *, now: datetime) -> "Questionnaire":
        """Publish the shipped questionnaires and return the intake; safe to repeat."""
        for form, content in _shipped():
            questionnaire = self._store(form, content, publish=True, now=now)
            _forms.setdefault(questionnaire._key, form)
        return questionnaire


class Questionnaire(models.Model):
    """A FHIR R4 Questionnaire. Once published its content never changes."""

    url = models.CharField(_("canonical address"), max_length=200)
    version = models.CharField(_("version"), max_length=20)
    title = models.CharField(_("title"), max_length=200)
    content = models.JSONField(_("content"))
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = QuestionnaireQuerySet.as_manager()

    class Meta:
        ordering = ["url", "-published_at"]
        verbose_name = _("questionnaire")
        verbose_name_plural = _("questionnaires")
        constraints = [
            models.UniqueConstraint(fields=["url", "version"], name="questionnaire_once"),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.version}"

    def save(self, **options: Any) -> None:
        """Raises PublishedQuestionnaire if this would change a published one."""
        fields = options.get("update_fields")
        if not self._state.adding and (fields is None or FIXED & set(fields)):
            stored = Questionnaire.objects.exclude(published_at=None).filter(pk=self.pk).first()
            if stored and any(getattr(stored, name) != getattr(self, name) for name in FIXED):
                raise PublishedQuestionnaire
        super().save(**options)

    def take(self, content: Any) -> None:
        """Take over the content of a FHIR R4 Questionnaire, without saving.

        Raises InvalidQuestionnaire for one that cannot be asked and for a version that exists.
        """
        form = Form.parse(content)
        if Questionnaire.objects.filter(url=form.url, version=form.version).exists():
            raise InvalidQuestionnaire([VERSION_EXISTS])
        _keep_what_rules_read(form)
        self.url, self.version, self.content = form.url, form.version, content
        self.title = form.title.default or form.url

    def publish(self, *, now: datetime) -> bool:
        """Publish it permanently; return False if it was published already."""
        changed = Questionnaire.objects.filter(pk=self.pk, published_at=None).update(
            published_at=now
        )
        self.refresh_from_db(fields=["published_at"])
        return bool(changed)

    @property
    def form(self) -> Form:
        """The parsed questions; cached in memory once published."""
        if self.published_at is None:
            return Form.parse(self.content)
        if self._key not in _forms:
            _forms[self._key] = Form.parse(self.content)
        return _forms[self._key]

    @property
    def _key(self) -> tuple[int, str, str, datetime]:
        return (self.pk, self.url, self.version, self.created_at)
