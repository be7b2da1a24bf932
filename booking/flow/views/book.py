"""Booking pages: choose a service, then a time, which is held while the visitor types."""

from datetime import datetime
from math import ceil
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from booking.appointments.models import Appointment
from booking.appointments.status import SlotTaken
from booking.flow.eligibility import BlockReason, Offer
from booking.flow.forms import HoldForm, SlotFilterForm
from booking.flow.picker import Picker, SlotFilter, is_in_time
from booking.flow.views.safety import CHOOSE_AN_EARLY_TIME, path_for, visitor_required
from booking.flow.visitor import BookingVisitor
from clinic import days
from clinic.models import Practice
from clinic.security.access import grant_to_browser
from clinic.security.rate_limits import HOLDS_PER_IP, RateLimited, client_ip
from intake.rules.levels import Level
from intake.workflow import gate
from intake.workflow.advice import advice
from schedule.models import Service

HOLDS_PER_VISITOR = 3
NOTICES = {Level.URGENT: "notice-alarm", Level.SOON: "notice-warn"}
BY_ARRANGEMENT = {BlockReason.STAFF, BlockReason.REFERRAL, BlockReason.EXTERNAL}


@visitor_required
@require_safe
def book(request: HttpRequest, *, visitor: BookingVisitor, practice: Practice) -> HttpResponse:
    gate.questionnaire()  # Raises if there are no questions: booking is not open then.
    offers = visitor.offers(
        Service.objects.filter(is_active=True).prefetch_related("unlocked_by"),
        today=days.local_date(timezone.now(), practice.zone),
    )
    return render(
        request,
        "booking/flow/book.html",
        {
            "visitor": visitor,
            "open_offers": [offer for offer in offers if offer.is_open],
            "locked_offers": [
                o for o in offers if not o.is_open and o.block_reason not in BY_ARRANGEMENT
            ],
            "arranged_offers": [offer for offer in offers if offer.block_reason in BY_ARRANGEMENT],
        },
    )


@visitor_required
@require_http_methods(["GET", "POST"])
def slots(
    request: HttpRequest, slug: str, *, visitor: BookingVisitor, practice: Practice
) -> HttpResponse:
    now = timezone.now()
    offer = visitor.offer(active_service(slug), today=days.local_date(now, practice.zone))
    if visitor.outcome is None or not offer.is_open:
        return redirect(why_not(visitor, offer.service))
    wanted_at = None
    if request.method == "POST":
        HOLDS_PER_IP.hit(client_ip(request), now=now)
        form = HoldForm(request.POST, service=offer.service)
        if form.is_valid():
            try:
                visit = hold(form, offer, visitor=visitor, now=now)
            except SlotTaken:
                wanted_at = form.at
            else:
                return go_on_with(visit, now=now)
    filters = SlotFilterForm(request.POST if request.method == "POST" else request.GET)
    filters.is_valid()
    held = visitor.hold(offer.service, now=now)
    picker = Picker(offer, wanted=SlotFilter(**filters.cleaned_data), now=now, moving=held)
    can_be_called = offer.level == Level.SOON and picker.person is None and picker.anywhere is None
    messages = [
        message
        for message in visitor.outcome.messages
        if not (can_be_called and message == CHOOSE_AN_EARLY_TIME)
    ]
    return render(
        request,
        "booking/flow/slots.html",
        {
            "picker": picker,
            "held": held,
            "booking_key": held.booking_key if held else uuid4().hex,
            "advice": advice(
                messages,
                practice=practice,
                now=now,
                can_be_called=visitor.can_be_called,
            ),
            "notice_class": NOTICES.get(visitor.outcome.level, "notice-info"),
            "can_be_called": can_be_called,
            "is_taken": request.method == "POST",
            "nearest": picker.nearest(wanted_at) if wanted_at else [],
            "can_wait": visitor.outcome.level < Level.URGENT,
        },
        status=409 if request.method == "POST" else 200,
    )


def hold(form: HoldForm, offer: Offer, *, visitor: BookingVisitor, now: datetime) -> Appointment:
    """Hold the chosen start for this visitor; raise SlotTaken, or RateLimited with too many holds.

    Because of the form key it is the same hold when the visitor chooses again.
    """
    place = form.cleaned_data["place"]
    if not is_in_time(offer, form.at.astimezone(place.zone)):
        raise SlotTaken
    visit = Appointment.objects.hold(
        service=offer.service,
        location=place,
        start=form.at,
        visitor_hash=visitor.visitor_hash,
        now=now,
        practitioner=form.cleaned_data["who"],
        duration=form.cleaned_data["minutes"],
        booking_key=form.key,
        level=offer.level,
    )
    # Count afterwards: many requests at once would all pass an earlier count.
    mine = visitor.holds(now=now)
    ends = list(mine.values_list("held_until", flat=True))
    if len(ends) > HOLDS_PER_VISITOR:
        mine.filter(pk=visit.pk).delete()
        raise RateLimited(ceil((ends[0] - now).total_seconds()))
    return visit


def go_on_with(visit: Appointment, *, now: datetime) -> HttpResponse:
    """Redirect to a hold's details, to the page about the mailed link, or to the visit it became.

    A patient with other visits gets no new grant: a further booking does not replace the birth
    date check.
    """
    if not is_settled(visit):
        return redirect("details", visit.service.slug)
    if visit.patient is None:
        return redirect("confirm_address")
    response = redirect("visit", visit.pk)
    if not Appointment.objects.filter(patient=visit.patient).exclude(pk=visit.pk).exists():
        grant_to_browser(response, patient=visit.patient, subject_id=visit.pk, now=now)
    return response


def is_settled(visit: Appointment) -> bool:
    """Whether the details are given: it is a visit, or waits for its mailed link."""
    # A hold that waits for its link has its answers already; for others, save the query.
    return visit.patient_id is not None or (
        visit.intake_response_id is not None and hasattr(visit, "unconfirmed")
    )


def why_not(visitor: BookingVisitor, service: Service) -> str:
    """Return the URL of the page that explains why this service is not open to the visitor."""
    return path_for(service, "safety_result" if visitor.outcome else "safety")


def active_service(slug: str) -> Service:
    return get_object_or_404(Service, slug=slug, is_active=True)
