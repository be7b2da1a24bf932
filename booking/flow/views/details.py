"""The last step of booking: who comes. A hold becomes a visit here."""

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
from booking.flow.forms import DetailsForm, HoldForm, KeyForm, TrapForm
from booking.flow.picker import Picker, SlotFilter, is_in_time
from booking.flow.views.book import active_service, go_on_with, hold, is_settled, why_not
from booking.flow.views.safety import guest_required
from booking.flow.visitor import OPEN_VISITS_PER_PATIENT, Guest
from clinic.languages import active_language
from clinic.models import DeskTask, Patient, Practice
from clinic.security.access import visitor_hash
from clinic.security.rate_limits import (
    ADDRESS_CHECKS_PER_IP,
    UNPROVEN_PER_IP,
    TooManyTries,
    client_ip,
)
from intake.workflow import gate
from schedule import slots
from schedule.models import Service

# In a day, by one browser, before the address has to be confirmed: a parent and a child.
UNPROVEN_PER_VISITOR = 2
A_DAY = timedelta(days=1)
RETRY_AFTER_SECONDS = 24 * 60 * 60
NEAREST = 12


@require_http_methods(["GET", "POST"])
def details(request: HttpRequest, slug: str) -> HttpResponse:
    # A form sent twice shows the visit it made the first time, whatever has changed since.
    visit = _of_this_form(request)
    if visit is not None and is_settled(visit):
        return go_on_with(visit, now=timezone.now())
    return _details(request, slug, kept=visit)


@guest_required
def _details(
    request: HttpRequest,
    slug: str,
    *,
    kept: Appointment | None,
    guest: Guest,
    practice: Practice,
) -> HttpResponse:
    now = timezone.now()
    today = now.astimezone(practice.zone).date()
    offer = guest.offer(_service(slug, kept), today=today)
    if guest.outcome is None or not offer.is_open:
        # Or its twin, sent in the same moment, has just booked and taken the answers along.
        visit = _of_this_form(request)
        if visit is not None and is_settled(visit):
            return go_on_with(visit, now=now)
        return redirect(why_not(guest, offer.service))
    if request.method == "GET":
        kept = guest.hold(offer.service, now=now)
        if kept is None:
            return redirect("slots", slug)
        initial = {"birth_date": guest.birth_date, "language": active_language()}
        form = DetailsForm(initial=initial, practice=practice, today=today)
        return _page(request, kept, form=form, guest=guest, now=now)
    start = HoldForm(request.POST, service=offer.service)
    form = DetailsForm(request.POST, practice=practice, today=today)
    try:
        if kept is not None and _is_still_meant(kept, request, offer, now=now):
            held = kept
        elif start.is_valid():
            held = hold(start, offer, guest=guest, now=now)
        else:
            return redirect("slots", slug)
        if "book" not in request.POST:
            # Another time was chosen for details typed before: they are shown again.
            return _page(request, held, form=form.as_typed(), guest=guest, now=now)
        if guest.patient is None and TrapForm(request.POST).is_sprung:
            # A program: it sees what people see who are asked to look in their mail.
            return redirect("confirm_address")
        if guest.patient is None and not form.is_valid():
            held.renew_hold(now=now)
            return _page(request, held, form=form, guest=guest, now=now)
        if guest.patient is None and form.cleaned_data["birth_date"] != guest.birth_date:
            guest = guest.born_on(form.cleaned_data["birth_date"], practice=practice, now=now)
            offer = guest.offer(offer.service, today=today)
            if not offer.is_open or not is_in_time(offer, held.local_start):
                return redirect(why_not(guest, offer.service))
        if guest.patient is not None and _has_too_many_visits(guest.patient, now=now):
            return _page(request, held, form=form, guest=guest, now=now, is_too_much=True)
        if guest.patient is not None and guest.is_proven:
            _book(held, guest=guest, patient=guest.patient, now=now)
        else:
            address = client_ip(request)
            _book_unproven(held, form=form, guest=guest, address=address, now=now)
    except SlotTaken:
        return _taken(request, start, offer, form=form, guest=guest, now=now)
    except InvalidTransition:
        held.refresh_from_db()
    return go_on_with(held, now=now)


