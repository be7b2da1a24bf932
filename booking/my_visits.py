"""All visits of one patient, and the request for a mailed link."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from booking.appointments.models import Appointment
from booking.flow.forms import HoneypotForm, MyVisitsForm
from booking.mails import visit_mails
from booking.waitlist.models import WaitlistEntry
from clinic.models import Patient
from clinic.posted import posted
from clinic.security import guardianship
from clinic.security.access import GRANT_COOKIE, patient_grant
from clinic.security.birth_date_check import PROOF_COOKIE
from clinic.security.rate_limits import LINKS_PER_EMAIL, LINKS_PER_IP, RateLimited, client_ip


@require_http_methods(["GET", "POST"])
@never_cache
def my_visits(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    if request.method == "POST" and "leave" in request.POST:
        response = redirect("my_visits")
        response.delete_cookie(GRANT_COOKIE, samesite="Lax")
        response.delete_cookie(PROOF_COOKIE, samesite="Lax")
        return response
    form = MyVisitsForm(posted(request))
    is_asked = request.method == "POST" and form.is_valid()
    if is_asked and not HoneypotForm(request.POST).is_spam:
        LINKS_PER_IP.hit(client_ip(request), now=now)
        _mail_links(form.cleaned_data["email"], now=now)
    grant = patient_grant(request)
    visits = (
        Appointment.objects.visible_to(grant)
        .select_related("service", "location", "practitioner")
        .exclude(status=Appointment.Status.ENTERED_IN_ERROR)
    )
    return render(
        request,
        "booking/my_visits.html",
        {
            "form": form,
            "is_asked": is_asked,
            "patient": grant and grant.patient,
            "coming": visits.filter(end__gt=now).order_by("start"),
            "waiting": WaitlistEntry.objects.visible_to(grant).waiting().select_related("service"),
            "past": visits.filter(end__lte=now).order_by("-start"),
        },
    )


def _mail_links(email: str, *, now: datetime) -> None:
    """Plan a mail with a link for each patient of this address; the page never shows the result."""
    try:
        LINKS_PER_EMAIL.hit(email.lower(), now=now)
    except RateLimited:
        # The recently mailed links still work. With an error, a stranger with many requests could
        # block the owner of the address.
        return
    # Same work for an unknown address: neither text nor response time shows if we know it.
    reachable = Patient.objects.filter(email__iexact=email)
    # A guardian's link to a patient who is now an adult would not open.
    known: list[Patient | None] = [
        *reachable.exclude(pk__in=guardianship.outgrown(now=now).values("pk"))
    ]
    for patient in known or [None]:
        visit_mails.plan_my_visits(patient, now)
