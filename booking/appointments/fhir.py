"""Appointments as FHIR R4 resources: plain dicts, one function each."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from booking.appointments.models import Appointment
from clinic.languages import in_language


def appointment(row: Appointment) -> dict[str, Any]:
    """Return the visit in its current state. Practitioner and location are given as text."""
    participants: list[dict[str, Any]] = [
        {"actor": {"display": name}, "status": "accepted"}
        for name in (row.practitioner.name, row.location.name)
    ]
    if row.patient_id is not None:
        patient = {"actor": {"reference": f"Patient/{row.patient_id}"}, "status": "accepted"}
        participants.insert(0, patient)
    return {
        "resourceType": "Appointment",
        "id": str(row.pk),
        "status": row.status,
        "serviceType": [{"text": in_language(row.service.name, settings.LANGUAGE_CODE)}],
        "start": row.start.isoformat(),
        "end": row.end.isoformat(),
        "created": row.created_at.isoformat(),
        "participant": participants,
    }
