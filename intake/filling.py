"""Filling in the intake page by page: every save keeps the answers and judges them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from clinic.models import Practice
from intake import gate
from intake.findings import RULE_SET_VERSION
from intake.levels import Level
from intake.models import QuestionnaireResponse, SafetyAlert
from intake.questionnaire import Page
from intake.triage import Triage


def save_page(
    response: QuestionnaireResponse,
    *,
    page: Page,
    items: list[dict[str, Any]],
    is_complete: bool,
    revision: int,
    language: str,
    practice: Practice,
    now: datetime,
) -> SafetyAlert | None:
    """Keep one page's answers, judge all of them, and return the alert that now stands, if any.

    `items` is the whole response with the page's answers in place. A danger sign on an unfinished
    page counts. Raises StaleRevision.
    """
    with transaction.atomic():
        response.keep(
            items,
            page=page,
            is_complete=is_complete,
            revision=revision,
            language=language,
            now=now,
        )
        outcome = judge(response, practice=practice, now=now)
        if page.key == gate.SAFETY_GROUP and is_complete:
            response.safety_answered_at = now
        response.rules = list(outcome.rule_ids)
        response.rule_set_version = RULE_SET_VERSION
        response.level = outcome.level
        response.save(update_fields=["safety_answered_at", "rules", "rule_set_version", "level"])
        return gate.raise_alert(response, outcome, patient=response.patient, now=now)


def judge(response: QuestionnaireResponse, *, practice: Practice, now: datetime) -> Triage:
    """The triage of the answers so far, as the safety gate judges its own."""
    return gate.standing(response, patient=response.patient, practice=practice, now=now)


def submit(
    response: QuestionnaireResponse, *, notice_version: str, practice: Practice, now: datetime
) -> None:
    """Close the answers; raises IncompleteResponse or StaleRevision."""
    response.submit(
        today=now.astimezone(practice.zone).date(),
        notice_version=notice_version,
        rule_set_version=RULE_SET_VERSION,
        now=now,
    )


def is_stopped(response: QuestionnaireResponse) -> bool:
    """Did an emergency answer end the form, and has nobody of the staff reopened it?"""
    return (
        response.safety_alerts.blocking().filter(level=Level.EMERGENCY).exists()  # type: ignore[attr-defined]
    )