def _of_this_form(request: HttpRequest) -> Appointment | None:
    """The hold behind the posted form, or the visit it became, for the browser it belongs to."""
    form = KeyForm(request.POST)
    visitor = visitor_hash(request)
    if request.method != "POST" or not visitor or not form.is_valid():
        return None
    try:
        return Appointment.objects.select_related("service").get(
            booking_key=form.key, visitor_hash=visitor
        )
    except Appointment.DoesNotExist:
        return None


def _service(slug: str, kept: Appointment | None) -> Service:
    """The service of the page's address: most often it was read along with the hold."""
    if kept is not None and kept.service.slug == slug and kept.service.is_active:
        return kept.service
    return active_service(slug)


def _is_still_meant(
    kept: Appointment, request: HttpRequest, offer: Offer, *, now: datetime
) -> bool:
    """Is the hold running, and for the start on the page that was sent?"""
    return (
        kept.service == offer.service
        and kept.seconds_held(now=now) > 0
        and request.POST.get("start") == str(slots.floor_minute(kept.start))
    )


def _has_too_many_visits(patient: Patient, *, now: datetime) -> bool:
    coming = Appointment.objects.coming(now=now).filter(patient=patient)
    return coming.count() >= OPEN_VISITS_PER_PATIENT


def _book(held: Appointment, *, guest: Guest, patient: Patient, now: datetime) -> None:
    """Make the hold a visit of ``patient``, with the gate's answers as the start of the intake."""
    # Without a savepoint: whatever is raised in here undoes all that was begun around it.
    with transaction.atomic(savepoint=False):
        if patient._state.adding:
            patient.save()
        if guest.response is not None:
            gate.attach(guest.response, patient)
        held.book(patient=patient, now=now, intake_response=guest.response)


class MustConfirm(Exception):
    """This booking has to wait until the mailbox has answered."""


def _book_unproven(
    held: Appointment, *, form: DetailsForm, guest: Guest, address: str, now: datetime
) -> None:
    """Book for somebody who has not shown that the address is theirs, or have a link mailed first.

    Which of the two depends on what this browser and this network have booked, and on nothing
    that is known of the address or its owner: so neither answer tells anything about them. Raises
    TooManyTries when too many links were asked for.
    """
    try:
        with transaction.atomic():
            patient = guest.patient or form.new_patient(now=now)
            is_many = _has_address_many_visits(patient.email, now=now)
            _book(held, guest=guest, patient=patient, now=now)
            # Counted in the same step: of a form that was sent twice, once.
            _count_unproven(guest, address=address, now=now)
            if is_many:
                # For people, who can ask. The page must not show what the address has.
                DeskTask.objects.ask(
                    kind=DeskTask.Kind.MANY_VISITS, subject=patient, patient=patient, now=now
                )
    except MustConfirm:
        with transaction.atomic():
            UnconfirmedBooking.objects.ask(
                held,
                patient=guest.patient,
                details=_mail_to(guest.patient) if guest.patient else form.typed,
                response=guest.response,
                now=now,
            )
            ADDRESS_CHECKS_PER_IP.spend(address, now=now)
        # The booking that was rolled back had been written into memory too.
        held.refresh_from_db()


def _mail_to(patient: Patient) -> dict[str, str]:
    return {"email": patient.email, "language": patient.language}


def _count_unproven(guest: Guest, *, address: str, now: datetime) -> None:
    """Raise MustConfirm when this browser, or its network, has booked more than a few times."""
    booked = Appointment.objects.filter(
        visitor_hash=guest.visitor_hash, patient__isnull=False, created_at__gt=now - A_DAY
    )
    if booked.count() > UNPROVEN_PER_VISITOR:
        raise MustConfirm
    try:
        UNPROVEN_PER_IP.spend(address, now=now)
    except TooManyTries as error:
        raise MustConfirm from error


def _has_address_many_visits(email: str, *, now: datetime) -> bool:
    coming = Appointment.objects.coming(now=now).filter(patient__email__iexact=email)
    return coming.count() >= OPEN_VISITS_PER_PATIENT


def _page(
    request: HttpRequest,
    held: Appointment,
    *,
    form: DetailsForm,
    guest: Guest,
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
            "patient": guest.patient,
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
    guest: Guest,
    now: datetime,
) -> HttpResponse:
    """The time is gone: the nearest ones, in a form that carries on everything typed."""
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
            "form": None if guest.patient else form,
            "start": start,
        },
        status=409,
    )
