"""The pages that plan and move a series. They show every conflict before anything is written."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from booking.models import Appointment, InvalidTransition, Series
from booking.series import planner
from booking.series.forms import DatesForm, ShiftForm, planned_dates, shifted_dates
from clinic import days
from clinic.admin import ReadOnlyAdmin
from clinic.models import AuditEvent, Patient
from clinic.posted import posted
from clinic.security.access import staff_user
from desk.admin.add_visit import page_context, stop_page
from desk.admin.columns import visit_time
from desk.admin.phone_screen import PhoneScreen
from desk.admin.series_forms import ScreenedDatesForm, SeriesWishForm


def cancel_page(visits: QuerySet[Appointment]) -> str:
    """Ask for the reason to cancel these visits."""
    keys = [("visit", str(key)) for key in visits.values_list("pk", flat=True)]
    return f"{reverse('admin:booking_appointment_cancel')}?{urlencode(keys)}"


def plan(request: HttpRequest, *, model_admin: ReadOnlyAdmin, patient_id: UUID) -> HttpResponse:
    """Show each date's free starts; one button books all dates, or none and shows the changes."""
    now = timezone.now()
    patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=patient_id)
    screen = PhoneScreen(patient, now=now)
    if screen.emergency is not None:
        return stop_page(request, model_admin, screen.emergency)
    wish = SeriesWishForm(request.GET)
    if not wish.is_valid():
        return redirect(f"{reverse('admin:booking_series_add')}?patient={patient.pk}")
    chosen = wish.cleaned_data
    location, practitioner, service = (
        chosen[name] for name in ("location", "practitioner", "service")
    )
    today = days.local_date(now, location.zone)
    readings = [(day, chosen["at"]) for day in wish.dates(today=today)]

    def book(form: ScreenedDatesForm) -> Series:
        return Series.objects.book(
            patient=patient,
            service=service,
            location=location,
            practitioner=practitioner,
            starts=list(form.chosen.values()),
            weeks=chosen["weeks"],
            race_on=chosen["race_on"],
            intake_response=screen.response,
            phone_screen_note=form.cleaned_data.get("phone_screen_note", ""),
            form_key=form.cleaned_data["form_key"],
            by=staff_user(request),
            now=now,
        )

    # A form that is sent twice shows the first booking.
    if twin := _of_this_form(request, patient):
        return redirect("admin:booking_series_change", twin.pk)
    form = None
    if readings:
        form, series = planner.submit(
            lambda: planned_dates(
                ScreenedDatesForm,
                posted(request),
                readings,
                service=service,
                practitioner=practitioner,
                location=location,
                now=now,
                is_screened=screen.is_screened,
            ),
            book,
        )
        if series is not None:
            model_admin.record(AuditEvent.Action.CREATE, request, series)
            count = series.visits.count()
            message = ngettext("%(count)d visit booked.", "%(count)d visits booked.", count)
            messages.success(request, message % {"count": count})
            return redirect("admin:booking_series_change", series.pk)
    # Or the same form, sent twice at the same moment, has just booked these times.
    if twin := _of_this_form(request, patient):
        return redirect("admin:booking_series_change", twin.pk)
    context = page_context(
        request,
        model_admin,
        title=_("Check the dates"),
        subtitle=patient,
        form=form,
        service=service,
        practitioner=practitioner,
        location=location,
        minutes=service.default_duration,
        race_on=chosen["race_on"],
        missing=chosen["count"] - len(readings),
        level=screen.level,
        advice=screen.advice,
        button=_("Book all of them"),
        back=f"{reverse('admin:booking_series_add')}?patient={patient.pk}&{urlencode(wish.keys)}",
    )
    status = 409 if form is not None and form.errors else 200
    return render(request, "admin/booking/series/plan.html", context, status=status)


def _of_this_form(request: HttpRequest, patient: Patient) -> Series | None:
    key = request.POST.get("form_key")
    series = Series.objects.visible_to(request.user).filter(patient=patient)
    return series.filter(form_key=key).first() if key else None


def move(request: HttpRequest, *, model_admin: ReadOnlyAdmin, visit_id: UUID) -> HttpResponse:
    """Move this visit and the following ones by the same wall-clock shift; show conflicts first."""
    now = timezone.now()
    visit = get_object_or_404(
        Appointment.objects.visible_to(request.user)
        .select_related("series", "patient", "service")
        .exclude(series=None),
        pk=visit_id,
    )
    series = visit.series
    assert series is not None
    following = list(
        series.from_here_on(visit).select_related("practitioner", "location", "service")
    )
    if visit.status != Appointment.Status.BOOKED or not following:
        messages.warning(request, _("Only a booked visit can be moved."))
        return redirect("admin:booking_appointment_change", visit.pk)
    shift = ShiftForm(
        request.GET
        or {"day": visit.local_start.date(), "at": visit.local_start.time().isoformat("minutes")}
    )
    form = None
    if request.GET and shift.is_valid():
        becomes = datetime.combine(shift.cleaned_data["day"], shift.cleaned_data["at"])

        def move_all(form: DatesForm) -> int:
            starts = {following[number - 1].pk: start for number, start in form.chosen.items()}
            moved = series.move(starts, now=now, by=staff_user(request))
            for one in following:
                if one.start != starts.get(one.pk, one.start):
                    model_admin.record(AuditEvent.Action.CHANGE, request, one, ["start"])
            return moved

        try:
            form, moved = planner.submit(
                lambda: shifted_dates(
                    posted(request), following, was=visit.local_start, becomes=becomes, now=now
                ),
                move_all,
            )
        except InvalidTransition:
            messages.warning(request, _("A visit was changed meanwhile. Please look again."))
            return redirect("admin:booking_series_change", series.pk)
        if moved:
            message = ngettext("%(count)d visit moved.", "%(count)d visits moved.", moved)
            messages.success(request, message % {"count": moved})
        elif moved == 0:
            messages.info(request, _("The visits are at these times already."))
        if moved is not None:
            return redirect("admin:booking_series_change", series.pk)
    context = page_context(
        request,
        model_admin,
        title=_("Move this and the following visits"),
        subtitle=f"{visit.patient}, {visit_time(visit)}",
        shift=shift,
        form=form,
        service=visit.service,
        practitioner=visit.practitioner,
        location=visit.location,
        minutes=visit.duration_minutes,
        button=_("Move all of them"),
    )
    status = 409 if form is not None and form.errors else 200
    return render(request, "admin/booking/series/plan.html", context, status=status)
