"""The clinician's pages: the day's visits, and the one-page summary of a patient."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from booking.appointments.mail_schedule import is_rescreen_open, rescreen_of
from booking.appointments.status import EXPECTED, ON_THE_DAY
from booking.flow.eligibility import SOON_WORKING_DAYS, working_day_after
from booking.models import Appointment
from clinic import days
from clinic.languages import active_language
from clinic.models import AuditEvent, DeskTask, EmergencyAccess, Patient, Practice, Role, User
from clinic.security import audit
from clinic.security.access import StaffRequest, staff_required
from desk.clinician.corrections import corrections
from desk.clinician.forms import LowerLevelForm, NoteForm
from intake.models import PrivateNote, QuestionnaireResponse, SafetyAlert
from intake.rules.findings import RULE_SET_VERSION
from intake.rules.levels import Level
from intake.rules.sources import SOURCES
from intake.rules.tags import Tag
from intake.rules.thresholds import SAFETY_ANSWERS_LAST
from intake.rules.triage import RULES
from intake.summary import charts
from intake.summary.change import Change, Intake, compare
from intake.summary.summary import Summary, summarize
from intake.workflow.answer_history import (
    BETWEEN_VISITS,
    CHECK_IN_URL,
    FOLLOW_UP_URL,
    INTAKE_URL,
    RESCREEN_URL,
    merged,
    on_top,
)
from intake.workflow.check_ins import is_worse
from schedule.models import Service

MAX_SHOWN = 80
MAX_ON_WORKLIST = 15
CHECK_IN_IS_NEWS = timedelta(days=14)
# The largest offset of a zone from UTC.
WIDEST_OFFSET = timedelta(hours=14)


class DayRow(NamedTuple):
    """A visit, and the forms received between visits."""

    visit: Appointment
    is_rescreen_open: bool
    rescreen: QuestionnaireResponse | None
    checked_in_at: datetime | None
    is_worse: bool


class SeeSoon(NamedTuple):
    """A visit of a patient at level SOON, and the last day for it (clinical.md §3.4)."""

    visit: Appointment
    by: date

    @property
    def is_late(self) -> bool:
        return self.visit.local_start.date() > self.by


@require_safe
@staff_required(Role.CLINICIAN)
def clinician_day(request: StaffRequest) -> HttpResponse:
    today = timezone.now().astimezone(Practice.current().zone).date()
    day = _day_asked_for(request) or today
    now = timezone.now()
    visits = _visits_on(day, user=request.user)
    patients = [visit.patient_id for visit in visits]
    open_alerts = set(
        SafetyAlert.objects.visible_to(request.user)
        .open()
        .filter(patient__in=patients)
        .values_list("patient_id", flat=True)
    )
    worse = set(
        DeskTask.objects.open()
        .filter(kind=DeskTask.Kind.WORSE, patient__in=patients)
        .values_list("patient_id", flat=True)
    )
    check_ins = dict(
        QuestionnaireResponse.objects.visible_to(request.user)
        .filter(
            patient__in=patients,
            questionnaire__url=CHECK_IN_URL,
            submitted_at__gt=now - CHECK_IN_IS_NEWS,
        )
        .order_by("submitted_at")
        .values_list("patient_id", "submitted_at")
    )
    return render(
        request,
        "desk/clinician/day.html",
        {
            "day": day,
            "today": today,
            "day_before": day - timedelta(days=1),
            "day_after": day + timedelta(days=1),
            "rows": [
                DayRow(
                    visit,
                    is_rescreen_open=is_rescreen_open(visit, now),
                    rescreen=rescreen_of(visit),
                    checked_in_at=check_ins.get(visit.patient_id) if visit.patient_id else None,
                    is_worse=visit.patient_id in worse,
                )
                for visit in visits
            ],
            "open_alerts": open_alerts,
            "to_be_seen_soon": _to_be_seen_soon(request.user, now=now),
        },
    )


@require_safe
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
    record = _record(patient, user=request.user)
    shown = record.shown
    forms = _submitted_forms(record, practice=practice)
    latest = forms[-1] if forms else None
    summary = (
        _summary(latest, before=forms[:-1], record=record, practice=practice, now=now)
        if latest
        else None
    )
    visit = _nearest_visit(patient, user=request.user, now=now)
    audit.record(
        action=AuditEvent.Action.READ,
        user=request.user,
        subject=shown or patient,
        patient_id=patient.pk,
        now=now,
    )
    return render(
        request,
        "desk/clinician/summary.html",
        {
            "patient": patient,
            "age": patient.age_on(days.local_date(now, practice.zone)),
            "visit": visit,
            "response": shown,
            "corrections": corrections(shown, practice=practice) if shown else [],
            "newer": record.newer,
            "carried_from": latest.carried_from if latest else None,
            "corrected": _corrected(shown, summary) if shown and summary else [],
            "rescreen": record.rescreen if _is_news(record.rescreen, shown, now=now) else None,
            "is_rescreen_open": visit is not None and is_rescreen_open(visit, now),
            "check_in": record.check_ins[-1] if record.check_ins else None,
            "is_worse": _is_worse(record),
            "alerts": SafetyAlert.objects.visible_to(request.user).open().filter(patient=patient),
            "summary": summary,
            "changes": _changes(forms),
            "trend": _trend(forms, record, user=request.user, practice=practice),
            "opened": EmergencyAccess.objects.active(now=now)
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


def _day_asked_for(request: HttpRequest) -> date | None:
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def _visits_on(day: date, *, user: User) -> list[Appointment]:
    """Return the user's own visits on a calendar day, each in its location's zone."""
    midnight = datetime.combine(day, time(), UTC)
    around = Appointment.objects.visible_to(user).filter(
        practitioner__user=user,
        start__gte=midnight - WIDEST_OFFSET,
        start__lt=midnight + timedelta(days=1) + WIDEST_OFFSET,
    )
    visits = (
        around.filter(status__in=ON_THE_DAY)
        .select_related("patient", "service", "location", "intake_response", "rescreen_response")
        .prefetch_related(
            "intake_response__lowered_levels__lowered_by", "rescreen_response__lowered_levels"
        )
    )
    return [visit for visit in visits if visit.local_start.date() == day]


def _to_be_seen_soon(user: User, *, now: datetime) -> list[SeeSoon]:
    """Return the user's coming visits whose answers say SOON and are not reviewed yet."""
    soon = Q(intake_response__level=Level.SOON, intake_response__reviewed_at=None) | Q(
        rescreen_response__level=Level.SOON, rescreen_response__reviewed_at=None
    )
    visits = (
        Appointment.objects.visible_to(user)
        .filter(soon, practitioner__user=user, status=Appointment.Status.BOOKED, start__gt=now)
        .select_related("patient", "service", "intake_response", "rescreen_response")
        .prefetch_related("intake_response__lowered_levels", "rescreen_response__lowered_levels")
        .order_by("start")[:MAX_SHOWN]
    )
    found, met = [], set()
    for visit in visits:
        if visit.patient_id in met:
            continue  # Only the first visit of each patient.
        met.add(visit.patient_id)
        forms = [
            one
            for one in (visit.intake_response, visit.rescreen_response)
            if one and one.shown_level == Level.SOON and one.reviewed_at is None
        ]
        if forms:
            since = min(one.safety_answered_at or one.updated_at for one in forms)
            by = working_day_after(days.local_date(since, visit.zone), SOON_WORKING_DAYS)
            found.append(SeeSoon(visit, by))
    return sorted(found, key=lambda one: not one.is_late)[:MAX_ON_WORKLIST]


