"""The birth date check, once for each browser that opens a mailed link."""

from datetime import date
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from booking.appointments.models import Appointment
from booking.flow.forms import BirthDateForm
from clinic.posted import posted
from clinic.security import birth_date_check
from clinic.security.access import patient_grant
from clinic.security.rate_limits import BIRTH_DATES_PER_IP, BIRTH_DATES_PER_PATIENT, client_ip


def is_anything_known(visit: Appointment) -> bool:
    """Whether there is data of this visit's patient that the intake pages would show."""
    return visit.intake_response is not None or birth_date_of(visit) is not None


def birth_date_of(visit: Appointment) -> date | None:
    """Return the birth date on file, or else the one in the intake answers."""
    assert visit.patient is not None
    if visit.patient.birth_date or visit.intake_response is None:
        return visit.patient.birth_date
    return visit.intake_response.answers.date("about-birth-date")


@require_http_methods(["GET", "POST"])
@never_cache
def intake_birth_date(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """Ask for the birth date; if none is known, the patient has to call the front desk."""
    grant = patient_grant(request)
    visits = Appointment.objects.visible_to(grant).select_related("patient", "intake_response")
    visit = visits.filter(pk=visit_id).first()
    if visit is None or grant is None:
        raise Http404
    if birth_date_check.is_proven(request, grant) or not is_anything_known(visit):
        return redirect("intake", visit.pk)
    birth_date = birth_date_of(visit)
    if birth_date is None or birth_date_check.is_locked(grant):
        return _closed(request)
    form = BirthDateForm(posted(request))
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        BIRTH_DATES_PER_IP.hit(client_ip(request), now=now)
        BIRTH_DATES_PER_PATIENT.hit(str(grant.patient_id), now=now)
        given = form.cleaned_data["birth_date"]
        try:
            if birth_date_check.is_born_on(grant, given, birth_date=birth_date, now=now):
                response = redirect("intake", visit.pk)
                birth_date_check.remember(response, grant)
                return response
        except birth_date_check.LinkLocked:
            return _closed(request)
        if birth_date_check.is_locked(grant):
            return _closed(request)
        form.add_error("birth_date", _("This is not the date we have. Please check it."))
    return render(request, "intake/birth_date.html", {"visit": visit, "form": form})


def _closed(request: HttpRequest) -> HttpResponse:
    return render(request, "intake/closed.html", status=403)
