"""The clinician's pages: the day's visits, and a patient on one page."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from booking.clinician_forms import LowerLevelForm, NoteForm
from booking.models import Appointment, Service
from booking.views.corrections import corrections
from clinic import audit
from clinic.access import StaffRequest, staff_required
from clinic.models import AuditEvent, EmergencyAccess, Patient, Practice, Role, User
from intake import charts
from intake.answers import Answers
from intake.change import Change, Intake, compare
from intake.findings import RULE_SET_VERSION
from intake.models import PrivateNote, QuestionnaireResponse, SafetyAlert
from intake.questionnaire import Form
from intake.sources import SOURCES
from intake.summary import Summary, summarize

MOST_INTAKES = 50
# The farthest that a zone's calendar is from UTC's.
WIDEST_OFFSET = timedelta(hours=14)


@require_GET
@staff_required(Role.CLINICIAN)
def clinician_day(request: StaffRequest) -> HttpResponse:
    today = timezone.now().astimezone(Practice.current().zone).date()
    day = _day_asked_for(request) or today
    visits = _visits_on(day, user=request.user)
    open_alerts = set(
        SafetyAlert.objects.visible_to(request.user)
        .open()
        .filter(patient__in=[visit.patient_id for visit in visits])
        .values_list("patient_id", flat=True)
    )
    return render(
        request,
        "clinician/day.html",
        {
            "day": day,
            "today": today,
            "day_before": day - timedelta(days=1),
            "day_after": day + timedelta(days=1),
            "visits": visits,
            "open_alerts": open_alerts,
        },
    )


@require_GET
@staff_required(Role.CLINICIAN)
def clinician_summary(request: StaffRequest, patient_id: UUID) -> HttpResponse:
    patient = Patient.objects.visible_to(request.user).filter(pk=patient_id).first()
    if patient is None:
        audit.record(
            action=AuditEvent.Action.DENIED,
            user=request.user,
            subject="clinician_summary",
            patient_id=patient_id,
        )
        raise Http404
    now = timezone.now()
    practice = Practice.current()
    shown, newer, earlier = _intakes(patient, user=request.user)
    summary = _summary(shown, practice=practice, now=now) if shown else None
    audit.record(
        action=AuditEvent.Action.READ,
        user=request.user,
        subject=shown or patient,
        patient_id=patient.pk,
        now=now,
    )
    return render(
        request,
        "clinician/summary.html",
        {
            "patient": patient,
            "age": patient.age_on(now.astimezone(practice.zone).date()),
            "visit": _nearest_visit(patient, user=request.user, now=now),
            "response": shown,
            "newer": newer,
            "corrections": corrections(shown, practice=practice) if shown else [],
            "alerts": SafetyAlert.objects.visible_to(request.user).open().filter(patient=patient),
            "summary": summary,
            "changes": _changes(shown, earlier, practice=practice) if shown else [],
            "trend": _trend(shown, earlier, practice=practice) if shown else None,
            "opened": EmergencyAccess.objects.standing(now=now)
            .filter(patient=patient, user=request.user)
            .first(),
            "notes": PrivateNote.objects.visible_to(request.user)
            .filter(patient=patient)
            .select_related("written_by"),
            "note_form": NoteForm(),
            "lower_form": LowerLevelForm(shown=shown.shown_level) if shown else None,
            "services": _services(summary.first_services) if summary else [],
            "is_signed_off": practice.signed_off_version == RULE_SET_VERSION,
            "sources": SOURCES,
        },
    )


@require_POST
@staff_required(Role.CLINICIAN)
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
    return redirect("clinician_summary", patient_id=alert.patient_id)


def _day_asked_for(request: HttpRequest) -> date | None:
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def _visits_on(day: date, *, user: User) -> list[Appointment]:
    """The user's own visits on a calendar day, each by the wall clock of its location."""
    midnight = datetime.combine(day, time(), UTC)
    around = Appointment.objects.visible_to(user).filter(
        practitioner__user=user,
        start__gte=midnight - WIDEST_OFFSET,
        start__lt=midnight + timedelta(days=1) + WIDEST_OFFSET,
    )
    status = Appointment.Status
    standing = (
        around.filter(status__in=[status.BOOKED, status.ARRIVED, status.FULFILLED, status.NOSHOW])
        .select_related("patient", "service", "location", "intake_response")
        .prefetch_related("intake_response__lowered_levels__lowered_by")
    )
    return [visit for visit in standing if visit.local_start.date() == day]


