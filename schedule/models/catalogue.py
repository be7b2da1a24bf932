from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from clinic.models import Location, Patient, Practitioner
from clinic.translated import TranslatedField, in_default_language
from intake.models import Questionnaire, QuestionnaireResponse
from intake.rules.tags import CLOSING_TAGS, Tag
from intake.workflow.answer_history import FOLLOW_UP_URL

RESERVED_SLUGS = {"choose", "confirm", "safety"}


def validate_durations(minutes: list[int]) -> None:
    if (
        not isinstance(minutes, list)
        or not minutes
        or any(not isinstance(m, int) or not 5 <= m <= 480 for m in minutes)
    ):
        raise ValidationError(_("Give a list of minutes between 5 and 480, the usual one first."))


def validate_reminder_offsets(hours: list[int]) -> None:
    """Accept up to five different whole hours, at most 30 days; none means no reminders."""
    if (
        not isinstance(hours, list)
        or len(hours) > 5
        or any(type(h) is not int or not 1 <= h <= 720 for h in hours)
        or len(set(hours)) < len(hours)
    ):
        raise ValidationError(
            _("Give a list of up to five different numbers of hours between 1 and 720.")
        )


def default_reminder_offsets() -> list[int]:
    return [168, 24, 2]


def validate_tags(tags: list[str]) -> None:
    if not isinstance(tags, list):
        raise ValidationError(_("Give a list of tags."))
    for tag in tags:
        if tag not in Tag.values:
            raise ValidationError(_("There is no tag “%(tag)s”."), params={"tag": tag})


def closing_tags() -> list[str]:
    return list(CLOSING_TAGS)


def validate_not_reserved(slug: str) -> None:
    if slug in RESERVED_SLUGS:
        raise ValidationError(_("This short name is used by a page of the booking flow."))


