"""The front desk's waitlist: the entries, their order, and their offers."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from booking.models import (
    NotWaiting,
    OfferOver,
    SlotTaken,
    TooLittleTime,
    WaitlistEntry,
    WaitlistOffer,
)
from booking.waitlist.forms import USUAL_WAIT
from booking.waitlist.models import OFFER_ORDER
from clinic import days
from clinic.admin import EVERYWHERE, ReadOnlyAdmin
from clinic.mail.letters import time_left_text
from clinic.models import AuditEvent, Location, Patient, Practice
from clinic.posted import posted
from clinic.security.access import staff_user
from desk.admin import take_offer
from desk.admin.add_visit import page_context
from desk.admin.columns import deadline, visit_time
from desk.admin.forms import PlaceForm
from desk.admin.starts import week
from desk.admin.waitlist_forms import OfferedStartForm, WaitForm
from intake.admin import level_badge


class StateFilter(admin.SimpleListFilter):
    """The list shows waiting entries by default; a search covers all entries."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*WaitlistEntry.State.choices, ("any", _("All"))]

    def choices(self, changelist: Any) -> Any:
        # Without Django's own “All”: its link leads to this list's default.
        return list(super().choices(changelist))[1:]

    def value(self) -> str:
        return super().value() or WaitlistEntry.State.WAITING

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "any" or (super().value() is None and request.GET.get("q")):
            return queryset
        return queryset.filter(state=self.value())


class OffersOfEntry(admin.TabularInline):
    model = WaitlistOffer
    fields = readonly_fields = [
        *("when", "practitioner", "location", "state", "made_at", "made_by"),
        *("answer_by", "answered_at", "answered_by"),
    ]
    verbose_name_plural = _("offers")
    max_num = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[WaitlistOffer]:
        offers = WaitlistOffer.objects.visible_to(request.user)
        return offers.select_related("practitioner", "location", "made_by", "answered_by")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("time"))
    def when(self, offer: WaitlistOffer) -> str:
        return visit_time(offer)


