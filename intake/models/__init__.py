from intake.models.decisions import LoweredLevel, PrivateNote
from intake.models.responses import (
    IncompleteResponse,
    Observation,
    PublishedQuestionnaire,
    Questionnaire,
    QuestionnaireResponse,
    SafetyAlert,
    StaleRevision,
)

__all__ = [
    "IncompleteResponse",
    "LoweredLevel",
    "Observation",
    "PrivateNote",
    "PublishedQuestionnaire",
    "Questionnaire",
    "QuestionnaireResponse",
    "SafetyAlert",
    "StaleRevision",
]
