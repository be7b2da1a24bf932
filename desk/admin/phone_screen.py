"""The red-flag questions asked by phone, and what the answers mean for booking now."""

from datetime import datetime
from functools import cached_property

from clinic.models import Patient, Practice
from intake.admin import level_badge
from intake.rules.triage import Triage
from intake.workflow import gate
from intake.workflow.advice import Advice, advice


class PhoneScreen:
    """A patient's answers of the last day, if every question was asked.

    ``emergency`` is the alert that blocks booking, ``response`` the answers; each may be None.
    """

    def __init__(self, patient: Patient, *, now: datetime) -> None:
        self.patient, self.now = patient, now
        self.practice = Practice.current()
        self.emergency = gate.emergency_alert(visitor_hash="", patient=patient)
        response = gate.response_of(visitor_hash="", patient=patient, now=now)
        self.response = response if gate.is_answered(response, now=now) else None

    @property
    def is_screened(self) -> bool:
        return self.response is not None

    @cached_property
    def triage(self) -> Triage | None:
        if self.response is None:
            return None
        return gate.current_triage(
            self.response, patient=self.patient, practice=self.practice, now=self.now
        )

    @property
    def level(self) -> str:
        """Return the level as a badge, empty without answers."""
        return level_badge(self.triage.level) if self.triage else ""

    @property
    def advice(self) -> list[Advice]:
        """The advice to give to the patient."""
        if self.triage is None:
            return []
        return advice(self.triage.messages, practice=self.practice, now=self.now)
