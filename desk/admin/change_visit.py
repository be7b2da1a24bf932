"""Move a visit to a listed or typed time, cancel visits with a reason, and undo either."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from booking.models import Appointment, InvalidTransition, SlotTaken
from clinic.admin import ReadOnlyAdmin
from clinic.models import AuditEvent
from clinic.posted import posted
from clinic.security.access import staff_user
from desk.admin.columns import visit_time
from desk.admin.forms import MoveForm, PlaceForm, ReasonForm
from desk.admin.starts import tell_of_exceptions, week


def move(request: HttpRequest, *, model_admin: ReadOnlyAdmin, visit_id: Any) -> HttpResponse:
    now = timezone.now()
    visit = get_object_or_404(model_admin.get_queryset(request), pk=visit_id)
    page = reverse("admin:booking_appointment_change", args=[visit.pk])
    if visit.status != Appointment.Status.BOOKED:
        messages.warning(request, _("Only a booked visit can be moved."))
        return redirect(page)
    place = PlaceForm(
        {
            "location": visit.location_id,
            "practitioner": visit.practitioner_id,
            "day": max(visit.local_start, now.astimezone(visit.zone)).date(),
            **request.GET.dict(),
        },
        for_service=visit.service,
    )
    if not place.is_valid():
        return render(
            request,
            "admin/booking/appointment/times.html",
            _context(request, model_admin, visit, place=place),
            status=400,
        )
    location = place.cleaned_data["location"]
    form = MoveForm(posted(request), zone=location.zone, is_screened=True)
    if request.method == "POST" and form.is_valid():
        before = visit.sequence

        def act(**choice: Any) -> Appointment:
            notify_patient = form.cleaned_data["notify_patient"]
            visit.move(
                location=location,
                now=now,
                by=staff_user(request),
                notify_patient=notify_patient,
                **choice,
            )
            return visit

        try:
            moved = form.take(act)
        except InvalidTransition:
            messages.warning(request, _("This visit was changed meanwhile. Please look again."))
            return redirect(page)
        if moved and moved.sequence == before:
            messages.info(request, _("The visit is at this time already."))
            return redirect(page)
        if moved:
            model_admin.record(AuditEvent.Action.CHANGE, request, moved, ["start"])
            said = gettext("Moved to %(when)s.") % {"when": visit_time(moved)}
            messages.success(request, _with_undo(said, moved))
            tell_of_exceptions(request, moved, now=now)
            return redirect(page)
    listed = week(
        service=visit.service,
        location=location,
        practitioner=place.cleaned_data["practitioner"],
        first=place.cleaned_data["day"],
        moving=visit,
        now=now,
    )
    return render(
        request,
        "admin/booking/appointment/times.html",
        _context(request, model_admin, visit, place=place, form=form, week=listed),
        status=409 if form.errors else 200,
    )


def cancel(request: HttpRequest, *, model_admin: ReadOnlyAdmin) -> HttpResponse:
    """Ask for one reason for all visits chosen in the list or on the visit's page."""
    chosen = request.GET.getlist("visit")
    try:
        visits = list(
            model_admin.get_queryset(request).filter(
                pk__in=chosen, status=Appointment.Status.BOOKED
            )
        )
    except ValidationError:
        raise Http404 from None
    if not visits:
        messages.warning(request, _("Only booked visits can be cancelled."))
        return redirect("admin:booking_appointment_changelist")
    form = ReasonForm(posted(request))
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        done: list[Appointment] = []
        for visit in visits:
            try:
                visit.cancel(now=now, by=staff_user(request), **form.cleaned_data)
            except InvalidTransition:
                continue
            done.append(visit)
            model_admin.record(AuditEvent.Action.CHANGE, request, visit, ["status"])
        said = ngettext("%(count)d visit cancelled.", "%(count)d visits cancelled.", len(done))
        said %= {"count": len(done)}
        messages.success(request, _with_undo(said, done[0]) if len(done) == 1 else said)
        return redirect("admin:booking_appointment_changelist")
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Cancel"),
        "opts": model_admin.opts,
        "form": form,
        "visits": [(visit, visit_time(visit)) for visit in visits],
    }
    return render(request, "admin/booking/appointment/cancel.html", context)


def undo(request: HttpRequest, *, model_admin: ReadOnlyAdmin, visit_id: Any) -> HttpResponse:
    """Undo the move or cancellation of the last three minutes; no mail is sent about either."""
    now = timezone.now()
    visit = get_object_or_404(model_admin.get_queryset(request), pk=visit_id)
    page = reverse("admin:booking_appointment_change", args=[visit.pk])
    change = visit.undoable(now=now)
    if change is None:
        messages.warning(request, _("It is too late to take this back."))
        return redirect(page)
    if request.method == "POST":
        try:
            visit.undo(now=now, by=staff_user(request))
        except InvalidTransition:
            messages.warning(request, _("This visit was changed meanwhile. Please look again."))
        except SlotTaken:
            messages.warning(request, _("The former time has been given away meanwhile."))
        else:
            model_admin.record(AuditEvent.Action.CHANGE, request, visit, ["status", "start"])
            when = visit_time(visit)
            messages.success(request, _("Taken back: the visit is on %(when)s.") % {"when": when})
        return redirect(page)
    context = _context(request, model_admin, visit, title=_("Take back"), change=change)
    return render(request, "admin/booking/appointment/undo.html", context)


def _with_undo(said: str, visit: Appointment) -> str:
    return format_html(
        '{} <a href="{}">{}</a>',
        said,
        reverse("admin:booking_appointment_undo", args=[visit.pk]),
        gettext("Take it back"),
    )


def _context(
    request: HttpRequest, model_admin: ReadOnlyAdmin, visit: Appointment, **more: Any
) -> dict[str, Any]:
    return {
        **model_admin.admin_site.each_context(request),
        "title": _("Move visit"),
        "subtitle": f"{visit.patient}, {visit_time(visit)}",
        "opts": model_admin.opts,
        "patient": visit.patient,
        "service": visit.service,
        "original": visit,
        **more,
    }
