"""The pages of “Add visit”: patient and service, the red-flag questions, a time.

The pages' addresses contain keys only. Staff pass the same safety gate as patients: an emergency
stops the booking, and every other level is shown beside the times.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from booking.models import Appointment
from clinic import days
from clinic.admin import AuditedAdmin
from clinic.languages import active_language
from clinic.models import AuditEvent, Patient, Practice
from clinic.posted import posted
from clinic.security.access import staff_user
from desk.admin.columns import visit_time
from desk.admin.forms import CallerForm, StartForm, WishForm
from desk.admin.phone_screen import PhoneScreen
from desk.admin.starts import tell_of_exceptions, week
from intake.fhir_form.questionnaire import Form
from intake.fhir_form.responses import replace_answers
from intake.html_form.forms import QuestionForm
from intake.models import Questionnaire, QuestionnaireResponse, SafetyAlert
from intake.rules import triage
from intake.rules.levels import Level
from intake.rules.messages import render as render_message
from intake.workflow import gate


def caller(
    request: HttpRequest,
    *,
    model_admin: AuditedAdmin,
    form_class: type[CallerForm] = CallerForm,
    then: str = "booking_appointment_questions",
    title: object = _("Add visit"),
) -> HttpResponse:
    """Choose patient and service; a new patient is stored here, with or without a booking."""
    today = days.local_date(timezone.now(), Practice.current().zone)
    form = form_class(
        posted(request),
        initial={"day": today, **request.GET.dict()},
        patients=Patient.objects.visible_to(request.user),
        today=today,
    )
    if form.is_valid():
        patient = form.save()
        if form.cleaned_data["patient"] is None:
            model_admin.record(AuditEvent.Action.CREATE, request, patient, form.changed_data)
        return redirect(_page(then, patient, form))
    context = page_context(request, model_admin, title=title, form=form)
    return render(request, "admin/booking/appointment/caller.html", context)


def questions(
    request: HttpRequest,
    *,
    model_admin: AuditedAdmin,
    patient_id: UUID,
    wish_class: type[WishForm] = WishForm,
    then: str = "booking_appointment_times",
) -> HttpResponse:
    """Ask the red-flag questions before booking a visit or series.

    ``then`` is the page that follows, and ``wish_class`` reads the query string passed to it.
    """
    patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=patient_id)
    wish = wish_class(request.GET)
    if not wish.is_valid():
        add = f"admin:booking_{model_admin.opts.model_name}_add"
        return redirect(f"{reverse(add)}?patient={patient.pk}")
    return ask(request, patient, model_admin=model_admin, next_page=_page(then, patient, wish))


def ask(
    request: HttpRequest, patient: Patient, *, model_admin: AuditedAdmin, next_page: str
) -> HttpResponse:
    """Ask the red-flag questions by phone. The next page asks for the reason to skip them."""
    now = timezone.now()
    try:
        questionnaire = gate.questionnaire()
    except Questionnaire.DoesNotExist:
        return redirect(next_page)
    practice = Practice.current()
    form = _question_form(request, questionnaire, patient, practice=practice)
    if request.method == "POST":
        is_complete = form.is_valid()
        outcome = gate.save(
            QuestionnaireResponse(questionnaire=questionnaire, patient=patient),
            items=form.items,
            is_complete=is_complete,
            patient=patient,
            language=form.language,
            practice=practice,
            now=now,
        )
        model_admin.record(AuditEvent.Action.CHANGE, request, patient, ["red_flags"])
        if alert := gate.emergency_alert(visitor_hash="", patient=patient):
            Appointment.objects.hold_for_safety(alert, now=now)
        # An emergency stops the booking at once, even if other questions have no answer.
        if is_complete or outcome.level == Level.EMERGENCY:
            return redirect(next_page)
    context = page_context(
        request,
        model_admin,
        title=_("Ask by phone"),
        subtitle=patient,
        form=form,
        next_page=next_page,
    )
    return render(request, "admin/booking/appointment/questions.html", context)


def times(request: HttpRequest, *, model_admin: AuditedAdmin, patient_id: UUID) -> HttpResponse:
    """Show the free starts; in an emergency only what to say to the caller."""
    now = timezone.now()
    patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=patient_id)
    screen = PhoneScreen(patient, now=now)
    if screen.emergency is not None:
        return stop_page(request, model_admin, screen.emergency)
    wish = WishForm(request.GET)
    if not wish.is_valid():
        return redirect(f"{reverse('admin:booking_appointment_add')}?patient={patient.pk}")
    location = wish.cleaned_data["location"]
    form = StartForm(posted(request), zone=location.zone, is_screened=screen.is_screened)
    if request.method == "POST" and form.is_valid():

        def act(**choice: Any) -> Appointment:
            return Appointment.objects.book(
                patient=patient,
                service=wish.cleaned_data["service"],
                location=location,
                now=now,
                by=staff_user(request),
                booking_key=form.cleaned_data["booking_key"],
                phone_screen_note=form.cleaned_data.get("phone_screen_note", ""),
                intake_response=screen.response,
                **choice,
            )

        visit = form.take(act)
        if visit:
            model_admin.record(AuditEvent.Action.CREATE, request, visit)
            messages.success(request, _("Booked for %(when)s.") % {"when": visit_time(visit)})
            tell_of_exceptions(request, visit, now=now)
            return redirect("admin:booking_appointment_change", visit.pk)
    if request.method == "GET":
        model_admin.record(AuditEvent.Action.READ, request, patient)
    context = page_context(
        request,
        model_admin,
        title=_("Choose a time"),
        subtitle=patient,
        patient=patient,
        service=wish.cleaned_data["service"],
        place=wish,
        form=form,
        level=screen.level,
        advice=screen.advice,
        week=week(
            service=wish.cleaned_data["service"],
            location=location,
            practitioner=wish.cleaned_data["practitioner"],
            first=wish.cleaned_data["day"],
            now=now,
        ),
    )
    status = 409 if form.errors else 200
    return render(request, "admin/booking/appointment/times.html", context, status=status)


def _question_form(
    request: HttpRequest, questionnaire: Questionnaire, patient: Patient, *, practice: Practice
) -> QuestionForm:
    asked = Form.parse(questionnaire.content)
    known = {}
    if patient.birth_date:
        # Some rules depend on age, which is already stored.
        known["about-birth-date"] = [{"valueDate": patient.birth_date.isoformat()}]
    return QuestionForm(
        posted(request),
        questionnaire=asked,
        items=[asked.item(gate.SAFETY_GROUP)],
        stored=replace_answers(asked, [], known),
        language=active_language(),
        today=days.local_date(timezone.now(), practice.zone),
        placeholders={"emergency_number": practice.emergency_number},
    )


def stop_page(request: HttpRequest, model_admin: AuditedAdmin, alert: SafetyAlert) -> HttpResponse:
    practice = Practice.current()
    # Staff have the caller on the line at any hour, so the attended wording applies.
    spoken = [
        render_message(
            message_id,
            language=active_language(),
            emergency_number=practice.emergency_number,
            advice_line=practice.advice_line,
            callback_time=time_format(timezone.localtime().time()),
        )
        for message_id in triage.messages_of_emergency(alert.rules)
    ]
    context = page_context(
        request, model_admin, title=_("Do not book: emergency"), alert=alert, spoken=spoken
    )
    return render(request, "admin/booking/appointment/stop.html", context)


def _page(name: str, patient: Patient, wish: WishForm) -> str:
    page = reverse(f"admin:{name}", args=[patient.pk])
    return f"{page}?{urlencode(wish.keys)}"


def page_context(request: HttpRequest, model_admin: AuditedAdmin, **more: Any) -> dict[str, Any]:
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media,
        **more,
    }
