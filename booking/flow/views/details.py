"""The last step of booking: the patient's details. A hold becomes a visit here."""

from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from booking.appointments.models import Appointment
from booking.appointments.status import InvalidTransition, SlotTaken
from booking.appointments.unconfirmed import UnconfirmedBooking
from booking.flow.eligibility import Offer
from booking.flow.forms import DetailsForm, HoldForm, HoneypotForm, KeyForm
from booking.flow.picker import Picker, SlotFilter, is_in_time
from booking.flow.views.book import active_service, go_on_with, hold, is_settled, why_not
from booking.flow.views.safety import visitor_required
from booking.flow.visitor import OPEN_VISITS_PER_PATIENT, BookingVisitor
from clinic import days
from clinic.languages import active_language
from clinic.models import DeskTask, Patient, Practice
from clinic.security.access import visitor_hash
from clinic.security.rate_limits import (
    ADDRESS_CHECKS_PER_IP,
    UNPROVEN_PER_IP,
    RateLimited,
    client_ip,
)
from intake.workflow import gate
from schedule import slots
from schedule.models import Service

# Visits one browser can book in a day without confirming the address: a parent and a child.
UNPROVEN_PER_VISITOR = 2
A_DAY = timedelta(days=1)
RETRY_AFTER_SECONDS = 24 * 60 * 60
NEAREST = 12


@require_http_methods(["GET", "POST"])
def details(request: HttpRequest, slug: str) -> HttpResponse:
    # A form sent twice shows the visit that it made the first time, despite any change since.
    visit = _of_this_form(request)
    if visit is not None and is_settled(visit):
        return go_on_with(visit, now=timezone.now())
    return _details(request, slug, kept=visit)


@visitor_required
def _details(
    request: HttpRequest,
    slug: str,
    *,
    kept: Appointment | None,
    visitor: BookingVisitor,
    practice: Practice,
) -> HttpResponse:
    now = timezone.now()
    today = days.local_date(now, practice.zone)
    offer = visitor.offer(_service(slug, kept), today=today)
    if visitor.outcome is None or not offer.is_open:
        # Or the same form, sent twice at once, has just booked and used the answers.
        visit = _of_this_form(request)
        if visit is not None and is_settled(visit):
            return go_on_with(visit, now=now)
        return redirect(why_not(visitor, offer.service))
    if request.method == "GET":
        kept = visitor.hold(offer.service, now=now)
        if kept is None:
            return redirect("slots", slug)
        initial = {"birth_date": visitor.birth_date, "language": active_language()}
        form = DetailsForm(initial=initial, practice=practice, today=today)
        return _page(request, kept, form=form, visitor=visitor, now=now)
    start = HoldForm(request.POST, service=offer.service)
    form = DetailsForm(request.POST, practice=practice, today=today)
    try:
        if kept is not None and _is_still_meant(kept, request, offer, now=now):
            held = kept
        elif start.is_valid():
            held = hold(start, offer, visitor=visitor, now=now)
        else:
            return redirect("slots", slug)
        if "book" not in request.POST:
            # The visitor chose another time after typing: show the details again.
            return _page(request, held, form=form.as_typed(), visitor=visitor, now=now)
        if visitor.patient is None and HoneypotForm(request.POST).is_spam:
            # The honeypot caught a program: show it the page for unconfirmed addresses.
            return redirect("confirm_address")
        if visitor.patient is None and not form.is_valid():
            held.renew_hold(now=now)
            return _page(request, held, form=form, visitor=visitor, now=now)
        if visitor.patient is None and form.cleaned_data["birth_date"] != visitor.birth_date:
            visitor = visitor.born_on(form.cleaned_data["birth_date"], practice=practice, now=now)
            offer = visitor.offer(offer.service, today=today)
            if not offer.is_open or not is_in_time(offer, held.local_start):
                return redirect(why_not(visitor, offer.service))
        if visitor.patient is not None and _has_too_many_visits(visitor.patient, now=now):
            return _page(request, held, form=form, visitor=visitor, now=now, is_too_much=True)
        if visitor.patient is not None and visitor.is_proven:
            _book(held, visitor=visitor, patient=visitor.patient, now=now)
        else:
            address = client_ip(request)
            _book_unproven(held, form=form, visitor=visitor, address=address, now=now)
    except SlotTaken:
        return _taken(request, start, offer, form=form, visitor=visitor, now=now)
    except InvalidTransition:
        held.refresh_from_db()
    return go_on_with(held, now=now)


def _of_this_form(request: HttpRequest) -> Appointment | None:
    """Return the posted form's hold, or the visit it became, if it belongs to this browser."""
    form = KeyForm(request.POST)
    visitor_key = visitor_hash(request)
    if request.method != "POST" or not visitor_key or not form.is_valid():
        return None
    try:
        return Appointment.objects.select_related("service").get(
            booking_key=form.key, visitor_hash=visitor_key
        )
    except Appointment.DoesNotExist:
        return None


