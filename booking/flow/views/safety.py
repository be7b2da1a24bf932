"""The safety gate: the questions, and the page for each level of answers."""

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe

from booking.appointments.models import Appointment
from booking.flow.eligibility import Offer
from booking.flow.forms import CallbackForm, CallMeForm, HoneypotForm, OfferForm, VisitForm
from booking.flow.picker import with_time
from booking.flow.visitor import BookingVisitor
from clinic import days
from clinic.context import practice_of
from clinic.languages import active_language
from clinic.models import Practice
from clinic.posted import posted
from clinic.security.access import set_visitor_cookie, visitor_hash
from clinic.security.rate_limits import CALLS_PER_IP, GATES_PER_IP, client_ip
from intake.html_form.forms import QuestionForm
from intake.models import Questionnaire, QuestionnaireResponse
from intake.rules import triage
from intake.rules.levels import Level
from intake.workflow import gate
from intake.workflow.advice import advice
from intake.workflow.page_saving import known_beforehand
from schedule.models import Service

# The message to leave out when there is no early time.
CHOOSE_AN_EARLY_TIME = "M4"


def visitor_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pass a booking page its ``visitor`` and ``practice``; in an emergency show that page instead.

    No browser or proxy stores these pages.
    """

    @wraps(view)
    @never_cache
    @gzip_page
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        practice = practice_of(request)
        if practice.missing_for_safety:
            # Without these data nobody could be helped in an emergency, so booking stays closed.
            return render(request, "booking/flow/not_open.html", status=503)
        # The visitor's token may be created here, before the response that sets it exists.
        jar = HttpResponse()
        visitor = BookingVisitor.of(
            request,
            visitor_hash=visitor_hash(request) or set_visitor_cookie(jar),
            practice=practice,
            now=timezone.now(),
        )
        if visitor.emergency:
            return redirect("emergency")
        try:
            response = view(request, *args, visitor=visitor, practice=practice, **kwargs)
        except Questionnaire.DoesNotExist:
            # Without the safety questions nobody may book a time.
            return render(request, "booking/flow/not_open.html", status=503)
        response.cookies.update(jar.cookies)
        return response

    return wrapper


@visitor_required
@require_http_methods(["GET", "POST"])
def safety(request: HttpRequest, *, visitor: BookingVisitor, practice: Practice) -> HttpResponse:
    now = timezone.now()
    service = service_asked_for(request)
    answers = visitor.response
    if answers is None or answers.patient_id:
        answers = QuestionnaireResponse(
            questionnaire=gate.questionnaire(), visitor_hash=visitor.visitor_hash
        )
    today = days.local_date(now, practice.zone)
    form = QuestionForm(
        posted(request),
        questionnaire=answers.form,
        items=gate.items(answers.form),
        stored=known_beforehand(answers.form, answers.items, patient=visitor.patient, today=today),
        language=active_language(),
        today=today,
        placeholders={"emergency_number": practice.emergency_number},
    )
    if request.method == "POST":
        GATES_PER_IP.hit(client_ip(request), now=now)
        is_complete = form.is_valid()
        outcome = gate.save(
            answers,
            items=form.items,
            is_complete=is_complete,
            patient=visitor.patient,
            language=form.language,
            practice=practice,
            now=now,
        )
        # A danger sign gets an answer at once, even if other questions are unanswered.
        if outcome.level == Level.EMERGENCY:
            for alert in answers.safety_alerts.blocking():
                Appointment.objects.hold_for_safety(alert, now=now)
            return redirect("emergency")
        if is_complete:
            return redirect(
                _after_the_gate(request, visitor.with_triage(outcome), service, form.today)
            )
    return render(request, "booking/flow/safety.html", {"form": form, "service": service})


def _after_the_gate(
    request: HttpRequest, visitor: BookingVisitor, service: Service | None, today: date
) -> str:
    """Return the URL of the next page after a complete set of answers."""
    if visitor.outcome and visitor.outcome.level == Level.URGENT:
        return path_for(service, "callback")
    if back := VisitForm(request.GET).url:
        return back
    if offered := OfferForm(request.GET).offer_id:
        return reverse("waitlist_offer", args=[offered])
    if service and visitor.offer(service, today=today).is_open:
        return reverse("slots", args=[service.slug])
    return path_for(service, "safety_result")


@require_safe
@never_cache
def emergency(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    practice = practice_of(request)
    visitor = BookingVisitor.of(
        request, visitor_hash=visitor_hash(request), practice=practice, now=now
    )
    alert = visitor.emergency
    if alert is None:
        return redirect("book")
    message_ids = triage.messages_of_emergency(alert.rules)
    return render(
        request,
        "booking/flow/emergency.html",
        {"alert": alert, "advice": advice(message_ids, practice=practice, now=now)},
    )


@visitor_required
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest, *, visitor: BookingVisitor, practice: Practice) -> HttpResponse:
    """Ask visitors who need a call today how to reach them; every field is optional."""
    service = service_asked_for(request)
    alert = visitor.urgent_alert
    if alert is None:
        return redirect(path_for(service, "safety"))
    form = CallbackForm(
        posted(request),
        initial={
            "name": visitor.patient.name if visitor.patient else "",
            "phone": visitor.patient.phone if visitor.patient else "",
            "birth_date": visitor.birth_date,
        },
    )
    if request.method == "POST" and form.is_valid():
        gate.leave_number(alert, **form.cleaned_data)
        return redirect(path_for(service, "safety_result"))
    return render(
        request,
        "booking/flow/callback.html",
        {"form": form, "service": service, "is_told": practice.is_told(timezone.now())},
    )


@visitor_required
@require_safe
def safety_result(
    request: HttpRequest, *, visitor: BookingVisitor, practice: Practice
) -> HttpResponse:
    """Show what the answers mean for this person, and what they can book."""
    service = service_asked_for(request)
    now = timezone.now()
    if visitor.outcome is None:
        return redirect(path_for(service, "safety"))
    offers = _all_offers(visitor, practice=practice, now=now)
    open_offers = [offer for offer in offers if offer.is_open]
    if visitor.outcome.level == Level.SOON:
        open_offers = _times_left(offers, visitor=visitor, now=now)
        if not open_offers:
            return redirect(path_for(service, "no_time"))
    return render(
        request,
        "booking/flow/safety_result.html",
        {
            "advice": advice(
                visitor.outcome.messages,
                practice=practice,
                now=now,
                can_be_called=visitor.can_be_called,
            ),
            "asked_for": next((offer for offer in offers if offer.service == service), None),
            "open_offers": sorted(
                open_offers,
                key=lambda offer: offer.last_day or date.max,  # today's before tomorrow's
            ),
            "is_urgent": visitor.outcome.level == Level.URGENT,
        },
    )


@visitor_required
@require_http_methods(["GET", "POST"])
def no_time(request: HttpRequest, *, visitor: BookingVisitor, practice: Practice) -> HttpResponse:
    """Offer a call by the front desk to visitors who should be seen soon and find no time."""
    service = service_asked_for(request)
    now = timezone.now()
    if visitor.outcome is None or visitor.outcome.level != Level.SOON:
        return redirect(path_for(service, "safety_result"))
    is_asked = visitor.is_to_be_called
    offers = [] if is_asked else _all_offers(visitor, practice=practice, now=now)
    if _times_left(offers, visitor=visitor, now=now):
        return redirect(path_for(service, "safety_result"))
    form = None
    if visitor.patient is None or not visitor.patient.phone:
        initial = {"name": visitor.patient.name} if visitor.patient else None
        form = CallMeForm(posted(request), initial=initial)
    if request.method == "POST" and (form is None or form.is_valid()):
        CALLS_PER_IP.hit(client_ip(request), now=now)
        if not HoneypotForm(request.POST).is_spam:
            given = form.cleaned_data if form else {"name": "", "phone": ""}
            visitor.ask_for_a_call(**given, language=active_language(), now=now)
        return redirect(path_for(service, "no_time"))
    messages = [message for message in visitor.outcome.messages if message != CHOOSE_AN_EARLY_TIME]
    return render(
        request,
        "booking/flow/no_time.html",
        {
            "form": form,
            "is_asked": is_asked,
            "advice": advice(messages, practice=practice, now=now),
        },
    )


def _all_offers(visitor: BookingVisitor, *, practice: Practice, now: datetime) -> list[Offer]:
    return visitor.offers(
        Service.objects.filter(is_active=True).prefetch_related("unlocked_by"),
        today=days.local_date(now, practice.zone),
    )


def _times_left(offers: list[Offer], *, visitor: BookingVisitor, now: datetime) -> list[Offer]:
    return with_time(offers, now=now, held=visitor.holds(now=now).last())


def service_asked_for(request: HttpRequest) -> Service | None:
    """Return the service chosen before the gate; None if it is unknown."""
    slug = request.GET.get("service", "")
    return Service.objects.filter(slug=slug, is_active=True).first() if slug else None


def path_for(service: Service | None, name: str) -> str:
    """Return the URL of a page of the gate, with the service in it."""
    return reverse(name, query={"service": service.slug} if service else None)
