"""Emergency access to a record outside the care team, for a clinician with a reason."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.models import AuditEvent, EmergencyAccess, Role
from clinic.posted import posted
from clinic.security import audit, emergency_access
from clinic.security.access import StaffRequest, staff_required
from clinic.security.rate_limits import EMERGENCIES_PER_USER
from desk.clinician.forms import EmergencyAccessForm


@require_http_methods(["GET", "POST"])
@staff_required(Role.CLINICIAN)
def open_in_emergency(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    form = EmergencyAccessForm(posted(request))
    if request.method == "POST" and form.is_valid():
        EMERGENCIES_PER_USER.hit(str(request.user.pk), now=now)
        given = form.cleaned_data
        patients = emergency_access.find(name=given["name"], birth_date=given["birth_date"])
        for patient in patients:
            emergency_access.open_record(
                patient=patient, user=request.user, reason=given["reason"], now=now
            )
        if len(patients) == 1:
            return redirect("clinician_summary", patient_id=patients[0].pk)
        if patients:
            return redirect("open_in_emergency")
        audit.record(
            action=AuditEvent.Action.DENIED,
            user=request.user,
            subject="open_in_emergency",
            now=now,
        )
        form.add_error(None, _("Nobody on file has exactly this name and date of birth."))
    return render(
        request,
        "desk/clinician/emergency_access.html",
        {
            "form": form,
            "minutes": int(emergency_access.LASTS.total_seconds() // 60),
            "standing": EmergencyAccess.objects.active(now=now)
            .filter(user=request.user)
            .select_related("patient"),
        },
    )
