"""The front desk's schedule: columns and filters, and one action for each transition."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.options import ActionLocation
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from booking.appointments import mail_schedule
from booking.models import Appointment, InvalidTransition, SlotTaken, StatusChange, TooSoon
from clinic.admin import EVERYWHERE, DayFilter, ReadOnlyAdmin
from clinic.mail import outbox
from clinic.models import AuditEvent, Message
from clinic.security.access import staff_user
from desk.admin import add_visit, change_visit
from desk.admin.columns import intake_words, rescreen_words, visit_time
from desk.admin.mail_log import mail_log
from desk.admin.plan_series import cancel_page
from intake.models import QuestionnaireResponse

MAX_AT_ONCE = 50


class VisitDayFilter(DayFilter):
    field = "start"
    default = "coming"
    ranges = {
        "today": (_("Today"), 0, 0),
        "tomorrow": (_("Tomorrow"), 1, 1),
        "week": (_("Next 7 days"), 0, 6),
        "coming": (_("Today and later"), 0, None),
        "past": (_("Past 30 days"), -29, 0),
    }


class IntakeFilter(admin.SimpleListFilter):
    title = _("intake")
    parameter_name = "intake"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*Appointment.IntakeState.choices, ("missing", _("Not done"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Appointment]
    ) -> QuerySet[Appointment]:
        state = Appointment.IntakeState
        unfinished = {"intake_response__status": QuestionnaireResponse.Status.IN_PROGRESS}
        match self.value():
            case state.NONE:
                return queryset.filter(intake_response=None)
            case state.STARTED:
                return queryset.filter(**unfinished)
            case state.DONE:
                return queryset.exclude(intake_response=None).exclude(**unfinished)
            case "missing":
                return queryset.filter(
                    models.Q(intake_response=None) | models.Q(**unfinished),
                    status=Appointment.Status.BOOKED,
                )
        return queryset


class SafetyHoldFilter(admin.SimpleListFilter):
    title = _("safety hold")
    parameter_name = "hold"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Call first"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Appointment]
    ) -> QuerySet[Appointment]:
        return queryset.exclude(safety_hold_alert=None) if self.value() else queryset


class StatusChanges(admin.TabularInline):
    model = StatusChange
    fields = ["at", "from_status", "to_status", "from_start", "by", "reason"]
    readonly_fields = ["at", "from_status", "to_status", "from_start", "by", "reason"]
    verbose_name_plural = _("what happened")
    max_num = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[StatusChange]:
        return super().get_queryset(request).select_related("by")


@admin.register(StatusChange)
class StatusChangeAdmin(ReadOnlyAdmin):
    list_display = ["at", "visit", "from_status", "to_status", "by", "reason"]
    list_filter = ["to_status"]
    list_select_related = ["appointment__patient", "by"]
    # Without the reason, which may be encrypted.
    search_fields = ["appointment__patient__name"]
    search_help_text = _("Name of the patient")
    show_full_result_count = False
    ordering = ["-at"]
    reads_are_audited = True

    def patient_id_of(self, row: models.Model) -> Any:
        return row.appointment.patient_id  # type: ignore[attr-defined]

    @admin.display(description=_("visit"))
    def visit(self, change: StatusChange) -> Any:
        return change.appointment


@admin.register(Appointment)
class AppointmentAdmin(ReadOnlyAdmin):
    """Visits change by transitions only: the form is read-only, the buttons above it act."""

    list_display = [
        "when",
        "status",
        "patient",
        "phone",
        "service",
        "practitioner",
        "intake",
        "rescreen",
        "hold",
        "location",
    ]
    list_display_links = ["when"]
    list_filter = [
        VisitDayFilter,
        "status",
        "practitioner",
        "location",
        IntakeFilter,
        SafetyHoldFilter,
        "service",
    ]
    list_select_related = [
        *("patient", "service", "practitioner", "location", "series"),
        *("intake_response", "rescreen_response"),
    ]
    search_fields = ["patient__name", "patient__phone", "patient__email"]
    search_help_text = _("Name, phone or e-mail of the patient")
    show_full_result_count = False
    list_per_page = 50
    ordering = ["start"]
    inlines = [StatusChanges]
    reads_are_audited = True

    class Media:
        css = {"all": ["front_desk.css"]}

    actions = [
        "mark_arrived",
        "fulfil",
        "mark_no_show",
        "move",
        "cancel",
        "undo",
        "move_following",
        "cancel_following",
        "restore",
        "resend_mail",
        "release_safety_hold",
    ]
    rarely_filled = (
        *("room", "equipment", "series_page", "rescreen", "hold"),
        *("created_by", "confirmed_at", "arrived_at", "held_until"),
        *("overlap_reason", "phone_screen_note"),
    )
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "when",
                    "status",
                    "patient_page",
                    "phone",
                    "service",
                    "practitioner",
                    "location",
                    "room",
                    "equipment",
                    "series_page",
                    "intake",
                    "rescreen",
                    "hold",
                ]
            },
        ),
        (_("Mails"), {"fields": ["mails"]}),
        (
            pgettext_lazy("of a visit", "Booking"),
            {
                "fields": [
                    "created_at",
                    "created_by",
                    "confirmed_at",
                    "arrived_at",
                    "moves",
                    "held_until",
                    "overlap_reason",
                    "phone_screen_note",
                ]
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appointment]:
        # The answers themselves are never read here, not even into memory.
        return (
            Appointment.objects.visible_to(request.user)
            .order_by(*self.ordering)
            .select_related(*self.list_select_related)
            .prefetch_related(
                "intake_response__lowered_levels__lowered_by", "rescreen_response__lowered_levels"
            )
            .defer(
                *("intake_response__items", "intake_response__rules"),
                *("rescreen_response__items", "rescreen_response__rules"),
            )
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        return flatten_fieldsets(self.fieldsets)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out fields that are empty for most visits."""
        if obj is None:
            return self.fieldsets
        empty = {name for name in self.rarely_filled if not self._has(obj, name)}
        return [
            (title, {"fields": [name for name in part["fields"] if name not in empty]})
            for title, part in self.fieldsets
        ]

    def _has(self, visit: Appointment, name: str) -> bool:
        shown = getattr(self, name, None)
        return bool(shown(visit) if callable(shown) else getattr(visit, name))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("booking.add_appointment")

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, Callable[..., HttpResponse]]] = [
            ("<uuid:patient_id>/questions/", add_visit.questions),
            ("<uuid:patient_id>/times/", add_visit.times),
            ("<uuid:visit_id>/move/", change_visit.move),
            ("<uuid:visit_id>/undo/", change_visit.undo),
            ("cancel/", change_visit.cancel),
        ]
        return [
            path(
                route,
                self.admin_site.admin_view(self._page(view)),
                name=f"booking_appointment_{view.__name__}",
            )
            for route, view in pages
        ] + super().get_urls()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._page(add_visit.caller)(request)

    def _page(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        def page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not self.has_operate_permission(request):
                raise PermissionDenied
            return view(request, model_admin=self, **kwargs)

        return page

    @admin.display(description=_("when"), ordering="start")
    def when(self, visit: Appointment) -> str:
        return visit_time(visit)

    @admin.display(description=_("phone"))
    def phone(self, visit: Appointment) -> str:
        return visit.patient.phone if visit.patient else ""

    @admin.display(description=_("patient"))
    def patient_page(self, visit: Appointment) -> str:
        if visit.patient is None:
            return ""
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:clinic_patient_change", args=[visit.patient_id]),
            visit.patient,
        )

    @admin.display(description=_("series"))
    def series_page(self, visit: Appointment) -> str:
        place = visit.series.place_of(visit) if visit.series else None
        if place is None:
            return ""
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:booking_series_change", args=[visit.series_id]),
            _("Visit %(number)d of %(count)d") % {"number": place[0], "count": place[1]},
        )

    @admin.display(description=_("intake"))
    def intake(self, visit: Appointment) -> str:
        return intake_words(visit)

    @admin.display(description=_("safety check"))
    def rescreen(self, visit: Appointment) -> str:
        return rescreen_words(visit, now=timezone.now())

    @admin.display(description=_("mails"))
    def mails(self, visit: Appointment) -> str:
        return mail_log(visit)

    @admin.display(description=_("safety hold"))
    def hold(self, visit: Appointment) -> Any:
        return _("Call first") if visit.safety_hold_alert_id else ""

    @admin.action(description=_("Arrived"), location=EVERYWHERE, permissions=["operate"])
    def mark_arrived(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> None:
        self._each(request, queryset, Appointment.mark_arrived, _("Arrived"))

    @admin.action(description=_("Done"), location=EVERYWHERE, permissions=["operate"])
    def fulfil(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> None:
        self._each(request, queryset, Appointment.fulfil, _("Done"))

    @admin.action(description=_("No-show"), location=EVERYWHERE, permissions=["operate"])
    def mark_no_show(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> None:
        self._each(request, queryset, Appointment.mark_no_show, _("No-show"))

    @admin.action(
        description=_("Take back to booked"), location=EVERYWHERE, permissions=["operate"]
    )
    def restore(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> None:
        self._each(request, queryset, Appointment.restore, _("Booked"))

    @admin.action(description=_("Move"), location=EVERYWHERE, permissions=["operate"])
    def move(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> HttpResponse | None:
        visits = list(queryset[:2])
        if len(visits) != 1:
            self.message_user(request, _("Move one visit at a time."), messages.WARNING)
            return None
        return redirect("admin:booking_appointment_move", visits[0].pk)

    @admin.action(description=_("Cancel"), location=EVERYWHERE, permissions=["operate"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> HttpResponse:
        visits = [("visit", visit.pk) for visit in queryset[:MAX_AT_ONCE]]
        page = reverse("admin:booking_appointment_cancel")
        return redirect(f"{page}?{urlencode(visits)}")

    @admin.action(
        description=_("Move this and the following"),
        location=[ActionLocation.CHANGE_FORM],
        permissions=["operate"],
    )
    def move_following(
        self, request: HttpRequest, queryset: QuerySet[Appointment]
    ) -> HttpResponse | None:
        visit = queryset.get()
        if visit.series is None:
            self.message_user(request, _("Not part of a series."), messages.WARNING)
            return None
        return redirect("admin:booking_series_move", visit.pk)

    @admin.action(
        description=_("Cancel this and the following"),
        location=[ActionLocation.CHANGE_FORM],
        permissions=["operate"],
    )
    def cancel_following(
        self, request: HttpRequest, queryset: QuerySet[Appointment]
    ) -> HttpResponse | None:
        visit = queryset.get()
        if visit.series is None:
            self.message_user(request, _("Not part of a series."), messages.WARNING)
            return None
        return redirect(cancel_page(visit.series.from_here_on(visit)))

    @admin.action(
        description=_("Take back what was just done"),
        location=EVERYWHERE,
        permissions=["operate"],
    )
    def undo(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> HttpResponse | None:
        visits = list(queryset[:2])
        if len(visits) != 1:
            self.message_user(request, _("Take back one visit at a time."), messages.WARNING)
            return None
        return redirect("admin:booking_appointment_undo", visits[0].pk)

    @admin.action(
        description=_("Release safety hold"), location=EVERYWHERE, permissions=["operate"]
    )
    def release_safety_hold(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> None:
        held = queryset.exclude(safety_hold_alert=None)
        count = 0
        for visit in held:
            visit.release_safety_hold()
            self.record(AuditEvent.Action.CHANGE, request, visit, ["safety_hold_alert"])
            count += 1
        self.message_user(
            request,
            ngettext(
                "%(count)d visit released: its mails go out again.",
                "%(count)d visits released: their mails go out again.",
                count,
            )
            % {"count": count}
            if count
            else gettext("Not on safety hold."),
            messages.SUCCESS if count else messages.WARNING,
        )

    @admin.action(description=_("Resend mail"), location=EVERYWHERE, permissions=["operate"])
    def resend_mail(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> None:
        """Send the newest mail that says when the visit is, to the current address."""
        now, done = timezone.now(), 0
        booked = queryset.filter(status=Appointment.Status.BOOKED)
        for visit in booked.exclude(patient__email=""):
            # A visit that was moved without a mail has no mail with its new time.
            said = Message.objects.about(visit).filter(
                kind__in=mail_schedule.SAY_WHEN, subject_version=visit.sequence
            )
            newest = said.order_by("-created_at").first()
            if newest is None:
                with transaction.atomic():
                    mail_schedule.plan_booked(visit, now)
            else:
                outbox.resend(newest, now=now)
            self.record(AuditEvent.Action.CHANGE, request, visit, ["mail"])
            done += 1
        self.message_user(
            request,
            ngettext("%(count)d mail is on its way.", "%(count)d mails are on their way.", done)
            % {"count": done}
            if done
            else gettext("Nothing to send: no booked visit with an e-mail address."),
            messages.SUCCESS if done else messages.WARNING,
        )

    def _each(
        self,
        request: HttpRequest,
        visits: QuerySet[Appointment],
        verb: Callable[..., None],
        outcome: str | Promise,
    ) -> None:
        """Apply one transition to each visit, and name the visits that refuse it and why."""
        now: datetime = timezone.now()
        done, refused = 0, []
        for visit in visits:
            try:
                verb(visit, now=now, by=staff_user(request))
            except InvalidTransition:
                visit.refresh_from_db()
                why = visit.get_status_display()
            except TooSoon:
                why = gettext("it is still to come")
            except SlotTaken:
                why = gettext("the time was given away")
            else:
                done += 1
                self.record(AuditEvent.Action.CHANGE, request, visit, ["status"])
                continue
            refused.append(f"{visit}: {why}")
        if done:
            self.message_user(
                request,
                ngettext("%(count)d visit: %(outcome)s.", "%(count)d visits: %(outcome)s.", done)
                % {"count": done, "outcome": outcome},
                messages.SUCCESS,
            )
        if refused:
            self.message_user(
                request,
                _("Not changed: %(visits)s.") % {"visits": "; ".join(refused)},
                messages.WARNING,
            )