@dataclass(frozen=True)
class Record:
    """A patient's forms: the one to show, a newer unfinished one, and earlier ones.

    An unfinished form must not hide a submitted one. ``earlier`` and ``check_ins`` are submitted
    forms, oldest first.
    """

    shown: QuestionnaireResponse | None
    newer: QuestionnaireResponse | None
    earlier: list[QuestionnaireResponse]
    check_ins: list[QuestionnaireResponse]
    rescreen: QuestionnaireResponse | None


class SubmittedForm(NamedTuple):
    """One form for reading: a follow-up together with the answers that it does not ask again."""

    response: QuestionnaireResponse
    intake: Intake
    carried_from: date | None


def _record(patient: Patient, *, user: User) -> Record:
    newest_first = list(
        QuestionnaireResponse.objects.visible_to(user)
        .filter(patient=patient)
        .select_related("questionnaire", "reviewed_by")
        # The content is large, and parsed once per process: see Questionnaire.form.
        .defer("questionnaire__content")
        .prefetch_related("lowered_levels__lowered_by")
        .order_by("-created_at")[:MAX_SHOWN]
    )
    forms = [one for one in newest_first if one.questionnaire.url not in BETWEEN_VISITS]
    done = [one for one in reversed(newest_first) if one.submitted_at]
    newest = forms[0] if forms else None
    shown = next((one for one in forms if one.submitted_at), newest)
    return Record(
        shown=shown,
        newer=newest if newest is not shown else None,
        earlier=[
            one
            for one in reversed(forms)
            if shown and _is_before(one, shown) and _are_comparable(one, shown)
        ],
        check_ins=[one for one in done if one.questionnaire.url == CHECK_IN_URL],
        rescreen=next((one for one in newest_first if one.questionnaire.url == RESCREEN_URL), None),
    )


def _is_before(one: QuestionnaireResponse, shown: QuestionnaireResponse) -> bool:
    return bool(one.submitted_at and shown.submitted_at and one.submitted_at < shown.submitted_at)


def _are_comparable(one: QuestionnaireResponse, other: QuestionnaireResponse) -> bool:
    urls = {one.questionnaire.url, other.questionnaire.url}
    return len(urls) == 1 or urls == {INTAKE_URL, FOLLOW_UP_URL}


