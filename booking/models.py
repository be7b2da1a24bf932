"""The models of this app: Django finds them here, and apps above import them from here."""

from booking.appointments.models import Appointment
from booking.appointments.status import (
    TRANSITIONS,
    InvalidTransition,
    SlotTaken,
    StatusChange,
    TooSoon,
)
from booking.appointments.unconfirmed import UnconfirmedBooking
from booking.series.models import Series
from booking.waitlist.models import (
    NotWaiting,
    OfferOver,
    TooLittleTime,
    WaitlistEntry,
    WaitlistOffer,
)

__all__ = [
    "TRANSITIONS",
    "Appointment",
    "InvalidTransition",
    "NotWaiting",
    "OfferOver",
    "Series",
    "SlotTaken",
    "StatusChange",
    "TooLittleTime",
    "TooSoon",
    "UnconfirmedBooking",
    "WaitlistEntry",
    "WaitlistOffer",
]
