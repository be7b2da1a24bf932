"""Hours, breaks, limits and other rules of a practitioner, on one page and as lists."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.admin import ConfigurationAdmin
from clinic.admin.practice import PractitionerAdmin as PlainPractitionerAdmin
from clinic.languages import each_language
from clinic.models import Practitioner
from schedule.fields import DateInput, TimeInput
from schedule.models.catalogue import Equipment, Room
from schedule.models.hours import (
    Break,
    ExtraHours,
    OpeningHours,
    ReservedTime,
    ResourceHours,
    TimeOff,
    VisitLimit,
)


def warn_of_no_effect(request: HttpRequest, rules: Iterable[Break | ReservedTime]) -> None:
    """Warn the user who has just saved the rules about those that lie outside every shift."""
    for rule in rules:
        hours = OpeningHours.objects.filter(practitioner=rule.practitioner_id)
        if not rule.is_inside(list(hours)):
            messages.warning(
                request,
                _(
                    "%(kind)s, %(rule)s: outside every weekly shift there, or only partly inside "
                    "one. Please check the day and the times."
                )
                % {"kind": str(rule._meta.verbose_name).capitalize(), "rule": rule},
            )


# Django's own widgets say that times are the practice's: these are in the location's zone.
ON_THE_WALL: Any = {
    models.TimeField: {"widget": TimeInput},
    models.DateField: {"widget": DateInput},
}


class WeeklyRuleAdmin(ConfigurationAdmin):
    """Weekly rules, in the wall-clock time of the location's own zone."""

    list_display = [
        "practitioner",
        "weekday",
        "opens",
        "closes",
        "location",
        "valid_from",
        "valid_until",
    ]
    list_filter = ["practitioner", "location", "weekday"]
    list_select_related = ["practitioner", "location"]
    search_fields = ["practitioner__name", "location__name"]
    autocomplete_fields = ["practitioner", "location"]
    formfield_overrides = ON_THE_WALL


@admin.register(OpeningHours)
class OpeningHoursAdmin(WeeklyRuleAdmin):
    pass


