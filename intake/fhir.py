"""Questionnaires, answers and numbers as FHIR R4 resources: plain dicts, one function each.

A patient is only a reference here. Codes of options are exported as they are stored, so that an
exported response is valid against the exported questionnaire.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from intake.fhir_form.items import OWN
from intake.fhir_form.questionnaire import Form
from intake.fhir_form.responses import SIGNED, value_of
from intake.models import Observation, Questionnaire, QuestionnaireResponse

UCUM = "http://unitsofmeasure.org"
# ASTM E1762's code for a consent, as in FHIR's own value set of signature types.
CONSENT_SIGNATURE = {
    "system": "urn:iso-astm:E1762-95:2013",
    "code": "1.2.840.10065.1.12.1.7",
    "display": "Consent Signature",
}
SURVEY = {
    "system": "http://terminology.hl7.org/CodeSystem/observation-category",
    "code": "survey",
}


def questionnaire(row: Questionnaire) -> dict[str, Any]:
    """Return the Questionnaire as it was uploaded; it is a draft until we publish it."""
    status = row.content["status"]
    if row.published_at is None:
        status = "draft"
    elif status in ("draft", "unknown"):
        status = "active"
    return row.content | {"id": str(row.pk), "status": status}


def questionnaire_response(row: QuestionnaireResponse) -> dict[str, Any]:
    """Return the answers with the texts of their questions, and the signature if there is one."""
    resource = row.resource | {"item": [*_worded(row.form, row.items, row.language)]}
    if row.patient_id is not None:
        resource["subject"] = {"reference": f"Patient/{row.patient_id}"}
        if row.answers.has("about-filler", "self"):
            resource["source"] = resource["subject"]
    if row.signed_by and row.submitted_at is not None:
        who = {"display": row.signed_by}
        if "source" in resource:
            who |= resource["source"]
        signature = {
            "type": [CONSENT_SIGNATURE],
            "when": row.submitted_at.isoformat(),
            "who": who,
        }
        resource["extension"] = [{"url": SIGNED, "valueSignature": signature}]
    if not resource["item"]:
        del resource["item"]
    return resource


def observation(row: Observation) -> dict[str, Any]:
    """Return a number that forms a trend, derived from the answers it was taken from."""
    form = row.response.form
    item = form.item(row.code)
    own = {"system": f"{OWN}/CodeSystem/question", "code": row.code}
    # UCUM's "1" is a number without a unit: a score, a ratio.
    unit = {"unit": row.unit, "code": row.unit} if row.unit else {"code": "1"}
    if item.units and not item.unit_choice:
        unit["code"] = item.units[0].code
    return {
        "resourceType": "Observation",
        "id": str(row.pk),
        "status": "final",
        "category": [{"coding": [SURVEY]}],
        "code": {"coding": [item.observation or own], "text": item.text.default},
        "subject": {"reference": f"Patient/{row.patient_id}"},
        "effectiveDateTime": row.effective_at.isoformat(),
        "valueQuantity": {"value": float(row.value), "system": UCUM, **unit},
        "derivedFrom": [{"reference": f"QuestionnaireResponse/{row.response_id}"}],
    }


def _worded(form: Form, items: list[dict[str, Any]], language: str) -> Iterator[dict[str, Any]]:
    for element in items:
        item = form.item(element["linkId"])
        text = form.text(item, language)
        worded = element | ({"text": text} if text else {})
        if "answer" in element:
            worded["answer"] = [
                _worded_answer(form, item, answer, language) for answer in element["answer"]
            ]
        if "item" in element:
            worded["item"] = [*_worded(form, element["item"], language)]
        yield worded


def _worded_answer(
    form: Form, item: Any, answer: Mapping[str, Any], language: str
) -> dict[str, Any]:
    worded = dict(answer)
    value = value_of(item, answer)
    option = None if value is None else item.option(value)
    if option is not None and "valueCoding" in answer:
        display = option.text.in_language(language)
        worded["valueCoding"] = answer["valueCoding"] | {"display": display}
    if "item" in answer:
        worded["item"] = [*_worded(form, answer["item"], language)]
    return worded
