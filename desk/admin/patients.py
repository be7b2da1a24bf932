"""The front desk's page of a patient: contact details and visits, without answers."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import EmailField, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from booking.appointments.mail_schedule import REMINDER
from booking.mails.preferences import MailChoicesForm, every_offset, retime_reminders
from booking.models import Appointment
from clinic import wordings
from clinic.admin import AuditedAdmin
from clinic.models import Patient, Role
from clinic.plain_text import MailAddressField
from clinic.security.access import staff_user
from desk.admin import erase_patient
from schedule.models import Service


class MailFilter(admin.SimpleListFilter):
    title = _("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("bounced", _("E-mail bounced")),
            ("stopped", _("Reminders stopped")),
            ("none", _("No e-mail")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Patient]) -> QuerySet[Patient]:
        match self.value():
            case "bounced":
                return queryset.exclude(email_bounced_at=None)
            case "stopped":
                return queryset.filter(mail_stops__has_key=REMINDER)
            case "none":
                return queryset.filter(email="")
        return queryset


class VisitsOfPatient(admin.TabularInline):
    model = Appointment
    verbose_name_plural = _("visits")
    fields = ["service", "practitioner", "location", "status"]
    readonly_fields = ["service", "practitioner", "location", "status"]
    ordering = ["-start"]
    max_num = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appointment]:
        # The inline filters this by its patient.
        return Appointment.objects.visible_to(request.user).select_related(
            "patient", "service", "practitioner", "location"
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PatientForm(MailChoicesForm):
    """The patient's own choices, and the data that the front desk keeps."""

    class Meta(MailChoicesForm.Meta):
        fields = [
            *("name", "birth_date", "phone", "email", "contact_relation", "guardian_name"),
            *MailChoicesForm.Meta.fields,
        ]
        error_messages = {"name": {"required": _("Type the name.")}}
        labels: dict[str, Any] = {}
        widgets: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        services = Service.objects.filter(is_active=True)
        super().__init__(*args, offsets=every_offset(services), **kwargs)
        fields: dict[str, Any] = self.fields
        fields["reminders"].label = _("Reminders")
        fields["time_zone"].label = _("Time zone")
        fields["time_zone"].help_text = Patient._meta.get_field("time_zone").help_text


@admin.register(Patient)
class PatientAdmin(AuditedAdmin):
    form = PatientForm
    list_display = ["name", "birth_date", "phone", "email", "reachable", "next_visit"]
    list_filter = [MailFilter, "language"]
    search_fields = ["name", "email", "phone"]
    search_help_text = _("Name, e-mail or phone")
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = [
        "add_visit",
        "erase",
        "guardian_attested_at",
        "email_bounced_at",
        "created_at",
    ]
    fieldsets = [
        (None, {"fields": ["name", "birth_date", "phone", "email"]}),
        (
            _("Booked by somebody else"),
            {"fields": ["contact_relation", "guardian_name", "guardian_attested_at"]},
        ),
        (
            _("Mail"),
            {"fields": ["language", "reminders", "time_zone", "email_bounced_at", "created_at"]},
        ),
    ]
    inlines = [VisitsOfPatient]
    formfield_overrides = {EmailField: {"form_class": MailAddressField}}
    reads_are_audited = True

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        (title, first), *others = super().get_fieldsets(request, obj)
        if obj is not None and request.user.has_perm("booking.add_appointment"):
            first = first | {"fields": [*first["fields"], "add_visit"]}
        shown = [(title, first), *others]
        if obj is not None and staff_user(request).role == Role.MANAGER:
            shown.append((_("Erasing"), {"fields": ["erase"]}))
        return shown

    def get_urls(self) -> list[URLPattern]:
        page = partial(erase_patient.erase, model_admin=self)
        return [
            path(
                "<uuid:patient_id>/erase/",
                self.admin_site.admin_view(page),
                name="clinic_patient_erase",
            ),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Patient]:
        coming = Appointment.objects.filter(
            patient=OuterRef("pk"),
            status=Appointment.Status.BOOKED,
            start__gte=timezone.now(),
        ).order_by("start")
        return Patient.objects.visible_to(request.user).annotate(
            next_start=Subquery(coming.values("start")[:1])
        )

    def save_model(self, request: HttpRequest, obj: Patient, form: Any, change: bool) -> None:
        now = timezone.now()
        with transaction.atomic():
            form.apply(obj, now=now)
            super().save_model(request, obj, form, change)
            if "time_zone" in form.changed_data:
                retime_reminders(obj, now=now)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Erasing a patient is more than deleting a row: its own page does all of it.
        return False

    @admin.display(description=_("next visit"), ordering="next_start")
    def next_visit(self, patient: Patient) -> Any:
        return patient.next_start  # type: ignore[attr-defined]

    @admin.display(description=_("mail"))
    def reachable(self, patient: Patient) -> Any:
        if not patient.email:
            return _("No e-mail")
        if patient.email_bounced_at:
            return _("E-mail bounced: please phone")
        return _("Reminders stopped") if patient.has_stopped(REMINDER) else ""

    @admin.display(description=_("this record"))
    def erase(self, patient: Patient) -> str:
        return format_html(
            '<a class="deletelink" href="{}">{}</a>',
            reverse("admin:clinic_patient_erase", args=[patient.pk]),
            _("Erase the patient…"),
        )

    @admin.display(description=_("reminders"))
    def reminders(self, patient: Patient) -> Any:
        """Return the chosen reminders as text, for users who may only view."""
        if patient.has_stopped(REMINDER):
            return _("Reminders stopped")
        declined = ", ".join(wordings.offset_label(hours) for hours in patient.declined_reminders)
        return _("Not wanted: %(which)s") % {"which": declined} if declined else _("All")

    @admin.display(description=_("visit"))
    def add_visit(self, patient: Patient) -> str:
        whose = f"?patient={patient.pk}"
        return format_html(
            '<a href="{}">{}</a> · <a href="{}">{}</a> · <a href="{}">{}</a>',
            reverse("admin:booking_appointment_questions", args=[patient.pk]),
            _("Add visit"),
            reverse("admin:booking_series_add") + whose,
            _("Add series"),
            reverse("admin:booking_waitlistentry_add") + whose,
            _("Add to the waitlist"),
        )
