"""Pages of one visit, for anyone with a link to its patient. Only a POST changes data."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from booking.appointments import ical, mail_schedule
from booking.appointments.models import Appointment
from booking.appointments.status import CAME, InvalidTransition, SlotTaken
from booking.flow.eligibility import Offer
from booking.flow.forms import CancelForm, SlotFilterForm, StartForm
from booking.flow.picker import Picker, SlotFilter, is_in_time
from booking.flow.views.safety import visitor_required
from booking.flow.visitor import BookingVisitor
from booking.mails import visit_mails
from clinic import days
from clinic.models import Message, Practice
from clinic.posted import posted
from clinic.security.access import patient_grant
from clinic.security.rate_limits import HOLDS_PER_IP, client_ip
from intake.models import QuestionnaireResponse
from intake.rules.thresholds import SAFETY_ANSWERS_LAST
from intake.workflow import gate


def own_visit(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pass the page its ``visit``; another patient's and an unknown one give the same 404."""

    @wraps(view)
    @never_cache
    def wrapper(request: HttpRequest, visit_id: UUID, **kwargs: Any) -> HttpResponse:
        visit = (
            Appointment.objects.visible_to(patient_grant(request))
            .select_related(
                *("patient", "service", "location", "practitioner", "series"),
                "intake_response__questionnaire",
            )
            # Large, and parsed once per process: see Questionnaire.form.
            .defer("intake_response__questionnaire__content")
            .filter(pk=visit_id)
            .first()
        )
        if visit is None:
            raise Http404
        return view(request, visit=visit, **kwargs)

    return wrapper


@require_safe
@own_visit
def visit(request: HttpRequest, *, visit: Appointment) -> HttpResponse:
    now = timezone.now()
    series_visits = list(visit.series.not_cancelled()) if visit.series else []
    has_following = any(
        each.status == Appointment.Status.BOOKED and each.start > visit.start
        for each in series_visits
    )
    mail = (
        Message.objects.about(visit)
        .filter(kind__in=[visit_mails.CONFIRMATION, visit_mails.MOVED, visit_mails.CANCELLED])
        .exclude(state=Message.State.SKIPPED, reason__in=mail_schedule.REPLACED)
        .order_by("subject_version", "created_at")
        .last()
    )
    if mail is None and visit.series:
        mail = Message.objects.about(visit.series).order_by("created_at").last()
    # The mail about a change waits while an undo is possible.
    may_undo = mail is not None and mail.due_at > now
    return render(
        request,
        "booking/visit_pages/visit.html",
        {
            "visit": visit,
            "series_visits": series_visits,
            "series_place": visit.series.place_of(visit) if visit.series else None,
            "is_ahead": visit.status == Appointment.Status.BOOKED and visit.start > now,
            "can_move": can_move(visit, now=now),
            "can_move_following": has_following and can_move(visit, now=now),
            "can_plan": is_after_the_first(visit),
            "can_cancel": can_cancel(visit, now=now),
            "has_moves_left": visit.moves < visit.service.max_moves,
            "undo_until": undo_until(visit, now=now) if may_undo else None,
            "intake": visit.intake_response,
            "offers_intake_form": offers_intake_form(visit),
            "mail": mail,
        },
    )


@require_http_methods(["GET", "POST"])
@own_visit
def confirm_visit(request: HttpRequest, *, visit: Appointment) -> HttpResponse:
    """Confirm that the patient will come."""
    if request.method == "POST":
        # If the visit was called off in between, the page says so.
        with suppress(InvalidTransition):
            visit.confirm(now=timezone.now())
        return redirect("visit", visit.pk)
    return render(request, "booking/visit_pages/confirm_visit.html", {"visit": visit})


@require_http_methods(["GET", "POST"])
@own_visit
def cancel_visit(request: HttpRequest, *, visit: Appointment) -> HttpResponse:
    now = timezone.now()
    if visit.status == Appointment.Status.CANCELLED:
        # Pressed twice, or the mailed link opened again: the page shows that it is cancelled.
        return redirect("visit", visit.pk)
    if not can_cancel(visit, now=now):
        return render(request, "booking/visit_pages/too_late.html", {"visit": visit}, status=409)
    form = CancelForm(posted(request))
    if request.method == "POST" and form.is_valid():
        # If another request was faster, the page shows the result.
        with suppress(InvalidTransition):
            visit.cancel(now=now, reason=form.cleaned_data["reason"])
        return redirect("visit", visit.pk)
    return render(
        request,
        "booking/visit_pages/cancel_visit.html",
        {"visit": visit, "form": form, "can_move": can_move(visit, now=now)},
    )


@visitor_required
@require_http_methods(["GET", "POST"])
@own_visit
def move_visit(
    request: HttpRequest, *, visit: Appointment, visitor: BookingVisitor, practice: Practice
) -> HttpResponse:
    now = timezone.now()
    if not can_move(visit, now=now):
        has_moves_left = visit.moves < visit.service.max_moves
        return render(
            request,
            "booking/visit_pages/too_late.html",
            {"visit": visit, "has_moved_enough": not has_moves_left},
            status=409,
        )
    offer = offer_of(visit, visitor=visitor, practice=practice, now=now)
    if offer is None:
        return redirect(reverse("safety", query={"visit": visit.pk}))
    if not offer.is_open:
        return render(
            request, "booking/visit_pages/too_late.html", {"visit": visit, "offer": offer}
        )
    wanted_at = None
    if request.method == "POST":
        HOLDS_PER_IP.hit(client_ip(request), now=now)
        form = StartForm(request.POST, service=visit.service)
        if form.is_valid():
            try:
                _move_to(visit, form, offer, now=now)
            except SlotTaken:
                wanted_at = form.at
            except InvalidTransition:
                # Moved or cancelled in between, perhaps in another tab: the page shows it.
                return redirect("visit", visit.pk)
            else:
                return redirect("visit", visit.pk)
    filters = SlotFilterForm(request.POST if request.method == "POST" else request.GET)
    filters.is_valid()
    wanted = SlotFilter(**filters.cleaned_data | {"minutes": visit.duration_minutes})
    picker = Picker(offer, wanted=wanted, now=now, moving=visit)
    return render(
        request,
        "booking/visit_pages/move_visit.html",
        {
            "visit": visit,
            "picker": picker,
            "is_taken": request.method == "POST",
            "nearest": picker.nearest(wanted_at) if wanted_at else [],
        },
        status=409 if request.method == "POST" else 200,
    )


