"""Every patient, visit, questionnaire, final response and number as FHIR, one resource a line.

After them come the tests' foreign questionnaires, with generated answers.
"""

import json
import random
import sys
from collections.abc import Iterator
from typing import Any

import django


def main() -> None:
    django.setup()
    for resource in [*_stored(), *_foreign()]:
        print(json.dumps(resource))


def _stored() -> Iterator[dict[str, Any]]:
    from booking.appointments import fhir as booking_fhir
    from booking.models import Appointment
    from clinic import fhir as clinic_fhir
    from clinic.models import Patient
    from intake import fhir
    from intake.models import Observation, Questionnaire, QuestionnaireResponse

    yield from map(clinic_fhir.patient, Patient.objects.all())
    visits = Appointment.objects.select_related("service", "practitioner", "location")
    yield from map(booking_fhir.appointment, visits)
    yield from map(fhir.questionnaire, Questionnaire.objects.all())
    final = QuestionnaireResponse.objects.exclude(submitted_at=None)
    yield from map(fhir.questionnaire_response, final.select_related("questionnaire"))
    numbers = Observation.objects.select_related("response__questionnaire")
    yield from map(fhir.observation, numbers)


def _foreign() -> Iterator[dict[str, Any]]:
    from intake.fhir_form.questionnaire import Form
    from tests.intake.answering import fill_in
    from tests.intake.fhir_form.test_round_trip import FOREIGN, make_response

    for content in FOREIGN.values():
        yield content
        form = Form.parse(content)
        for seed in range(5):
            yield make_response(form, fill_in(form, random.Random(seed)))


if __name__ == "__main__":
    sys.exit(main())
