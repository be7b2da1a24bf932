from booking.models.appointments import Appointment
from booking.models.catalogue import Room, Service
from booking.models.diary import FreeStart
from booking.models.hours import Closure, OpeningHours, TimeOff
from booking.models.status import TRANSITIONS, InvalidTransition, SlotTaken, StatusChange
from booking.models.unconfirmed import UnconfirmedBooking

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
    "UnconfirmedBooking",
]
