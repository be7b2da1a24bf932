from datetime import time, timedelta

from booking.models import Appointment
from tests.factories import (
    NOW,
    make_hours,
    make_location,
    make_patient,
    make_practitioner,
    make_room,
    make_service,
)

# Tuesday, 9:00 in Austin.
NINE = NOW + timedelta(days=1, hours=1)


def minutes(count):
    return timedelta(minutes=count)


class SmallClinic:
    """One location, practitioners who work from 8 every day, and one service that lasts an hour.

    With ``rooms`` the service needs one of them.
    """

    def __init__(self, *, practitioners=1, rooms=0, closes=time(17), **service):
        self.location = make_location()
        self.practitioners = [
            make_practitioner(locations=[self.location]) for _ in range(practitioners)
        ]
        for practitioner in self.practitioners:
            make_hours(practitioner, self.location, closes=closes)
        self.rooms = [make_room(location=self.location) for _ in range(rooms)]
        self.service = make_service(
            practitioners=self.practitioners, room_kind="gait" if rooms else "", **service
        )

    def hold(self, start=NINE, *, now=NOW, visitor="v", **fields):
        return Appointment.objects.hold(
            service=self.service,
            location=self.location,
            start=start,
            now=now,
            visitor_hash=visitor,
            **fields,
        )

    def book(self, start=NINE, *, patient=None, now=NOW, **fields):
        return Appointment.objects.book(
            patient=patient or make_patient(),
            service=self.service,
            location=self.location,
            start=start,
            now=now,
            **fields,
        )

    def free(
        self,
        *,
        since=NOW,
        until=NOW + timedelta(days=2),
        now=NOW,
        practitioners=None,
        location=None,
        **fields,
    ):
        """The free starts as minutes after nine."""
        search = Appointment.objects.search(
            self.service, since=since, until=until, now=now, **fields
        )
        return [
            (found.start - NINE) // timedelta(minutes=1)
            for found in search.starts(practitioners, location)
        ]
