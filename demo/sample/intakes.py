"""Intakes in every state for the sample clinic's visits."""

from datetime import date, datetime, timedelta
from itertools import cycle

from booking.models import Appointment
from clinic.models import Patient, Practice
from clinic.privacy import NOTICE_VERSION
from demo.sample.runners import FIRST_TIME, STORIES, answers_of, suits
from intake.answers import Answers, Value
from intake.fhir_form.questionnaire import Form
from intake.fhir_form.responses import answer_for, replace_answers
from intake.models import Agreement, Questionnaire, QuestionnaireResponse, SafetyAlert
from intake.rules.findings import RULE_SET_VERSION
from intake.rules.levels import Level
from intake.rules.triage import evaluate
from intake.workflow import page_saving
from intake.workflow.answer_history import CHECK_IN_URL

# Few visits have an open alert.
_RARE, _RARE_AT = "feverish", (4, 13)

# One runner comes back after this time, so that a summary can compare two intakes.
_BEFORE = timedelta(weeks=6)

# Their weeks in between: average pain, the trend they report, miles run.
_WEEKS = ((7, "same", 4), (6, "better", 6), (7, "worse", 9), (5, "better", 8), (4, "better", 10))

# The states of the coming visits' forms, in turn.
_STATES = ("done", "done", "begun", "none", "done", "safety-only")


def create_intakes(
    visits: list[Appointment], *, questionnaire: Questionnaire, now: datetime
) -> None:
    """Give each patient with a coming visit a story, and patients of past visits a done form."""
    form = Form.parse(questionnaire.content)
    stories, states = cycle(story for story in STORIES if story != _RARE), cycle(_STATES)
    today = now.date()
    ahead = sorted((v for v in visits if v.end > now), key=lambda v: v.start)
    is_anybody_back = False
    met: dict[Patient, QuestionnaireResponse | None] = {}
    for visit in [*ahead, *(v for v in visits if v.end <= now)]:
        if visit.patient is None or visit.status == Appointment.Status.CANCELLED:
            continue
        if visit.patient not in met:
            state = next(states) if visit in ahead else "done"
            age = visit.patient.age_on(today) or 30
            story = (
                _RARE
                if len(met) in _RARE_AT
                else next(s for s in stories if suits(s, name=visit.patient.name, age=age))
            )
            is_shown = visit.practitioner.user_id is not None  # the demo's clinician sees them
            if is_shown and state == "done" and story in FIRST_TIME and not is_anybody_back:
                is_anybody_back = True
                _intake(
                    form,
                    questionnaire,
                    visit,
                    story=story,
                    state=state,
                    now=now - _BEFORE,
                    is_first_time=True,
                )
                _check_ins(visit.patient, now=now)
            met[visit.patient] = _intake(
                form, questionnaire, visit, story=story, state=state, now=now
            )
        visit.intake_response = met[visit.patient]
    Appointment.objects.bulk_update(visits, ["intake_response"], batch_size=200)


def _intake(
    form: Form,
    questionnaire: Questionnaire,
    visit: Appointment,
    *,
    story: str,
    state: str,
    now: datetime,
    is_first_time: bool = False,
) -> QuestionnaireResponse | None:
    patient = visit.patient
    if state == "none" or patient is None:
        return None
    today = now.date()
    items = answers_of(
        form,
        story,
        name=patient.name,
        birth_date=patient.birth_date or date(1990, 1, 1),
        race_on=today + timedelta(days=36),
        today=today,
        is_first_time=is_first_time,
    )
    pages = [page.group.link_id for page in form.pages() if page.group]
    done = {"done": pages, "begun": pages[:6], "safety-only": pages[:1]}[state]
    items = [item for item in items if item["linkId"] in done]
    answered_at = min(visit.start, now) - timedelta(hours=3)
    result = evaluate(Answers.from_response({"item": items}), today=today)
    response = QuestionnaireResponse.objects.create(
        questionnaire=questionnaire,
        patient=patient,
        items=items,
        pages_done=done,
        language=patient.language,
        level=result.level,
        rules=[rule.id for rule in result.rules],
        rule_set_version=RULE_SET_VERSION,
        safety_answered_at=answered_at,
        status=(
            QuestionnaireResponse.Status.COMPLETED
            if state == "done"
            else QuestionnaireResponse.Status.IN_PROGRESS
        ),
        submitted_at=answered_at if state == "done" else None,
        signed_by=patient.name if state == "done" else "",
    )
    if state == "done":
        page_saving.agree(
            response,
            signed_by=patient.name,
            role=Agreement.Role.PATIENT,
            language=patient.language,
            practice=Practice.current(),
            now=answered_at,
        )
    if result.level >= Level.URGENT:
        SafetyAlert.objects.create(
            patient=patient,
            response=response,
            level=result.level,
            rules=response.rules,
            raised_at=answered_at,
        )
    return response


def _check_ins(patient: Patient, *, now: datetime) -> None:
    """Create five weekly check-ins, from the values of ``_WEEKS``."""
    questionnaire = Questionnaire.objects.filter(url=CHECK_IN_URL).first()
    if questionnaire is None:
        return
    form = questionnaire.form
    for weeks_ago, (average, trend, distance) in zip(range(5, 0, -1), _WEEKS, strict=True):
        answered_at = now - timedelta(weeks=weeks_ago, hours=5)
        answers: dict[str, Value] = {
            "safety-nerve": "none",
            "pain-average": average,
            "onset-trend": trend,
            "run-unit": "mi",
            "load-now": distance,
        }
        changes = {name: [answer_for(form.item(name), value)] for name, value in answers.items()}
        items = replace_answers(form, [], changes)
        response = QuestionnaireResponse(
            questionnaire=questionnaire,
            patient=patient,
            items=items,
            language=patient.language,
            rule_set_version=RULE_SET_VERSION,
        )
        response.save()
        response.submit(
            today=answered_at.date(),
            notice_version=NOTICE_VERSION,
            rule_set_version=RULE_SET_VERSION,
            now=answered_at,
        )
