import random
from datetime import date

import pytest
from fhir.resources.R4B.observation import Observation as FhirObservation
from fhir.resources.R4B.questionnaire import Questionnaire as FhirQuestionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as FhirResponse

from intake import fhir
from intake.fhir_form.questionnaire import Form
from intake.fhir_form.responses import validate_response
from intake.models import Questionnaire
from intake.rules.findings import RULE_SET_VERSION
from tests.factories import NOW, make_patient, make_response
from tests.intake.answering import fill_in
from tests.intake.fhir_form.test_round_trip import FOREIGN
from tests.intake.html_form.test_forms import fill_up_to

pytestmark = pytest.mark.django_db

TODAY = date(2026, 6, 1)


@pytest.fixture
def submitted():
    """The whole shipped intake of a patient, as it stands after sending."""
    response = make_response(
        patient=make_patient(),
        questionnaire=Questionnaire.objects.publish_shipped(now=NOW),
        items=fill_up_to(14),
    )
    response.submit(today=TODAY, notice_version="1", rule_set_version=RULE_SET_VERSION, now=NOW)
    return response


def test_the_exported_intake_is_valid_by_an_independent_reader_and_by_our_rules(submitted):
    form = Form.parse(fhir.questionnaire(submitted.questionnaire))
    FhirQuestionnaire.model_validate(fhir.questionnaire(submitted.questionnaire))
    resource = fhir.questionnaire_response(submitted)
    FhirResponse.model_validate(resource)
    assert validate_response(form, resource, today=TODAY) == []
    assert resource["subject"] == {"reference": f"Patient/{submitted.patient_id}"}
    assert submitted.patient.name not in str(resource)


def test_the_export_names_questions_and_options_in_the_patient_s_language(submitted):
    submitted.language = "es"
    resource = fhir.questionnaire_response(submitted)
    group = next(item for item in resource["item"] if item["linkId"] == "pain")
    pattern = next(item for item in group["item"] if item["linkId"] == "pain-pattern")
    option = submitted.form.item("pain-pattern").option("comes-goes")
    assert pattern["text"] == submitted.form.item("pain-pattern").text.in_language("es")
    coding = {"code": "comes-goes", "display": option.text.in_language("es")}
    assert pattern["answer"] == [{"valueCoding": coding}]
    assert submitted.items != resource["item"]


def test_the_signature_is_exported_once_there_is_one(submitted):
    signature = fhir.questionnaire_response(submitted)["extension"][0]["valueSignature"]
    assert signature["who"]["display"] == "Ana Ruiz"
    assert signature["when"] == submitted.submitted_at.isoformat()
    draft = make_response(questionnaire=submitted.questionnaire)
    resource = fhir.questionnaire_response(draft)
    assert "extension" not in resource
    assert "subject" not in resource
    FhirResponse.model_validate(resource)
    assert validate_response(draft.form, resource, today=TODAY) == []


def test_every_number_worth_a_trend_is_an_observation_with_its_unit(submitted):
    exported = {row.code: fhir.observation(row) for row in submitted.observations.all()}
    for resource in exported.values():
        FhirObservation.model_validate(resource)
        assert resource["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{submitted.pk}"}]
    assert exported["pain-now"]["code"]["coding"][0]["code"] == "72514-3"
    assert exported["pain-now"]["valueQuantity"]["code"] == "1"
    # 18.5 miles, in the unit that every distance is kept in.
    assert exported["load-now"]["valueQuantity"] == {
        "value": 29.773,
        "unit": "km",
        "code": "km",
        "system": "http://unitsofmeasure.org",
    }


def test_a_draft_is_exported_as_one():
    draft = Questionnaire.objects.store(FOREIGN["medicines"], publish=False, now=NOW)
    assert fhir.questionnaire(draft)["status"] == "draft"
    published = Questionnaire.objects.store(FOREIGN["mood"], publish=True, now=NOW)
    assert fhir.questionnaire(published)["status"] == "active"


@pytest.mark.parametrize("name", FOREIGN)
def test_answers_to_a_foreign_questionnaire_leave_as_valid_as_they_came(name):
    questionnaire = Questionnaire.objects.publish(FOREIGN[name], now=NOW)
    response = make_response(
        questionnaire=questionnaire,
        patient=make_patient(),
        status="completed",
        submitted_at=NOW,
        items=fill_in(questionnaire.form, random.Random(1)),
    )
    response.refresh_from_db()
    resource = fhir.questionnaire_response(response)
    FhirResponse.model_validate(resource)
    assert validate_response(Form.parse(fhir.questionnaire(questionnaire)), resource) == []
