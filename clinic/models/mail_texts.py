import re
import unicodedata
import uuid

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic import languages, wordings
from clinic.plain_text import one_line
from clinic.wordings import Words, placeholders_in

_KEYS = uuid.UUID("6f1e7a1c-6d3b-4d0a-9b1e-2c6a5d0f8e47")
# What a mail program would interpret as markup.
_HTML = re.compile(r"<\s*[A-Za-z/!?]|&(?:#\d+|#x[0-9a-f]+|[a-z]+);", re.IGNORECASE)


def clean_paragraphs(text: str) -> str:
    """Return ``text`` with each line as ``one_line`` leaves it, and one empty line at most."""
    lines = (one_line(line) for line in unicodedata.normalize("NFC", text).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class MailText(models.Model):
    """The clinic's own words for one kind of mail in one language, instead of the shipped ones.

    The key is derived from kind and language, so that a test mail can refer to a text that is not
    saved yet. In that case it uses the shipped one.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(_("mail"), max_length=30, editable=False)
    language = models.CharField(
        _("language"), max_length=8, choices=languages.choices, editable=False
    )
    subject = models.CharField(_("subject"), max_length=120)
    heading = models.CharField(_("heading"), max_length=120)
    text = models.TextField(
        _("text"),
        max_length=2000,
        validators=[MaxLengthValidator(2000)],
        help_text=_("An empty line begins a new paragraph."),
    )
    note = models.TextField(
        _("note at the end"),
        max_length=600,
        validators=[MaxLengthValidator(600)],
        blank=True,
        help_text=_("In small letters."),
    )
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["kind", "language"]
        verbose_name = _("mail text")
        verbose_name_plural = _("mail texts")
        constraints = [
            models.UniqueConstraint(fields=["kind", "language"], name="mailtext_once"),
        ]

    def __str__(self) -> str:
        return f"{wordings.label(self.kind)} ({self.get_language_display()})"

    @staticmethod
    def key_of(kind: str, language: str) -> uuid.UUID:
        return uuid.uuid5(_KEYS, f"{kind}:{language}")

    @classmethod
    def of(cls, kind: str, language: str, words: Words) -> "MailText":
        """Return an unsaved text with these words."""
        key = cls.key_of(kind, language)
        return cls(id=key, kind=kind, language=language, **words._asdict())

    @property
    def words(self) -> Words:
        return Words(self.subject, self.heading, self.text, self.note)

    def clean(self) -> None:
        """Refuse what would be an error in the mail: an unknown placeholder, markup."""
        super().clean()
        self.subject, self.heading = one_line(self.subject), one_line(self.heading)
        self.text, self.note = clean_paragraphs(self.text), clean_paragraphs(self.note)
        wording = wordings.find(self.kind)
        if wording is None or not wording.is_editable:
            raise ValidationError(_("This mail says what it says."), code="kind")
        errors: dict[str, list[ValidationError]] = {}
        for name, part in self.words._asdict().items():
            wrong = self._faults(part, needs=wording.subject_needs if name == "subject" else ())
            if wrong:
                errors[name] = wrong
        if errors:
            raise ValidationError(errors)

    def _faults(self, part: str, *, needs: tuple[str, ...]) -> list[ValidationError]:
        wording = wordings.find(self.kind)
        assert wording is not None
        faults = []
        if unknown := placeholders_in(part) - set(wording.placeholders):
            faults.append(
                ValidationError(
                    _("%(unknown)s cannot be filled in. You can use: %(known)s."),
                    code="placeholder",
                    params={
                        "unknown": ", ".join(f"{{{name}}}" for name in sorted(unknown)),
                        "known": ", ".join(f"{{{name}}}" for name in wording.placeholders),
                    },
                )
            )
        if missing := set(needs) - placeholders_in(part):
            faults.append(
                ValidationError(
                    _("Please keep %(missing)s in the subject."),
                    code="missing",
                    params={"missing": ", ".join(f"{{{name}}}" for name in sorted(missing))},
                )
            )
        if _HTML.search(part):
            faults.append(ValidationError(_("Plain words only, no HTML."), code="html"))
        return faults
