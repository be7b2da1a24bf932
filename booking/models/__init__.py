from booking.models.appointments import Appointment, StatusChange
from booking.models.catalogue import Room, Service
from booking.models.diary import FreeStart
from booking.models.hours import Closure, OpeningHours, TimeOff
from booking.models.status import TRANSITIONS, InvalidTransition, SlotTaken

__all__ = [
    "TRANSITIONS",
    "Appointment",
    "Closure",
    "FreeStart",
    "InvalidTransition",
    "OpeningHours",
    "Room",
    "Service",
    "SlotTaken",
    "StatusChange",
    "TimeOff",
]
