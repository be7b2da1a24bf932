"""A new version of our own questionnaire cannot leave out what safety gate and rules read."""

import json
from copy import deepcopy
from datetime import timedelta

import pytest

from intake.fhir_form.questionnaire import InvalidQuestionnaire
from intake.models import Questionnaire
from intake.models.questionnaires import INTAKE
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipped():
    Questionnaire.objects.publish_shipped(now=NOW)
    return json.loads(INTAKE.read_bytes())


def next_version(content):
    return deepcopy(content) | {"version": "99.0.0"}


def test_a_version_without_the_safety_page_is_refused_on_every_way_in(shipped):
    content = next_version(shipped)
    content["item"] = [item for item in content["item"] if item["linkId"] != "safety"]
    for take_in in (
        lambda: Questionnaire.objects.store(content, publish=False, now=NOW),
        lambda: Questionnaire().take(content),
    ):
        with pytest.raises(InvalidQuestionnaire) as refused:
            take_in()
        assert "safety-nerve" in str(refused.value.issues[-1].message)


def test_a_version_with_every_question_is_taken(shipped):
    later = NOW + timedelta(days=1)
    stored = Questionnaire.objects.publish(next_version(shipped), now=later)
    assert stored.published_at == later


def test_a_questionnaire_of_somebody_else_may_leave_questions_out(shipped):
    content = next_version(shipped) | {"url": "https://clinic.example/fhir/Questionnaire/own"}
    Questionnaire.objects.publish(content, now=NOW)
    shorter = content | {"version": "100.0.0", "item": content["item"][:3]}
    assert Questionnaire.objects.publish(shorter, now=NOW).published_at
