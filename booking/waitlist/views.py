"""The waitlist for patients: join it, see and leave it, accept or decline an offer."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from booking.appointments.models import Appointment
from booking.appointments.status import SlotTaken
from booking.flow.eligibility import Offer
from booking.flow.forms import DetailsForm, HoneypotForm, KeyForm
from booking.flow.picker import Picker, SlotFilter, Time, is_in_time
from booking.flow.views.book import active_service, why_not
from booking.flow.views.safety import visitor_required
from booking.flow.visitor import BookingVisitor
from booking.waitlist.forms import WishForm
from booking.waitlist.matching import offer_for_entry
from booking.waitlist.models import OfferOver, WaitlistEntry, WaitlistOffer
from clinic import days
from clinic.languages import active_language
from clinic.models import Practice
from clinic.posted import posted
from clinic.security.access import grant_to_browser, hash_token, patient_grant, visitor_hash
from clinic.security.rate_limits import HOLDS_PER_IP, UNPROVEN_PER_IP, client_ip
from intake.models import QuestionnaireResponse
from intake.rules.levels import Level
from intake.rules.thresholds import SAFETY_ANSWERS_LAST
from intake.rules.triage import Triage
from intake.workflow import gate


@require_http_methods(["GET", "POST"])
def join_waitlist(request: HttpRequest, slug: str) -> HttpResponse:
    # A form sent twice shows the entry that it made the first time.
    if entry := _of_this_form(request):
        return _go_on_with(entry, now=timezone.now())
    return _join(request, slug)


@visitor_required
def _join(
    request: HttpRequest, slug: str, *, visitor: BookingVisitor, practice: Practice
) -> HttpResponse:
    now = timezone.now()
    today = days.local_date(now, practice.zone)
    offer = visitor.offer(active_service(slug), today=today)
    if not _may_wait(visitor, offer):
        return redirect(why_not(visitor, offer.service))
    if visitor.patient and (entry := _entry_of(visitor, offer)):
        return redirect("waitlist_entry", entry.pk)
    data = posted(request)
    asked_for = {name: request.GET.get(name, "") for name in ("who", "place")}
    wish = WishForm(
        data,
        offer=offer,
        now=now,
        zone=practice.zone,
        initial={"booking_key": uuid4().hex, **asked_for},
    )
    known = {"birth_date": visitor.birth_date, "language": active_language()}
    details = DetailsForm(data, initial=known, practice=practice, today=today)
    if data is not None:
        HOLDS_PER_IP.hit(client_ip(request), now=now)
        if visitor.patient is None and HoneypotForm(data).is_spam:
            # The honeypot caught a program: show it the page for unconfirmed addresses.
            return redirect("confirm_address")
        is_valid = [wish.is_valid(), visitor.patient is not None or details.is_valid()]
        if all(is_valid):
            if visitor.patient is None and details.cleaned_data["birth_date"] != visitor.birth_date:
                born = details.cleaned_data["birth_date"]
                visitor = visitor.born_on(born, practice=practice, now=now)
                offer = visitor.offer(offer.service, today=today)
                if not _may_wait(visitor, offer):
                    return redirect(why_not(visitor, offer.service))
            if not visitor.is_proven:
                # As with bookings: a waitlist entry, too, can take times from others.
                UNPROVEN_PER_IP.hit(client_ip(request), now=now)
            entry = _put_on_the_list(request, wish, details, offer, visitor=visitor, now=now)
            return _go_on_with(entry, now=now)
    context = {
        "service": offer.service,
        "wish": wish,
        "details": None if visitor.patient else details,
        "patient": visitor.patient,
    }
    return render(request, "booking/waitlist/join_waitlist.html", context)


def own_entry(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pass the page its ``entry``; another patient's and an unknown one give the same 404."""

    @wraps(view)
    @never_cache
    def wrapper(request: HttpRequest, entry_id: UUID, **kwargs: Any) -> HttpResponse:
        entries = WaitlistEntry.objects.visible_to(patient_grant(request)).with_everything()
        entry = entries.filter(pk=entry_id).first()
        if entry is None:
            raise Http404
        return view(request, entry=entry, **kwargs)

    return wrapper


@require_http_methods(["GET", "POST"])
@own_entry
def waitlist_entry(request: HttpRequest, *, entry: WaitlistEntry) -> HttpResponse:
    """Show a waitlist entry. Its only button closes the entry."""
    if request.method == "POST":
        entry.leave(now=timezone.now())
        return redirect("waitlist_entry", entry.pk)
    offer = entry.open_offer
    if offer is not None and offer.answer_by <= timezone.now():
        offer = None
    return render(request, "booking/waitlist/waitlist_entry.html", {"entry": entry, "offer": offer})


@visitor_required
@require_http_methods(["GET", "POST"])
def waitlist_offer(
    request: HttpRequest, offer_id: UUID, *, visitor: BookingVisitor, practice: Practice
) -> HttpResponse:
    """Show an offer. The mailed link opens it any number of times; only one answer counts."""
    now = timezone.now()
    offer = (
        WaitlistOffer.objects.visible_to(patient_grant(request))
        .select_related("location", "practitioner")
        .filter(pk=offer_id)
        .first()
    )
    if offer is None:
        raise Http404
    entry = WaitlistEntry.objects.with_everything().get(pk=offer.entry_id)
    if request.method == "GET" or not offer.is_open:
        return _offer_page(request, offer, entry, visitor=visitor, now=now)
    if "decline" in request.POST:
        return _decline(request, offer, entry, visitor=visitor, now=now)
    response, outcome = _safety(entry, visitor=visitor, practice=practice, now=now)
    if outcome is None:
        return redirect(reverse("safety", query={"offer": offer.pk}))
    judged = offer_for_entry(entry, outcome, now=now)
    if not is_in_time(judged, offer.local_start):
        return _decline(request, offer, entry, visitor=visitor, judged=judged, now=now)
    try:
        with transaction.atomic():
            if response is not None:
                gate.attach(response, entry.patient)
            visit = offer.accept(now=now, intake_response=response)
    except (OfferOver, SlotTaken):
        return _offer_page(request, offer, entry, visitor=visitor, now=now, status=409)
    return redirect("visit", visit.pk)


