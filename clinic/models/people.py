import uuid
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser, BaseUserManager
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic import languages
from clinic.encryption import EncryptedTextField
from clinic.models.practice import Location, validate_time_zone
from clinic.plain_text import one_line
from clinic.translated import TranslatedField


class Role(models.TextChoices):
    FRONT_DESK = "front-desk", _("Front desk")
    CLINICIAN = "clinician", _("Clinician")
    MANAGER = "manager", _("Manager")


class UserManager(BaseUserManager["User"]):
    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the address in lower case, so that any spelling finds the same account."""
        return super().normalize_email(email).lower()

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        fields.setdefault("role", Role.MANAGER)
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """A member of staff. Patients have no account: they hold link grants."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail"), unique=True)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.FRONT_DESK)
    language = models.CharField(
        _("language"), max_length=8, choices=languages.choices, default=settings.LANGUAGE_CODE
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    objects = UserManager()  # type: ignore[misc, assignment]

    class Meta:
        verbose_name = _("staff account")
        verbose_name_plural = _("staff accounts")

    def __str__(self) -> str:
        return self.get_full_name() or self.email


class Practitioner(models.Model):
    """A person who sees patients; the account is optional."""

    class DailySheet(models.TextChoices):
        NONE = "", _("No mail")
        EVENING = "evening", _("The evening before")
        MORNING = "morning", _("In the morning")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(
        User,
        verbose_name=_("account"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="practitioner",
    )
    name = models.CharField(_("name"), max_length=120)
    title = TranslatedField(_("title"), max_length=80, blank=True)
    bio = TranslatedField(_("about"), blank=True)
    locations = models.ManyToManyField(Location, verbose_name=_("locations"), blank=True)
    daily_sheet = models.CharField(
        _("daily sheet by e-mail"),
        max_length=10,
        choices=DailySheet,
        blank=True,
        help_text=_("The day's visits, with initials only, to the address of the account."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        verbose_name = _("practitioner")
        verbose_name_plural = _("practitioners")

    def __str__(self) -> str:
        return self.name


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, viewer: Any) -> "PatientQuerySet":
        """Return the patients whose contact details ``viewer`` may see.

        Front desk and managers see every patient's, clinicians those of the patients in their
        care, a link grant those of its one patient, everybody else none.
        """
        if viewer is None or isinstance(viewer, AnonymousUser):
            return self.none()
        if not isinstance(viewer, User):
            return self.filter(pk=viewer.patient_id)
        if not viewer.is_active:
            return self.none()
        if viewer.role in {Role.FRONT_DESK, Role.MANAGER}:
            return self.filter(erased_at=None)
        return self.in_care_of(viewer)

    def in_care_of(self, user: User) -> "PatientQuerySet":
        """Return the patients who have or had a visit with this user as practitioner.

        Patients opened to the user in an emergency count until that access ends.
        """
        care = CareTeamMember.objects.filter(practitioner__user=user, until=None)
        opened = EmergencyAccess.objects.active(now=timezone.now()).filter(user=user)
        return self.filter(
            Q(pk__in=care.values("patient")) | Q(pk__in=opened.values("patient")),
        )


class Patient(models.Model):
    """A person who has or will have visits. Never matched by name or address alone.

    Address and phone are those of the contact: the patient, or the person who books for them and is
    named in ``guardian_name``. One address may be that of several patients.
    """

    class Contact(models.TextChoices):
        """Who receives the mails. The codes are those of the intake's ``about-filler``."""

        SELF = "self", _("The patient")
        GUARDIAN = "guardian", _("A parent or legal guardian")
        HELPER = "helper", _("A relative who cares for the patient")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    birth_date = models.DateField(_("date of birth"), null=True, blank=True)
    language = models.CharField(
        _("language"), max_length=8, choices=languages.choices, default=settings.LANGUAGE_CODE
    )
    contact_relation = models.CharField(
        _("who is written to"), max_length=10, choices=Contact, default=Contact.SELF
    )
    guardian_name = models.CharField(_("parent, guardian or relative"), max_length=120, blank=True)
    guardian_attested_at = models.DateTimeField(_("said that they may book"), null=True, blank=True)
    time_zone = models.CharField(
        _("time zone"),
        max_length=60,
        blank=True,
        validators=[validate_time_zone],
        help_text=_("Only if the patient said so; else the clinic's zone is used."),
    )
    mail_stops = models.JSONField(
        _("stopped mails"), default=dict, blank=True, help_text=_("Kind of mail, and since when.")
    )
    declined_reminders = models.JSONField(
        _("reminders not wanted"),
        default=list,
        blank=True,
        help_text=_("Hours before a visit, of those that the service offers."),
    )
    email_bounced_at = models.DateTimeField(_("e-mail bounced"), null=True, blank=True)
    # An erased patient keeps a row without a name, so that visits can still be counted.
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    # The address as it was read, to detect a correction.
    _stored_email: str | None = None

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("patient")
        verbose_name_plural = _("patients")
        indexes = [
            # Addresses are looked up in any case (``iexact``).
            models.Index(Upper("email"), name="patient_email"),
            models.Index(fields=["name"]),
        ]

    def __str__(self) -> str:
        return gettext("Erased patient") if self.erased_at else self.name

    def save(self, **options: Any) -> None:
        """Save; a corrected address counts as one that has not bounced."""
        if self._stored_email not in {None, self.email}:
            self.email_bounced_at = None
            if (fields := options.get("update_fields")) and "email" in fields:
                options["update_fields"] = {*fields, "email_bounced_at"}
        super().save(**options)
        self._stored_email = self.email

    @classmethod
    def from_db(cls, db: Any, field_names: Any, values: Any, **options: Any) -> "Patient":
        patient = super().from_db(db, field_names, values, **options)
        patient._stored_email = patient.__dict__.get("email")
        return patient

    @property
    def initials(self) -> str:
        """The first letters of up to three names, without leading signs and control characters."""
        letters = (next(filter(str.isalnum, part), "") for part in one_line(self.name).split())
        return "".join([letter.upper() for letter in letters if letter][:3])

    @property
    def zone(self) -> ZoneInfo | None:
        """The patient's time zone, if they chose one; it is never guessed."""
        return ZoneInfo(self.time_zone) if self.time_zone else None

    def has_stopped(self, kind: str) -> bool:
        return kind in self.mail_stops

    def stop_mails(self, kind: str, *, now: datetime) -> bool:
        """Send no more mails of this kind; return whether this is a change."""
        return self._change_stops(lambda stops: {kind: now.isoformat()} | stops)

    def resume_mails(self, kind: str) -> bool:
        return self._change_stops(
            lambda stops: {name: at for name, at in stops.items() if name != kind}
        )

    def _change_stops(self, change: Callable[[dict[str, str]], dict[str, str]]) -> bool:
        with transaction.atomic():
            row = Patient.objects.select_for_update().only("mail_stops").get(pk=self.pk)
            before, self.mail_stops = row.mail_stops, change(row.mail_stops)
            if self.mail_stops == before:
                return False
            self.save(update_fields=["mail_stops"])
        return True

    def age_on(self, day: date) -> int | None:
        """Return whole years on ``day``; for a birth on 29 February, age changes on 1 March."""
        if self.birth_date is None:
            return None
        born = self.birth_date
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


class CareTeamMember(models.Model):
    """Which practitioner cares for which patient; written by booking, read by the apps below."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="care_team")
    practitioner = models.ForeignKey(Practitioner, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("care team member")
        verbose_name_plural = _("care team members")
        constraints = [
            models.UniqueConstraint(fields=["patient", "practitioner"], name="careteammember_once")
        ]

    def __str__(self) -> str:
        return f"{self.practitioner_id}:{self.patient_id}"

    @classmethod
    def join(cls, *, patient: Patient, practitioner_id: int, now: datetime) -> None:
        """Begin the practitioner's care of the patient, or resume it."""
        CareTeamMember.objects.bulk_create(
            [CareTeamMember(patient=patient, practitioner_id=practitioner_id, since=now)],
            update_conflicts=True,
            unique_fields=["patient", "practitioner"],
            update_fields=["until"],
        )

    @classmethod
    def leave(cls, *, patient: Patient, practitioner_id: int, now: datetime) -> None:
        """End the care, and with it the practitioner's access to the patient."""
        care = cls.objects.filter(patient=patient, practitioner=practitioner_id, until=None)
        care.update(until=now)


class EmergencyAccessQuerySet(models.QuerySet["EmergencyAccess"]):
    def active(self, *, now: datetime) -> "EmergencyAccessQuerySet":
        return self.filter(opened_at__lte=now, expires_at__gt=now)


class EmergencyAccess(models.Model):
    """A clinician outside the care team opened a patient's record ("break-glass"), with a reason.

    Rows never change; ``clinic.security.emergency_access`` writes them and notifies the managers.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(
        Patient,
        verbose_name=_("patient"),
        on_delete=models.CASCADE,
        related_name="emergency_accesses",
    )
    user = models.ForeignKey(User, verbose_name=_("who"), on_delete=models.PROTECT)
    reason = EncryptedTextField(_("reason"), max_length=300)
    opened_at = models.DateTimeField(_("opened"))
    expires_at = models.DateTimeField(_("until"))

    objects = EmergencyAccessQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        verbose_name = _("emergency access")
        verbose_name_plural = _("emergency accesses")
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="emergencyaccess_has_reason"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("opened_at")), name="emergencyaccess_ends_later"
            ),
        ]

    def __str__(self) -> str:
        return str(self.patient)
