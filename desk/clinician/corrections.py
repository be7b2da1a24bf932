"""The clinician's view of answers that the patient corrected."""

import itertools
from datetime import datetime
from typing import NamedTuple
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
from intake.models import EarlierAnswers, QuestionnaireResponse
from intake.summary import readback
from intake.summary.readback import Difference


class Correction(NamedTuple):
    """One correction: when it was sent, what it changed, and the number of the version before."""

    sent_at: datetime | None
    number: int
    differences: list[Difference]


def corrections(response: QuestionnaireResponse, *, practice: Practice) -> list[Correction]:
    """Return the patient's corrections, the newest first."""
    if response.status != QuestionnaireResponse.Status.AMENDED:
        return []
    versions: list[EarlierAnswers | QuestionnaireResponse] = [
        *response.earlier_versions.order_by("number"),
        response,
    ]
    return [
        Correction(
            after.submitted_at,
            before.number,
            readback.differences(
                response.form,
                before.items,
                after.items,
                language=active_language(),
                placeholders={"emergency_number": practice.emergency_number},
            ),
        )
        for before, after in reversed(list(itertools.pairwise(versions)))
        if isinstance(before, EarlierAnswers)
    ]


@require_safe
@staff_required(Role.CLINICIAN)
def earlier_answers(request: StaffRequest, response_id: UUID, number: int) -> HttpResponse:
    """Show all submitted answers in words as they were before a correction."""
    earlier = (
        EarlierAnswers.objects.visible_to(request.user)
        .select_related("response__patient", "response__questionnaire", "reviewed_by")
        .filter(response=response_id, number=number)
        .first()
    )
    if earlier is None:
        audit.record(action=AuditEvent.Action.DENIED, user=request.user, subject="earlier_answers")
        raise Http404
    practice, now = Practice.current(), timezone.now()
    audit.record(
        action=AuditEvent.Action.READ,
        user=request.user,
        subject=earlier,
        patient_id=earlier.response.patient_id,
        now=now,
    )
    pages = readback.read_back(
        earlier,
        language=active_language(),
        placeholders={"emergency_number": practice.emergency_number},
        today=days.local_date(earlier.submitted_at, practice.zone),
    )
    return render(
        request,
        "desk/clinician/earlier_answers.html",
        {"earlier": earlier, "patient": earlier.response.patient, "pages": pages},
    )
