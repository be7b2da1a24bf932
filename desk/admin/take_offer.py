"""Accept an offer for a patient on the phone, with the same questions as “Add visit”."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from booking.models import (
    InvalidTransition,
    OfferOver,
    SlotTaken,
    WaitlistEntry,
    WaitlistOffer,
)
from clinic.admin import ReadOnlyAdmin
from clinic.models import AuditEvent
from clinic.posted import posted
from clinic.security.access import staff_user
from desk.admin import add_visit
from desk.admin.columns import deadline, visit_time
from desk.admin.forms import PhoneScreenForm
from desk.admin.phone_screen import PhoneScreen


def questions(request: HttpRequest, *, model_admin: ReadOnlyAdmin, entry_id: UUID) -> HttpResponse:
    """Ask the red-flag questions, unless the patient answered them in the last day."""
    entry = get_object_or_404(model_admin.get_queryset(request), pk=entry_id)
    next_page = reverse("admin:booking_waitlistentry_accept", args=[entry.pk])
    if entry.open_offer is None or PhoneScreen(entry.patient, now=timezone.now()).is_screened:
        return redirect(next_page)
    return add_visit.ask(request, entry.patient, model_admin=model_admin, next_page=next_page)


def accept(request: HttpRequest, *, model_admin: ReadOnlyAdmin, entry_id: UUID) -> HttpResponse:
    """Show the offered time and the current level; in an emergency what to say, and no button."""
    now = timezone.now()
    entry = get_object_or_404(model_admin.get_queryset(request), pk=entry_id)
    patient, offer = entry.patient, entry.open_offer
    if offer is None or offer.answer_by <= now:
        return _is_over(request, entry)
    screen = PhoneScreen(patient, now=now)
    if screen.emergency is not None:
        return add_visit.stop_page(request, model_admin, screen.emergency)
    form = PhoneScreenForm(
        posted(request),
        initial={"phone_screen_note": entry.phone_screen_note},
        is_screened=screen.is_screened,
    )
    if form.is_valid():
        try:
            visit = offer.accept(
                now=now,
                by=staff_user(request),
                intake_response=screen.response or entry.intake_response,
                phone_screen_note=form.cleaned_data.get("phone_screen_note", ""),
            )
        except (OfferOver, SlotTaken, InvalidTransition):
            return _is_over(request, entry)
        model_admin.record(AuditEvent.Action.CHANGE, request, entry, ["state"])
        model_admin.record(AuditEvent.Action.CREATE, request, visit)
        messages.success(request, _("Booked for %(when)s.") % {"when": visit_time(visit)})
        return redirect("admin:booking_appointment_change", visit.pk)
    context = add_visit.page_context(
        request,
        model_admin,
        title=_("Book the offered time"),
        subtitle=patient,
        entry=entry,
        offer=offer,
        when=visit_time(offer),
        kept_until=deadline(offer.local_answer_by, now=now),
        form=form,
        level=screen.level,
        advice=screen.advice,
    )
    return render(request, "admin/booking/waitlistentry/accept.html", context)


def _is_over(request: HttpRequest, entry: WaitlistEntry) -> HttpResponse:
    """Redirect to the visit if it is booked by now, perhaps by a second press of the button."""
    accepted = entry.offers.filter(state=WaitlistOffer.State.ACCEPTED).first()
    if visit := accepted and accepted.visit:
        return redirect("admin:booking_appointment_change", visit.pk)
    messages.warning(request, _("No time is kept for this patient at the moment."))
    return redirect("admin:booking_waitlistentry_change", entry.pk)
