from booking.models.appointments import Appointment
from booking.models.catalogue import Equipment, Room, Service
from booking.models.hours import (
    Break,
    Closure,
    ExtraHours,
    OpeningHours,
    ReservedTime,
    ResourceHours,
    TimeOff,
    VisitLimit,
)
from booking.models.rulebook import RulesVersion
from booking.models.search import FreeStart, Obstacle, Rule
from booking.models.status import TRANSITIONS, InvalidTransition, SlotTaken, StatusChange
from booking.models.unconfirmed import UnconfirmedBooking

__all__ = [
    "TRANSITIONS",
    "Appointment",
    "Break",
    "Closure",
    "Equipment",
    "ExtraHours",
    "FreeStart",
    "InvalidTransition",
    "Obstacle",
    "OpeningHours",
    "ReservedTime",
    "ResourceHours",
    "Room",
    "Rule",
    "RulesVersion",
    "Service",
    "SlotTaken",
    "StatusChange",
    "TimeOff",
    "UnconfirmedBooking",
    "VisitLimit",
]
