"""Filling in the intake page by page: every save stores and evaluates the answers."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.crypto import salted_hmac

from clinic import days
from clinic.models import Patient, Practice
from clinic.privacy import NOTICE_VERSION, current_notice
from intake.answers import Answers
from intake.fhir_form.items import Item
from intake.fhir_form.questionnaire import Form, Page
from intake.fhir_form.responses import answer_for, replace_answers, settle
from intake.models import Agreement, QuestionnaireResponse, SafetyAlert
from intake.rules.findings import RULE_SET_VERSION
from intake.rules.triage import Triage
from intake.summary.readback import given_on
from intake.workflow import check_ins, gate
from intake.workflow.answer_history import FOLLOW_UP_URL, answers_before

CONSENT = "consent-privacy"
# Answered again with every correction: they are about the form, not about the patient.
SIGNATURE = ("consent-true", "consent-not-emergency", CONSENT, "consent-signature")


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
    """Store one page's answers, evaluate all, and return the open alert, if any.

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
        outcome = current_triage(response, practice=practice, now=now)
        if page.key == gate.SAFETY_GROUP and is_complete:
            response.safety_answered_at = now
        response.rules = list(outcome.rule_ids)
        response.rule_set_version = RULE_SET_VERSION
        response.level = outcome.level
        if is_complete and any(item.link_id == CONSENT for item in page.walk()):
            response.notice_version = NOTICE_VERSION
        response.save(
            update_fields=[
                "safety_answered_at",
                "rules",
                "rule_set_version",
                "level",
                "notice_version",
            ]
        )
        return gate.raise_alert(response, outcome, patient=response.patient, now=now)


def current_triage(response: QuestionnaireResponse, *, practice: Practice, now: datetime) -> Triage:
    """Return the triage of the answers so far, by the rules of the safety gate."""
    return gate.current_triage(response, patient=response.patient, practice=practice, now=now)


def seen(page: Page, items: list[dict[str, Any]]) -> str:
    """Return a digest of a page's stored answers, to detect changes since they were shown."""
    stored = json.dumps(given_on(page, items), sort_keys=True)
    return salted_hmac("intake.workflow.page_saving.seen", stored, algorithm="sha256").hexdigest()[
        :32
    ]


def correct(response: QuestionnaireResponse) -> QuestionnaireResponse:
    """Open submitted answers for correction; everything but the signature is copied."""
    return response.correct(without=[one for one in SIGNATURE if one in response.form])


def must_agree_again(response: QuestionnaireResponse) -> bool:
    """Whether the privacy notice changed since somebody agreed to it for this patient.

    Patients who have not agreed yet are asked on the last page.
    """
    signed = set(Agreement.objects.of(response).values_list("notice__version", flat=True))
    if response.notice_version and not response.is_final:
        signed.add(response.notice_version)
    return bool(signed) and NOTICE_VERSION not in signed


def agree(
    response: QuestionnaireResponse,
    *,
    signed_by: str,
    role: str,
    language: str,
    practice: Practice,
    now: datetime,
) -> Agreement:
    """Store who agreed to today's privacy notice, with the text and language they saw."""
    assert response.patient is not None
    with transaction.atomic():
        agreement = Agreement.objects.create(
            patient=response.patient,
            response=None if response._state.adding else response,
            notice=current_notice(language, practice=practice, now=now),
            signed_by=signed_by,
            role=role,
            agreed_at=now,
        )
        if not response._state.adding:
            QuestionnaireResponse.objects.filter(pk=response.pk).update(
                notice_version=NOTICE_VERSION
            )
            response.notice_version = NOTICE_VERSION
    return agreement


def submit(
    response: QuestionnaireResponse, *, language: str, practice: Practice, now: datetime
) -> None:
    """Close the answers with their signature; a correction replaces the original.

    Raises IncompleteResponse or StaleRevision.
    """
    original = response.corrects or response
    answers = response.answers
    with transaction.atomic():
        response.submit(
            today=days.local_date(now, practice.zone),
            notice_version=NOTICE_VERSION,
            rule_set_version=RULE_SET_VERSION,
            now=now,
        )
        if signed_by := answers.text("consent-signature"):
            agree(
                original,
                signed_by=signed_by,
                role=answers.text("about-filler") or Agreement.Role.PATIENT,
                language=language,
                practice=practice,
                now=now,
            )
        if original.patient and original.questionnaire.url == FOLLOW_UP_URL:
            before = answers_before(original, original.patient)
            check_ins.ask_desk_if_worse(original, before, now=now)


def known_beforehand(
    form: Form, items: list[dict[str, Any]], *, patient: Patient | None, today: date
) -> list[dict[str, Any]]:
    """Return the items with the clinic's own data where nothing was answered."""
    if patient is None:
        return items
    known: dict[str, Any] = {"about-birth-date": patient.birth_date}
    if patient.contact_relation != Patient.Contact.SELF:
        known["about-filler"] = patient.contact_relation
    given = Answers.from_response({"item": items})
    answers = {
        link_id: [answer_for(form.item(link_id), value)]
        for link_id, value in known.items()
        if value is not None
        and link_id in form
        and _is_answer(form.item(link_id), value)
        and not given.answered(link_id)
    }
    if not answers:
        return items
    return settle(form, replace_answers(form, items, answers), today=today)


def _is_answer(item: Item, value: Any) -> bool:
    """Whether it is a valid answer; another questionnaire may have other options."""
    return item.option(value) is not None if item.type == "choice" else item.type == "date"
