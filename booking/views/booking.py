"""The way to a visit: choose a service, choose a time, say who comes."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.views.decorators.http import require_GET, require_http_methods

from booking.eligibility import Lock, Offer
from booking.forms import DetailsForm, SlotFilterForm, StartForm
from booking.guest import Guest
from booking.models import Appointment, InvalidTransition, Service, SlotTaken
from booking.picker import Picker, SlotFilter, is_in_time
from booking.views.safety import guest_required, path_for
from clinic.access import grant_to_browser
from clinic.models import Patient, Practice
from clinic.ratelimit import HOLDS_PER_IP, TooManyTries, client_ip
from intake import gate
from intake.advice import advice

HOLDS_PER_VISITOR = 3
OPEN_VISITS_PER_EMAIL = 3
BY_ARRANGEMENT = {Lock.STAFF, Lock.REFERRAL, Lock.EXTERNAL}


@require_GET
@guest_required
def book(request: HttpRequest, *, guest: Guest, practice: Practice) -> HttpResponse:
    offers = guest.offers(
        Service.objects.filter(is_active=True).prefetch_related("unlocked_by"),
        today=timezone.now().astimezone(practice.zone).date(),
    )
    return render(
        request,
        "booking/book.html",
        {
            "guest": guest,
            "open_offers": [offer for offer in offers if offer.is_open],
            "locked_offers": [o for o in offers if o.lock and o.lock not in BY_ARRANGEMENT],
            "arranged_offers": [offer for offer in offers if offer.lock in BY_ARRANGEMENT],
        },
    )


@require_http_methods(["GET", "POST"])
@guest_required
def slots(request: HttpRequest, service: str, *, guest: Guest, practice: Practice) -> HttpResponse:
    now = timezone.now()
    wanted = _service(service)
    offer = guest.offer(wanted, today=now.astimezone(practice.zone).date())
    if guest.outcome is None:
        return redirect(path_for(wanted, "safety"))
    if not offer.is_open:
        return redirect(path_for(wanted, "safety_result"))
    held = guest.hold(wanted, now=now)
    taken = None
    if request.method == "POST":
        form = StartForm(request.POST, service=wanted)
        HOLDS_PER_IP.spend(client_ip(request), now=now)
        if form.is_valid():
            try:
                visit = _hold(form, offer, guest=guest, now=now)
            except SlotTaken:
                taken = form.at
            else:
                return _forward(visit)
    filters = SlotFilterForm(request.POST if request.method == "POST" else request.GET)
    filters.is_valid()
    picker = Picker(offer, wanted=SlotFilter(**filters.cleaned_data), now=now, moving=held)
    return render(
        request,
        "booking/slots.html",
        {
            "picker": picker,
            "held": held,
            "booking_key": held.booking_key if held else uuid4().hex,
            "advice": advice(guest.outcome.messages, practice=practice, now=now),
            "is_taken": request.method == "POST",
            "nearest": picker.nearest(taken) if taken else [],
        },
        status=409 if request.method == "POST" else 200,
    )
