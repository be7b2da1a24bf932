from schedule.models.catalogue import Equipment, Room, Service
from schedule.models.hours import (
    Break,
    Closure,
    ExtraHours,
    OpeningHours,
    ReservedTime,
    ResourceHours,
    TimeOff,
    VisitLimit,
)
from schedule.models.rules_version import RulesVersion

__all__ = [
    "Break",
    "Closure",
    "Equipment",
    "ExtraHours",
    "OpeningHours",
    "ReservedTime",
    "ResourceHours",
    "Room",
    "RulesVersion",
    "Service",
    "TimeOff",
    "VisitLimit",
]
