from booking.models.appointments import (
    TRANSITIONS,
    Appointment,
    InvalidTransition,
    StatusChange,
)
from booking.models.catalogue import Room, Service
from booking.models.hours import Closure, OpeningHours, TimeOff

__all__ = [
    "TRANSITIONS",
    "Appointment",
    "Closure",
    "InvalidTransition",
    "OpeningHours",
    "Room",
    "Service",
    "StatusChange",
    "TimeOff",
]
