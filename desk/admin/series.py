"""The admin of series, with actions on all visits that are still to come."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from booking.appointments.status import CALLED_OFF
from booking.models import Appointment, Series
from clinic.admin import ReadOnlyAdmin, replaced
from desk.admin import add_visit, plan_series
from desk.admin.series_forms import SeriesCallerForm, SeriesWishForm


class VisitsOfSeries(admin.TabularInline):
    model = Appointment
    verbose_name_plural = _("visits")
    fields = readonly_fields = ["practitioner", "location", "status"]
    ordering = ["start"]
    max_num = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appointment]:
        visits = Appointment.objects.visible_to(request.user)
        return visits.select_related("patient", "practitioner", "location").order_by("start")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Series)
class SeriesAdmin(ReadOnlyAdmin):
    list_display = ["patient", "service", "rhythm", "race_on", "so_far", "created_at"]
    list_display_links = ["patient"]
    list_filter = ["service"]
    search_fields = ["patient__name", "patient__phone", "patient__email"]
    search_help_text = _("Name, phone or e-mail of the patient")
    show_full_result_count = False
    list_per_page = 50
    inlines = [VisitsOfSeries]
    reads_are_audited = True
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("patient_page", "service", "rhythm", "race_on", "so_far"),
                    *("created_at", "created_by", "changes"),
                ]
            },
        ),
    ]

    class Media:
        css = {"all": ["front_desk.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Series]:
        stands = ~Q(visits__status__in=CALLED_OFF)
        return (
            Series.objects.visible_to(request.user)
            .select_related("patient", "service", "created_by")
            .annotate(
                standing_count=Count("visits", filter=stands),
                over_count=Count("visits", filter=stands & Q(visits__end__lte=timezone.now())),
            )
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        return flatten_fieldsets(self.fieldsets)

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_operate_permission(request):
            return fieldsets
        return replaced(fieldsets, {"changes": None})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("booking.add_series")

    def get_urls(self) -> list[URLPattern]:
        questions = partial(
            add_visit.questions, wish_class=SeriesWishForm, then="booking_series_plan"
        )
        pages: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("<uuid:patient_id>/questions/", "questions", questions),
            ("<uuid:patient_id>/plan/", "plan", plan_series.plan),
            ("<uuid:visit_id>/move/", "move", plan_series.move),
        ]
        return [
            path(
                route,
                self.admin_site.admin_view(self._page(view)),
                name=f"booking_series_{name}",
            )
            for route, name, view in pages
        ] + super().get_urls()

    def _page(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        def page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not self.has_operate_permission(request):
                raise PermissionDenied
            return view(request, model_admin=self, **kwargs)

        return page

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        page = partial(
            add_visit.caller,
            form_class=SeriesCallerForm,
            then="booking_series_questions",
            title=_("Add series"),
        )
        return self._page(page)(request)

    @admin.display(description=_("patient"))
    def patient_page(self, series: Series) -> str:
        page = reverse("admin:clinic_patient_change", args=[series.patient_id])
        return format_html('<a href="{}">{}</a>', page, series.patient)

    @admin.display(description=_("rhythm"))
    def rhythm(self, series: Series) -> Any:
        if series.weeks == 1:
            return _("every week")
        return _("every %(count)d weeks") % {"count": series.weeks}

    @admin.display(description=_("visits so far"))
    def so_far(self, series: Any) -> Any:
        return _("%(over)d of %(count)d") % {
            "over": series.over_count,
            "count": series.standing_count,
        }

    @admin.display(description=_("change"))
    def changes(self, series: Series) -> Any:
        """Return links to the actions on all visits that are still to come."""
        coming = series.visits.filter(
            status=Appointment.Status.BOOKED, start__gt=timezone.now()
        ).order_by("start")
        first = coming.first()
        if first is None:
            return ""
        return format_html(
            '<a href="{}">{}</a> · <a href="{}">{}</a>',
            reverse("admin:booking_series_move", args=[first.pk]),
            _("Move all that is to come"),
            plan_series.cancel_page(coming),
            _("Cancel all that is to come"),
        )
