"""The practice's own pages: settings, people, tasks of the front desk, the record of access."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import (
    EVERYWHERE,
    AuditedAdmin,
    ConfigurationAdmin,
    DayFilter,
    ReadOnlyAdmin,
)
from clinic.forms import LocationForm, PracticeForm
from clinic.languages import each_language
from clinic.models import (
    AuditEvent,
    DeskTask,
    EmergencyAccess,
    Location,
    Practice,
    Practitioner,
    User,
)
from clinic.security import accounts
from clinic.security.access import staff_user
from clinic.translated import in_default_language


@admin.register(Practice)
class PracticeAdmin(ConfigurationAdmin):
    form = PracticeForm
    list_display = ["name", "phone", "email", "time_zone", "signed_off_on"]
    search_fields = ["name"]
    list_filter = ["on_call_enabled"]
    fieldsets = [
        (None, {"fields": ["name", "phone", "email", "time_zone"]}),
        (
            _("Safety"),
            {
                "fields": [
                    "emergency_number",
                    "advice_line",
                    "alert_email",
                    "on_call_enabled",
                    "strict_public_advice",
                ]
            },
        ),
        (
            _("Staffed hours"),
            {
                "description": _(
                    "When somebody answers a safety alert, in the practice's time zone: "
                    "08:00-12:00, 13:00-18:00. Leave a day empty when nobody is there."
                ),
                "fields": PracticeForm.days,
            },
        ),
        (_("Ages"), {"fields": ["minor_age", "min_age"]}),
        (
            _("Clinical sign-off"),
            {
                "fields": [
                    "signed_off_by",
                    "signed_off_licence",
                    "signed_off_version",
                    "signed_off_on",
                ]
            },
        ),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Practice.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(Location)
class LocationAdmin(ConfigurationAdmin):
    form = LocationForm
    list_display = ["name", "full_address", "phone", "time_zone", "is_active"]
    list_filter = ["is_active", "time_zone"]
    search_fields = ["name", "city"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "phone", "is_active"]}),
        (
            _("Where"),
            {
                "fields": [
                    "address",
                    "city",
                    "region",
                    "postal_code",
                    "time_zone",
                    "map_url",
                    "directions",
                ]
            },
        ),
        (
            _("Public holidays"),
            {"fields": ["holiday_country", "holiday_subdivision", "holidays_kept_open"]},
        ),
    ]


@admin.register(Practitioner)
class PractitionerAdmin(ConfigurationAdmin):
    list_display = ["name", "profession", "where", "user", "is_active"]
    list_filter = ["is_active", "locations"]
    list_select_related = ["user"]
    search_fields = ["name", *each_language("title")]
    autocomplete_fields = ["user", "locations"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Practitioner]:
        return super().get_queryset(request).prefetch_related("locations")

    @admin.display(description=_("title"), ordering=in_default_language("title"))
    def profession(self, practitioner: Practitioner) -> str:
        return str(practitioner.title)

    @admin.display(description=_("locations"))
    def where(self, practitioner: Practitioner) -> str:
        return ", ".join(location.name for location in practitioner.locations.all())


class AccountCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email",)


class AccountChangeForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
@method_decorator(reauthentication_required(), name="changeform_view")
class StaffAccountAdmin(AuditedAdmin, UserAdmin):
    """Accounts are created here, and the manager who creates one confirms its address."""

    form, add_form = AccountChangeForm, AccountCreationForm
    list_display = ["email", "full_name", "role", "second_factor", "is_active", "last_login"]
    list_filter = ["role", "is_active"]
    search_fields = ["email", "first_name", "last_name"]
    ordering = ["email"]
    filter_horizontal = ()
    readonly_fields = ["last_login", "date_joined"]
    actions = ["reset_second_factor", "sign_out_everywhere"]
    add_fieldsets = [
        (None, {"fields": ["email", "first_name", "last_name", "role", "language"]}),
        (_("First password"), {"fields": ["usable_password", "password1", "password2"]}),
    ]
    fieldsets = [
        (None, {"fields": ["email", "first_name", "last_name", "role", "language"]}),
        (_("Access"), {"fields": ["is_active", "password", "last_login", "date_joined"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        enrolled = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
        return super().get_queryset(request).annotate(has_second_factor=Exists(enrolled))

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        # The audit record refers to its people: an account is deactivated, never deleted.
        return False

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change or "email" in form.changed_data:
            accounts.vouch_for_address(obj)
        if change and {"is_active", "role", "email"} & set(form.changed_data):
            accounts.end_sessions(obj)

    @admin.display(description=_("name"), ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description=_("second factor"), boolean=True)
    def second_factor(self, user: User) -> bool:
        return user.has_second_factor  # type: ignore[attr-defined]

    @admin.action(
        description=_("Reset the second factor"), location=EVERYWHERE, permissions=["change"]
    )
    def reset_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            accounts.reset_second_factor(user)
            self.record(AuditEvent.Action.CHANGE, request, user, ["second_factor"])
        self.message_user(
            request,
            _("At the next sign-in a new second factor is set up."),
            messages.SUCCESS,
        )

    @admin.action(description=_("Sign out everywhere"), location=EVERYWHERE, permissions=["change"])
    def sign_out_everywhere(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            accounts.end_sessions(user)
            self.record(AuditEvent.Action.CHANGE, request, user, ["sessions"])
        self.message_user(request, _("Signed out everywhere."), messages.SUCCESS)


class DoneFilter(admin.EmptyFieldListFilter):
    """Shows "To do" and "Done" instead of the admin's "Empty" and "Not empty"."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("state")

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        words = [_("All"), _("To do"), pgettext_lazy("task", "Done")]
        for choice, label in zip(super().choices(changelist), words, strict=True):
            yield {**choice, "display": label}


