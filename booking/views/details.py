"""The last step of booking: who comes. A hold becomes a visit here."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods

from booking import slots
from booking.eligibility import Offer
from booking.forms import DetailsForm, HoldForm, KeyForm
from booking.guest import Guest
from booking.models import Appointment, InvalidTransition, Service, SlotTaken
from booking.picker import Picker, SlotFilter, is_in_time
from booking.views.booking import active_service, go_on_with, hold, why_not
from booking.views.safety import guest_required
from clinic.access import visitor_hash
from clinic.models import Patient, Practice
from intake import gate

OPEN_VISITS_PER_EMAIL = 3
RETRY_AFTER_SECONDS = 24 * 60 * 60
NEAREST = 12


@require_http_methods(["GET", "POST"])
def details(request: HttpRequest, slug: str) -> HttpResponse:
    # A form sent twice shows the visit it made the first time, whatever has changed since.
    visit = _of_this_form(request)
    if visit is not None and visit.patient is not None:
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
        if visit is not None and visit.patient is not None:
            return go_on_with(visit, now=now)
        return redirect(why_not(guest, offer.service))
    if request.method == "GET":
        kept = guest.hold(offer.service, now=now)
        if kept is None:
            return redirect("slots", slug)
        initial = {"birth_date": guest.birth_date, "language": translation.get_language()}
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
        if guest.patient is None and not form.is_valid():
            held.renew_hold(now=now)
            return _page(request, held, form=form, guest=guest, now=now)
        if guest.patient is None and form.cleaned_data["birth_date"] != guest.birth_date:
            guest = guest.born_on(form.cleaned_data["birth_date"], practice=practice, now=now)
            offer = guest.offer(offer.service, today=today)
            if not offer.is_open or not is_in_time(offer, held.local_start):
                return redirect(why_not(guest, offer.service))
        patient = guest.patient or form.new_patient(now=now)
        if _has_too_many_visits(patient, now=now):
            return _page(request, held, form=form, guest=guest, now=now, is_too_much=True)
        _book(held, guest=guest, patient=patient, now=now)
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
    return (
        Appointment.objects.filter(booking_key=form.key, visitor_hash=visitor)
        .select_related("patient", "service", "location", "practitioner")
        .first()
    )


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


def _book(held: Appointment, *, guest: Guest, patient: Patient, now: datetime) -> None:
    """Make the hold a visit of ``patient``, with the gate's answers as the start of the intake."""
    with transaction.atomic():
        if patient._state.adding:
            patient.save()
        if guest.response is not None:
            gate.attach(guest.response, patient)
        begun = guest.response
        if begun is not None and not held.service.is_begun_by(begun):
            begun = None
        held.book(patient=patient, now=now, intake_response=begun)


def _has_too_many_visits(patient: Patient, *, now: datetime) -> bool:
    """Against bookings in bulk: so many visits are open for one address, whoever they are for."""
    theirs = Q(patient__email__iexact=patient.email) if patient.email else Q(patient=patient.pk)
    coming = Appointment.objects.filter(
        theirs, status=Appointment.Status.BOOKED, start__gt=now
    ).count()
    return coming >= OPEN_VISITS_PER_EMAIL


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
        "booking/details.html",
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
        "booking/taken.html",
        {
            "picker": picker,
            "nearest": picker.nearest(start.at, NEAREST),
            "form": None if guest.patient else form,
            "start": start,
        },
        status=409,
    )
