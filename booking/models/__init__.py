from booking.models.appointments import Appointment
from booking.models.catalogue import Equipment, Room, Service
from booking.models.feeds import CalendarFeed
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
from booking.models.offers import OfferOver, WaitlistOffer
from booking.models.rulebook import RulesVersion
from booking.models.search import FreeStart, Obstacle, Rule
from booking.models.series import Series
from booking.models.status import (
    TRANSITIONS,
    InvalidTransition,
    SlotTaken,
    StatusChange,
    TooSoon,
)
from booking.models.unconfirmed import UnconfirmedBooking
from booking.models.waitlist import NotWaiting, TooLittleTime, WaitlistEntry

__all__ = [
    "TRANSITIONS",
    "Appointment",
    "Break",
    "CalendarFeed",
    "Closure",
    "Equipment",
    "ExtraHours",
    "FreeStart",
    "InvalidTransition",
    "NotWaiting",
    "Obstacle",
    "OfferOver",
    "OpeningHours",
    "ReservedTime",
    "ResourceHours",
    "Room",
    "Rule",
    "RulesVersion",
    "Series",
    "Service",
    "SlotTaken",
    "StatusChange",
    "TimeOff",
    "TooLittleTime",
    "TooSoon",
    "UnconfirmedBooking",
    "VisitLimit",
    "WaitlistEntry",
    "WaitlistOffer",
]
