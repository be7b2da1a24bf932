"""A clinician's decisions on a patient's page: each is one POST that writes an audit row."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clinic.models import AuditEvent, Patient, Role
from clinic.security import audit
from clinic.security.access import StaffRequest, staff_required
from desk.clinician.forms import LowerLevelForm, NoteForm
from intake.models import PrivateNote, QuestionnaireResponse


@require_POST
@staff_required(Role.CLINICIAN)
def lower_level(request: StaffRequest, response_id: UUID) -> HttpResponse:
    response = _answers(request, response_id)
    form = LowerLevelForm(request.POST, shown=response.shown_level)
    now = timezone.now()
    if form.is_valid():
        lowered = response.lower(**form.cleaned_data, by=request.user, now=now)
        audit.record(
            action=AuditEvent.Action.CREATE,
            user=request.user,
            subject=lowered,
            patient_id=response.patient_id,
            fields=["level", "reason"],
            now=now,
        )
        messages.success(request, _("Lowered, with your name and reason."))
    else:
        messages.error(request, _("Not lowered: choose a lower level and type a reason."))
    return redirect("clinician_summary", patient_id=response.patient_id)


@require_POST
@staff_required(Role.CLINICIAN)
def mark_reviewed(request: StaffRequest, response_id: UUID) -> HttpResponse:
    response = _answers(request, response_id)
    now = timezone.now()
    if response.mark_reviewed(by=request.user, now=now):
        audit.record(
            action=AuditEvent.Action.CHANGE,
            user=request.user,
            subject=response,
            patient_id=response.patient_id,
            fields=["reviewed_at", "reviewed_by"],
            now=now,
        )
        messages.success(request, _("Marked as reviewed, with your name and the time."))
    else:
        messages.info(
            request, _("%(name)s reviewed this before you.") % {"name": response.reviewed_by}
        )
    return redirect("clinician_summary", patient_id=response.patient_id)


@require_POST
@staff_required(Role.CLINICIAN)
def write_note(request: StaffRequest, patient_id: UUID) -> HttpResponse:
    patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=patient_id)
    form = NoteForm(request.POST)
    now = timezone.now()
    if form.is_valid():
        note = PrivateNote.objects.create(
            patient=patient,
            text=form.cleaned_data["text"],
            written_by=request.user,
            written_at=now,
        )
        audit.record(
            action=AuditEvent.Action.CREATE,
            user=request.user,
            subject=note,
            patient_id=patient.pk,
            now=now,
        )
        messages.success(request, _("Note kept."))
    else:
        messages.error(request, _("Not kept: a note has 1 to 2000 characters."))
    return redirect("clinician_summary", patient_id=patient.pk)


def _answers(request: StaffRequest, response_id: UUID) -> QuestionnaireResponse:
    answers = QuestionnaireResponse.objects.visible_to(request.user)
    return get_object_or_404(answers, pk=response_id)
