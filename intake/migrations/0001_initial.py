import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import intake.models.responses


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("clinic", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PrivateNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField(max_length=2000, verbose_name="note")),
                ("written_at", models.DateTimeField(verbose_name="written")),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="private_notes",
                        to="clinic.patient",
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="written by",
                    ),
                ),
            ],
            options={
                "verbose_name": "private note",
                "verbose_name_plural": "private notes",
                "ordering": ["-written_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Questionnaire",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("url", models.CharField(max_length=200, verbose_name="canonical address")),
                ("version", models.CharField(max_length=20, verbose_name="version")),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("content", models.JSONField(verbose_name="content")),
                (
                    "published_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="published"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
            ],
            options={
                "verbose_name": "questionnaire",
                "verbose_name_plural": "questionnaires",
                "ordering": ["url", "-published_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("url", "version"), name="questionnaire_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="QuestionnaireResponse",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("visitor_hash", models.CharField(blank=True, db_index=True, max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("in-progress", "In progress"),
                            ("completed", "Completed"),
                            ("amended", "Amended"),
                        ],
                        default="in-progress",
                        max_length=12,
                        verbose_name="status",
                    ),
                ),
                ("items", models.JSONField(default=list, verbose_name="answers")),
                ("pages_done", models.JSONField(default=list)),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("es", "Español")], default="en", max_length=8
                    ),
                ),
                (
                    "level",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "Routine"), (1, "Soon"), (2, "Urgent"), (3, "Emergency")],
                        default=0,
                        verbose_name="level",
                    ),
                ),
                ("rules", models.JSONField(default=list, verbose_name="rules that fired")),
                ("rule_set_version", models.CharField(blank=True, max_length=20)),
                (
                    "safety_answered_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="safety answers given"
                    ),
                ),
                (
                    "submitted_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="submitted"),
                ),
                (
                    "signed_by",
                    models.CharField(blank=True, max_length=120, verbose_name="signed by"),
                ),
                (
                    "signer_role",
                    models.CharField(blank=True, max_length=20, verbose_name="signer's role"),
                ),
                (
                    "notice_version",
                    models.CharField(
                        blank=True, max_length=20, verbose_name="privacy notice version"
                    ),
                ),
                ("answers_hash", models.CharField(blank=True, max_length=64)),
                (
                    "reviewed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="reviewed"),
                ),
                ("revision", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="started")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="last saved")),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="questionnaire_responses",
                        to="clinic.patient",
                        verbose_name="patient",
                    ),
                ),
                (
                    "questionnaire",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="intake.questionnaire",
                        verbose_name="questionnaire",
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="reviewed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "intake answers",
                "verbose_name_plural": "intake answers",
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Observation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=60, verbose_name="what")),
                (
                    "value",
                    models.DecimalField(decimal_places=3, max_digits=9, verbose_name="value"),
                ),
                ("unit", models.CharField(blank=True, max_length=20, verbose_name="unit")),
                ("effective_at", models.DateTimeField(verbose_name="when")),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="observations",
                        to="clinic.patient",
                    ),
                ),
                (
                    "response",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="observations",
                        to="intake.questionnaireresponse",
                    ),
                ),
            ],
            options={
                "verbose_name": "observation",
                "verbose_name_plural": "observations",
            },
        ),
        migrations.CreateModel(
            name="LoweredLevel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "rules_level",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "Routine"), (1, "Soon"), (2, "Urgent"), (3, "Emergency")],
                        verbose_name="level by the rules",
                    ),
                ),
                (
                    "level",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "Routine"), (1, "Soon"), (2, "Urgent"), (3, "Emergency")],
                        verbose_name="level",
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("lowered_at", models.DateTimeField(verbose_name="lowered")),
                (
                    "lowered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="lowered by",
                    ),
                ),
                (
                    "response",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lowered_levels",
                        to="intake.questionnaireresponse",
                    ),
                ),
            ],
            options={
                "verbose_name": "lowered level",
                "verbose_name_plural": "lowered levels",
                "ordering": ["-lowered_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="SafetyAlert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        default=intake.models.responses.new_reference_code,
                        editable=False,
                        max_length=6,
                        unique=True,
                        verbose_name="reference code",
                    ),
                ),
                ("visitor_hash", models.CharField(blank=True, db_index=True, max_length=64)),
                (
                    "level",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "Routine"), (1, "Soon"), (2, "Urgent"), (3, "Emergency")],
                        verbose_name="level",
                    ),
                ),
                ("rules", models.JSONField(default=list, verbose_name="rules")),
                ("raised_at", models.DateTimeField(verbose_name="raised")),
                (
                    "callback_name",
                    models.CharField(blank=True, max_length=120, verbose_name="name to call"),
                ),
                (
                    "callback_phone",
                    models.CharField(blank=True, max_length=40, verbose_name="phone to call"),
                ),
                (
                    "callback_birth_date",
                    models.DateField(blank=True, null=True, verbose_name="date of birth"),
                ),
                (
                    "acknowledged_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="acknowledged"),
                ),
                (
                    "booking_reopened_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="booking reopened"),
                ),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="acknowledged by",
                    ),
                ),
                (
                    "booking_reopened_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="booking reopened by",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="safety_alerts",
                        to="clinic.patient",
                        verbose_name="patient",
                    ),
                ),
                (
                    "response",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="safety_alerts",
                        to="intake.questionnaireresponse",
                    ),
                ),
            ],
            options={
                "verbose_name": "safety alert",
                "verbose_name_plural": "safety alerts",
                "ordering": ["-raised_at"],
            },
        ),
        migrations.AddConstraint(
            model_name="questionnaireresponse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("patient__isnull", False),
                    models.Q(("visitor_hash", ""), _negated=True),
                    _connector="OR",
                ),
                name="questionnaireresponse_has_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="observation",
            constraint=models.UniqueConstraint(
                fields=("response", "code"), name="observation_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="loweredlevel",
            constraint=models.CheckConstraint(
                condition=models.Q(("level__lt", models.F("rules_level"))),
                name="loweredlevel_is_lower",
            ),
        ),
        migrations.AddConstraint(
            model_name="loweredlevel",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="loweredlevel_has_reason"
            ),
        ),
    ]
