"""Planned and sent mails, and mailed links."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clinic import wordings
from clinic.admin.base import EVERYWHERE, DayFilter, ReadOnlyAdmin
from clinic.mail import outbox
from clinic.mail.sandboxed_page import mail_page
from clinic.models import AuditEvent, Link, Message

# Why a mail was not sent, in words for the front desk. Composers may give other reasons.
REASONS = {
    Message.UNREACHABLE: _("our mail server does not answer"),
    Message.DEFERRED: _("their mail server asked to try later"),
    Message.LATE: _("too late to be of use"),
    Message.RESTORED: _("it was due before a backup was brought back, and may have left"),
    Message.BOUNCED: _("it came back later"),
    Message.INTERRUPTED: _("a worker stopped; it is tried again"),
    "acknowledged": _("somebody has acknowledged the alert"),
    "answered": _("the questions are answered"),
    "cancelled": _("the visit was cancelled"),
    "deactivated": _("the practitioner is not active any more"),
    "declined": _("the patient does not want this reminder"),
    "entered-in-error": _("the visit was entered in error"),
    "error": _("it could not be written"),
    "gone": _("what it was about is gone"),
    "intake-done": _("the form is done"),
    "moved": _("the visit was moved"),
    "no-account": _("the account is switched off"),
    "no-address": _("no e-mail address"),
    "no-mailbox": _("there is no such mailbox"),
    "address": _("the address cannot be written to"),
    "no-visits": _("no visits that day"),
    "refused": _("their mail server refused it"),
    "safety-hold": _("on safety hold until staff release the visit"),
    "seen-again": _("the patient has been here since"),
    "stopped": _("the patient stopped these mails"),
    "superseded": _("the visit has changed since"),
    "undone": _("the change was undone"),
    "visit-cancelled": _("the visit was cancelled"),
    "visits-called-off": _("the visits were cancelled"),
    # Prefixes, which are followed by a state.
    "entry-": _("the wait is over"),
    "offer-": _("the offer is over"),
    "visit-": _("the visit has changed since"),
}
BOUNCED = (Message.BOUNCED, "no-mailbox", "address", "refused")


def why(message: Message) -> str:
    return in_words(message.reason)


def in_words(reason: str) -> str:
    beginning = reason[: reason.find("-") + 1]
    return str(REASONS.get(reason) or REASONS.get(beginning) or reason)


class MailDayFilter(DayFilter):
    field = "due_at"


class KindFilter(admin.SimpleListFilter):
    title = _("mail")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(wording.kind, wording.label) for wording in wordings.all_wordings()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class TroubleFilter(admin.SimpleListFilter):
    title = _("trouble")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("bounced", _("Bounced: please phone")),
            ("late", _("Waiting too long")),
            ("given-up", _("Given up as too late")),
            ("twice", _("Sent again after a lost answer")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        match self.value():
            case "bounced":
                return queryset.filter(
                    Q(state=Message.State.FAILED, reason__in=BOUNCED)
                    | Q(patient__email_bounced_at__isnull=False)
                )
            case "late":
                late = Message.objects.late(timezone.now())
                return queryset.filter(pk__in=late.values("pk"))
            case "given-up":
                ours = (Message.LATE, Message.UNREACHABLE, Message.DEFERRED)
                given_up = (Message.State.SKIPPED, Message.State.FAILED)
                return queryset.filter(state__in=given_up, reason__in=ours)
            case "twice":
                return queryset.filter(is_retried_after_unknown=True)
        return queryset


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["due_at", "what", "patient", "user", "state", "why", "attempts", "sent_at"]
    list_filter = [MailDayFilter, "state", KindFilter, TroubleFilter]
    list_select_related = ["patient", "user"]
    search_fields = ["patient__name", "patient__email"]
    search_help_text = _("Name or e-mail of the patient")
    show_full_result_count = False
    exclude = ["raw", "claim", "lease_until"]
    actions = ["send_again"]
    reads_are_audited = True
    change_list_template = "admin/clinic/message/change_list.html"
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("what", "patient", "user", "state", "why"),
                    *("due_at", "sent_at", "expires_at", "look"),
                ]
            },
        ),
        (
            _("Delivery"),
            {
                "fields": [
                    *("created_at", "attempts", "next_attempt_at", "handed_at", "last_reply"),
                    *("is_retried_after_unknown", "subject_version", "resend"),
                ]
            },
        ),
    ]

    class Media:
        css = {"all": ["front_desk.css"]}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "what", "why", "look"]

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<uuid:message_id>/look/",
                self.admin_site.admin_view(self.look_view),
                name="clinic_message_look",
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        now = timezone.now()
        oldest = Message.objects.due(now).first()
        context = {"oldest": oldest, "waits": oldest and timesince(oldest.due_at, now)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def look_view(self, request: HttpRequest, message_id: UUID) -> HttpResponse:
        """Show a patient's mail as it would be composed now; in the demo as it was sent."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        message = get_object_or_404(self.get_queryset(request), pk=message_id)
        # Mails to staff contain links that only their recipient may see.
        if message.patient_id is None:
            raise Http404
        self.record(AuditEvent.Action.READ, request, message)
        if message.raw:
            sent = message_from_bytes(bytes(message.raw), EmailMessage, policy=policy.default)
            body = sent.get_body(("html",))
            return mail_page(body.get_content() if body else "")
        content = outbox.render_preview(message, now=timezone.now())
        if isinstance(content, str):
            reason = gettext("Nothing would be sent now: %(why)s.")
            return mail_page(reason % {"why": in_words(content)})
        return mail_page(content.html)

    @admin.display(description=_("mail"), ordering="kind")
    def what(self, message: Message) -> str:
        return str(message)

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, message: Message) -> str:
        return why(message)

    @admin.display(description=_("what it says"))
    def look(self, message: Message) -> str:
        if message.patient_id is None:
            return ""
        return format_html(
            '<iframe class="mail-look" title="{}" src="{}"></iframe>',
            gettext("what it says"),
            reverse("admin:clinic_message_look", args=[message.pk]),
        )

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
