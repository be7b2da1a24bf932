"""The intake form of one visit: its start, its pages, and the review before sending."""

from collections.abc import Callable
from dataclasses import dataclass
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
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from booking.appointments.models import Appointment
from booking.flow.forms import AgreementForm
from booking.visit_pages.birth_date import is_anything_known
from clinic import days, privacy
from clinic.context import practice_of
from clinic.languages import active_language, is_registered
from clinic.models import Practice
from clinic.posted import posted
from clinic.security import birth_date_check
from clinic.security.access import patient_grant
from clinic.views.public import switch_language
from intake.fhir_form.questionnaire import Page
from intake.fhir_form.responses import initial_items
from intake.html_form.forms import QuestionForm
from intake.models import (
    IncompleteResponse,
    Questionnaire,
    QuestionnaireResponse,
    SafetyAlert,
    StaleRevision,
)
from intake.rules.levels import Level
from intake.summary import readback
from intake.workflow import gate, guardians, page_saving
from intake.workflow.advice import Advice, advice

# How many times to try to save a page when the response is changed elsewhere at the same time.
MAX_SAVE_ATTEMPTS = 3


def own_intake(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pass an intake page its ``visit``, if the browser has a link to it, and its ``response``.

    The response is not stored before the first answer: opening a mailed link changes nothing. No
    data is shown before the birth date check. If no birth date is on file, the person who starts
    the form has written all the data shown. After an emergency answer every page redirects to
    what to do now.
    """

    @wraps(view)
    @gzip_page
    @never_cache
    def wrapper(request: HttpRequest, visit_id: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        grant = patient_grant(request)
        visit = (
            Appointment.objects.visible_to(grant)
            .select_related("patient", "service", "location", "intake_response__questionnaire")
            # Large, and parsed once per process: see Questionnaire.form.
            .defer("intake_response__questionnaire__content")
            .filter(pk=visit_id)
            .first()
        )
        if visit is None or grant is None:
            raise Http404
        if not birth_date_check.is_proven(request, grant) and is_anything_known(visit):
            return redirect("intake_birth_date", visit.pk)
        response = _answers_of(visit, _today(practice_of(request), timezone.now()))
        if gate.emergency_alert(visitor_hash="", patient=visit.patient):
            return redirect("emergency")
        page = view(request, *args, visit=visit, response=response, **kwargs)
        if not birth_date_check.is_proven(request, grant) and visit.intake_response:
            birth_date_check.remember(page, grant)
        return page

    return wrapper


def agreed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Ask for the agreement again before more answers, if the privacy notice has changed.

    A POST is saved first.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST" and page_saving.must_agree_again(kwargs["response"]):
            return redirect("intake_agreement", kwargs["visit"].pk)
        return view(request, *args, **kwargs)

    return wrapper


@require_safe
@own_intake
def intake(
    request: HttpRequest, *, visit: Appointment, response: QuestionnaireResponse
) -> HttpResponse:
    practice, now = practice_of(request), timezone.now()
    open_pages = response.open_pages()
    return render(
        request,
        "intake/intake.html",
        {
            "visit": visit,
            "response": response,
            "can_be_corrected": _can_be_corrected(visit, response),
            "advice": _advice(response, practice=practice, now=now),
            "pages": [
                (page.number, page.text.in_language(active_language()), page not in open_pages)
                for page in response.pages()
            ],
            "next_page": next(iter(open_pages), None),
            "minutes": _minutes(response),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@own_intake
@agreed
def intake_page(
    request: HttpRequest, number: int, *, visit: Appointment, response: QuestionnaireResponse
) -> HttpResponse:
    """Show a page, or save the input on it, for every way to leave the page."""
    if response.is_final and request.method != "POST":
        return redirect("intake", visit.pk)
    page = next((page for page in response.pages() if page.number == number), None)
    if page is None:
        raise Http404
    language = request.POST.get("language", "")
    if is_registered(language):
        # Before the form is read, so that its errors are in the new language.
        translation.activate(language)
    practice, now = practice_of(request), timezone.now()
    turned = _save_posted_page(
        request, page, visit=visit, response=response, practice=practice, now=now
    )
    if turned.alert and turned.alert.level == Level.EMERGENCY:
        Appointment.objects.hold_for_safety(turned.alert, now=now)
        answer: HttpResponse = redirect("emergency")
    elif "autosave" in request.POST:
        # The browser saved the page because the person left it: no page is needed.
        return HttpResponse(status=409 if turned.is_stale else 204)
    elif turned.goes_to:
        answer = redirect(turned.goes_to, *turned.place)
    else:
        answer = _shown(request, page, turned, visit=visit, practice=practice, now=now)
    if is_registered(language):
        switch_language(request, answer, language)
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@own_intake
def intake_review(
    request: HttpRequest, *, visit: Appointment, response: QuestionnaireResponse
) -> HttpResponse:
    if response.is_final or response._state.adding:
        return redirect("intake", visit.pk)
    if page_saving.must_agree_again(response):
        return redirect("intake_agreement", visit.pk)
    practice, now = practice_of(request), timezone.now()
    problem = ""
    if request.method == "POST":
        try:
            page_saving.submit(response, language=active_language(), practice=practice, now=now)
            return redirect("intake", visit.pk)
        except IncompleteResponse:
            problem = _("Some answers are still missing. Open the pages marked “not finished”.")
        except StaleRevision:
            return redirect("intake", visit.pk)
    pages = readback.read_back(
        response,
        language=active_language(),
        placeholders=_placeholders(practice),
        today=_today(practice, now),
        withheld=_withheld(visit, response, practice=practice, now=now),
    )
    return render(
        request,
        "intake/intake_review.html",
        {
            "visit": visit,
            "response": response,
            "pages": pages,
            "is_ready": all(page.is_done for page in pages),
            "steps": len(pages) + 1,
            "problem": problem,
        },
        status=400 if problem else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@own_intake
def intake_agreement(
    request: HttpRequest, *, visit: Appointment, response: QuestionnaireResponse
) -> HttpResponse:
    """Show the new text of the privacy notice, and store who agrees to it."""
    if not page_saving.must_agree_again(response):
        return redirect("intake", visit.pk)
    practice, now, language = practice_of(request), timezone.now(), active_language()
    form = AgreementForm(posted(request))
    if request.method == "POST" and form.is_valid():
        page_saving.agree(
            response,
            signed_by=form.cleaned_data["signed_by"],
            role=form.cleaned_data["role"],
            language=language,
            practice=practice,
            now=now,
        )
        return redirect("intake", visit.pk)
    return render(
        request,
        "intake/intake_agreement.html",
        {
            "visit": visit,
            "form": form,
            "notice": privacy.notice_text(language, practice=practice),
            "version": privacy.NOTICE_VERSION,
        },
    )


@require_POST
@own_intake
def intake_correct(
    request: HttpRequest, *, visit: Appointment, response: QuestionnaireResponse
) -> HttpResponse:
    if _can_be_corrected(visit, response):
        page_saving.correct(response)
    return redirect("intake", visit.pk)


@dataclass
class PageResult:
    """The result of a page: show it with its form, or go to another page."""

    response: QuestionnaireResponse
    form: QuestionForm
    is_stale: bool = False
    alert: SafetyAlert | None = None
    goes_to: str = ""
    place: tuple[Any, ...] = ()


def _save_posted_page(
    request: HttpRequest,
    page: Page,
    *,
    visit: Appointment,
    response: QuestionnaireResponse,
    practice: Practice,
    now: datetime,
) -> PageResult:
    """Check the posted page and save it.

    Changes to other pages in between cause no conflict. A change to this page is not overwritten:
    the page shows both versions and the person chooses.
    """
    posted = request.POST.get("_revision", "")
    revision = int(posted) if posted.isdecimal() and len(posted) < 10 else -1
    for _attempt in range(MAX_SAVE_ATTEMPTS):
        form = _form(request, page, visit=visit, response=response, practice=practice, now=now)
        if request.method != "POST":
            return PageResult(response, form)
        form.is_valid()
        try:
            alert = _save(form, page, visit, response, revision=revision, practice=practice)
        except StaleRevision:
            response = _answers_of(Appointment.objects.get(pk=visit.pk), _today(practice, now))
            stored = page_saving.seen(page, response.items)
            is_same = stored in {request.POST.get("_seen"), page_saving.seen(page, form.items)}
            if response.is_final and is_same:
                return PageResult(response, form, goes_to="intake", place=(visit.pk,))
            if response.is_final or not is_same:
                break
            revision = response.revision
        else:
            goes_to, place = _next_page(request, page, form, visit=visit, response=response)
            return PageResult(response, form, alert=alert, goes_to=goes_to, place=place)
    return PageResult(response, form, is_stale=True)


def _next_page(
    request: HttpRequest,
    page: Page,
    form: QuestionForm,
    *,
    visit: Appointment,
    response: QuestionnaireResponse,
) -> tuple[str, tuple[Any, ...]]:
    """Return the page after a saved one; none while this one has errors to correct."""
    is_moving_on = not {"later", "back", "language"} & request.POST.keys()
    if not (form.is_valid() if is_moving_on else form.is_unfinished_only):
        return "", ()
    numbers = [one.number for one in response.pages()]
    if "language" in request.POST:
        return "intake_page", (visit.pk, page.number)
    if "back" in request.POST:
        earlier = [number for number in numbers if number < page.number]
        return ("intake_page", (visit.pk, earlier[-1])) if earlier else ("intake", (visit.pk,))
    if "later" in request.POST:
        return "intake", (visit.pk,)
    later = [number for number in numbers if number > page.number]
    return ("intake_page", (visit.pk, later[0])) if later else ("intake_review", (visit.pk,))


def _form(
    request: HttpRequest,
    page: Page,
    *,
    visit: Appointment,
    response: QuestionnaireResponse,
    practice: Practice,
    now: datetime,
) -> QuestionForm:
    today = _today(practice, now)
    withheld = _withheld(visit, response, practice=practice, now=now)
    return QuestionForm(
        posted(request),
        questionnaire=response.form,
        items=guardians.shown(page.items, withheld),
        stored=page_saving.known_beforehand(
            response.form, response.items, patient=visit.patient, today=today
        ),
        language=active_language(),
        today=today,
        zone=practice.zone,
        placeholders=_placeholders(practice),
    )


def _shown(
    request: HttpRequest,
    page: Page,
    turned: PageResult,
    *,
    visit: Appointment,
    practice: Practice,
    now: datetime,
) -> HttpResponse:
    response, pages = turned.response, turned.response.pages()
    withheld = _withheld(visit, response, practice=practice, now=now)
    conflict = []
    if turned.is_stale:
        conflict = readback.differences(
            response.form,
            turned.form.items,
            response.items,
            language=active_language(),
            placeholders=_placeholders(practice),
            page=page,
            withheld=withheld,
        )
    return render(
        request,
        "intake/intake_page.html",
        {
            "visit": visit,
            "response": response,
            "page": page,
            "title": page.text.in_language(active_language()),
            "is_first": all(one.number >= page.number for one in pages),
            "step": sum(one.number <= page.number for one in pages),
            "steps": len(pages) + 1,
            "minutes": _minutes(response),
            "advice": _advice(response, practice=practice, now=now),
            "form": turned.form,
            "seen": page_saving.seen(page, response.items),
            "withheld": any(item.link_id in withheld for item in page.walk()),
            "is_stale": turned.is_stale,
            "conflict": conflict,
        },
        status=409 if turned.is_stale else 200,
    )


def _answers_of(visit: Appointment, today: date) -> QuestionnaireResponse:
    """Return the current response: an open correction before the response it corrects."""
    response = visit.intake_response
    if response is None:
        return _begun(visit, today)
    return (response.open_correction if response.is_final else None) or response


def _can_be_corrected(visit: Appointment, response: QuestionnaireResponse) -> bool:
    """Whether the patient can correct it: until the visit is over, later only the clinic can."""
    return response.is_final and visit.status == Appointment.Status.BOOKED


def _withheld(
    visit: Appointment, response: QuestionnaireResponse, *, practice: Practice, now: datetime
) -> frozenset[str]:
    return guardians.withheld(
        response.answers,
        patient=visit.patient,
        today=_today(practice, now),
        minor_age=practice.minor_age,
    )


def _placeholders(practice: Practice) -> dict[str, str]:
    return {"emergency_number": practice.emergency_number}


def _questionnaire_for(visit: Appointment) -> Questionnaire:
    """Return the service's own form, or the clinic's intake."""
    return visit.service.questionnaire or gate.questionnaire()


def _begun(visit: Appointment, today: date) -> QuestionnaireResponse:
    """Return a new response, not saved, with the form's initial answers."""
    questionnaire = _questionnaire_for(visit)
    return QuestionnaireResponse(
        questionnaire=questionnaire,
        patient=visit.patient,
        items=initial_items(questionnaire.form, today=today),
    )


def _save(
    form: QuestionForm,
    page: Page,
    visit: Appointment,
    response: QuestionnaireResponse,
    *,
    revision: int,
    practice: Practice,
) -> SafetyAlert | None:
    with transaction.atomic():
        if response._state.adding:
            # Two tabs may both send the first page: the lock on the visit's row decides the first.
            locked = Appointment.objects.select_for_update().get(pk=visit.pk)
            if locked.intake_response_id is not None:
                raise StaleRevision
            response.save()
            visit.intake_response = response
            visit.save(update_fields=["intake_response"])
        return page_saving.save_page(
            response,
            page=page,
            items=form.items,
            is_complete=form.is_valid(),
            revision=revision,
            language=active_language(),
            practice=practice,
            now=timezone.now(),
        )


def _advice(response: QuestionnaireResponse, *, practice: Practice, now: datetime) -> list[Advice]:
    """Return the advice that a person with URGENT answers sees on every page."""
    if response.level != Level.URGENT or response._state.adding:
        return []
    outcome = page_saving.current_triage(response, practice=practice, now=now)
    can_be_called = bool(response.patient and response.patient.phone)
    return advice(outcome.messages, practice=practice, now=now, can_be_called=can_be_called)


def _minutes(response: QuestionnaireResponse) -> int:
    return max(1, round(response.seconds_left() / 60))


def _today(practice: Practice, now: datetime) -> date:
    return days.local_date(now, practice.zone)
