"""Whoever is booking: a visitor nobody knows yet, or a patient who holds a link."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.http import HttpRequest

from booking.eligibility import NOTHING_ANSWERED, Offer, offers
from booking.models import Appointment, Service
from clinic.access import patient_grant, visitor_hash
from clinic.models import Patient, Practice
from intake import gate
from intake.answers import Answers
from intake.levels import Level
from intake.models import QuestionnaireResponse, SafetyAlert
from intake.triage import Triage


@dataclass(frozen=True)
class Guest:
    """``outcome`` is None until the safety gate has been answered, and again a day later.

    ``emergency`` is the alert that keeps every door of booking shut.
    """

    visitor_hash: str
    patient: Patient | None
    response: QuestionnaireResponse | None
    outcome: Triage | None
    emergency: SafetyAlert | None
    seen_for: frozenset[str]

    @classmethod
    def of(cls, request: HttpRequest, *, practice: Practice, now: datetime) -> "Guest":
        grant = patient_grant(request)
        patient = grant.patient if grant else None
        visitor = visitor_hash(request)
        response = gate.response_of(visitor_hash=visitor, patient=patient, now=now)
        outcome = None
        if response is not None and gate.is_answered(response, now=now):
            outcome = gate.standing(response, patient=patient, practice=practice, now=now)
        return cls(
            visitor_hash=visitor,
            patient=patient,
            response=response,
            outcome=outcome,
            emergency=gate.emergency_alert(visitor_hash=visitor, patient=patient),
            seen_for=seen_for(patient),
        )

    @property
    def urgent_alert(self) -> SafetyAlert | None:
        """The alert to which a way to call back belongs, while the answers are URGENT."""
        if self.response is None or self.outcome is None or self.outcome.level != Level.URGENT:
            return None
        return self.response.safety_alerts.blocking().order_by("raised_at").last()

    @property
    def can_be_called(self) -> bool:
        alert = self.urgent_alert
        return bool((alert and alert.callback_phone) or (self.patient and self.patient.phone))

    @property
    def birth_date(self) -> date | None:
        """As given at the gate, or known from earlier."""
        if self.response is not None:
            given = Answers.from_response({"item": self.response.items}).date("about-birth-date")
            if given:
                return given
        return self.patient.birth_date if self.patient else None

    @property
    def restrictions(self) -> frozenset[str]:
        return self.outcome.restrictions if self.outcome else NOTHING_ANSWERED

    def offers(self, services: Iterable[Service], *, today: date) -> list[Offer]:
        return offers(services, restrictions=self.restrictions, seen_for=self.seen_for, today=today)

    def offer(self, service: Service, *, today: date) -> Offer:
        return self.offers([service], today=today)[0]


def seen_for(patient: Patient | None) -> frozenset[str]:
    """The codes of the services this patient has been seen for."""
    if patient is None:
        return frozenset()
    return frozenset(
        Appointment.objects.filter(
            patient=patient,
            status__in=[Appointment.Status.ARRIVED, Appointment.Status.FULFILLED],
        ).values_list("service__slug", flat=True)
    )
