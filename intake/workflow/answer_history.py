"""A patient's answers so far: each finished form replaces those of earlier ones.

A rule that needs an answer which is not asked again uses the last one given (clinical.md §3.1).
Answers of the safety page are never carried over.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from clinic.models import Patient
from intake.answers import Answers
from intake.fhir_form.items import OWN
from intake.models import QuestionnaireResponse

INTAKE_URL = f"{OWN}/Questionnaire/running-lbp-intake"
FOLLOW_UP_URL = f"{OWN}/Questionnaire/running-lbp-follow-up"
RESCREEN_URL = f"{OWN}/Questionnaire/running-lbp-rescreen"
CHECK_IN_URL = f"{OWN}/Questionnaire/running-lbp-check-in"
# Not read separately: their answers are shown with the intake.
BETWEEN_VISITS = (RESCREEN_URL, CHECK_IN_URL)

MAX_MERGED_FORMS = 60


def finished(patient: Patient) -> QuerySet[QuestionnaireResponse]:
    """Return the patient's finished forms that carry over, the newest first."""
    status = QuestionnaireResponse.Status
    return (
        QuestionnaireResponse.objects.filter(
            patient=patient, status__in=[status.COMPLETED, status.AMENDED]
        )
        # It has only the safety page, which is not carried over.
        .exclude(questionnaire__url=RESCREEN_URL)
        .select_related("questionnaire")
        # Large, and parsed once per process: see Questionnaire.form.
        .defer("questionnaire__content")
        .order_by("-submitted_at")
    )


def answers_before(response: QuestionnaireResponse, patient: Patient) -> Answers:
    """The patient's answers before ``response``, for rules that need more than it asks."""
    forms = [one for one in finished(patient)[:MAX_MERGED_FORMS] if one.pk != response.pk]
    return merged(reversed(forms))


def merged(responses: Iterable[QuestionnaireResponse]) -> Answers:
    """Merge these answers, given oldest first."""
    so_far = Answers({})
    for response in responses:
        so_far = on_top(so_far, response)
    return so_far


def on_top(below: Answers, response: QuestionnaireResponse) -> Answers:
    """Return the answers of ``response``, and those of ``below`` that it does not ask for.

    A finished form replaces all that it asks. An unfinished one replaces what was answered so
    far, and drops the answers that these disable.
    """
    form, answers = response.form, response.answers
    given = {link_id: answers.values(link_id) for link_id in answers.link_ids()}
    carried = {
        link_id: below.values(link_id)
        for link_id in below.link_ids()
        if not link_id.startswith("safety-") and not (response.is_final and link_id in form)
    }
    both = Answers(carried | given)
    enabled = form.enabled(both)
    return Answers(
        {
            link_id: both.values(link_id)
            for link_id in both.link_ids()
            if link_id in given or link_id not in form or link_id in enabled
        }
    )