@visitor_required
@require_POST
@own_visit
def undo_change(
    request: HttpRequest, *, visit: Appointment, visitor: BookingVisitor, practice: Practice
) -> HttpResponse:
    """Undo the move or the cancellation that the patient has just made."""
    now = timezone.now()
    change = visit.undoable(now=now)
    if change is not None and change.by_id is None:
        try:
            visit.undo(now=now)
        except SlotTaken:
            wanted_at = change.from_start or visit.start
            return _former_time_taken(
                request, visit, wanted_at, visitor=visitor, practice=practice, now=now
            )
        except InvalidTransition:
            pass  # Pressed twice, or another was faster: the page shows the current state.
    return redirect("visit", visit.pk)


def _former_time_taken(
    request: HttpRequest,
    visit: Appointment,
    wanted_at: datetime,
    *,
    visitor: BookingVisitor,
    practice: Practice,
    now: datetime,
) -> HttpResponse:
    """Show that the former time is taken, and the nearest others to move to or to book."""
    offer = offer_of(visit, visitor=visitor, practice=practice, now=now)
    is_booked = visit.status == Appointment.Status.BOOKED
    picker = None
    if offer is not None and offer.is_open:
        wanted = SlotFilter(place=visit.location.slug, minutes=visit.duration_minutes)
        picker = Picker(offer, wanted=wanted, now=now, moving=visit if is_booked else None)
    return render(
        request,
        "booking/visit_pages/undo_taken.html",
        {
            "visit": visit,
            "is_booked": is_booked,
            "picker": picker,
            "nearest": picker.nearest(wanted_at) if picker else [],
            "booking_key": "" if is_booked else uuid4().hex,
        },
        status=409,
    )


@require_safe
@own_visit
def visit_calendar(request: HttpRequest, *, visit: Appointment) -> HttpResponse:
    return HttpResponse(
        ical.publish(visit),
        content_type="text/calendar; charset=utf-8; method=PUBLISH",
        headers={"Content-Disposition": 'attachment; filename="visit.ics"'},
    )


def can_move(visit: Appointment, *, now: datetime) -> bool:
    """Whether the patient can still move it online. Elapsed hours count, not calendar days."""
    return (
        _is_open(visit)
        and now <= visit.start - visit.service.move_cutoff
        and visit.moves < visit.service.max_moves
    )


def is_after_the_first(visit: Appointment) -> bool:
    """Whether the patient may plan others after it: it took place, or is a booked follow-up."""
    took_place = visit.status in CAME
    is_followup = visit.status == Appointment.Status.BOOKED and not visit.service.is_first_visit
    return took_place or is_followup


def can_cancel(visit: Appointment, *, now: datetime) -> bool:
    return _is_open(visit) and now <= visit.start - visit.service.cancel_cutoff


def undo_until(visit: Appointment, *, now: datetime) -> datetime | None:
    """Return when the patient's undo of the last change ends, on the location's wall clock."""
    change = visit.undoable(now=now)
    if change is None or change.by_id is not None:
        return None
    return (change.at + mail_schedule.UNDO_WINDOW).astimezone(visit.zone)


def _is_open(visit: Appointment) -> bool:
    return visit.status == Appointment.Status.BOOKED and visit.safety_hold_alert_id is None


def offers_intake_form(visit: Appointment) -> bool:
    """Whether there is a form to fill in before this visit."""
    is_done = visit.intake_response is not None and visit.intake_response.is_final
    return bool(visit.service.questionnaire_id) and not is_done


def _move_to(visit: Appointment, form: StartForm, offer: Offer, *, now: datetime) -> None:
    place = form.cleaned_data["place"]
    if not is_in_time(offer, form.at.astimezone(place.zone)):
        raise SlotTaken
    visit.move(
        start=form.at,
        now=now,
        practitioner=form.cleaned_data["who"],
        location=place,
        level=offer.level,
    )


def visitor_with_latest_triage(
    visit: Appointment, *, visitor: BookingVisitor, practice: Practice, now: datetime
) -> BookingVisitor | None:
    """Return the visitor with the outcome of the latest safety answers; None if they are old."""
    outcome = visitor.outcome
    response = visit.intake_response
    if outcome is None and response is not None and _is_recent(response, now=now):
        outcome = gate.current_triage(response, patient=visit.patient, practice=practice, now=now)
    return visitor.with_triage(outcome) if outcome else None


def offer_of(
    visit: Appointment, *, visitor: BookingVisitor, practice: Practice, now: datetime
) -> Offer | None:
    """Judge the visit's service by the patient's latest safety answers; None if they are old."""
    as_answered = visitor_with_latest_triage(visit, visitor=visitor, practice=practice, now=now)
    today = days.local_date(now, practice.zone)
    return as_answered.offer(visit.service, today=today) if as_answered else None


def _is_recent(response: QuestionnaireResponse, *, now: datetime) -> bool:
    answered_at = response.safety_answered_at
    return answered_at is not None and answered_at > now - SAFETY_ANSWERS_LAST
