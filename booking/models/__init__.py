from booking.models.appointments import Appointment
from booking.models.catalogue import Room, Service
from booking.models.diary import FreeStart
from booking.models.hours import Closure, OpeningHours, TimeOff
from booking.models.offers import OfferOver, WaitlistOffer
from booking.models.series import Series
from booking.models.status import TRANSITIONS, InvalidTransition, SlotTaken, StatusChange
from booking.models.unconfirmed import UnconfirmedBooking
from booking.models.waitlist import NotWaiting, TooLittleTime, WaitlistEntry

__all__ = [
    "TRANSITIONS",
    "Appointment",
    "Closure",
    "FreeStart",
    "InvalidTransition",
    "NotWaiting",
    "OfferOver",
    "OpeningHours",
    "Room",
    "Series",
    "Service",
    "SlotTaken",
    "StatusChange",
    "TimeOff",
    "TooLittleTime",
    "UnconfirmedBooking",
    "WaitlistEntry",
    "WaitlistOffer",
]
