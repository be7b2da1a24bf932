from intake.models.agreements import Agreement
from intake.models.alerts import SafetyAlert
from intake.models.corrections import EarlierAnswers
from intake.models.decisions import LoweredLevel, PrivateNote
from intake.models.observations import Observation
from intake.models.questionnaires import PublishedQuestionnaire, Questionnaire
from intake.models.responses import (
    IncompleteResponse,
    QuestionnaireResponse,
    StaleRevision,
)

__all__ = [
    "Agreement",
    "EarlierAnswers",
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
