"""All answers of one intake in the questions' own words, for any questionnaire."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinic import days
from clinic.languages import active_language
from clinic.models import AuditEvent, Practice, Role
from clinic.security import audit
from clinic.security.access import StaffRequest, staff_required
from intake.models import QuestionnaireResponse
from intake.summary import readback


@require_safe
@staff_required(Role.CLINICIAN)
def clinician_answers(request: StaffRequest, response_id: UUID) -> HttpResponse:
    visible = QuestionnaireResponse.objects.visible_to(request.user)
    response = visible.select_related("questionnaire", "patient").filter(pk=response_id).first()
    if response is None:
        audit.record(
            action=AuditEvent.Action.DENIED, user=request.user, subject="clinician_answers"
        )
        raise Http404
    now, practice = timezone.now(), Practice.current()
    audit.record(
        action=AuditEvent.Action.READ,
        user=request.user,
        subject=response,
        patient_id=response.patient_id,
        now=now,
    )
    pages = readback.read_back(
        response,
        language=active_language(),
        placeholders={"emergency_number": practice.emergency_number},
        today=days.local_date(now, practice.zone),
    )
    return render(
        request,
        "desk/clinician/answers.html",
        {"response": response, "patient": response.patient, "pages": pages},
    )
