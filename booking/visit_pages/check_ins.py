"""Short forms behind a mailed link: the safety check before a visit, and the weekly check-in.

They show no earlier answers and are never prefilled, so they need no birth date check.
"""

from datetime import datetime

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from booking.appointments.mail_schedule import rescreen_of
from booking.appointments.models import Appointment
from booking.visit_pages.visit import own_visit
from clinic import days
from clinic.context import practice_of
from clinic.languages import active_language
from clinic.models import Practice
from clinic.posted import posted
from intake.html_form.forms import QuestionForm
from intake.models import QuestionnaireResponse
from intake.rules import triage
from intake.rules.levels import Level
from intake.workflow import check_ins, gate
from intake.workflow.advice import advice
from intake.workflow.answer_history import RESCREEN_URL

WORDS = {
    "rescreen": {
        "title": _("Safety check before your visit"),
        "intro": _("One minute. We ask this again before each visit, because things can change."),
    },
    "check_in": {
        "title": _("How was your week?"),
        "intro": _("Four questions, half a minute. Your clinician sees how you are doing."),
    },
}


@require_http_methods(["GET", "HEAD", "POST"])
@own_visit
def rescreen(request: HttpRequest, *, visit: Appointment) -> HttpResponse:
    is_over = visit.start <= timezone.now() and rescreen_of(visit) is None
    if visit.status != Appointment.Status.BOOKED or is_over:
        return redirect("visit", visit.pk)
    return _ask(request, "rescreen", visit=visit)


@require_http_methods(["GET", "HEAD", "POST"])
@own_visit
def check_in(request: HttpRequest, *, visit: Appointment) -> HttpResponse:
    if visit.status != Appointment.Status.FULFILLED:
        raise Http404
    return _ask(request, "check_in", visit=visit)


def _ask(request: HttpRequest, name: str, *, visit: Appointment) -> HttpResponse:
    """Ask, or show what the answers mean; after an emergency answer only what to do now."""
    practice, now = practice_of(request), timezone.now()
    if gate.emergency_alert(visitor_hash="", patient=visit.patient):
        return redirect("emergency")
    response = _answers(name, visit, now=now)
    if not response.is_final:
        form = _form(request, response, practice=practice, now=now)
        if request.method != "POST":
            return _page(request, name, visit=visit, form=form)
        with transaction.atomic():
            # Two tabs may both send the form; the lock on the visit's row makes one the first.
            visit = Appointment.objects.select_for_update(of=["self"]).get(pk=visit.pk)
            response = _answers(name, visit, now=now)
            if response.is_final:
                return redirect(name, visit.pk)
            is_complete = form.is_valid()
            alert = check_ins.save(
                response,
                items=form.items,
                is_complete=is_complete,
                language=form.language,
                practice=practice,
                now=now,
            )
            if name == "rescreen":
                Appointment.objects.filter(pk=visit.pk).update(rescreen_response=response)
            if alert and alert.level == Level.EMERGENCY:
                Appointment.objects.hold_for_safety(alert, now=now)
                return redirect("emergency")
        if not is_complete:
            return _page(request, name, visit=visit, form=form)
        return redirect(name, visit.pk)
    return _done(request, name, visit=visit, response=response, now=now)


def _answers(name: str, visit: Appointment, *, now: datetime) -> QuestionnaireResponse:
    assert visit.patient is not None
    if name == "check_in":
        return check_ins.check_in_of(visit.patient, now=now)
    return rescreen_of(visit) or check_ins.new(RESCREEN_URL, visit.patient)


def _form(
    request: HttpRequest, response: QuestionnaireResponse, *, practice: Practice, now: datetime
) -> QuestionForm:
    assert response.patient is not None
    return QuestionForm(
        posted(request),
        questionnaire=response.form,
        items=check_ins.questions(response.form),
        stored=check_ins.unit_known(response, response.patient),
        language=active_language(),
        today=days.local_date(now, practice.zone),
        placeholders={"emergency_number": practice.emergency_number},
    )


def _page(
    request: HttpRequest, name: str, *, visit: Appointment, form: QuestionForm
) -> HttpResponse:
    return render(request, "intake/asked_again.html", {"visit": visit, "form": form, **WORDS[name]})


def _done(
    request: HttpRequest,
    name: str,
    *,
    visit: Appointment,
    response: QuestionnaireResponse,
    now: datetime,
) -> HttpResponse:
    """Show what the answers mean. If not urgent, they go to the clinician and change no visit."""
    practice = practice_of(request)
    outcome = gate.current_triage(response, patient=visit.patient, practice=practice, now=now)
    messages = outcome.messages
    if outcome.level < Level.URGENT:
        messages = tuple(message for message in messages if message == triage.STOP_RUNNING)
    return render(
        request,
        "intake/asked_again_done.html",
        {
            "visit": visit,
            "is_ahead": name == "rescreen",
            "is_urgent": outcome.level == Level.URGENT,
            "advice": advice(
                messages,
                practice=practice,
                now=now,
                can_be_called=bool(visit.patient and visit.patient.phone),
            ),
            **WORDS[name],
        },
    )