def _decline(
    request: HttpRequest,
    offer: WaitlistOffer,
    entry: WaitlistEntry,
    *,
    visitor: BookingVisitor,
    now: datetime,
    judged: Offer | None = None,
) -> HttpResponse:
    """Release the time, at the patient's wish or because ``judged`` does not allow the visit."""
    try:
        offer.decline(now=now)
    except OfferOver:
        offer.refresh_from_db()
        return _offer_page(request, offer, entry, visitor=visitor, now=now, status=409)
    if judged is None:
        return redirect("waitlist_offer", offer.pk)
    return _offer_page(request, offer, entry, visitor=visitor, now=now, judged=judged, status=409)


def _offer_page(
    request: HttpRequest,
    offer: WaitlistOffer,
    entry: WaitlistEntry,
    *,
    visitor: BookingVisitor,
    now: datetime,
    judged: Offer | None = None,
    status: int = 200,
) -> HttpResponse:
    is_kept = offer.is_open and offer.answer_by > now and status == 200
    nearest: list[Time] = []
    is_answered = offer.state in {offer.State.ACCEPTED, offer.State.DECLINED}
    if not is_kept and not is_answered:
        nearest = _nearest(offer, entry, visitor=visitor, now=now)
    return render(
        request,
        "booking/waitlist/waitlist_offer.html",
        {
            "offer": offer,
            "entry": entry,
            "visit": offer.visit if offer.state == offer.State.ACCEPTED else None,
            "is_kept": is_kept,
            "judged": judged,
            "nearest": nearest,
            "booking_key": uuid4().hex,
        },
        status=status,
    )


def _nearest(
    offer: WaitlistOffer, entry: WaitlistEntry, *, visitor: BookingVisitor, now: datetime
) -> list[Time]:
    """Return the free times around the lost one, if this visitor may book online."""
    today = days.local_date(now, offer.zone)
    open_to_guest = visitor.offer(entry.service, today=today)
    if not open_to_guest.is_open:
        return []
    wanted = SlotFilter(place=offer.location.slug, minutes=entry.minutes)
    return Picker(open_to_guest, wanted=wanted, now=now).nearest(offer.local_start)


def _safety(
    entry: WaitlistEntry, *, visitor: BookingVisitor, practice: Practice, now: datetime
) -> tuple[QuestionnaireResponse | None, Triage | None]:
    """Return the patient's latest safety answers, judged now; None if none are recent."""
    if visitor.outcome is not None:
        return visitor.response, visitor.outcome
    response = entry.intake_response
    answered_at = response.safety_answered_at if response else None
    if response is None or answered_at is None or answered_at <= now - SAFETY_ANSWERS_LAST:
        return None, None
    return response, gate.current_triage(
        response, patient=entry.patient, practice=practice, now=now
    )


def _may_wait(visitor: BookingVisitor, offer: Offer) -> bool:
    """Whether this visitor may wait for the visit."""
    return visitor.outcome is not None and offer.is_open and visitor.outcome.level < Level.URGENT


def _entry_of(visitor: BookingVisitor, offer: Offer) -> WaitlistEntry | None:
    """Return the entry with which this patient already waits for the same service."""
    waiting = WaitlistEntry.objects.waiting()
    return waiting.filter(patient=visitor.patient, service=offer.service).first()


def _put_on_the_list(
    request: HttpRequest,
    wish: WishForm,
    details: DetailsForm,
    offer: Offer,
    *,
    visitor: BookingVisitor,
    now: datetime,
) -> WaitlistEntry:
    patient = visitor.patient or details.new_patient(now=now)
    try:
        with transaction.atomic():
            if patient._state.adding:
                patient.save()
            if visitor.response is not None:
                gate.attach(visitor.response, patient)
            return WaitlistEntry.objects.join(
                patient=patient,
                service=offer.service,
                intake_response=visitor.response,
                form_key=_form_key(request, wish),
                now=now,
                **wish.wishes,
            )
    except IntegrityError:
        # The same form was sent twice at once.
        twin = _of_this_form(request)
        if twin is None:
            raise
        return twin


def _form_key(request: HttpRequest, form: KeyForm) -> str:
    """Return the form's key, bound to this browser: it never finds another browser's entry."""
    return hash_token(f"{visitor_hash(request)}:{form.key}")


def _of_this_form(request: HttpRequest) -> WaitlistEntry | None:
    form = KeyForm(request.POST)
    if request.method != "POST" or not visitor_hash(request) or not form.is_valid():
        return None
    entries = WaitlistEntry.objects.filter(form_key=_form_key(request, form))
    return entries.select_related("patient").first()


def _go_on_with(entry: WaitlistEntry, *, now: datetime) -> HttpResponse:
    """Redirect to the entry's page; a browser that created a new patient gets access to it.

    Anyone who was a patient before came by a mailed link, and already has access.
    """
    response = redirect("waitlist_entry", entry.pk)
    others = WaitlistEntry.objects.filter(patient=entry.patient).exclude(pk=entry.pk)
    if not others.exists() and not Appointment.objects.filter(patient=entry.patient).exists():
        grant_to_browser(response, patient=entry.patient, subject_id=entry.pk, now=now)
    return response
