"""The safety gate: a few questions answered before any bookable time is shown.

The answers are an in-progress response without patient, keyed by the hash of a visitor token,
until a booking gives them one. A save can raise the level; answering again never lowers it:
a rule stops counting only when staff have reopened booking on the alert it raised.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from clinic import days
from clinic.models import Patient, Practice
from intake.answers import Answers
from intake.fhir_form.items import Item
from intake.fhir_form.questionnaire import Form
from intake.models import Questionnaire, QuestionnaireResponse, SafetyAlert
from intake.rules import triage
from intake.rules.findings import RULE_SET_VERSION
from intake.rules.levels import Level
from intake.rules.triage import Triage
from intake.workflow import alert_mails, answer_history
from intake.workflow.answer_history import INTAKE_URL

# Older answers are asked again, and deleted when they led to neither a visit nor an alert.
FRESH_FOR = timedelta(hours=24)

SAFETY_GROUP = "safety"
OTHER_QUESTIONS = ("about-birth-date", "onset-duration", "pain-worst", "pain-run")


def questionnaire() -> Questionnaire:
    """The published intake that the gate's questions are taken from; raises DoesNotExist."""
    published = Questionnaire.objects.published().filter(url=INTAKE_URL)
    return published.defer("content").latest("published_at")


def items(form: Form) -> tuple[Item, ...]:
    """The gate's questions: the safety page, then those that the choice of a visit depends on."""
    return (*form.item(SAFETY_GROUP).items, *(form.item(link_id) for link_id in OTHER_QUESTIONS))


def response_of(
    *, visitor_hash: str, patient: Patient | None, now: datetime
) -> QuestionnaireResponse | None:
    """Return the visitor's answers of the last day: those without patient before the patient's.

    They may be unfinished: see ``is_answered``.
    """
    owner = Q(patient=None, visitor_hash=visitor_hash) if visitor_hash else Q(pk__in=[])
    if patient is not None:
        owner |= Q(patient=patient, safety_answered_at__gt=now - FRESH_FOR)
    found = QuestionnaireResponse.objects.filter(
        owner, questionnaire__url=INTAKE_URL, corrects=None, updated_at__gt=now - FRESH_FOR
    ).order_by()
    return min(
        found,
        key=lambda response: (response.patient_id is not None, now - response.updated_at),
        default=None,
    )


def is_answered(response: QuestionnaireResponse | None, *, now: datetime) -> bool:
    """Whether every question of the gate was answered within the last day."""
    return bool(
        response and response.safety_answered_at and response.safety_answered_at > now - FRESH_FOR
    )


def save(
    response: QuestionnaireResponse,
    *,
    items: list[dict[str, Any]],
    is_complete: bool,
    patient: Patient | None,
    language: str,
    practice: Practice,
    now: datetime,
) -> Triage:
    """Store the gate's answers and evaluate them; raise the alert they need in the same step.

    Incomplete answers count too: ``is_complete`` decides whether booking opens, not whether a
    danger sign counts. ``patient`` is the patient of the visitor's link grant, for the alert; the
    answers become that patient's by ``attach``, when something is booked.
    """
    with transaction.atomic():
        response.items = items
        response.language = language
        response.safety_answered_at = now if is_complete else None
        response.pages_done = [SAFETY_GROUP] if is_complete else []
        outcome = current_triage(response, patient=patient, practice=practice, now=now)
        response.level = outcome.level
        response.rules = list(outcome.rule_ids)
        response.rule_set_version = RULE_SET_VERSION
        response.save()
        raise_alert(response, outcome, patient=patient, now=now)
    return outcome


def current_triage(
    response: QuestionnaireResponse, *, patient: Patient | None, practice: Practice, now: datetime
) -> Triage:
    """Return the triage for booking today, from these answers and the patient's earlier intake.

    The level is at least that of every alert about these answers or this patient that still
    blocks booking. A rule of level SOON still counts after its answer is corrected, until a
    clinician lowers the level. Urgent rules on an alert of these answers are left out once staff
    have reopened booking: a person has decided about them.
    """
    answers = response.answers
    if patient is not None:
        answers = answer_history.on_top(answer_history.answers_before(response, patient), response)
    today = days.local_date(now, practice.zone)
    outcome = triage.evaluate(
        answers, today=today, strict_public_advice=practice.strict_public_advice
    )
    outcome = _with_kept(outcome, response, answers=answers, today=today)
    if patient is None and max(outcome.level, response.level) < Level.URGENT:
        return outcome  # So no alert was raised, or none that still counts.
    alerts = SafetyAlert.objects.filter(_about(response, patient))
    judged = {
        rule
        for alert in alerts
        if alert.booking_reopened_at and alert.response_id == response.pk
        for rule in alert.rules
    }
    held = [rule for rule in outcome.rules if rule.level < Level.URGENT or rule.id not in judged]
    level = max(
        [rule.level for rule in held]
        + [Level(alert.level) for alert in alerts if alert.booking_reopened_at is None],
        default=Level.ROUTINE,
    )
    return _at_level(outcome, level, answers=answers, rules=held, today=today)


