from clinic.models.audit import AuditEvent
from clinic.models.desk import DeskTask
from clinic.models.encryption import EncryptionKey
from clinic.models.mail_texts import MailText
from clinic.models.messages import Link, Message, Tick
from clinic.models.on_call import OnCall
from clinic.models.people import CareTeamMember, EmergencyAccess, Patient, Practitioner, Role, User
from clinic.models.practice import Location, Practice
from clinic.models.privacy import PrivacyNotice
from clinic.models.rate_limits import RateLimit

__all__ = [
    "AuditEvent",
    "CareTeamMember",
    "DeskTask",
    "EmergencyAccess",
    "EncryptionKey",
    "Link",
    "Location",
    "MailText",
    "Message",
    "OnCall",
    "Patient",
    "Practice",
    "Practitioner",
    "PrivacyNotice",
    "RateLimit",
    "Role",
    "Tick",
    "User",
]
