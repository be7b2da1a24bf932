from intake.models.alerts import SafetyAlert
from intake.models.decisions import LoweredLevel, PrivateNote
from intake.models.questionnaires import PublishedQuestionnaire, Questionnaire
from intake.models.responses import (
    IncompleteResponse,
    Observation,
    QuestionnaireResponse,
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
