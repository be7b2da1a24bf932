import uuid

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Upper

import clinic.encryption
import clinic.models.practice


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="EncryptionKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "fingerprint",
                    models.CharField(max_length=16, unique=True, verbose_name="fingerprint"),
                ),
                ("first_used_at", models.DateTimeField(verbose_name="first used")),
            ],
            options={
                "verbose_name": "encryption key",
                "verbose_name_plural": "encryption keys",
            },
        ),
        migrations.CreateModel(
            name="Location",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(unique=True, verbose_name="short name")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("address", models.CharField(max_length=160, verbose_name="street address")),
                ("city", models.CharField(max_length=80, verbose_name="city")),
                ("region", models.CharField(blank=True, max_length=40, verbose_name="state")),
                (
                    "postal_code",
                    models.CharField(blank=True, max_length=16, verbose_name="postal code"),
                ),
                ("phone", models.CharField(max_length=40, verbose_name="phone")),
                (
                    "time_zone",
                    models.CharField(
                        max_length=60,
                        validators=[clinic.models.practice.validate_time_zone],
                        verbose_name="time zone",
                    ),
                ),
                ("map_url", models.URLField(blank=True, verbose_name="map link")),
                ("directions", models.TextField(blank=True, verbose_name="how to find us")),
                (
                    "directions_es",
                    models.TextField(blank=True, verbose_name="how to find us (Spanish)"),
                ),
                (
                    "holiday_country",
                    models.CharField(
                        blank=True,
                        help_text="The country whose public holidays close this location. Empty: none do.",
                        max_length=2,
                        verbose_name="holidays of",
                    ),
                ),
                (
                    "holiday_subdivision",
                    models.CharField(
                        blank=True,
                        help_text="The state or province, when it has holidays of its own, for example TX.",
                        max_length=20,
                        verbose_name="and of its part",
                    ),
                ),
                (
                    "holidays_kept_open",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Names of holidays on which this location is open as on any other day.",
                        verbose_name="holidays kept open",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "location",
                "verbose_name_plural": "locations",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="RateLimit",
            fields=[
                ("key", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("full_until", models.BigIntegerField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "first_name",
                    models.CharField(blank=True, max_length=150, verbose_name="first name"),
                ),
                (
                    "last_name",
                    models.CharField(blank=True, max_length=150, verbose_name="last name"),
                ),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                (
                    "date_joined",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="date joined"
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True, verbose_name="e-mail")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("front-desk", "Front desk"),
                            ("clinician", "Clinician"),
                            ("manager", "Manager"),
                        ],
                        default="front-desk",
                        max_length=20,
                        verbose_name="role",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("es", "Español")],
                        default="en",
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "staff account",
                "verbose_name_plural": "staff accounts",
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField(db_index=True, verbose_name="at")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("read", "Read"),
                            ("search", "Searched"),
                            ("create", "Created"),
                            ("change", "Changed"),
                            ("delete", "Deleted"),
                            ("export", "Exported"),
                            ("erase", "Erased"),
                            ("login", "Signed in"),
                            ("denied", "Denied"),
                        ],
                        max_length=10,
                        verbose_name="action",
                    ),
                ),
                ("subject_type", models.CharField(max_length=60, verbose_name="what")),
                ("subject_id", models.CharField(blank=True, max_length=64, verbose_name="which")),
                (
                    "patient_id",
                    models.UUIDField(blank=True, db_index=True, null=True, verbose_name="patient"),
                ),
                ("fields", models.JSONField(blank=True, default=list, verbose_name="fields")),
                (
                    "sealed_no",
                    models.PositiveBigIntegerField(
                        blank=True, null=True, unique=True, verbose_name="seal"
                    ),
                ),
                ("hash", models.CharField(blank=True, max_length=64)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit event",
                "verbose_name_plural": "audit events",
                "ordering": ["-at"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalLocation",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(verbose_name="short name")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("address", models.CharField(max_length=160, verbose_name="street address")),
                ("city", models.CharField(max_length=80, verbose_name="city")),
                ("region", models.CharField(blank=True, max_length=40, verbose_name="state")),
                (
                    "postal_code",
                    models.CharField(blank=True, max_length=16, verbose_name="postal code"),
                ),
                ("phone", models.CharField(max_length=40, verbose_name="phone")),
                (
                    "time_zone",
                    models.CharField(
                        max_length=60,
                        validators=[clinic.models.practice.validate_time_zone],
                        verbose_name="time zone",
                    ),
                ),
                ("map_url", models.URLField(blank=True, verbose_name="map link")),
                ("directions", models.TextField(blank=True, verbose_name="how to find us")),
                (
                    "directions_es",
                    models.TextField(blank=True, verbose_name="how to find us (Spanish)"),
                ),
                (
                    "holiday_country",
                    models.CharField(
                        blank=True,
                        help_text="The country whose public holidays close this location. Empty: none do.",
                        max_length=2,
                        verbose_name="holidays of",
                    ),
                ),
                (
                    "holiday_subdivision",
                    models.CharField(
                        blank=True,
                        help_text="The state or province, when it has holidays of its own, for example TX.",
                        max_length=20,
                        verbose_name="and of its part",
                    ),
                ),
                (
                    "holidays_kept_open",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Names of holidays on which this location is open as on any other day.",
                        verbose_name="holidays kept open",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical location",
                "verbose_name_plural": "historical locations",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalMailText",
            fields=[
                ("id", models.UUIDField(db_index=True, editable=False)),
                ("kind", models.CharField(editable=False, max_length=30, verbose_name="mail")),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("es", "Español")],
                        editable=False,
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                ("subject", models.CharField(max_length=120, verbose_name="subject")),
                ("heading", models.CharField(max_length=120, verbose_name="heading")),
                (
                    "text",
                    models.TextField(
                        help_text="An empty line begins a new paragraph.",
                        max_length=2000,
                        validators=[django.core.validators.MaxLengthValidator(2000)],
                        verbose_name="text",
                    ),
                ),
                (
                    "note",
                    models.TextField(
                        blank=True,
                        help_text="In small letters.",
                        max_length=600,
                        validators=[django.core.validators.MaxLengthValidator(600)],
                        verbose_name="note at the end",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(blank=True, editable=False, verbose_name="changed"),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical mail text",
                "verbose_name_plural": "historical mail texts",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalOnCall",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        help_text="1 is told at once, 2 when nobody has answered in time.",
                        verbose_name="told as number",
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="staff account",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical person on call",
                "verbose_name_plural": "historical people on call",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalPractice",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("phone", models.CharField(max_length=40, verbose_name="phone")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                (
                    "emergency_number",
                    models.CharField(
                        help_text="Shown on every emergency page: 911.",
                        max_length=20,
                        verbose_name="emergency number",
                    ),
                ),
                (
                    "advice_line",
                    models.CharField(
                        help_text="A nurse or health advice line patients may call when you are closed.",
                        max_length=40,
                        verbose_name="advice line",
                    ),
                ),
                (
                    "alert_email",
                    models.EmailField(
                        blank=True,
                        help_text="Read day and night by your team.",
                        max_length=254,
                        verbose_name="safety alerts go to",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="America/Chicago",
                        max_length=60,
                        validators=[clinic.models.practice.validate_time_zone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "staffed_hours",
                    models.JSONField(
                        default=clinic.models.practice.default_staffed_hours,
                        help_text="When somebody answers a safety alert: weekday number (0 is Monday) to a list of from and to times in the practice's time zone.",
                        verbose_name="staffed hours",
                    ),
                ),
                (
                    "on_call_enabled",
                    models.BooleanField(
                        default=False,
                        help_text="Somebody is told of safety alerts outside staffed hours too.",
                        verbose_name="on call when closed",
                    ),
                ),
                (
                    "strict_public_advice",
                    models.BooleanField(
                        default=False,
                        help_text="Raises rules T-S8, T-S10 and T-S15 to URGENT.",
                        verbose_name="strict public advice",
                    ),
                ),
                (
                    "minor_age",
                    models.PositiveSmallIntegerField(default=18, verbose_name="adult from age"),
                ),
                (
                    "min_age",
                    models.PositiveSmallIntegerField(default=5, verbose_name="youngest patient"),
                ),
                (
                    "signed_off_by",
                    models.CharField(
                        blank=True, max_length=120, verbose_name="clinical content signed off by"
                    ),
                ),
                (
                    "signed_off_licence",
                    models.CharField(blank=True, max_length=60, verbose_name="licence"),
                ),
                (
                    "signed_off_version",
                    models.CharField(blank=True, max_length=40, verbose_name="version signed"),
                ),
                (
                    "signed_off_on",
                    models.DateField(blank=True, null=True, verbose_name="signed on"),
                ),
                ("is_demo", models.BooleanField(default=False, editable=False)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical practice",
                "verbose_name_plural": "historical practice",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalPractitioner",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("title", models.CharField(blank=True, max_length=80, verbose_name="title")),
                (
                    "title_es",
                    models.CharField(blank=True, max_length=80, verbose_name="title (Spanish)"),
                ),
                ("bio", models.TextField(blank=True, verbose_name="about")),
                ("bio_es", models.TextField(blank=True, verbose_name="about (Spanish)")),
                (
                    "daily_sheet",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "No mail"),
                            ("evening", "The evening before"),
                            ("morning", "In the morning"),
                        ],
                        help_text="The day's visits, with initials only, to the address of the account.",
                        max_length=10,
                        verbose_name="daily sheet by e-mail",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical practitioner",
                "verbose_name_plural": "historical practitioners",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="MailText",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(editable=False, max_length=30, verbose_name="mail")),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("es", "Español")],
                        editable=False,
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                ("subject", models.CharField(max_length=120, verbose_name="subject")),
                ("heading", models.CharField(max_length=120, verbose_name="heading")),
                (
                    "text",
                    models.TextField(
                        help_text="An empty line begins a new paragraph.",
                        max_length=2000,
                        validators=[django.core.validators.MaxLengthValidator(2000)],
                        verbose_name="text",
                    ),
                ),
                (
                    "note",
                    models.TextField(
                        blank=True,
                        help_text="In small letters.",
                        max_length=600,
                        validators=[django.core.validators.MaxLengthValidator(600)],
                        verbose_name="note at the end",
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
            ],
            options={
                "verbose_name": "mail text",
                "verbose_name_plural": "mail texts",
                "ordering": ["kind", "language"],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "language"), name="mailtext_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="OnCall",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        help_text="1 is told at once, 2 when nobody has answered in time.",
                        verbose_name="told as number",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="on_call",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="staff account",
                    ),
                ),
            ],
            options={
                "verbose_name": "person on call",
                "verbose_name_plural": "people on call",
                "ordering": ["position", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Patient",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("phone", models.CharField(blank=True, max_length=40, verbose_name="phone")),
                (
                    "birth_date",
                    models.DateField(blank=True, null=True, verbose_name="date of birth"),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("es", "Español")],
                        default="en",
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                (
                    "contact_relation",
                    models.CharField(
                        choices=[
                            ("self", "The patient"),
                            ("guardian", "A parent or legal guardian"),
                            ("helper", "A relative who cares for the patient"),
                        ],
                        default="self",
                        max_length=10,
                        verbose_name="who is written to",
                    ),
                ),
                (
                    "guardian_name",
                    models.CharField(
                        blank=True, max_length=120, verbose_name="parent, guardian or relative"
                    ),
                ),
                (
                    "guardian_attested_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="said that they may book"
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        blank=True,
                        help_text="Only if the patient said so; else the clinic's zone is used.",
                        max_length=60,
                        validators=[clinic.models.practice.validate_time_zone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "mail_stops",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Kind of mail, and since when.",
                        verbose_name="stopped mails",
                    ),
                ),
                (
                    "declined_reminders",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Hours before a visit, of those that the service offers.",
                        verbose_name="reminders not wanted",
                    ),
                ),
                (
                    "email_bounced_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="e-mail bounced"),
                ),
                (
                    "erased_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="erased"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
            ],
            options={
                "verbose_name": "patient",
                "verbose_name_plural": "patients",
                "ordering": ["name"],
                "indexes": [
                    models.Index(Upper("email"), name="patient_email"),
                    models.Index(fields=["name"], name="clinic_pati_name_a4f33c_idx"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=30, verbose_name="kind")),
                ("step", models.CharField(blank=True, max_length=10, verbose_name="step")),
                ("subject_type", models.CharField(max_length=40, verbose_name="about")),
                ("subject_id", models.UUIDField(verbose_name="about id")),
                ("subject_version", models.PositiveIntegerField(default=0, verbose_name="version")),
                ("resend", models.PositiveSmallIntegerField(default=0, verbose_name="resend")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("unknown", "Answer lost"),
                            ("failed", "Failed"),
                            ("skipped", "Skipped"),
                        ],
                        default="planned",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=60, verbose_name="reason")),
                ("due_at", models.DateTimeField(verbose_name="due")),
                ("expires_at", models.DateTimeField(verbose_name="useful until")),
                ("next_attempt_at", models.DateTimeField(verbose_name="next attempt")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("claim", models.UUIDField(editable=False, null=True)),
                ("lease_until", models.DateTimeField(editable=False, null=True)),
                (
                    "handed_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="handed to the mail server"
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                (
                    "is_retried_after_unknown",
                    models.BooleanField(
                        default=False, verbose_name="sent again after a lost answer"
                    ),
                ),
                (
                    "bounced_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="came back"),
                ),
                (
                    "last_reply",
                    models.CharField(
                        blank=True, max_length=60, verbose_name="mail server's answer"
                    ),
                ),
                (
                    "raw",
                    models.BinaryField(
                        help_text="The mail as sent; kept in the demo only.", null=True
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="planned")),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="staff member",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="clinic.patient",
                        verbose_name="patient",
                    ),
                ),
            ],
            options={
                "verbose_name": "message",
                "verbose_name_plural": "messages",
                "ordering": ["-due_at"],
            },
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("visit", "One visit"),
                            ("intake", "Intake form"),
                            ("my-visits", "All visits"),
                            ("rescreen", "Safety check before a visit"),
                            ("check-in", "Weekly check-in"),
                            ("unsubscribe", "Stop reminders"),
                            ("waitlist", "Place on the waitlist"),
                            ("offer", "Offered time"),
                        ],
                        max_length=20,
                        verbose_name="purpose",
                    ),
                ),
                ("subject_id", models.UUIDField(blank=True, null=True, verbose_name="about id")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
                (
                    "failed_tries",
                    models.PositiveSmallIntegerField(default=0, verbose_name="failed tries"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                (
                    "message",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to="clinic.message",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to="clinic.patient",
                        verbose_name="patient",
                    ),
                ),
            ],
            options={
                "verbose_name": "link",
                "verbose_name_plural": "links",
            },
        ),
        migrations.CreateModel(
            name="EmergencyAccess",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "reason",
                    clinic.encryption.EncryptedTextField(max_length=300, verbose_name="reason"),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("expires_at", models.DateTimeField(verbose_name="until")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="emergency_accesses",
                        to="clinic.patient",
                        verbose_name="patient",
                    ),
                ),
            ],
            options={
                "verbose_name": "emergency access",
                "verbose_name_plural": "emergency accesses",
                "ordering": ["-opened_at"],
            },
        ),
        migrations.CreateModel(
            name="DeskTask",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("bounced", "Mail bounced: phone the patient"),
                            ("many-visits", "Many visits for one e-mail: check with the patient"),
                            ("worse", "Doing worse: offer an earlier visit"),
                            ("offer", "A time for somebody on the waitlist: phone them"),
                            ("of-age", "Of age now: ask for the patient's own e-mail"),
                            ("no-time", "No time within three working days: phone and find one"),
                        ],
                        max_length=20,
                        verbose_name="what to do",
                    ),
                ),
                ("subject_type", models.CharField(max_length=40, verbose_name="about")),
                ("subject_id", models.UUIDField(verbose_name="about id")),
                ("raised_at", models.DateTimeField(verbose_name="since")),
                ("done_at", models.DateTimeField(blank=True, null=True, verbose_name="done")),
                (
                    "done_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="done by",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="desk_tasks",
                        to="clinic.patient",
                        verbose_name="patient",
                    ),
                ),
            ],
            options={
                "verbose_name": "desk task",
                "verbose_name_plural": "desk tasks",
                "ordering": ["raised_at"],
            },
        ),
        migrations.CreateModel(
            name="Practice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("phone", models.CharField(max_length=40, verbose_name="phone")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                (
                    "emergency_number",
                    models.CharField(
                        help_text="Shown on every emergency page: 911.",
                        max_length=20,
                        verbose_name="emergency number",
                    ),
                ),
                (
                    "advice_line",
                    models.CharField(
                        help_text="A nurse or health advice line patients may call when you are closed.",
                        max_length=40,
                        verbose_name="advice line",
                    ),
                ),
                (
                    "alert_email",
                    models.EmailField(
                        blank=True,
                        help_text="Read day and night by your team.",
                        max_length=254,
                        verbose_name="safety alerts go to",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="America/Chicago",
                        max_length=60,
                        validators=[clinic.models.practice.validate_time_zone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "staffed_hours",
                    models.JSONField(
                        default=clinic.models.practice.default_staffed_hours,
                        help_text="When somebody answers a safety alert: weekday number (0 is Monday) to a list of from and to times in the practice's time zone.",
                        verbose_name="staffed hours",
                    ),
                ),
                (
                    "on_call_enabled",
                    models.BooleanField(
                        default=False,
                        help_text="Somebody is told of safety alerts outside staffed hours too.",
                        verbose_name="on call when closed",
                    ),
                ),
                (
                    "strict_public_advice",
                    models.BooleanField(
                        default=False,
                        help_text="Raises rules T-S8, T-S10 and T-S15 to URGENT.",
                        verbose_name="strict public advice",
                    ),
                ),
                (
                    "minor_age",
                    models.PositiveSmallIntegerField(default=18, verbose_name="adult from age"),
                ),
                (
                    "min_age",
                    models.PositiveSmallIntegerField(default=5, verbose_name="youngest patient"),
                ),
                (
                    "signed_off_by",
                    models.CharField(
                        blank=True, max_length=120, verbose_name="clinical content signed off by"
                    ),
                ),
                (
                    "signed_off_licence",
                    models.CharField(blank=True, max_length=60, verbose_name="licence"),
                ),
                (
                    "signed_off_version",
                    models.CharField(blank=True, max_length=40, verbose_name="version signed"),
                ),
                (
                    "signed_off_on",
                    models.DateField(blank=True, null=True, verbose_name="signed on"),
                ),
                ("is_demo", models.BooleanField(default=False, editable=False)),
            ],
            options={
                "verbose_name": "practice",
                "verbose_name_plural": "practice",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("pk", 1)), name="practice_single_row"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Practitioner",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("title", models.CharField(blank=True, max_length=80, verbose_name="title")),
                (
                    "title_es",
                    models.CharField(blank=True, max_length=80, verbose_name="title (Spanish)"),
                ),
                ("bio", models.TextField(blank=True, verbose_name="about")),
                ("bio_es", models.TextField(blank=True, verbose_name="about (Spanish)")),
                (
                    "daily_sheet",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "No mail"),
                            ("evening", "The evening before"),
                            ("morning", "In the morning"),
                        ],
                        help_text="The day's visits, with initials only, to the address of the account.",
                        max_length=10,
                        verbose_name="daily sheet by e-mail",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "locations",
                    models.ManyToManyField(
                        blank=True, to="clinic.location", verbose_name="locations"
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="practitioner",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "practitioner",
                "verbose_name_plural": "practitioners",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="CareTeamMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
                ("until", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="care_team",
                        to="clinic.patient",
                    ),
                ),
                (
                    "practitioner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="clinic.practitioner",
                    ),
                ),
            ],
            options={
                "verbose_name": "care team member",
                "verbose_name_plural": "care team members",
            },
        ),
        migrations.CreateModel(
            name="PrivacyNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.CharField(max_length=20, verbose_name="version")),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("es", "Español")],
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                ("text", models.TextField(verbose_name="text")),
                ("digest", models.CharField(max_length=64)),
                ("first_shown_at", models.DateTimeField(verbose_name="first agreed to")),
            ],
            options={
                "verbose_name": "privacy notice",
                "verbose_name_plural": "privacy notices",
                "ordering": ["-first_shown_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("version", "language", "digest"), name="privacynotice_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tick",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("completed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="tick_single_row")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["state", "next_attempt_at"], name="message_due"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["subject_type", "subject_id"], name="message_about"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                fields=("kind", "step", "subject_type", "subject_id", "subject_version", "resend"),
                name="message_once",
            ),
        ),
        migrations.AddIndex(
            model_name="link",
            index=models.Index(fields=["expires_at"], name="link_expires"),
        ),
        migrations.AddConstraint(
            model_name="emergencyaccess",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="emergencyaccess_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="emergencyaccess",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("opened_at"))),
                name="emergencyaccess_ends_later",
            ),
        ),
        migrations.AddConstraint(
            model_name="desktask",
            constraint=models.UniqueConstraint(
                condition=models.Q(("done_at", None)),
                fields=("kind", "subject_type", "subject_id"),
                name="desktask_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="careteammember",
            constraint=models.UniqueConstraint(
                fields=("patient", "practitioner"), name="careteammember_once"
            ),
        ),
    ]
