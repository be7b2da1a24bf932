"""The base of every admin page."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import ActionLocation
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from simple_history.template_utils import HistoricalRecordContextHelper

from clinic import days
from clinic.models import AuditEvent, Patient, Practice
from clinic.security import audit
from clinic.security.access import staff_user
from clinic.translated import TranslatedText

EVERYWHERE = [ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM]


class PlainKey:
    """A related row by its name only, where Django would link to a page without permission."""

    def __init__(self, field: models.ForeignKey, empty: str) -> None:
        self.field, self.empty = field, empty
        self.__name__, self.short_description = field.name, field.verbose_name

    def __call__(self, row: models.Model) -> str:
        return str(getattr(row, self.field.name) or self.empty)


class AuditedAdmin(admin.ModelAdmin):
    """Searches, changes and, if a patient is shown, reads write an audit row.

    Django's own admin log stays empty: it would keep a patient's name after erasure.
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

    def shut_keys(self, request: HttpRequest) -> list[models.ForeignKey]:
        """Return the keys to rows whose own page this member of staff may not view."""
        return [
            field
            for field in self.opts.fields
            if isinstance(field, models.ForeignKey)
            and self.admin_site.is_registered(field.related_model)
            and not self.admin_site.get_model_admin(field.related_model).has_view_permission(
                request
            )
        ]

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
        # Serves lists and autocomplete fields. The search text may be a name, so it is not stored.
        if search_term and request.method == "GET":
            audit.record(
                action=AuditEvent.Action.SEARCH,
                user=staff_user(request),
                subject=self.opts.label_lower,
            )
        return super().get_search_results(request, queryset, search_term)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Django lets the URL filter by every column of the model, also by one that the page
        # excludes: the number of rows found would then reveal its content.
        is_shown = lookup.partition("__")[0] not in (self.exclude or ())
        return is_shown and super().lookup_allowed(lookup, value, request)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Return the names of changed fields: an audit row contains names, never values."""
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


def replaced(fieldsets: Iterable[Any], by: Mapping[str, PlainKey | None]) -> list[Any]:
    """Return the fieldsets with some fields replaced, or left out if the replacement is None."""

    def fields(names: Iterable[Any]) -> list[Any]:
        # Some fields share a row.
        found = [
            fields(name) if isinstance(name, list | tuple) else by.get(name, name) for name in names
        ]
        return [name for name in found if name]

    return [
        (title, {**options, "fields": fields(options["fields"])}) for title, options in fieldsets
    ]


class ReadOnlyAdmin(AuditedAdmin):
    """Rows that only the program writes: staff can view them and use named actions on them.

    Saving a form would write back every column as it was when the form was opened. Actions need
    the permission ``operate``: the role may change such rows, through their methods.
    """

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        empty = self.get_empty_value_display()
        plain = {key.name: PlainKey(key, empty) for key in self.shut_keys(request)}
        return replaced(fieldsets, plain)

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        hidden = {self.opts.pk.name, *(self.exclude or ())}
        return [field.name for field in self.opts.fields if field.name not in hidden]


class ChangeInWords(HistoricalRecordContextHelper):
    """Shows a changed text in every language; ``str()`` would give only the active one."""

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        value = super().prepare_delta_change_value(change, value)
        if isinstance(value, TranslatedText):
            return ", ".join(f"{code}: {text}" for code, text in value.items())
        return value


class ConfigurationAdmin(SimpleHistoryAdmin, AuditedAdmin):
    """Settings of the practice: every version is kept and can be read, but not restored."""

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        # The package's own pages show them too, and cannot show a key as plain text.
        return replaced(fieldsets, dict.fromkeys(key.name for key in self.shut_keys(request)))

    def revert_disabled(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return True

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # The package would let anyone who may view a version save it.
        if request.method != "GET":
            raise PermissionDenied
        return super().history_form_view(request, object_id, version_id, extra_context)

    def history_view_title(self, request: HttpRequest, obj: models.Model) -> str:
        # The package's own text is in English only.
        return _("History: %(name)s") % {"name": obj}

    def get_historical_record_context_helper(
        self, request: HttpRequest, historical_record: Any
    ) -> HistoricalRecordContextHelper:
        return ChangeInWords(self.model, historical_record)

    def get_history_queryset(
        self, request: HttpRequest, history_manager: Any, pk_name: str, object_id: Any
    ) -> QuerySet:
        # As the original, which calls select_related() without names for a model without keys.
        tracked = history_manager.model.tracked_fields
        keys = [field.name for field in tracked if isinstance(field, models.ForeignKey)]
        versions = history_manager.filter(**{pk_name: object_id})
        return versions.select_related("history_user", *keys)


class DayFilter(admin.SimpleListFilter):
    """Days of the practice's calendar, compared as instants. Subclasses name the field."""

    title = _("day")
    parameter_name = "day"
    field = ""
    # The rows of a list without filters; a search covers all rows.
    default: str | None = None
    # First and last day of each choice, counted from today; None means no limit.
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
