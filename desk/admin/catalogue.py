"""The admin of services, closures and time off; every version of these rows is kept."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from clinic.admin import ConfigurationAdmin, DayFilter
from clinic.languages import each_language
from clinic.models import Practice
from clinic.translated import in_default_language
from desk.admin.why_not_free import why
from intake.models import Questionnaire
from intake.rules.tags import Tag
from schedule.models.catalogue import Service
from schedule.models.hours import Closure, TimeOff


class FromNowFilter(DayFilter):
    """Planned absences; by default the list shows those that are not over."""

    title = _("day")
    field = "end"
    default = "current"
    ranges = {"current": (_("Now and later"), 0, None), "past": (_("Past 30 days"), -29, 0)}


@admin.register(Service)
class ServiceAdmin(ConfigurationAdmin):
    list_display = [
        "service",
        "lengths",
        "booking_mode",
        "is_first_visit",
        "buffer_after",
        "room_kind",
        "equipment_kind",
        "position",
        "is_active",
    ]
    list_filter = ["booking_mode", "is_first_visit", "is_active", "practitioners"]
    search_fields = [*each_language("name"), "slug"]
    autocomplete_fields = ["unlocked_by", "practitioners", "questionnaire"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "description", "preparation", "price_note"]}),
        (
            _("Time"),
            {
                "fields": [
                    "durations",
                    "grid_minutes",
                    "buffer_before",
                    "buffer_after",
                    "min_notice_minutes",
                    "horizon_days",
                    "change_cutoff_hours",
                    "cancel_cutoff_hours",
                    "max_moves",
                    "offer_minutes",
                    "reminder_offsets",
                ]
            },
        ),
        (
            _("Who and where"),
            {
                "fields": [
                    "booking_mode",
                    "is_first_visit",
                    "unlocked_by",
                    "practitioners",
                    "room_kind",
                    "equipment_kind",
                    "questionnaire",
                ]
            },
        ),
        (_("Safety"), {"fields": ["tags"]}),
        (_("On the page"), {"fields": ["position", "is_active"]}),
    ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "tags":
            return forms.MultipleChoiceField(
                label=capfirst(db_field.verbose_name),
                help_text=db_field.help_text,
                choices=Tag.choices,
                initial=db_field.default,
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "questionnaire":
            kwargs["queryset"] = Questionnaire.objects.published()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(partial(why, model_admin=self))
        return [path("why/", page, name="schedule_service_why"), *super().get_urls()]

    @admin.display(description=_("name"), ordering=in_default_language("name"))
    def service(self, service: Service) -> str:
        return str(service)

    @admin.display(description=_("minutes"))
    def lengths(self, service: Service) -> str:
        return ", ".join(str(minutes) for minutes in service.durations)


class AbsenceAdmin(ConfigurationAdmin):
    """Absences whose start and end staff type in the practice's wall-clock time."""

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        zone = Practice.current().time_zone
        for name in ("start", "end"):
            if name in form.base_fields:
                form.base_fields[name].help_text = _("On the clock of %(zone)s.") % {"zone": zone}
        return form


@admin.register(Closure)
class ClosureAdmin(AbsenceAdmin):
    list_display = ["start", "end", "where", "reason"]
    list_filter = [FromNowFilter, "location"]
    list_select_related = ["location"]
    search_fields = ["reason", "location__name"]
    autocomplete_fields = ["location"]

    @admin.display(description=_("location"), ordering="location")
    def where(self, closure: Closure) -> str:
        return str(closure.location or _("Every location"))


@admin.register(TimeOff)
class TimeOffAdmin(AbsenceAdmin):
    list_display = ["practitioner", "start", "end", "reason"]
    list_filter = [FromNowFilter, "practitioner"]
    list_select_related = ["practitioner"]
    search_fields = ["practitioner__name", "reason"]
    autocomplete_fields = ["practitioner"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimeOff]:
        # The row's ``__str__`` shows its practitioner.
        return super().get_queryset(request).select_related("practitioner")