@admin.register(Break)
class BreakAdmin(WeeklyRuleAdmin):
    def save_model(self, request: HttpRequest, obj: Break, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        warn_of_no_effect(request, [obj])


@admin.register(ReservedTime)
class ReservedTimeAdmin(WeeklyRuleAdmin):
    list_display = [
        "practitioner",
        "weekday",
        "opens",
        "closes",
        "level",
        "release_hours",
        "location",
        "valid_from",
        "valid_until",
    ]
    list_filter = ["level", "practitioner", "location", "weekday"]

    def save_model(
        self, request: HttpRequest, obj: ReservedTime, form: ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        warn_of_no_effect(request, [obj])


class FromTodayFilter(admin.SimpleListFilter):
    title = _("day")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("past", _("Past"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ExtraHours]
    ) -> QuerySet[ExtraHours]:
        yesterday = timezone.now().date() - timedelta(days=1)
        if self.value() == "past":
            return queryset.filter(date__lt=yesterday)
        return queryset if request.GET.get("q") else queryset.filter(date__gte=yesterday)


@admin.register(ExtraHours)
class ExtraHoursAdmin(ConfigurationAdmin):
    list_display = ["practitioner", "date", "opens", "closes", "location"]
    list_filter = [FromTodayFilter, "practitioner", "location"]
    list_select_related = ["practitioner", "location"]
    search_fields = ["practitioner__name", "location__name"]
    autocomplete_fields = ["practitioner", "location"]
    formfield_overrides = ON_THE_WALL


@admin.register(VisitLimit)
class VisitLimitAdmin(ConfigurationAdmin):
    list_display = ["who", "what", "most", "period"]
    list_display_links = ["who"]
    list_filter = ["period", "practitioner", "service"]
    list_select_related = ["practitioner", "service"]
    search_fields = ["practitioner__name", *each_language("service__name")]
    autocomplete_fields = ["practitioner", "service"]

    @admin.display(description=_("practitioner"), ordering="practitioner")
    def who(self, limit: VisitLimit) -> str:
        return str(limit.practitioner or _("Each practitioner"))

    @admin.display(description=_("service"), ordering="service")
    def what(self, limit: VisitLimit) -> str:
        return str(limit.service or _("All services"))


class LabelledFormSet(BaseInlineFormSet):
    """A formset whose fields have names for screen readers; column heads are visual only."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            # The admin wraps the widget of a foreign key, to add its buttons.
            widget = getattr(field.widget, "widget", field.widget)
            if field.label and not widget.is_hidden:
                widget.attrs.setdefault("aria-label", field.label)


class ResourceHoursInline(admin.TabularInline):
    model = ResourceHours
    formset = LabelledFormSet
    fields = ["weekday", "opens", "closes", "valid_from", "valid_until"]
    formfield_overrides = ON_THE_WALL
    extra = 0
    verbose_name_plural = _("hours it can be used (none: always)")


class ResourceAdmin(ConfigurationAdmin):
    list_display = ["name", "location", "kind", "is_active"]
    list_filter = ["location", "kind", "is_active"]
    list_select_related = ["location"]
    search_fields = ["name", "kind", "location__name"]
    autocomplete_fields = ["location"]
    inlines = [ResourceHoursInline]


@admin.register(Room)
class RoomAdmin(ResourceAdmin):
    pass


@admin.register(Equipment)
class EquipmentAdmin(ResourceAdmin):
    pass


class RuleFormSet(LabelledFormSet):
    @classmethod
    def get_default_prefix(cls) -> str:
        """Return the model's name: without a reverse relation, Django has no prefix for these."""
        return str(cls.model._meta.model_name)


class ShiftFormSet(RuleFormSet):
    """All shifts of one practitioner, compared with each other as they will be saved."""

    def _construct_form(self, *args: Any, **kwargs: Any) -> ModelForm:
        form = super()._construct_form(*args, **kwargs)
        form.instance.is_compared = True
        return form

    def clean(self) -> None:
        super().clean()
        earlier: list[OpeningHours] = []
        for form in self.forms:
            cleaned = getattr(form, "cleaned_data", None)
            if not cleaned or form.errors or cleaned.get("DELETE"):
                continue
            try:
                form.instance.refuse_overlap(earlier)
            except ValidationError as overlap:
                form.add_error(None, overlap)
            earlier.append(form.instance)


class ShiftsInline(admin.TabularInline):
    model = OpeningHours
    formset = ShiftFormSet
    fields = ["location", "weekday", "opens", "closes", "valid_from", "valid_until"]
    ordering = ["weekday", "opens"]
    formfield_overrides = ON_THE_WALL
    extra = 0
    verbose_name_plural = _("weekly shifts, in the time of the location")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpeningHours]:
        return super().get_queryset(request).select_related("location")


class BreaksInline(ShiftsInline):
    model = Break
    formset = RuleFormSet
    verbose_name_plural = _("weekly breaks")


class ReservedInline(BreaksInline):
    model = ReservedTime
    fields = [
        "location",
        "weekday",
        "opens",
        "closes",
        "level",
        "release_hours",
        "valid_from",
        "valid_until",
    ]
    verbose_name_plural = _("times kept for patients who have to be seen soon")


class ExtraHoursInline(admin.TabularInline):
    model = ExtraHours
    formset = RuleFormSet
    fields = ["location", "date", "opens", "closes"]
    formfield_overrides = ON_THE_WALL
    extra = 0
    verbose_name_plural = _("extra hours on one day")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExtraHours]:
        yesterday = timezone.now().date() - timedelta(days=1)
        return super().get_queryset(request).filter(date__gte=yesterday)


class TimeOffInline(admin.TabularInline):
    model = TimeOff
    formset = RuleFormSet
    fields = ["start", "end", "reason"]
    extra = 0
    verbose_name_plural = _("time off from now on")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimeOff]:
        return super().get_queryset(request).filter(end__gt=timezone.now())


class LimitsInline(admin.TabularInline):
    model = VisitLimit
    formset = RuleFormSet
    fields = ["service", "most", "period"]
    extra = 0
    verbose_name_plural = _("limits")


admin.site.unregister(Practitioner)


@admin.register(Practitioner)
class PractitionerAdmin(PlainPractitionerAdmin):
    """The practitioner, with every rule that decides when they can be booked."""

    inlines = [
        ShiftsInline,
        BreaksInline,
        ExtraHoursInline,
        TimeOffInline,
        ReservedInline,
        LimitsInline,
    ]

    def save_related(
        self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        touched = {ShiftsInline.model, BreaksInline.model, ReservedInline.model}
        if any(formset.model in touched and formset.has_changed() for formset in formsets):
            for model in (Break, ReservedTime):
                warn_of_no_effect(request, model.objects.filter(practitioner=form.instance))
