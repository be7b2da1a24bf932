"""The intake form of one visit: its start, its pages, and the look back before sending."""

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from booking.models import Appointment
from booking.views.birth_date import is_anything_known
from clinic import proof
from clinic.access import patient_grant
from clinic.context import practice_of
from clinic.models import Practice
from clinic.privacy import NOTICE_VERSION
from intake import filling, gate
from intake.advice import Advice, advice
from intake.forms import QuestionForm
from intake.levels import Level
from intake.models import (
    IncompleteResponse,
    Questionnaire,
    QuestionnaireResponse,
    SafetyAlert,
    StaleRevision,
)
from intake.questionnaire import Page
from intake.responses import initial_items


def own_visit(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pass an intake page the ``visit`` of whoever holds a link to it, and its ``response``.

    The response is not stored before something is answered: following a mailed link changes
    nothing. Nor is anything shown through one before the birth date was given; whoever starts the
    form of a patient without one on file wrote all there is to show. After an emergency answer
    every page leads to what to do now.
    """

    @wraps(view)
    @never_cache
    def wrapper(request: HttpRequest, visit_id: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        grant = patient_grant(request)
        visit = (
            Appointment.objects.visible_to(grant)
            .select_related("patient", "service", "location", "intake_response__questionnaire")
            .filter(pk=visit_id)
            .first()
        )
        if visit is None or grant is None:
            raise Http404
        if not proof.is_proven(request, grant) and is_anything_known(visit):
            return redirect("intake_birth_date", visit.pk)
        response = visit.intake_response or _begun(
            visit, _today(practice_of(request), timezone.now())
        )
        if gate.emergency_alert(visitor_hash="", patient=visit.patient):
            return redirect("emergency")
        page = view(request, *args, visit=visit, response=response, **kwargs)
        if not proof.is_proven(request, grant) and visit.intake_response:
            proof.remember(page, grant)
        return page

    return wrapper


@require_safe
@own_visit
def intake(
    request: HttpRequest, *, visit: Appointment, response: QuestionnaireResponse
) -> HttpResponse:
    practice, now = practice_of(request), timezone.now()
    return render(
        request,
        "intake/intake.html",
        {
            "visit": visit,
            "response": response,
            "advice": _advice(response, practice=practice, now=now),
            "pages": [
                (page.number, page.text.in_language(_language()), response.is_done(page))
                for page in response.pages()
            ],
            "next_page": response.first_open_page(),
            "minutes": _minutes(response),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@own_visit
def intake_page(
    request: HttpRequest, number: int, *, visit: Appointment, response: QuestionnaireResponse
) -> HttpResponse:
    if response.is_final:
        return redirect("intake", visit.pk)
    pages = response.pages()
    page = next((page for page in pages if page.number == number), None)
    if page is None:
        raise Http404
    practice, now = practice_of(request), timezone.now()
    today = _today(practice, now)
    form = QuestionForm(
        request.POST if request.method == "POST" else None,
        questionnaire=response.form,
        items=page.items,
        stored=filling.known_beforehand(
            response.form, response.items, patient=visit.patient, today=today
        ),
        language=_language(),
        today=today,
        zone=practice.zone,
        placeholders={"emergency_number": practice.emergency_number},
    )
    is_stale = False
    if request.method == "POST":
        is_complete = form.is_valid()
        try:
            alert = _save(request, form, page, visit=visit, response=response, practice=practice)
        except StaleRevision:
            is_stale = True
            response = visit.intake_response or response
        else:
            if alert and alert.level == Level.EMERGENCY:
                Appointment.objects.hold_for_safety(alert, now=now)
                return redirect("emergency")
            if "later" in request.POST and form.is_unfinished_only:
                return redirect("intake", visit.pk)
            if is_complete:
                return _next_page(visit, response, page)
    return render(
        request,
        "intake/intake_page.html",
        {
            "visit": visit,
            "response": response,
            "page": page,
            "title": page.text.in_language(_language()),
            "previous": max((p.number for p in pages if p.number < number), default=None),
            "step": pages.index(page) + 1,
            "steps": len(pages) + 1,
            "minutes": _minutes(response),
            "advice": _advice(response, practice=practice, now=now),
            "form": form,
            "is_stale": is_stale,
        },
        status=409 if is_stale else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@own_visit
def intake_review(
    request: HttpRequest, *, visit: Appointment, response: QuestionnaireResponse
) -> HttpResponse:
    if response.is_final or response._state.adding:
        return redirect("intake", visit.pk)
    practice, now = practice_of(request), timezone.now()
    problem = ""
    if request.method == "POST":
        try:
            filling.submit(response, notice_version=NOTICE_VERSION, practice=practice, now=now)
            return redirect("intake", visit.pk)
        except IncompleteResponse:
            problem = _("Some answers are still missing. Open the pages marked “not finished”.")
        except StaleRevision:
            return redirect("intake", visit.pk)
    pages = filling.read_back(
        response,
        language=_language(),
        placeholders={"emergency_number": practice.emergency_number},
        today=_today(practice, now),
    )
    return render(
        request,
        "intake/intake_review.html",
        {
            "visit": visit,
            "pages": pages,
            "is_ready": all(page.is_done for page in pages),
            "steps": len(pages) + 1,
            "problem": problem,
        },
        status=400 if problem else 200,
    )


def _questionnaire_for(visit: Appointment) -> Questionnaire:
    """The service's own form, or the clinic's intake."""
    return visit.service.questionnaire or gate.questionnaire()


def _begun(visit: Appointment, today: date) -> QuestionnaireResponse:
    """Answers that nobody has given yet, with those the form begins with."""
    questionnaire = _questionnaire_for(visit)
    return QuestionnaireResponse(
        questionnaire=questionnaire,
        patient=visit.patient,
        items=initial_items(questionnaire.form, today=today),
    )


def _save(
    request: HttpRequest,
    form: QuestionForm,
    page: Page,
    *,
    visit: Appointment,
    response: QuestionnaireResponse,
    practice: Practice,
) -> SafetyAlert | None:
    revision = request.POST.get("_revision", "")
    with transaction.atomic():
        if response._state.adding:
            # Two tabs may both send the first page: the visit's row decides which one is first.
            locked = Appointment.objects.select_for_update().get(pk=visit.pk)
            if locked.intake_response_id is not None:
                visit.refresh_from_db()
                raise StaleRevision
            response.save()
            visit.intake_response = response
            visit.save(update_fields=["intake_response"])
        return filling.save_page(
            response,
            page=page,
            items=form.items,
            is_complete=form.is_valid(),
            revision=int(revision) if revision.isdecimal() and len(revision) < 10 else -1,
            language=_language(),
            practice=practice,
            now=timezone.now(),
        )


def _next_page(visit: Appointment, response: QuestionnaireResponse, page: Page) -> HttpResponse:
    later = next((p for p in response.pages() if p.number > page.number), None)
    if later is None:
        return redirect("intake_review", visit.pk)
    return redirect("intake_page", visit.pk, later.number)


def _advice(response: QuestionnaireResponse, *, practice: Practice, now: datetime) -> list[Advice]:
    """What somebody with URGENT answers is told on every page."""
    if response.level != Level.URGENT or response._state.adding:
        return []
    outcome = filling.judge(response, practice=practice, now=now)
    can_be_called = bool(response.patient and response.patient.phone)
    return advice(outcome.messages, practice=practice, now=now, can_be_called=can_be_called)


def _minutes(response: QuestionnaireResponse) -> int:
    return max(1, round(response.seconds_left() / 60))


def _language() -> str:
    return translation.get_language() or "en"


def _today(practice: Practice, now: datetime) -> date:
    return now.astimezone(practice.zone).date()