def _service(slug: str, kept: Appointment | None) -> Service:
    """Return the service in the page's URL; in most cases it was read with the hold."""
    if kept is not None and kept.service.slug == slug and kept.service.is_active:
        return kept.service
    return active_service(slug)


def _is_still_meant(
    kept: Appointment, request: HttpRequest, offer: Offer, *, now: datetime
) -> bool:
    """Whether the hold has not expired, and is for the start on the posted page."""
    return (
        kept.service == offer.service
        and kept.seconds_held(now=now) > 0
        and request.POST.get("start") == str(slots.floor_minute(kept.start))
    )


def _has_too_many_visits(patient: Patient, *, now: datetime) -> bool:
    coming = Appointment.objects.coming(now=now).filter(patient=patient)
    return coming.count() >= OPEN_VISITS_PER_PATIENT


def _book(held: Appointment, *, visitor: BookingVisitor, patient: Patient, now: datetime) -> None:
    """Make the hold a visit of ``patient``, with the gate's answers as the start of the intake."""
    # Without a savepoint: an exception in here also rolls back the transaction around it.
    with transaction.atomic(savepoint=False):
        if patient._state.adding:
            patient.save()
        if visitor.response is not None:
            gate.attach(visitor.response, patient)
        held.book(patient=patient, now=now, intake_response=visitor.response)


class MustConfirm(Exception):
    """This booking has to wait until the mailed link is opened."""


def _book_unproven(
    held: Appointment, *, form: DetailsForm, visitor: BookingVisitor, address: str, now: datetime
) -> None:
    """Book for a visitor who has not proven their address, or plan a mail with a link first.

    The choice depends only on what this browser and this network have booked, and not on data
    about the address or its owner. So neither answer reveals anything about them. Raises
    RateLimited when too many links were requested.
    """
    try:
        with transaction.atomic():
            patient = visitor.patient or form.new_patient(now=now)
            is_many = _has_address_many_visits(patient.email, now=now)
            _book(held, visitor=visitor, patient=patient, now=now)
            # Counted in the same transaction, so that a form sent twice counts once.
            _count_unproven(visitor, address=address, now=now)
            if is_many:
                # For staff, who can ask. The page must not show what the address has booked.
                DeskTask.objects.ask(
                    kind=DeskTask.Kind.MANY_VISITS, subject=patient, patient=patient, now=now
                )
    except MustConfirm:
        with transaction.atomic():
            UnconfirmedBooking.objects.ask(
                held,
                patient=visitor.patient,
                details=_mail_to(visitor.patient) if visitor.patient else form.typed,
                response=visitor.response,
                now=now,
            )
            ADDRESS_CHECKS_PER_IP.hit(address, now=now)
        # The booking that was rolled back had also changed the object in memory.
        held.refresh_from_db()


def _mail_to(patient: Patient) -> dict[str, str]:
    return {"email": patient.email, "language": patient.language}


def _count_unproven(visitor: BookingVisitor, *, address: str, now: datetime) -> None:
    """Raise MustConfirm when this browser or its network has booked too many times."""
    booked = Appointment.objects.filter(
        visitor_hash=visitor.visitor_hash, patient__isnull=False, created_at__gt=now - A_DAY
    )
    if booked.count() > UNPROVEN_PER_VISITOR:
        raise MustConfirm
    try:
        UNPROVEN_PER_IP.hit(address, now=now)
    except RateLimited as error:
        raise MustConfirm from error


def _has_address_many_visits(email: str, *, now: datetime) -> bool:
    coming = Appointment.objects.coming(now=now).filter(patient__email__iexact=email)
    return coming.count() >= OPEN_VISITS_PER_PATIENT


def _page(
    request: HttpRequest,
    held: Appointment,
    *,
    form: DetailsForm,
    visitor: BookingVisitor,
    now: datetime,
    is_too_much: bool = False,
) -> HttpResponse:
    response = render(
        request,
        "booking/flow/details.html",
        {
            "held": held,
            "start": slots.floor_minute(held.start),
            "form": form,
            "patient": visitor.patient,
            "is_too_much": is_too_much,
            "minutes_left": max(1, held.seconds_held(now=now) // 60),
        },
        status=429 if is_too_much else 200,
    )
    if is_too_much:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _taken(
    request: HttpRequest,
    start: HoldForm,
    offer: Offer,
    *,
    form: DetailsForm,
    visitor: BookingVisitor,
    now: datetime,
) -> HttpResponse:
    """Show that the time is taken, and the nearest ones, in a form that keeps the input."""
    if not start.is_valid():
        return redirect("slots", offer.service.slug)
    chosen = start.cleaned_data
    wanted = SlotFilter(
        place=chosen["place"].slug,
        who=chosen["who"] and chosen["who"].public_id,
        minutes=chosen["minutes"],
    )
    picker = Picker(offer, wanted=wanted, now=now)
    return render(
        request,
        "booking/flow/taken.html",
        {
            "picker": picker,
            "nearest": picker.nearest(start.at, NEAREST),
            "form": None if visitor.patient else form,
            "start": start,
        },
        status=409,
    )
