"""The page, behind the visit's link, for a patient's choices about our mails."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from booking.appointments.models import Appointment
from booking.mails.preferences import MailChoicesForm, every_offset
from booking.visit_pages.visit import own_visit
from clinic.models import AuditEvent
from clinic.posted import posted
from clinic.security import audit


@require_http_methods(["GET", "POST"])
@own_visit
def visit_mails(request: HttpRequest, *, visit: Appointment) -> HttpResponse:
    now, patient = timezone.now(), visit.patient
    form = MailChoicesForm(
        posted(request),
        instance=patient,
        offsets=every_offset([visit.service]),
        zone=visit.time_zone,
    )
    if not form.offsets:
        del form.fields["reminders"]
    if request.method == "POST" and form.is_valid():
        if form.has_changed():
            kept = form.keep(now=now)
            audit.record(
                action=AuditEvent.Action.CHANGE,
                user=None,
                subject=kept,
                patient_id=kept.pk,
                fields=form.changed_data,
                now=now,
            )
        return redirect(reverse("visit_mails", args=[visit.pk], query={"kept": 1}))
    return render(
        request,
        "booking/visit_pages/visit_mails.html",
        {"visit": visit, "patient": patient, "form": form, "is_kept": "kept" in request.GET},
        status=400 if form.errors else 200,
    )