def raise_alert(
    response: QuestionnaireResponse, outcome: Triage, *, patient: Patient | None, now: datetime
) -> SafetyAlert | None:
    """Ensure that EMERGENCY and URGENT answers have an open alert; a worse level raises another."""
    if outcome.level < Level.URGENT:
        return None
    # An earlier alert of the patient is enough only when it alone gives the level.
    has_sign = any(rule.level >= Level.URGENT for rule in outcome.rules)
    with transaction.atomic():
        alert = (
            SafetyAlert.objects.blocking()
            .filter(_about(response, None if has_sign else patient), level__gte=outcome.level)
            .first()
        )
        if alert is None:
            alert = SafetyAlert.objects.create(
                response=response,
                patient=response.patient or patient,
                visitor_hash=response.visitor_hash,
                level=outcome.level,
                rules=list(outcome.rule_ids),
                raised_at=now,
            )
            alert_mails.plan_alert(alert, now)
    return alert


def emergency_alert(*, visitor_hash: str, patient: Patient | None) -> SafetyAlert | None:
    """The EMERGENCY alert that blocks booking for this visitor or patient, if there is one."""
    owner = Q(visitor_hash=visitor_hash) if visitor_hash else Q(pk__in=[])
    if patient is not None:
        owner |= Q(patient=patient)
    alerts = SafetyAlert.objects.blocking().filter(owner, level=Level.EMERGENCY).order_by()
    return min(alerts, key=attrgetter("raised_at"), default=None)


def urgent_alert(response: QuestionnaireResponse, *, patient: Patient | None) -> SafetyAlert | None:
    """The alert that stores how to call back: the latest about the answers or the patient."""
    return (
        SafetyAlert.objects.blocking()
        .filter(_about(response, patient))
        .order_by("raised_at")
        .last()
    )


def leave_number(
    alert: SafetyAlert, *, name: str, phone: str, birth_date: date | None
) -> SafetyAlert:
    """Store how the visitor can be called back; all of it is optional."""
    alert.callback_name, alert.callback_phone, alert.callback_birth_date = name, phone, birth_date
    alert.save(update_fields=["callback_name", "callback_phone", "callback_birth_date"])
    return alert


def attach(response: QuestionnaireResponse, patient: Patient) -> None:
    """Make the gate's answers and alerts this patient's: the first page of the intake.

    The visitor's key is removed, so that the next person in this browser is asked again. Answers
    that became another patient's at the same moment, in another window, stay theirs.
    """
    nobodys = QuestionnaireResponse.objects.filter(pk=response.pk, patient=None)
    if nobodys.update(patient=patient, visitor_hash=""):
        response.safety_alerts.update(patient=patient)
        response.patient, response.visitor_hash = patient, ""


def forget_unclaimed(*, now: datetime) -> int:
    """Delete gate answers a day old that led to neither a visit nor an alert."""
    return (
        QuestionnaireResponse.objects.filter(patient=None, updated_at__lt=now - FRESH_FOR)
        .exclude(Exists(SafetyAlert.objects.filter(response=OuterRef("pk"))))
        .delete()[0]
    )


def _about(response: QuestionnaireResponse, patient: Patient | None) -> Q:
    """The filter for alerts about these answers, or about their patient."""
    about = Q(pk__in=[]) if response._state.adding else Q(response=response)
    return about if patient is None else about | Q(patient=patient)


def _with_kept(
    outcome: Triage, response: QuestionnaireResponse, *, answers: Answers, today: date
) -> Triage:
    """Return the outcome with the SOON rules that earlier saves of these answers raised.

    The alert remembers what is more urgent, and who may lower it.
    """
    kept = [
        rule
        for rule_id in response.rules
        if (rule := triage.RULES.get(rule_id))
        and rule.level == Level.SOON
        and rule_id not in outcome.rule_ids
    ]
    if not kept or (response.lowered and response.lowered.level < Level.SOON):
        return outcome
    rules = sorted([*outcome.rules, *kept], key=lambda rule: -rule.level)
    level = max(outcome.level, Level.SOON)
    return _at_level(outcome, level, answers=answers, rules=rules, today=today)


def _at_level(
    outcome: Triage, level: Level, *, answers: Answers, rules: Iterable[triage.Rule], today: date
) -> Triage:
    rules = tuple(rules)
    return replace(
        outcome,
        level=level,
        rules=rules,
        messages=triage.messages_shown(answers, level, rules),
        restrictions=triage.restrictions(answers, level, rules, today),
    )