def _submitted_forms(record: Record, *, practice: Practice) -> list[SubmittedForm]:
    """Return the forms up to the one that is shown, oldest first."""
    if record.shown is None:
        return []
    forms: list[SubmittedForm] = []
    for response in [*record.earlier, record.shown]:
        day = _given_on(response, practice=practice)
        form, answers, carried_from = response.form, response.answers, None
        if response.questionnaire.url == FOLLOW_UP_URL and forms:
            # Its questions come from the intake, so the intake's form has the text of all of them.
            form, answers = forms[-1].intake.form, on_top(forms[-1].intake.answers, response)
            carried_from = forms[-1].carried_from or forms[-1].intake.given_on
        intake = Intake(form, answers, response.shown_level, day)
        forms.append(SubmittedForm(response, intake, carried_from))
    return forms


def _changes(forms: list[SubmittedForm]) -> list[Change]:
    """Return the changes since the previous form and, if another one, since the first form."""
    if len(forms) < 2:
        return []
    then = [forms[-2], forms[0]] if len(forms) > 2 else [forms[0]]
    return [compare(one.intake, forms[-1].intake) for one in then]


def _trend(
    forms: list[SubmittedForm], record: Record, *, user: User, practice: Practice
) -> charts.Trend | None:
    """Return the trend of all the patient's forms, with the visits and races in between."""
    points = [charts.Dated(one.intake.given_on, one.intake.answers) for one in forms]
    points += [
        charts.Dated(_given_on(one, practice=practice), one.answers) for one in record.check_ins
    ]
    if len(points) < 2:
        return None
    races = {one.answers.date("goal-event-date") for one in points} - {None}
    visits = (
        Appointment.objects.visible_to(user)
        .filter(patient=forms[0].response.patient_id, status=Appointment.Status.FULFILLED)
        .order_by("-start")[:MAX_SHOWN]
        if forms
        else []
    )
    events = [(day, _("race")) for day in filter(None, races)]
    events += [(visit.local_start.date(), _("visit")) for visit in visits]
    return charts.trend(sorted(points, key=lambda one: one.day), events=sorted(events))


def _corrected(response: QuestionnaireResponse, summary: Summary) -> list[str]:
    """Return the reasons for level SOON that the current answers no longer show."""
    found = {line.id for line in summary.all_lines}
    return [
        f"{RULES[rule_id].why} {rule_id}"
        for rule_id in response.rules
        if rule_id in RULES and RULES[rule_id].level == Level.SOON and rule_id not in found
    ]


def _is_news(
    rescreen: QuestionnaireResponse | None, shown: QuestionnaireResponse | None, *, now: datetime
) -> bool:
    """Whether the safety questions were asked again, recently and after the form that is shown."""
    if rescreen is None or now - rescreen.updated_at > SAFETY_ANSWERS_LAST:
        return False
    return shown is None or rescreen.created_at > shown.created_at


def _is_worse(record: Record) -> bool:
    """Whether the last check-in is worse than the forms before it."""
    if not record.check_ins:
        return False
    *before, last = record.check_ins
    forms = [*record.earlier, *([record.shown] if record.shown else []), *before]
    forms = sorted(
        (one for one in forms if one.submitted_at and _is_before(one, last)),
        key=lambda one: one.submitted_at or last.created_at,
    )
    return is_worse(merged(forms), last.answers)


def _given_on(response: QuestionnaireResponse, *, practice: Practice) -> date:
    return days.local_date((response.submitted_at or response.updated_at), practice.zone)


def _services(tags: tuple[Tag, ...]) -> list[Service]:
    services = list(Service.objects.all())
    tagged = [service for tag in tags for service in services if tag in service.tags]
    return list(dict.fromkeys(tagged))


def _nearest_visit(patient: Patient, *, user: User, now: datetime) -> Appointment | None:
    """Return the patient's next visit, or one that began up to three hours ago."""
    return (
        Appointment.objects.visible_to(user)
        .filter(
            patient=patient,
            status__in=EXPECTED,
            start__gte=now - timedelta(hours=3),
        )
        .select_related("service", "practitioner")
        .order_by("start")
        .first()
    )


def _summary(
    form: SubmittedForm,
    *,
    before: list[SubmittedForm],
    record: Record,
    practice: Practice,
    now: datetime,
) -> Summary:
    asked_at = [form.response.safety_answered_at]
    if record.rescreen:
        asked_at.append(record.rescreen.safety_answered_at)
    return summarize(
        form.intake.form,
        form.intake.answers,
        today=form.intake.given_on,
        now=now,
        language=active_language(),
        answered_in=form.response.language,
        safety_answered_at=max(filter(None, asked_at), default=None),
        strict_public_advice=practice.strict_public_advice,
        last=before[-1].intake.answers if before else None,
        first=before[0].intake.answers if before else None,
    )