@admin.register(DeskTask)
class DeskTaskAdmin(ReadOnlyAdmin):
    list_display = ["raised_at", "kind", "patient", "phone", "done_at", "done_by"]
    list_filter = [("done_at", DoneFilter), "kind"]
    list_select_related = ["patient", "done_by"]
    search_fields = ["patient__name", "patient__email"]
    search_help_text = _("Name or e-mail of the patient")
    show_full_result_count = False
    exclude = ["subject_type", "subject_id"]
    actions = ["mark_done"]
    reads_are_audited = True

    @admin.display(description=_("phone"))
    def phone(self, task: DeskTask) -> str:
        return task.patient.phone if task.patient else ""

    @admin.action(
        description=pgettext_lazy("task", "Done"), location=EVERYWHERE, permissions=["operate"]
    )
    def mark_done(self, request: HttpRequest, queryset: QuerySet[DeskTask]) -> None:
        now = timezone.now()
        done = [task for task in queryset if task.finish(by=staff_user(request), now=now)]
        for task in done:
            self.record(AuditEvent.Action.CHANGE, request, task, ["done_at"])
        self.message_user(
            request,
            ngettext("%(count)d task is done.", "%(count)d tasks are done.", len(done))
            % {"count": len(done)}
            if done
            else gettext("Done already."),
            messages.SUCCESS if done else messages.WARNING,
        )


class OpenedDayFilter(DayFilter):
    field = "opened_at"


@admin.register(EmergencyAccess)
class EmergencyAccessAdmin(ReadOnlyAdmin):
    """For review by managers: every record that was opened outside the care team."""

    list_display = ["opened_at", "user", "patient", "reason", "expires_at"]
    list_filter = [OpenedDayFilter]
    list_select_related = ["user", "patient"]
    search_fields = ["user__email", "patient__name"]
    search_help_text = _("Patient, or the e-mail of a member of staff")
    reads_are_audited = True


class AuditDayFilter(DayFilter):
    field = "at"


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "user", "action", "subject_type", "subject_id", "patient_id", "names"]
    list_filter = [AuditDayFilter, "action"]
    list_select_related = ["user"]
    search_fields = ["=subject_id", "user__email"]
    search_help_text = _("A record's or patient's id, or the e-mail of a member of staff")
    show_full_result_count = False
    list_per_page = 50

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        try:
            record_id = UUID(search_term.strip())
        except ValueError:
            return found, may_repeat
        about = Q(patient_id=record_id) | Q(subject_id=str(record_id))
        return queryset.filter(about), may_repeat

    @admin.display(description=_("fields"))
    def names(self, event: AuditEvent) -> str:
        return ", ".join(event.fields)
