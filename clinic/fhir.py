"""People as FHIR R4 resources: plain dicts, one function each."""

from __future__ import annotations

from typing import Any

from clinic.models import Patient


def patient(row: Patient) -> dict[str, Any]:
    """The Patient; phone and e-mail are those of the contact."""
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "id": str(row.pk),
        "name": [{"text": row.name}],
        "communication": [
            {
                "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": row.language}]},
                "preferred": True,
            }
        ],
    }
    if row.birth_date:
        resource["birthDate"] = row.birth_date.isoformat()
    reached_at = [
        {"system": system, "value": value}
        for system, value in (("phone", row.phone), ("email", row.email))
        if value
    ]
    telecom = {"telecom": reached_at} if reached_at else {}
    if row.contact_relation == Patient.Contact.SELF:
        return resource | telecom
    contact: dict[str, Any] = dict(telecom)
    if row.guardian_name:
        contact["name"] = {"text": row.guardian_name}
    if not contact:  # FHIR's pat-1: a relationship alone is no contact
        return resource
    contact["relationship"] = [{"text": row.get_contact_relation_display()}]
    return resource | {"contact": [contact]}
