"""The arithmetic of the waitlist: which starts suit a patient, and until when they may answer.

Pure: wall clocks and spans, no rows.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from booking.appointments.mail_schedule import QUIET_FROM, QUIET_UNTIL
from schedule.part_of_day import PartOfDay

# With less time to read and answer a mail no offer is made; the front desk may phone.
TIME_TO_ANSWER = timedelta(minutes=30)
# The least time a patient needs to come, whatever notice the service asks for.
TIME_TO_COME = timedelta(minutes=60)


@dataclass(frozen=True)
class Wish:
    """When somebody on the waitlist could come, and to whom.

    Weekdays count from Monday = 0. None is any practitioner, any location; both days are included.
    """

    weekdays: Collection[int]
    parts: Collection[str]
    first_day: date
    last_day: date
    practitioner_id: int | None = None
    location_id: int | None = None

    def fits(self, local: datetime, *, practitioner_id: int, location_id: int) -> bool:
        """Whether this start, on the wall clock of its location, suits them."""
        return (
            self.first_day <= local.date() <= self.last_day
            and local.weekday() in self.weekdays
            and PartOfDay.of(local) in self.parts
            and self.practitioner_id in (None, practitioner_id)
            and self.location_id in (None, location_id)
        )


def answer_by(
    now: datetime, *, start: datetime, zone: ZoneInfo, minutes: int, notice_minutes: int
) -> datetime | None:
    """Return until when an offer of ``start`` made now is kept, in UTC; None: do not make it.

    ``minutes`` of daytime: quiet hours do not count. ``zone`` is the patient's,
    if known, else the location's. The offer ends before the notice that the visit needs.
    Nobody is written to in the quiet hours, nor asked to decide in less than half an hour, or than
    ``minutes`` where those are fewer.
    """
    if is_quiet(now, zone):
        return None
    latest = start - max(timedelta(minutes=notice_minutes), TIME_TO_COME)
    given = timedelta(minutes=minutes)
    at, left, awake = now, given, timedelta()
    while left and at < latest:
        evening = datetime.combine(at.astimezone(zone).date(), QUIET_FROM, zone).astimezone(UTC)
        until = min(at + left, evening, latest)
        awake += until - at
        left -= until - at
        at = until
        if left and at == evening:
            tomorrow = at.astimezone(zone).date() + timedelta(days=1)
            at = min(datetime.combine(tomorrow, QUIET_UNTIL, zone).astimezone(UTC), latest)
    return at.astimezone(UTC) if awake >= min(given, TIME_TO_ANSWER) else None


def is_quiet(now: datetime, zone: ZoneInfo) -> bool:
    return not QUIET_UNTIL <= now.astimezone(zone).time() < QUIET_FROM
