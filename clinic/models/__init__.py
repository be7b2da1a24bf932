from clinic.models.audit import AuditEvent
from clinic.models.desk import DeskTask
from clinic.models.mail_texts import MailText
from clinic.models.messages import Link, Message, Tick
from clinic.models.on_call import OnCall
from clinic.models.people import CareTeamMember, EmergencyAccess, Patient, Practitioner, Role, User
from clinic.models.practice import Location, Practice
from clinic.models.ratelimit import RateLimit

__all__ = [
    "AuditEvent",
    "CareTeamMember",
    "DeskTask",
    "EmergencyAccess",
    "Link",
    "Location",
    "MailText",
    "Message",
    "OnCall",
    "Patient",
    "Practice",
    "Practitioner",
    "RateLimit",
    "Role",
    "Tick",
    "User",
]
