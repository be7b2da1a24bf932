"""The person who books: an unknown visitor, or a patient with a link."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from booking.appointments.models import Appointment
from booking.appointments.status import CAME
from booking.flow.eligibility import NOTHING_ANSWERED, Offer, offers
from clinic.models import DeskTask, Patient, Practice
from clinic.security.access import patient_grant
from intake.fhir_form.responses import replace_answers
from intake.models import QuestionnaireResponse, SafetyAlert
from intake.rules.levels import Level
from intake.rules.triage import Triage
from intake.workflow import gate
from schedule.models import Service

# More visits can be booked by phone. A family shares an address.
OPEN_VISITS_PER_PATIENT = 3
# With a series, which only a patient who has had a visit can plan.
OPEN_VISITS_WITH_SERIES = 6
OPEN_VISITS_PER_ADDRESS = 6


@dataclass(frozen=True)
class BookingVisitor:
    """``outcome`` is None until the safety gate has been answered, and again a day later.

    ``emergency`` is the alert that blocks all booking pages. ``is_proven`` means that the visitor
    came by a mailed link, which proves that the patient's address is theirs.
    """

    visitor_hash: str
    patient: Patient | None
    response: QuestionnaireResponse | None
    outcome: Triage | None
    emergency: SafetyAlert | None
    seen_for: frozenset[Service]
    is_proven: bool = False

    @classmethod
    def of(
        cls, request: HttpRequest, *, visitor_hash: str, practice: Practice, now: datetime
    ) -> "BookingVisitor":
        grant = patient_grant(request)
        patient = grant.patient if grant else None
        response = gate.response_of(visitor_hash=visitor_hash, patient=patient, now=now)
        outcome = None
        if response is not None and gate.is_answered(response, now=now):
            outcome = gate.current_triage(response, patient=patient, practice=practice, now=now)
        return cls(
            visitor_hash=visitor_hash,
            patient=patient,
            response=response,
            outcome=outcome,
            emergency=gate.emergency_alert(visitor_hash=visitor_hash, patient=patient),
            seen_for=seen_for(patient),
            is_proven=grant is not None and grant.is_mailed,
        )

    @property
    def urgent_alert(self) -> SafetyAlert | None:
        """The alert that stores the callback details, while the answers are URGENT."""
        if self.response is None or self.outcome is None or self.outcome.level != Level.URGENT:
            return None
        return gate.urgent_alert(self.response, patient=self.patient)

    @property
    def can_be_called(self) -> bool:
        alert = self.urgent_alert
        return bool((alert and alert.callback_phone) or (self.patient and self.patient.phone))

    @property
    def birth_date(self) -> date | None:
        """The date typed at the gate; never a known patient's, because it identifies them."""
        if self.response is None or self.response.patient_id:
            return None
        return self.response.answers.date("about-birth-date")

    @property
    def is_around_pregnancy(self) -> bool:
        """Whether the gate's answers report a pregnancy now or in the last year; False if none."""
        return self.response is not None and self.response.answers.has(
            "safety-pregnancy", "pregnant", "postpartum"
        )

    def born_on(self, day: date, *, practice: Practice, now: datetime) -> "BookingVisitor":
        """Return the same visitor with another birth date in the gate's answers, judged again."""
        assert self.response is not None
        items = replace_answers(
            self.response.form,
            self.response.items,
            {"about-birth-date": [{"valueDate": day.isoformat()}]},
        )
        outcome = gate.save(
            self.response,
            items=items,
            is_complete=True,
            patient=self.patient,
            language=self.response.language,
            practice=practice,
            now=now,
        )
        return replace(self, outcome=outcome)

    def with_triage(self, outcome: Triage) -> "BookingVisitor":
        """Return the same visitor with the outcome of other answers."""
        return replace(self, outcome=outcome)

    @property
    def restrictions(self) -> frozenset[str]:
        return self.outcome.restrictions if self.outcome else NOTHING_ANSWERED

    def hold(self, service: Service, *, now: datetime) -> Appointment | None:
        """Return the current hold of this service for the visitor."""
        return self.holds(now=now).filter(service=service, unconfirmed=None).last()

    @property
    def is_to_be_called(self) -> bool:
        """Whether the front desk has an open task to find a time for these answers."""
        return self.response is not None and _asked_about(self.response).exists()

    def ask_for_a_call(self, *, name: str, phone: str, language: str, now: datetime) -> None:
        """Ask the front desk to phone and find a time; asking again changes nothing.

        An unknown visitor becomes a patient, so that the desk can book for them.
        """
        assert self.response is not None
        with transaction.atomic():
            # A form sent twice waits here, so that it makes only one patient and one task.
            QuestionnaireResponse.objects.select_for_update().get(pk=self.response.pk)
            if _asked_about(self.response).exists():
                return
            patient = self.patient or Patient(
                name=name, language=language, birth_date=self.birth_date
            )
            patient.phone = patient.phone or phone
            patient.save()
            DeskTask.objects.ask(
                kind=DeskTask.Kind.NO_TIME, subject=self.response, patient=patient, now=now
            )

    def holds(self, *, now: datetime) -> QuerySet[Appointment]:
        if not self.visitor_hash:
            return Appointment.objects.none()
        return (
            Appointment.objects.filter(
                visitor_hash=self.visitor_hash,
                status=Appointment.Status.PENDING,
                held_until__gt=now,
            )
            .select_related("service", "location", "practitioner")
            .order_by("held_until")
        )

    def offers(self, services: Iterable[Service], *, today: date) -> list[Offer]:
        return offers(services, restrictions=self.restrictions, seen_for=self.seen_for, today=today)

    def offer(self, service: Service, *, today: date) -> Offer:
        return self.offers([service], today=today)[0]


def _asked_about(response: QuestionnaireResponse) -> QuerySet[DeskTask]:
    return DeskTask.objects.open().filter(kind=DeskTask.Kind.NO_TIME, subject_id=response.pk)


def seen_for(patient: Patient | None) -> frozenset[Service]:
    """Return the services of visits to which this patient has come."""
    if patient is None:
        return frozenset()
    visits = Appointment.objects.filter(patient=patient, status__in=CAME)
    return frozenset(Service.objects.filter(pk__in=visits.values("service")))