class Service(models.Model):
    """A service that visits are booked for. ``slug`` is the stable code of the catalogue."""

    class BookingMode(models.TextChoices):
        SELF = "self", _("Patients book it themselves")
        STAFF = "staff", _("Booked by the front desk")
        REFERRAL = "referral", _("Needs a doctor's referral")
        EXTERNAL = "external", _("Done elsewhere")

    slug = models.SlugField(_("code"), unique=True, validators=[validate_not_reserved])
    name = TranslatedField(_("name"), max_length=80)
    description = TranslatedField(_("what happens"), blank=True)
    preparation = TranslatedField(_("what to bring"), blank=True)
    price_note = TranslatedField(_("price note"), max_length=120, blank=True)
    durations = models.JSONField(
        _("lengths"),
        validators=[validate_durations],
        help_text=_("Minutes, the usual length first: [60, 30, 90]."),
    )
    buffer_before = models.PositiveSmallIntegerField(
        _("minutes kept free before"),
        default=0,
        validators=[MaxValueValidator(240)],
        help_text=_(
            "Between two visits lies what the first needs after it or the second before it, "
            "whichever is longer."
        ),
    )
    buffer_after = models.PositiveSmallIntegerField(
        _("minutes kept free after"),
        default=5,
        validators=[MaxValueValidator(240)],
        help_text=_("To tidy up and write notes. It may reach past closing time."),
    )
    grid_minutes = models.PositiveSmallIntegerField(
        _("start every"),
        default=15,
        validators=[MinValueValidator(5)],
        help_text=_("Minutes between possible starts, counted from the start of each shift."),
    )
    booking_mode = models.CharField(
        _("who books"), max_length=10, choices=BookingMode, default=BookingMode.SELF
    )
    is_first_visit = models.BooleanField(
        _("open to new patients"),
        default=False,
        help_text=_("Can be booked without an earlier visit."),
    )
    tags = models.JSONField(
        _("tags"),
        default=closing_tags,
        blank=True,
        validators=[validate_tags],
        help_text=_("A new service has every tag that closes it. Remove those that do not apply."),
    )
    unlocked_by = models.ManyToManyField(
        "self",
        verbose_name=_("unlocked by a visit for"),
        symmetrical=False,
        blank=True,
        related_name="unlocks",
        help_text=_("Online, one visit for any of these comes first. Empty: any visit will do."),
    )
    room_kind = models.CharField(
        _("needs a room of kind"), max_length=20, blank=True, help_text=_("For example: gait.")
    )
    equipment_kind = models.CharField(
        _("needs equipment of kind"),
        max_length=20,
        blank=True,
        help_text=_("For example: treadmill."),
    )
    practitioners = models.ManyToManyField(
        Practitioner, verbose_name=_("practitioners"), blank=True, related_name="+"
    )
    questionnaire = models.ForeignKey(
        Questionnaire,
        verbose_name=_("intake form"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    min_notice_minutes = models.PositiveIntegerField(
        _("book at least … minutes ahead"),
        default=120,
        help_text=_("For patients who book online. Staff may book until the last minute."),
    )
    horizon_days = models.PositiveSmallIntegerField(
        _("book at most … days ahead"),
        default=60,
        help_text=_("For patients who book online. Staff may book any day."),
    )
    change_cutoff_hours = models.PositiveSmallIntegerField(
        _("change by link until … hours before"),
        default=24,
        help_text=_("After that the patient is asked to call."),
    )
    offer_minutes = models.PositiveSmallIntegerField(
        _("minutes to answer a waitlist offer"),
        default=120,
        validators=[MinValueValidator(30), MaxValueValidator(2880)],
        help_text=_(
            "A time that becomes free is kept so long for each person asked. The night does not "
            "count, and near the visit it is less."
        ),
    )
    cancel_cutoff_hours = models.PositiveSmallIntegerField(
        _("cancel by link until … hours before"),
        null=True,
        blank=True,
        help_text=_("Leave empty when cancelling ends with changing."),
    )
    max_moves = models.PositiveSmallIntegerField(
        _("moves by link"),
        default=3,
        help_text=_("How often a patient may move one visit online. After that they call."),
    )
    reminder_offsets = models.JSONField(
        _("reminders"),
        default=default_reminder_offsets,
        blank=True,
        validators=[validate_reminder_offsets],
        help_text=_(
            "Hours before the visit: [168, 24, 2] is a week, a day and two hours. [] sends none. "
            "A change counts for visits booked or moved from now on."
        ),
    )
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["position", in_default_language("name")]
        verbose_name = _("service")
        verbose_name_plural = _("services")

    def __str__(self) -> str:
        return str(self.name)

    @property
    def lengths(self) -> list[int]:
        """Every length in minutes, short to long."""
        return sorted(self.durations)

    @property
    def default_duration(self) -> int:
        """The usual length in minutes."""
        return self.durations[0]

    def is_begun_by(self, response: QuestionnaireResponse) -> bool:
        """Whether the safety gate's answers are the first page of the form this service needs.

        A follow-up asks the safety page again, because it is another form.
        """
        if self.questionnaire_id in (None, response.questionnaire_id):
            return True
        assert self.questionnaire is not None
        return self.questionnaire.url != FOLLOW_UP_URL

    def form_begun(
        self, response: QuestionnaireResponse | None, *, patient: Patient
    ) -> QuestionnaireResponse | None:
        """Return the safety answers if they begin this patient's form for it, else None."""
        if response is None or response.patient_id != patient.pk:
            return None
        return response if self.is_begun_by(response) else None

    @property
    def move_cutoff(self) -> timedelta:
        """How long before the start patients may move by link, in elapsed time."""
        return timedelta(hours=self.change_cutoff_hours)

    @property
    def cancel_cutoff(self) -> timedelta:
        """How long before the start patients may cancel by link, in elapsed time."""
        if self.cancel_cutoff_hours is None:
            return self.move_cutoff
        return timedelta(hours=self.cancel_cutoff_hours)

    def length(self, minutes: int | None) -> int:
        """Return the length, or the usual one for None; raise ValueError if it is not offered."""
        if minutes is None:
            return self.default_duration
        if minutes not in self.durations:
            raise ValueError(f"{self.slug} does not last {minutes} minutes.")
        return minutes

    def bookable_between(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the first start that patients may book at ``now``, and the end of the horizon."""
        return (
            now + timedelta(minutes=self.min_notice_minutes),
            now + timedelta(days=self.horizon_days),
        )


class Resource(models.Model):
    """Something at a location that visits need beside the practitioner, one visit at a time."""

    name = models.CharField(_("name"), max_length=60)
    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(
        _("kind"),
        max_length=20,
        help_text=_("The word that services ask for. Any one of the same kind will do."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        abstract = True
        ordering = ["location", "name"]

    def __str__(self) -> str:
        return self.name


class Room(Resource):
    """A room that some services need beside the practitioner."""

    history = HistoricalRecords()

    class Meta(Resource.Meta):
        verbose_name = _("room")
        verbose_name_plural = _("rooms")


class Equipment(Resource):
    """A device that some services need, in any room of the location."""

    history = HistoricalRecords()

    class Meta(Resource.Meta):
        verbose_name = _("equipment")
        verbose_name_plural = pgettext_lazy("plural", "equipment")
