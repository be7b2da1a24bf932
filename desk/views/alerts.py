"""Open safety alerts, for the staff who can respond to them."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clinic.context import practice_of
from clinic.models import AuditEvent, Message, Patient, Role
from clinic.security import audit
from clinic.security.access import StaffRequest, staff_required
from intake.models import SafetyAlert
from intake.workflow.alert_mails import SAFETY_ALERT

# An alert stays on the page this long after it was acknowledged.
SHOWN_AFTERWARDS = timedelta(days=1)


@require_safe
@staff_required(*Role.values)
def alerts(request: StaffRequest) -> HttpResponse:
    """Show open alerts: contact details, who was notified, and who is notified next."""
    now, practice = timezone.now(), practice_of(request)
    visible = SafetyAlert.objects.visible_to(request.user)
    found = list(
        (visible.open() | visible.filter(acknowledged_at__gt=now - SHOWN_AFTERWARDS))
        .select_related("patient", "acknowledged_by")
        .order_by("-level", "raised_at")
    )
    told: dict[UUID, list[Message]] = {alert.pk: [] for alert in found}
    for message in (
        Message.objects.filter(kind=SAFETY_ALERT, subject_id__in=told)
        .select_related("user")
        .order_by("due_at", "subject_version")
    ):
        told[message.subject_id].append(message)
    own = set(Patient.objects.in_care_of(request.user).values_list("pk", flat=True))
    audit.record(action=AuditEvent.Action.READ, user=request.user, subject="alerts", now=now)
    return render(
        request,
        "desk/clinician/alerts.html",
        {
            "alerts": [
                {
                    "alert": alert,
                    "answer_by": (answer_by := alert.answer_by(practice)).astimezone(practice.zone),
                    "is_overdue": alert.acknowledged_at is None and answer_by <= now,
                    "told": [(one, one.due_at.astimezone(practice.zone)) for one in told[alert.pk]],
                    "is_own": alert.patient_id in own and request.user.role == Role.CLINICIAN,
                }
                for alert in found
            ]
        },
    )


@require_POST
@staff_required(*Role.values)
def acknowledge_alert(request: StaffRequest, alert_id: UUID) -> HttpResponse:
    alert = get_object_or_404(SafetyAlert.objects.visible_to(request.user), pk=alert_id)
    now = timezone.now()
    if alert.acknowledge(by=request.user, now=now):
        audit.record(
            action=AuditEvent.Action.CHANGE,
            user=request.user,
            subject=alert,
            patient_id=alert.patient_id,
            fields=["acknowledged_at", "acknowledged_by"],
            now=now,
        )
        messages.success(request, _("Acknowledged, with your name and the time."))
    else:
        messages.info(
            request,
            _("%(name)s acknowledged this before you.") % {"name": alert.acknowledged_by},
        )
    patients = Patient.objects.in_care_of(request.user).filter(pk=alert.patient_id)
    if request.user.role == Role.CLINICIAN and alert.patient_id and patients.exists():
        return redirect("clinician_summary", patient_id=alert.patient_id)
    return redirect(f"{reverse('alerts')}#alert-{alert.pk}")
