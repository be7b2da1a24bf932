"""Questionnaires, safety alerts, and who is notified. Answers have no page here: they belong
to clinicians.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clinic import days
from clinic.admin import EVERYWHERE, ConfigurationAdmin, DayFilter, ReadOnlyAdmin
from clinic.context import practice_of
from clinic.languages import active_language, is_registered
from clinic.models import AuditEvent, OnCall
from clinic.security.access import staff_user
from intake.fhir_form.questionnaire import MAX_BYTES, InvalidQuestionnaire, load_json
from intake.fhir_form.responses import initial_items
from intake.html_form.layout import QuestionLayout
from intake.models import Agreement, Questionnaire, SafetyAlert
from intake.rules.levels import Level

# The most reasons shown at once.
MAX_ISSUES = 20


def level_badge(level: int | None) -> str:
    """Return the level as a word with its colour and shape, or nothing without one."""
    if level is None:
        return ""
    level = Level(level)
    return format_html('<span class="level level-{}">{}</span>', level.name.lower(), level.label)


class UploadForm(forms.ModelForm):
    """A file with a FHIR R4 Questionnaire; every reason to refuse it is shown with its place."""

    file = forms.FileField(
        label=_("FHIR R4 Questionnaire"),
        help_text=_(
            "A JSON file of up to 500 kB. It is checked, and not in use before you publish it."
        ),
    )

    class Meta:
        model = Questionnaire
        fields: list[str] = []

    def clean_file(self) -> UploadedFile:
        upload = self.cleaned_data["file"]
        try:
            content = load_json(upload.read(MAX_BYTES + 1))
            self.instance.take(content)
        except InvalidQuestionnaire as error:
            shown = error.issues[:MAX_ISSUES]
            raise forms.ValidationError(
                [f"{issue.path}: {issue.message} ({issue.rule})" for issue in shown]
            ) from error
        return upload


@admin.register(Questionnaire)
class QuestionnaireAdmin(ReadOnlyAdmin):
    """Versions are uploaded as files; a published one never changes, others can be deleted."""

    list_display = ["title", "version", "published_at", "url", "preview"]
    list_filter = ["published_at"]
    search_fields = ["title", "url", "version"]
    exclude = ["content"]
    actions = ["publish"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_delete_permission(self, request: HttpRequest, obj: Questionnaire | None = None) -> bool:
        is_draft = obj is not None and obj.published_at is None
        return is_draft and admin.ModelAdmin.has_delete_permission(self, request, obj)

    def get_form(
        self, request: HttpRequest, obj: Questionnaire | None = None, **kwargs: Any
    ) -> Any:
        return UploadForm if obj is None else super().get_form(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Questionnaire | None = None) -> list[str]:
        return ["file"] if obj is None else self.get_readonly_fields(request, obj)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Questionnaire | None = None
    ) -> list[str]:
        return [] if obj is None else [*super().get_readonly_fields(request, obj), "preview"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Questionnaire]:
        return super().get_queryset(request).defer("content")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Questionnaire], search_term: str
    ) -> tuple[QuerySet[Questionnaire], bool]:
        if request.path == reverse("admin:autocomplete"):
            # Only published questionnaires can be assigned to a service.
            queryset = queryset.published()
        return super().get_search_results(request, queryset, search_term)

    def get_urls(self) -> list[Any]:
        preview = path(
            "<path:object_id>/preview/",
            self.admin_site.admin_view(self.preview_view),
            name="intake_questionnaire_preview",
        )
        return [preview, *super().get_urls()]

    @admin.display(description=_("preview"))
    def preview(self, questionnaire: Questionnaire) -> str:
        page = reverse("admin:intake_questionnaire_preview", args=[questionnaire.pk])
        return format_html_join(
            " · ",
            '<a href="{}?language={}">{}</a>',
            ((page, code, name) for code, name in settings.LANGUAGES),
        )

    @admin.action(description=_("Publish"), location=EVERYWHERE, permissions=["operate"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Questionnaire]) -> None:
        done = 0
        for questionnaire in queryset:
            if questionnaire.publish(now=timezone.now()):
                done += 1
                self.record(AuditEvent.Action.CHANGE, request, questionnaire, ["published_at"])
        self.message_user(
            request,
            ngettext(
                "%(count)d questionnaire published: it can be given to services now.",
                "%(count)d questionnaires published: they can be given to services now.",
                done,
            )
            % {"count": done},
            messages.SUCCESS if done else messages.WARNING,
        )

    def preview_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show all pages as a patient sees them, in the requested language; store nothing."""
        questionnaire = self.get_object(request, unquote(object_id))
        if questionnaire is None or not self.has_view_permission(request, questionnaire):
            raise Http404
        asked = request.GET.get("language", "")
        language = asked if is_registered(asked) else active_language()
        practice = practice_of(request)
        today = days.local_date(timezone.now(), practice.zone)
        form = questionnaire.form
        with translation.override(language):
            layout = QuestionLayout(
                questionnaire=form,
                items=form.items,
                stored=initial_items(form, today=today),
                language=language,
                today=today,
                zone=practice.zone,
                placeholders={"emergency_number": practice.emergency_number},
            )
            return render(
                request,
                "intake/preview.html",
                {
                    "questionnaire": questionnaire,
                    "title": form.title.in_language(language) or questionnaire.title,
                    "form": layout,
                    "languages": settings.LANGUAGES,
                },
            )


@admin.register(Agreement)
class AgreementAdmin(ReadOnlyAdmin):
    """Who agreed to which text of the privacy notice; managers can show it on request."""

    list_display = ["agreed_at", "patient", "signed_by", "role", "notice"]
    list_filter = ["notice__version", "role"]
    list_select_related = ["patient", "notice"]
    search_fields = ["signed_by", "patient__name"]
    search_help_text = _("Name of the patient, or of who signed")
    exclude = ["response"]
    readonly_fields = ["words"]
    reads_are_audited = True

    @admin.display(description=_("words agreed to"))
    def words(self, agreement: Agreement) -> SafeString:
        # Rendered from our own template, with the practice's text escaped.
        return mark_safe(agreement.notice.text)  # noqa: S308


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
    field = "raised_at"


@admin.register(SafetyAlert)
class SafetyAlertAdmin(ReadOnlyAdmin):
    """What the front desk needs to call back and to unblock booking; never the answers."""

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
            % {"count": done}
            if done
            else gettext("Acknowledged already."),
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
            % {"count": done}
            if done
            else gettext("Booking is open already."),
            messages.SUCCESS if done else messages.WARNING,
        )


@admin.register(OnCall)
class OnCallAdmin(ConfigurationAdmin):
    """Who is notified of a safety alert, in which order."""

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
