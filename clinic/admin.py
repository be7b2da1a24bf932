"""The practice's own admin pages, and what every admin page of ours has in common."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.admin.options import ActionLocation
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext
from simple_history.admin import SimpleHistoryAdmin

from clinic import accounts, audit, days, outbox
from clinic.access import staff_user
from clinic.models import (
    AuditEvent,
    DeskTask,
    EmergencyAccess,
    Link,
    Location,
    Message,
    Patient,
    Practice,
    Practitioner,
    User,
)

EVERYWHERE = [ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM]

# Words of Django's own admin pages that it has no Spanish for yet.
gettext_noop("- Select an option -")
gettext_noop("Run")
gettext_noop("Search %(name)s")
gettext_noop("Pagination %(name)s")


class AuditedAdmin(admin.ModelAdmin):
    """Searches, changes and, where a patient is shown, reads leave an audit row.

    Django's own admin log stays empty: it would keep a patient's name past erasure.
    """

    reads_are_audited = False

    def patient_id_of(self, row: models.Model) -> UUID | None:
        return row.pk if isinstance(row, Patient) else getattr(row, "patient_id", None)

    def record(
        self, action: str, request: HttpRequest, row: models.Model, fields: Iterable[str] = ()
    ) -> None:
        audit.record(
            action=action,
            user=staff_user(request),
            subject=row,
            patient_id=self.patient_id_of(row),
            fields=fields,
        )

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> models.Model | None:
        row = super().get_object(request, object_id, from_field)
        if row is not None and self.reads_are_audited and request.method == "GET":
            self.record(AuditEvent.Action.READ, request, row)
        return row

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        # Serves lists and autocomplete fields. What was typed may be a name: it is not kept.
        if search_term and request.method == "GET":
            audit.record(
                action=AuditEvent.Action.SEARCH,
                user=staff_user(request),
                subject=self.opts.label_lower,
            )
        return super().get_search_results(request, queryset, search_term)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Django lets the address bar filter by every column of the model, also by one that the
        # page leaves out: the number of rows found would then tell what is in it.
        is_shown = lookup.partition("__")[0] not in (self.exclude or ())
        return is_shown and super().lookup_allowed(lookup, value, request)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Return the names of what was changed: an audit row holds names, never values."""
        names = set(form.changed_data)
        for formset in formsets or ():
            names |= {
                f"{formset.prefix}.{name}"
                for inline in formset.forms
                for name in inline.changed_data
            }
        return sorted(names)

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        self.record(AuditEvent.Action.CREATE, request, obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        fields = message if isinstance(message, list) else []
        self.record(AuditEvent.Action.CHANGE, request, obj, fields)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> Any:
        for row in queryset:
            self.record(AuditEvent.Action.DELETE, request, row)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        raise Http404


class ReadOnlyAdmin(AuditedAdmin):
    """Rows that only the program writes: to be looked at, and acted on by named actions.

    Saving a form would write back every column as it was when the form was opened. Actions ask
    for the permission ``operate``: the role may change such rows, through their verbs.
    """

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        hidden = {self.opts.pk.name, *(self.exclude or ())}
        return [field.name for field in self.opts.fields if field.name not in hidden]


class ConfigurationAdmin(SimpleHistoryAdmin, AuditedAdmin):
    """Settings of the practice: every version is kept, and can be looked at but not revived."""

    def revert_disabled(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return True

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # The package would save what is posted here for whoever may look at it.
        if request.method != "GET":
            raise PermissionDenied
        return super().history_form_view(request, object_id, version_id, extra_context)

    def get_history_queryset(
        self, request: HttpRequest, history_manager: Any, pk_name: str, object_id: Any
    ) -> QuerySet:
        # As the original does, which names nothing to select_related() for a model without keys.
        tracked = history_manager.model.tracked_fields
        keys = [field.name for field in tracked if isinstance(field, models.ForeignKey)]
        versions = history_manager.filter(**{pk_name: object_id})
        return versions.select_related("history_user", *keys)


class DayFilter(admin.SimpleListFilter):
    """Days of the practice's calendar, compared as instants. Subclasses name the field."""

    title = _("day")
    parameter_name = "day"
    field = ""
    # What an untouched list shows; a search looks through everything.
    default: str | None = None
    # First and last day of each choice, counted from today; None is open.
    ranges: dict[str, tuple[Any, int | None, int | None]] = {
        "today": (_("Today"), 0, 0),
        "week": (_("Past 7 days"), -6, 0),
        "month": (_("Past 30 days"), -29, 0),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(key, label) for key, (label, _first, _last) in self.ranges.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        key = self.value() or (None if request.GET.get("q") else self.default)
        if key not in self.ranges:
            return queryset
        _label, first, last = self.ranges[key]
        zone = Practice.current().zone
        today = days.local_date(timezone.now(), zone)
        if first is not None:
            start, _end = days.instants(today + timedelta(days=first), today, zone)
            queryset = queryset.filter(**{f"{self.field}__gte": start})
        if last is not None:
            _start, end = days.instants(today, today + timedelta(days=last), zone)
            queryset = queryset.filter(**{f"{self.field}__lt": end})
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        if self.default is None:
            yield from super().choices(changelist)
            return
        chosen = self.value() or self.default
        for key, label in [*self.lookup_choices, ("all", _("All"))]:
            yield {
                "selected": chosen == key,
                "query_string": changelist.get_query_string({self.parameter_name: key}),
                "display": label,
            }


@admin.register(Practice)
class PracticeAdmin(ConfigurationAdmin):
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
                    "staffed_hours",
                    "on_call_enabled",
                    "strict_public_advice",
                ]
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
    list_display = ["name", "full_address", "phone", "time_zone", "is_active"]
    list_filter = ["is_active", "time_zone"]
    search_fields = ["name", "city"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Practitioner)
class PractitionerAdmin(ConfigurationAdmin):
    list_display = ["name", "title", "where", "user", "is_active"]
    list_filter = ["is_active", "locations"]
    list_select_related = ["user"]
    search_fields = ["name", "title"]
    autocomplete_fields = ["user", "locations"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Practitioner]:
        return super().get_queryset(request).prefetch_related("locations")

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
    """Accounts are made here, and the manager who makes one vouches for its address."""

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
        # The audit record names its people: an account is switched off, never removed.
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


class MailDayFilter(DayFilter):
    title = _("due")
    field = "due_at"


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["due_at", "what", "patient", "user", "state", "reason", "attempts", "sent_at"]
    list_filter = [MailDayFilter, "state", "kind"]
    list_select_related = ["patient", "user"]
    search_fields = ["patient__name", "patient__email"]
    search_help_text = _("Name or e-mail of the patient")
    show_full_result_count = False
    exclude = ["raw", "claim", "lease_until"]
    actions = ["send_again"]
    reads_are_audited = True

    @admin.display(description=_("mail"), ordering="kind")
    def what(self, message: Message) -> str:
        return str(message)

    @admin.action(description=_("Send again"), location=EVERYWHERE, permissions=["operate"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        sent = list(queryset)
        for message in sent:
            outbox.resend(message, now=timezone.now())
            self.record(AuditEvent.Action.CHANGE, request, message, ["resend"])
        self.message_user(
            request,
            ngettext(
                "%(count)d mail is on its way.", "%(count)d mails are on their way.", len(sent)
            )
            % {"count": len(sent)},
            messages.SUCCESS,
        )


@admin.register(DeskTask)
class DeskTaskAdmin(ReadOnlyAdmin):
    list_display = ["raised_at", "kind", "patient", "done_at", "done_by"]
    list_filter = [("done_at", admin.EmptyFieldListFilter), "kind"]
    list_select_related = ["patient", "done_by"]
    search_fields = ["patient__name", "patient__email"]
    search_help_text = _("Name or e-mail of the patient")
    show_full_result_count = False
    exclude = ["subject_type", "subject_id"]
    actions = ["mark_done"]
    reads_are_audited = True

    @admin.action(description=_("Done"), location=EVERYWHERE, permissions=["operate"])
    def mark_done(self, request: HttpRequest, queryset: QuerySet[DeskTask]) -> None:
        now = timezone.now()
        done = [task for task in queryset if task.finish(by=staff_user(request), now=now)]
        for task in done:
            self.record(AuditEvent.Action.CHANGE, request, task, ["done_at"])
        self.message_user(
            request,
            ngettext("%(count)d task is done.", "%(count)d tasks are done.", len(done))
            % {"count": len(done)},
            messages.SUCCESS,
        )


@admin.register(Link)
class LinkAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "purpose", "patient", "expires_at", "revoked_at"]
    list_filter = ["purpose"]
    list_select_related = ["patient"]
    search_fields = ["patient__name", "patient__email"]
    show_full_result_count = False
    exclude = ["token_hash"]
    actions = ["revoke"]
    reads_are_audited = True

    @admin.action(description=_("Revoke"), location=EVERYWHERE, permissions=["operate"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Link]) -> None:
        live = list(queryset.filter(revoked_at=None))
        for link in live:
            self.record(AuditEvent.Action.CHANGE, request, link, ["revoked_at"])
        Link.objects.filter(pk__in=[link.pk for link in live]).update(revoked_at=timezone.now())
        self.message_user(
            request,
            ngettext(
                "%(count)d link opens nothing any more.",
                "%(count)d links open nothing any more.",
                len(live),
            )
            % {"count": len(live)},
            messages.SUCCESS,
        )


class OpenedDayFilter(DayFilter):
    title = _("opened")
    field = "opened_at"


@admin.register(EmergencyAccess)
class EmergencyAccessAdmin(ReadOnlyAdmin):
    """For managers to ask about: every record that was opened outside the care team."""

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
