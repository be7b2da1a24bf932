"""Questionnaires, safety alerts, and who is told of them. Answers have no page here: they belong
to clinicians.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clinic.access import staff_user
from clinic.admin import EVERYWHERE, ConfigurationAdmin, DayFilter, ReadOnlyAdmin
from clinic.models import AuditEvent, OnCall
from intake.levels import Level
from intake.models import Questionnaire, SafetyAlert


def level_badge(level: int | None) -> str:
    """Return the level as a word with its colour and shape, or nothing without one."""
    if level is None:
        return ""
    level = Level(level)
    return format_html('<span class="level level-{}">{}</span>', level.name.lower(), level.label)


@admin.register(Questionnaire)
class QuestionnaireAdmin(ReadOnlyAdmin):
    """Versions come in through ``import_questionnaire``; a published one never changes."""

    list_display = ["title", "version", "published_at", "url"]
    list_filter = ["published_at"]
    search_fields = ["title", "url", "version"]
    exclude = ["content"]


class AlertStateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Open")), ("blocking", _("Booking still shut"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[SafetyAlert]
    ) -> QuerySet[SafetyAlert]:
        match self.value():
            case "open":
                return queryset.filter(acknowledged_at=None)
            case "blocking":
                return queryset.filter(booking_reopened_at=None)
        return queryset


class AlertDayFilter(DayFilter):
    title = _("raised")
    field = "raised_at"


@admin.register(SafetyAlert)
class SafetyAlertAdmin(ReadOnlyAdmin):
    """What the front desk needs to call back and to reopen booking; never the answers."""

    list_display = [
        "raised_at",
        "code",
        "how_soon",
        "who",
        "phone",
        "acknowledged_by",
        "booking_reopened_by",
    ]
    list_filter = [AlertStateFilter, "level", AlertDayFilter]
    list_select_related = ["patient", "acknowledged_by", "booking_reopened_by"]
    search_fields = ["code", "callback_name", "callback_phone", "patient__name", "patient__phone"]
    search_help_text = _("Reference code, name or phone")
    exclude = ["response", "rules", "visitor_hash"]
    actions = ["acknowledge", "reopen_booking"]
    reads_are_audited = True

    class Media:
        css = {"all": ["front_desk.css"]}

    @admin.display(description=_("level"), ordering="level")
    def how_soon(self, alert: SafetyAlert) -> str:
        return level_badge(alert.level)

    @admin.display(description=_("who"))
    def who(self, alert: SafetyAlert) -> str:
        return (alert.patient.name if alert.patient else alert.callback_name) or str(
            _("Unknown visitor")
        )

    @admin.display(description=_("phone"))
    def phone(self, alert: SafetyAlert) -> str:
        return (alert.patient.phone if alert.patient else "") or alert.callback_phone

    @admin.action(description=_("Acknowledge"), location=EVERYWHERE, permissions=["operate"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[SafetyAlert]) -> None:
        done = 0
        for alert in queryset:
            if alert.acknowledge(by=staff_user(request), now=timezone.now()):
                done += 1
                self.record(AuditEvent.Action.CHANGE, request, alert, ["acknowledged_at"])
        self.message_user(
            request,
            ngettext(
                "%(count)d alert acknowledged in your name.",
                "%(count)d alerts acknowledged in your name.",
                done,
            )
            % {"count": done},
            messages.SUCCESS if done else messages.WARNING,
        )

    @admin.action(description=_("Reopen booking"), location=EVERYWHERE, permissions=["operate"])
    def reopen_booking(self, request: HttpRequest, queryset: QuerySet[SafetyAlert]) -> None:
        done = 0
        for alert in queryset:
            if alert.reopen_booking(by=staff_user(request), now=timezone.now()):
                done += 1
                self.record(AuditEvent.Action.CHANGE, request, alert, ["booking_reopened_at"])
        self.message_user(
            request,
            ngettext(
                "Booking is open again for %(count)d person.",
                "Booking is open again for %(count)d people.",
                done,
            )
            % {"count": done},
            messages.SUCCESS if done else messages.WARNING,
        )


@admin.register(OnCall)
class OnCallAdmin(ConfigurationAdmin):
    """Who is told of a safety alert, in which order."""

    list_display = ["user", "position", "role", "can_be_told"]
    list_filter = ["user__role"]
    list_select_related = ["user"]
    search_fields = ["user__email", "user__first_name", "user__last_name"]
    autocomplete_fields = ["user"]
    ordering = ["position"]

    @admin.display(description=_("role"))
    def role(self, person: OnCall) -> str:
        return person.user.get_role_display()

    @admin.display(description=_("account works"), boolean=True)
    def can_be_told(self, person: OnCall) -> bool:
        return person.user.is_active
