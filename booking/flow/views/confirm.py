"""Proving by a mailed link that an address is one's own, before a hold becomes a visit."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from booking.appointments.models import Appointment
from booking.appointments.status import InvalidTransition, SlotTaken
from booking.appointments.unconfirmed import UnconfirmedBooking
from booking.flow.eligibility import NOTHING_ANSWERED, Offer, offers
from booking.flow.forms import DetailsForm
from booking.flow.picker import is_in_time
from booking.flow.visitor import OPEN_VISITS_PER_ADDRESS, seen_for
from clinic import days
from clinic.context import practice_of
from clinic.models import Message, Practice
from clinic.security.access import grant_to_browser, visitor_hash
from clinic.views.links import link_gone, secret_page
from intake.workflow import gate

RETRY_AFTER_SECONDS = 24 * 60 * 60


@require_safe
@never_cache
def confirm_address(request: HttpRequest) -> HttpResponse:
    """Ask the visitor to open the mailed link. It reveals nothing about the address or a record."""
    visitor_key, asked = visitor_hash(request), None
    if visitor_key:
        asked = (
            UnconfirmedBooking.objects.filter(
                appointment__visitor_hash=visitor_key,
                appointment__status=Appointment.Status.PENDING,
                appointment__held_until__gt=timezone.now(),
            )
            .select_related("appointment__service", "appointment__location")
            .order_by("created_at")
            .last()
        )
    return render(
        request,
        "booking/flow/confirm_address.html",
        {"asked": asked, "held": asked and asked.appointment},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def confirm_booking(request: HttpRequest, token: str) -> HttpResponse:
    """Show the time held for the mailed link, and on POST book it."""
    now, practice = timezone.now(), practice_of(request)
    asked = UnconfirmedBooking.objects.with_token(token, now=now)
    if asked is None:
        return link_gone(request)
    visit = asked.appointment
    context = {"held": visit, "is_booked": visit.patient is not None}
    if request.method != "POST":
        return secret_page(request, "booking/flow/confirm_booking.html", context)
    if visit.patient is None:
        offer = _offer(asked, practice=practice, now=now)
        is_too_much = _coming_for(asked.email, now=now) >= OPEN_VISITS_PER_ADDRESS
        form = DetailsForm(
            asked.details, practice=practice, today=days.local_date(now, practice.zone)
        )
        is_known = asked.patient is not None or form.is_valid()
        if is_too_much or not is_in_time(offer, visit.local_start) or not is_known:
            context |= {"is_refused": True, "offer": offer, "is_too_much": is_too_much}
            response = secret_page(
                request,
                "booking/flow/confirm_booking.html",
                context,
                status=429 if is_too_much else 409,
            )
            if is_too_much:
                response["Retry-After"] = str(RETRY_AFTER_SECONDS)
            return response
        try:
            asked.confirm(asked.patient or form.new_patient(now=now), now=now)
        except SlotTaken:
            return link_gone(request)
        except InvalidTransition:
            visit.refresh_from_db()  # Pressed twice: the other request booked it.
    return _open(request, asked, visit, now=now)


def _open(
    request: HttpRequest, asked: UnconfirmedBooking, visit: Appointment, *, now: datetime
) -> HttpResponse:
    """Redirect to the visit. Only the browser that gave the answers sees them without a check."""
    is_same_browser = visitor_hash(request) == visit.visitor_hash
    assert visit.patient is not None
    response = redirect("visit", visit.pk)
    grant_to_browser(
        response,
        patient=visit.patient,
        subject_id=visit.pk,
        message=None if is_same_browser else Message.objects.about(asked).last(),
        now=now,
    )
    return response


def _coming_for(email: str, *, now: datetime) -> int:
    return Appointment.objects.coming(now=now).filter(patient__email__iexact=email).count()


def _offer(asked: UnconfirmedBooking, *, practice: Practice, now: datetime) -> Offer:
    """Judge the service again by the answers given for this visit."""
    visit, restrictions = asked.appointment, NOTHING_ANSWERED
    if visit.intake_response is not None:
        outcome = gate.current_triage(
            visit.intake_response, patient=asked.patient, practice=practice, now=now
        )
        restrictions = outcome.restrictions
    if gate.emergency_alert(visitor_hash=visit.visitor_hash, patient=asked.patient):
        # An alert that other answers raised since then blocks this booking too.
        restrictions |= {"no-booking"}
    today = days.local_date(now, practice.zone)
    (offer,) = offers(
        [visit.service], restrictions=restrictions, seen_for=seen_for(asked.patient), today=today
    )
    return offer
