from intake.models.alerts import SafetyAlert
from intake.models.decisions import LoweredLevel, PrivateNote
from intake.models.responses import (
    IncompleteResponse,
    Observation,
    Questionnaire,
    QuestionnaireResponse,
    StaleRevision,
)

__all__ = [
    "IncompleteResponse",
    "LoweredLevel",
    "Observation",
    "PrivateNote",
    "Questionnaire",
    "QuestionnaireResponse",
    "SafetyAlert",
    "StaleRevision",
]
