"""Forms between visits: the safety check before a visit, and the weekly check-in.

They are never prefilled, are evaluated on every save together with the earlier answers, and
close as soon as they are complete.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from clinic import days
from clinic.models import DeskTask, Patient, Practice
from clinic.privacy import NOTICE_VERSION
from intake.answers import Answers
from intake.fhir_form.items import Item
from intake.fhir_form.questionnaire import Form
from intake.fhir_form.responses import answer_for, replace_answers
from intake.models import Questionnaire, QuestionnaireResponse, SafetyAlert
from intake.rules import triage
from intake.rules.findings import RULE_SET_VERSION
from intake.rules.levels import Level
from intake.rules.triage import Triage
from intake.summary import change
from intake.workflow import answer_history, gate
from intake.workflow.answer_history import CHECK_IN_URL, RESCREEN_URL

# A check-in is asked for every week; one that was answered counts until shortly before the next.
ANSWER_COUNTS_FOR = timedelta(days=6)


def new(url: str, patient: Patient) -> QuestionnaireResponse:
    """Return an unsaved form of the kind; raises DoesNotExist when none is published."""
    published = Questionnaire.objects.published().filter(url=url)
    return QuestionnaireResponse(questionnaire=published.latest("published_at"), patient=patient)


def check_in_of(patient: Patient, *, now: datetime) -> QuestionnaireResponse:
    """Return this week's check-in: the one begun or answered, else a new one."""
    begun = (
        patient.questionnaire_responses.filter(
            questionnaire__url=CHECK_IN_URL, created_at__gt=now - ANSWER_COUNTS_FOR
        )
        .select_related("questionnaire")
        # Large, and parsed once per process: see Questionnaire.form.
        .defer("questionnaire__content")
        .first()
    )
    return begun or new(CHECK_IN_URL, patient)


def questions(form: Form) -> tuple[Item, ...]:
    """The questions of the form, on its one page."""
    return tuple(item for page in form.pages() for item in page.items)


def unit_known(response: QuestionnaireResponse, patient: Patient) -> list[dict[str, Any]]:
    """Return the initial items: the patient's unit of distance, if it is not asked again."""
    form = response.form
    if "run-unit" not in form or not form.item("run-unit").is_hidden:
        return []
    unit = answer_history.answers_before(response, patient).text("run-unit") or "km"
    answer = answer_for(form.item("run-unit"), unit)
    return replace_answers(form, [], {"run-unit": [answer]})


def save(
    response: QuestionnaireResponse,
    *,
    items: list[dict[str, Any]],
    is_complete: bool,
    language: str,
    practice: Practice,
    now: datetime,
) -> SafetyAlert | None:
    """Store and evaluate the answers, close a complete form; return the alert raised.

    Incomplete answers count. An urgent rule that held before these answers raises no further
    alert: it raised one then, and would again every week. A sign of an emergency among these
    answers always raises one. Raises StaleRevision when the form was closed already.
    """
    patient = response.patient
    assert patient is not None
    with transaction.atomic():
        response.items = items
        response.language = language
        if is_complete and response.questionnaire.url == RESCREEN_URL:
            response.safety_answered_at = now
        outcome = gate.current_triage(response, patient=patient, practice=practice, now=now)
        response.level = outcome.level
        response.rules = list(outcome.rule_ids)
        response.rule_set_version = RULE_SET_VERSION
        response.save()
        before = answer_history.answers_before(response, patient)
        today = days.local_date(now, practice.zone)
        alert = None
        is_emergency = triage.evaluate(response.answers, today=today).level == Level.EMERGENCY
        if is_emergency or _is_news(outcome, triage.evaluate(before, today=today)):
            alert = gate.raise_alert(response, outcome, patient=patient, now=now)
        if is_complete:
            response.submit(
                today=today,
                notice_version=NOTICE_VERSION,
                rule_set_version=RULE_SET_VERSION,
                now=now,
            )
            ask_desk_if_worse(response, before, now=now)
    return alert


def ask_desk_if_worse(response: QuestionnaireResponse, before: Answers, *, now: datetime) -> None:
    """Ask the front desk to offer an earlier visit; repeating it while open does nothing."""
    if response.patient and is_worse(before, response.answers):
        patient = response.patient
        DeskTask.objects.ask(kind=DeskTask.Kind.WORSE, subject=patient, patient=patient, now=now)


def is_worse(before: Answers, now: Answers) -> bool:
    """Whether the patient does clearly worse than at their last report.

    They say so themselves, or their average pain rose by as much as counts as a change between
    two intakes: two points, or three tenths of the value before (clinical.md §5.2, Ref20).
    """
    then, last = before.number("pain-average"), now.number("pain-average")
    if now.has("onset-trend", "worse"):
        return True
    return then is not None and last is not None and last > then and change.is_clear(then, last)


def _is_news(outcome: Triage, before: Triage) -> bool:
    return any(
        rule.level >= Level.URGENT and rule.id not in before.rule_ids for rule in outcome.rules
    )
