"""The words of each kind of mail: view, change, test and reset them."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone, translation
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from clinic import wordings
from clinic.admin.base import ConfigurationAdmin
from clinic.mail import preview, samples
from clinic.mail.mail import Mail
from clinic.mail.sandboxed_page import mail_page
from clinic.models import AuditEvent, MailText
from clinic.operations import staff_mails
from clinic.posted import posted
from clinic.security.access import staff_user
from clinic.wordings import Wording


class MailTextForm(forms.ModelForm):
    class Meta:
        model = MailText
        fields = ["subject", "heading", "text", "note"]
        widgets = {
            "subject": forms.TextInput(attrs={"class": "vTextField", "dir": "auto"}),
            "heading": forms.TextInput(attrs={"class": "vTextField", "dir": "auto"}),
            "text": forms.Textarea(attrs={"class": "vLargeTextField", "rows": 8, "dir": "auto"}),
            "note": forms.Textarea(attrs={"class": "vLargeTextField", "rows": 3, "dir": "auto"}),
        }


class Choice:
    """One kind of mail in one language, for the pages that show it."""

    def __init__(self, wording: Wording, language: str, saved: MailText | None) -> None:
        self.wording, self.language, self.saved = wording, language, saved
        self.language_name = dict(settings.LANGUAGES)[language]
        self.other_languages = [
            (code, name) for code, name in settings.LANGUAGES if code != language
        ]

    @property
    def text(self) -> MailText:
        """The clinic's text, or one with the shipped words that is not saved yet."""
        if self.saved is not None:
            return self.saved
        with translation.override(self.language):
            return MailText.of(self.wording.kind, self.language, self.wording.words)

    @cached_property
    def sample(self) -> Mail:
        return self.sampled(draft=None)

    def sampled(self, *, draft: MailText | None) -> Mail:
        with translation.override(self.language), preview.previewing(draft):
            return samples.sample(self.wording.kind)(timezone.now())


@admin.register(MailText)
class MailTextAdmin(ConfigurationAdmin):
    """The list contains every kind of mail, with or without changed words."""

    list_display = ["kind", "language", "subject", "updated_at"]
    list_filter = ["language"]
    search_fields = ["subject", "text"]
    change_list_template = "admin/clinic/mailtext/change_list.html"

    class Media:
        css = {"all": ["front_desk.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        # A text is created on the page of its kind.
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<str:kind>/<str:language>/words/",
                self.admin_site.admin_view(self.words_view),
                name="clinic_mailtext_words",
            ),
            path(
                "<str:kind>/<str:language>/look/",
                self.admin_site.admin_view(self.look_view),
                name="clinic_mailtext_look",
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        saved = {text.pk: text for text in MailText.objects.all()}
        kinds = [
            (
                wording,
                [
                    Choice(wording, code, saved.get(MailText.key_of(wording.kind, code)))
                    for code, _name in settings.LANGUAGES
                ],
            )
            for wording in sorted(wordings.all_wordings(), key=lambda one: not one.is_editable)
        ]
        context = {"kinds": kinds, "languages": settings.LANGUAGES, **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        text = self.get_object(request, object_id)
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not isinstance(text, MailText):
            raise Http404
        return redirect("admin:clinic_mailtext_words", text.kind, text.language)

    def words_view(self, request: HttpRequest, kind: str, language: str) -> HttpResponse:
        choice = self._choice(request, kind, language)
        may_change = self.has_change_permission(request) and choice.wording.is_editable
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            if "send_test" in request.POST:
                return self._send_test(request, choice)
            if "set_back" in request.POST:
                return self._set_back(request, choice)
        form = MailTextForm(posted(request), instance=choice.text)
        if request.method == "POST" and form.is_valid():
            if "look" in request.POST:
                return mail_page(choice.sampled(draft=form.instance).html)
            text = form.save()
            self.record(AuditEvent.Action.CHANGE, request, text, form.changed_data)
            messages.success(request, _("Saved. Mails say so from now on."))
            return redirect("admin:clinic_mailtext_words", kind, language)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{choice.wording.label}: {choice.language_name}",
            "opts": self.opts,
            "choice": choice,
            "form": form,
            "may_change": may_change,
        }
        if "look" in request.POST:
            # The frame shows the errors, beside the page that asked.
            refused = render_to_string("admin/clinic/mailtext/refused.html", context)
            return mail_page(refused, status=400)
        return render(
            request,
            "admin/clinic/mailtext/words.html",
            context,
            status=400 if form.errors else 200,
        )

    def look_view(self, request: HttpRequest, kind: str, language: str) -> HttpResponse:
        return mail_page(self._choice(request, kind, language).sample.html)

    def _choice(self, request: HttpRequest, kind: str, language: str) -> Choice:
        if not self.has_view_permission(request):
            raise PermissionDenied
        wording = wordings.find(kind)
        if wording is None or language not in dict(settings.LANGUAGES):
            raise Http404
        saved = MailText.objects.filter(kind=kind, language=language).first()
        return Choice(wording, language, saved)

    def _send_test(self, request: HttpRequest, choice: Choice) -> HttpResponse:
        user, kind = staff_user(request), choice.wording.kind
        staff_mails.plan_test(kind, choice.language, user=user, now=timezone.now())
        messages.success(
            request, _("A test mail is on its way to %(address)s.") % {"address": user.email}
        )
        return redirect("admin:clinic_mailtext_words", kind, choice.language)

    def _set_back(self, request: HttpRequest, choice: Choice) -> HttpResponse:
        if choice.saved is not None:
            self.record(AuditEvent.Action.DELETE, request, choice.saved)
            choice.saved.delete()
        messages.success(request, _("The shipped text is back. The history keeps yours."))
        return redirect("admin:clinic_mailtext_words", choice.wording.kind, choice.language)