def _intakes(
    patient: Patient, *, user: User
) -> tuple[QuestionnaireResponse | None, QuestionnaireResponse | None, list[QuestionnaireResponse]]:
    """The answers to show, newer ones under way, and submitted ones of the same form before.

    Those under way must not hide a sent form. The earlier ones come oldest first.
    """
    newest_first = list(
        QuestionnaireResponse.objects.visible_to(user)
        .filter(patient=patient)
        .select_related("questionnaire", "reviewed_by")
        .prefetch_related("lowered_levels__lowered_by")
        .order_by("-created_at")[:MOST_INTAKES]
    )
    if not newest_first:
        return None, None, []
    newest = newest_first[0]
    shown = next((one for one in newest_first if one.submitted_at), newest)
    earlier = [
        one
        for one in reversed(newest_first)
        if one.submitted_at
        and shown.submitted_at
        and one.submitted_at < shown.submitted_at
        and one.questionnaire.url == shown.questionnaire.url
    ]
    return shown, newest if newest is not shown else None, earlier


def _changes(
    shown: QuestionnaireResponse, earlier: list[QuestionnaireResponse], *, practice: Practice
) -> list[Change]:
    """What changed since the intake before and, if that was another one, since the first."""
    then = [earlier[-1], earlier[0]] if len(earlier) > 1 else earlier
    now = _intake(shown, practice=practice)
    return [compare(_intake(one, practice=practice), now) for one in then]


def _intake(response: QuestionnaireResponse, *, practice: Practice) -> Intake:
    day = _given_on(response, practice=practice)
    return Intake(response.form, response.answers, response.shown_level, day)


def _trend(
    shown: QuestionnaireResponse, earlier: list[QuestionnaireResponse], *, practice: Practice
) -> charts.Trend | None:
    told = [
        charts.Dated(_given_on(one, practice=practice), one.answers) for one in [*earlier, shown]
    ]
    races = {one.answers.date("goal-event-date") for one in told} - {None}
    return charts.trend(told, events=[(day, _("race")) for day in sorted(filter(None, races))])


def _given_on(response: QuestionnaireResponse, *, practice: Practice) -> date:
    return (response.submitted_at or response.updated_at).astimezone(practice.zone).date()


def _services(codes: tuple[str, ...]) -> list[Service]:
    by_code = Service.objects.in_bulk(codes, field_name="slug")
    return [by_code[code] for code in codes if code in by_code]


def _nearest_visit(patient: Patient, *, user: User, now: datetime) -> Appointment | None:
    """The patient's next visit, from one that began up to three hours ago."""
    status = Appointment.Status
    return (
        Appointment.objects.visible_to(user)
        .filter(
            patient=patient,
            status__in=[status.BOOKED, status.ARRIVED],
            start__gte=now - timedelta(hours=3),
        )
        .select_related("service", "practitioner")
        .order_by("start")
        .first()
    )


def _summary(response: QuestionnaireResponse, *, practice: Practice, now: datetime) -> Summary:
    return summarize(
        Form.parse(response.questionnaire.content),
        Answers.from_response({"item": response.items}),
        today=_given_on(response, practice=practice),
        now=now,
        language=translation.get_language() or "en",
        answered_in=response.language,
        safety_answered_at=response.safety_answered_at,
        strict_public_advice=practice.strict_public_advice,
    )