@admin.register(WaitlistEntry)
class WaitlistEntryAdmin(ReadOnlyAdmin):
    """The entries, in the order in which offers are made."""

    list_display = ["patient", "waits", "level", "service", "suits", "whom", "until", "offered"]
    list_filter = [StateFilter, "service", "location", "practitioner"]
    search_fields = ["patient__name", "patient__phone", "patient__email"]
    search_help_text = _("Name, phone or e-mail of the patient")
    show_full_result_count = False
    list_per_page = 50
    inlines = [OffersOfEntry]
    reads_are_audited = True
    actions = ["offer_time", "accept", "decline", "put_first", "clear_put_first", "close"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("patient_page", "phone", "state", "waits", "level", "service", "minutes"),
                    *("suits", "whom", "until", "offered"),
                ]
            },
        ),
        (
            _("History"),
            {
                "fields": [
                    *("joined_at", "created_by", "phone_screen_note", "put_first_at"),
                    *("unanswered", "closed_at", "closed_by"),
                ]
            },
        ),
    ]

    class Media:
        css = {"all": ["front_desk.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[WaitlistEntry]:
        # The answers themselves are never read here, not even into memory.
        return (
            WaitlistEntry.objects.visible_to(request.user)
            .select_related(
                *("patient", "service", "practitioner", "location", "intake_response"),
                *("created_by", "closed_by"),
            )
            .defer("intake_response__items", "intake_response__rules")
            .prefetch_related("offers", "intake_response__lowered_levels")
        )

    def get_ordering(self, request: HttpRequest) -> Any:
        return OFFER_ORDER

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        return flatten_fieldsets(self.fieldsets)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("booking.add_waitlistentry")

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, Callable[..., HttpResponse]]] = [
            ("offer", self.offer_page),
            ("questions", partial(take_offer.questions, model_admin=self)),
            ("accept", partial(take_offer.accept, model_admin=self)),
        ]
        return [
            path(
                f"<uuid:entry_id>/{name}/",
                self.admin_site.admin_view(self._page(view)),
                name=f"booking_waitlistentry_{name}",
            )
            for name, view in pages
        ] + super().get_urls()

    def _page(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        def page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not self.has_operate_permission(request):
                raise PermissionDenied
            return view(request, **kwargs)

        return page

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._page(self.add_page)(request)

    def add_page(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        today = days.local_date(now, Practice.current().zone)
        form = WaitForm(
            posted(request),
            initial={
                "first_day": today,
                "last_day": today + USUAL_WAIT,
                **request.GET.dict(),
            },
            patients=Patient.objects.visible_to(request.user),
            today=today,
        )
        if request.method == "POST" and form.is_valid():
            patient = form.save()
            if form.cleaned_data["patient"] is None:
                self.record(AuditEvent.Action.CREATE, request, patient, form.changed_data)
            entry = form.join(patient, by=staff_user(request), now=now)
            self.record(AuditEvent.Action.CREATE, request, entry)
            messages.success(request, _("On the waitlist."))
            return redirect("admin:booking_waitlistentry_change", entry.pk)
        context = page_context(request, self, title=_("Add to the waitlist"), form=form)
        return render(request, "admin/booking/waitlistentry/add.html", context)

    def offer_page(self, request: HttpRequest, entry_id: Any) -> HttpResponse:
        """Offer one of the free starts; staff also see those beyond notice and horizon."""
        now = timezone.now()
        entry = get_object_or_404(self.get_queryset(request), pk=entry_id)
        back = redirect("admin:booking_waitlistentry_change", entry.pk)
        if not entry.is_waiting or entry.open_offer:
            messages.warning(request, _("An offer is open already, or the wait is over."))
            return back
        where = entry.location or Location.objects.filter(is_active=True).first()
        today = days.local_date(now, (where or Practice.current()).zone)
        place = PlaceForm(
            {
                "location": where and where.pk,
                "practitioner": entry.practitioner_id or "",
                "day": max(entry.first_day, today),
                **request.GET.dict(),
            },
            for_service=entry.service,
        )
        form = OfferedStartForm(posted(request))
        if place.is_valid() and request.method == "POST" and form.is_valid():
            try:
                offer = self._offer(request, entry, place, form)
            except (SlotTaken, TooLittleTime, NotWaiting) as refused:
                form.add_error(None, _refusal(refused))
            else:
                message = (
                    _("Kept until %(time)s. The patient is asked.")
                    if entry.patient.email
                    else _("Kept until %(time)s. Please phone the patient.")
                )
                until = deadline(offer.local_answer_by, now=now)
                messages.success(request, message % {"time": until})
                return back
        listed = []
        if place.is_valid():
            listed = week(
                service=entry.service,
                location=place.cleaned_data["location"],
                practitioner=place.cleaned_data["practitioner"],
                first=place.cleaned_data["day"],
                duration=entry.minutes,
                now=now,
            )
        context = page_context(
            request,
            self,
            title=_("Offer a time"),
            subtitle=entry.patient,
            entry=entry,
            place=place,
            form=form,
            week=listed,
        )
        return render(
            request,
            "admin/booking/waitlistentry/offer.html",
            context,
            status=409 if form.errors else 200,
        )

    def _offer(
        self, request: HttpRequest, entry: WaitlistEntry, place: PlaceForm, form: forms.Form
    ) -> WaitlistOffer:
        start, key = form.cleaned_data["start"]
        practitioner = entry.service.practitioners.filter(pk=key).first() if key else None
        offer = entry.offer(
            start=start,
            practitioner=practitioner or place.cleaned_data["practitioner"],
            location=place.cleaned_data["location"],
            by=staff_user(request),
            now=timezone.now(),
        )
        self.record(AuditEvent.Action.CHANGE, request, entry, ["offer"])
        return offer

    @admin.display(description=_("patient"))
    def patient_page(self, entry: WaitlistEntry) -> str:
        page = reverse("admin:clinic_patient_change", args=[entry.patient_id])
        return format_html('<a href="{}">{}</a>', page, entry.patient)

    @admin.display(description=_("phone"))
    def phone(self, entry: WaitlistEntry) -> str:
        return entry.patient.phone

    @admin.display(description=_("waits"))
    def waits(self, entry: WaitlistEntry) -> str:
        span = (entry.closed_at or timezone.now()) - entry.joined_at
        waited = time_left_text(max(span, timedelta(minutes=5)))
        return gettext("%(time)s, put first") % {"time": waited} if entry.put_first_at else waited

    @admin.display(description=_("level"))
    def level(self, entry: WaitlistEntry) -> Any:
        response = entry.intake_response
        return level_badge(response.shown_level) if response else _("Not asked")

    @admin.display(description=_("suits"))
    def suits(self, entry: WaitlistEntry) -> str:
        return "; ".join(
            [
                ", ".join(entry.day_names) or gettext("Any day"),
                ", ".join(entry.part_names) or gettext("Any time"),
                gettext("from %(day)s") % {"day": formats.date_format(entry.first_day)},
            ]
        )

    @admin.display(description=_("with"))
    def whom(self, entry: WaitlistEntry) -> str:
        who = str(entry.practitioner) if entry.practitioner else gettext("Anybody")
        where = str(entry.location) if entry.location else gettext("any location")
        return f"{who}, {where}"

    @admin.display(description=_("until"))
    def until(self, entry: WaitlistEntry) -> str:
        return formats.date_format(entry.last_day)

    @admin.display(description=_("offered"))
    def offered(self, entry: WaitlistEntry) -> str | None:
        offer = entry.open_offer
        if offer is None:
            return None
        return gettext("%(when)s, kept until %(until)s") % {
            "when": visit_time(offer),
            "until": deadline(offer.local_answer_by, now=timezone.now()),
        }

    @admin.action(description=_("Offer a time"), location=EVERYWHERE, permissions=["operate"])
    def offer_time(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        entries = list(queryset[:2])
        if len(entries) != 1:
            self.message_user(request, _("Offer to one patient at a time."), messages.WARNING)
            return None
        return redirect("admin:booking_waitlistentry_offer", entries[0].pk)

    @admin.action(
        description=_("Patient takes the offered time"),
        location=EVERYWHERE,
        permissions=["operate"],
    )
    def accept(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        entries = list(queryset[:2])
        if len(entries) != 1:
            self.message_user(request, _("Book for one patient at a time."), messages.WARNING)
            return None
        return redirect("admin:booking_waitlistentry_questions", entries[0].pk)

    @admin.action(description=_("Patient lets it go"), location=EVERYWHERE, permissions=["operate"])
    def decline(self, request: HttpRequest, queryset: QuerySet) -> None:
        def let_go(entry: WaitlistEntry, now: Any) -> bool:
            try:
                if offer := entry.open_offer:
                    offer.decline(now=now, by=staff_user(request))
            except OfferOver:
                return False
            return offer is not None

        self._each(request, queryset, let_go, _("free for the next one"))

    @admin.action(description=_("Put first"), location=EVERYWHERE, permissions=["operate"])
    def put_first(self, request: HttpRequest, queryset: QuerySet) -> None:
        def ahead(entry: WaitlistEntry, now: Any) -> bool:
            entry.put_first(now=now)
            return True

        self._each(request, queryset, ahead, _("first"))

    @admin.action(description=_("Back in turn"), location=EVERYWHERE, permissions=["operate"])
    def clear_put_first(self, request: HttpRequest, queryset: QuerySet) -> None:
        def back(entry: WaitlistEntry, now: Any) -> bool:
            entry.clear_put_first()
            return True

        self._each(request, queryset, back, _("in turn"))

    @admin.action(
        description=_("Take off the waitlist"), location=EVERYWHERE, permissions=["operate"]
    )
    def close(self, request: HttpRequest, queryset: QuerySet) -> None:
        def end(entry: WaitlistEntry, now: Any) -> bool:
            return entry.close(entry.State.CLOSED, by=staff_user(request), now=now)

        self._each(request, queryset, end, _("closed"))

    def _each(
        self,
        request: HttpRequest,
        entries: QuerySet,
        act: Callable[[WaitlistEntry, Any], bool],
        outcome: Any,
    ) -> None:
        """Apply ``act`` to each entry, and report how many succeeded."""
        now, done, refused = timezone.now(), 0, 0
        for entry in entries:
            if act(entry, now):
                done += 1
                self.record(AuditEvent.Action.CHANGE, request, entry, ["state"])
            else:
                refused += 1
        if done:
            self.message_user(
                request,
                ngettext("%(count)d entry: %(outcome)s.", "%(count)d entries: %(outcome)s.", done)
                % {"count": done, "outcome": outcome},
                messages.SUCCESS,
            )
        if refused:
            self.message_user(
                request,
                _("Not possible any more for %(count)d: please look again.") % {"count": refused},
                messages.WARNING,
            )


def _refusal(error: Exception) -> ValidationError:
    """Return the reason why an offer cannot be made, as an error."""
    if isinstance(error, SlotTaken):
        return error
    if isinstance(error, TooLittleTime):
        return ValidationError(
            _("Too little time to answer a mail, or it is night. Please phone, and add the visit.")
        )
    return ValidationError(_("An offer is open already, or the wait is over."))
