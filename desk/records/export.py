"""A copy of all data about one patient, for the patient: one archive of plain files.

``FILES`` lists the functions that write them; each yields names and contents.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking.appointments import fhir
from booking.models import Appointment
from clinic import fhir as clinic_fhir
from clinic.models import AuditEvent, Patient, Practice
from desk.records import erasure
from intake import fhir as intake_fhir
from intake.models import (
    Agreement,
    EarlierAnswers,
    Observation,
    Questionnaire,
    QuestionnaireResponse,
)
from intake.rules.findings import FINDINGS
from intake.rules.triage import RULES
from intake.summary import readback
from intake.workflow import guardians

# Secrets, and columns for internal use.
SECRET = {
    "token_hash",
    "visitor_hash",
    "booking_key",
    "form_key",
    "claim",
    "raw",
    "answers_hash",
}
# Left out together with the answers that they are based on.
PRIVATE_RULES = {rule.id for rule in (*RULES.values(), *FINDINGS.values()) if rule.is_private}
_LEFT_OUT = gettext_lazy(
    "Answers about pregnancy, periods and some illnesses are left out of this copy. They are "
    "added when the patient asks for them."
)


class Exporter:
    """Write the copy in the patient's language, without the answers that guardians may not see.

    ``with_private`` adds them, for a copy that only the patient receives.
    """

    def __init__(self, patient: Patient, *, now: datetime, with_private: bool = False) -> None:
        self.patient = patient
        self.now = now
        self.with_private = with_private

    def archive(self) -> bytes:
        packed = io.BytesIO()
        with (
            translation.override(self.patient.language),
            timezone.override(Practice.current().zone),
            zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for write in FILES:
                for name, content in write(self):
                    archive.writestr(name, content)
        return packed.getvalue()

    def record(self) -> Iterator[tuple[str, str]]:
        """Yield every row as it is stored, by table."""
        tables = {
            model._meta.label: [self._row(row) for row in erasure.rows(model, self.patient)]
            for model in erasure.tables()
        }
        opened = AuditEvent.objects.filter(patient_id=self.patient.pk).select_related("user")
        tables["clinic.AuditEvent"] = [
            {
                "at": event.at,
                "who": str(event.user or ""),
                "action": event.action,
                "what": event.subject_type,
                "fields": event.fields,
            }
            for event in opened.order_by("at")
        ]
        yield "record.json", json.dumps(tables, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False)

    def answers(self) -> Iterator[tuple[str, str]]:
        """Yield the forms as text: each question as it was asked, with its answers."""
        responses = QuestionnaireResponse.objects.filter(patient=self.patient).select_related(
            "questionnaire"
        )
        earlier = EarlierAnswers.objects.filter(response__in=responses).select_related(
            "response__questionnaire"
        )
        forms: list[QuestionnaireResponse | EarlierAnswers] = [
            *responses.order_by("created_at"),
            *earlier,
        ]
        for number, given in enumerate(forms, 1):
            yield f"answers-{number}.txt", "\n".join(self._answers_in_words(given)) + "\n"

    def notices(self) -> Iterator[tuple[str, str]]:
        """Yield the text of each privacy notice that was signed."""
        signed = Agreement.objects.filter(patient=self.patient).select_related("notice")
        for notice in {agreement.notice for agreement in signed}:
            yield f"privacy-notice-{notice.pk}.html", f'<meta charset="utf-8">\n{notice.text}'

    def resources(self) -> Iterator[tuple[str, str]]:
        """Yield the patient, visits, forms, answers and numbers as a FHIR R4 Bundle."""
        entries = [
            {"fullUrl": f"{settings.BASE_URL}/fhir/{it['resourceType']}/{it['id']}", "resource": it}
            for it in self._resources()
        ]
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "timestamp": self.now.isoformat(),
            "entry": entries,
        }
        yield "fhir.json", json.dumps(bundle, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False)

    def _resources(self) -> Iterator[dict[str, Any]]:
        yield clinic_fhir.patient(self.patient)
        visits = Appointment.objects.filter(patient=self.patient)
        for visit in visits.select_related("service", "practitioner", "location").order_by("start"):
            yield fhir.appointment(visit)
        responses = QuestionnaireResponse.objects.filter(patient=self.patient)
        for form in Questionnaire.objects.filter(pk__in=responses.values("questionnaire")):
            yield intake_fhir.questionnaire(form)
        for response in responses.select_related("questionnaire").order_by("created_at"):
            if not self.with_private:
                response.items = _without(response.items, self._private(response.items))
            yield intake_fhir.questionnaire_response(response)
        numbers = Observation.objects.filter(patient=self.patient)
        if not self.with_private:
            numbers = numbers.exclude(code__in=guardians.PRIVATE)
        for number in numbers.select_related("response__questionnaire").order_by("effective_at"):
            yield intake_fhir.observation(number)

    def _answers_in_words(self, given: QuestionnaireResponse | EarlierAnswers) -> Iterator[str]:
        practice = Practice.current()
        written_at = given.submitted_at or self.now
        yield formats.date_format(timezone.localtime(written_at), "DATETIME_FORMAT")
        if given.signed_by:
            yield _("Signed by %(name)s") % {"name": given.signed_by}
        if isinstance(given, EarlierAnswers):
            yield _("Answers before the correction")
        elif not given.submitted_at:
            yield _("not finished")
        if not self.with_private:
            yield str(_LEFT_OUT)
        for page in readback.read_back(
            given,
            language=self.patient.language,
            placeholders={"emergency_number": practice.emergency_number},
            today=timezone.localdate(written_at),
            withheld=() if self.with_private else self._private(given.items),
        ):
            yield f"\n{page.title}\n"
            for question, words in page.answers:
                yield f"{question}\n    {'; '.join(words)}"

    def _row(self, row: models.Model) -> dict[str, Any]:
        told = {
            column.attname: getattr(row, column.attname)
            for column in row._meta.concrete_fields
            if column.name not in SECRET
        }
        if not self.with_private:
            if "items" in told:
                told["items"] = _without(told["items"], self._private(told["items"]))
            if "rules" in told:
                told["rules"] = [rule for rule in told["rules"] if rule not in PRIVATE_RULES]
        return told

    def _private(self, items: list[dict[str, Any]]) -> frozenset[str]:
        return guardians.PRIVATE | {
            link_id
            for link_id, option in guardians.PRIVATE_OPTIONS.items()
            if f'"{option}"' in json.dumps(items)
        }


FILES: list[Callable[[Exporter], Iterator[tuple[str, str]]]] = [
    Exporter.record,
    Exporter.answers,
    Exporter.notices,
    Exporter.resources,
]


def _without(items: list[dict[str, Any]], link_ids: frozenset[str]) -> list[dict[str, Any]]:
    return [
        {**element, "item": _without(element["item"], link_ids)} if "item" in element else element
        for element in items
        if element["linkId"] not in link_ids
    ]
