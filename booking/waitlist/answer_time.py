"""Times of the waitlist: which starts fit a patient's wish, and the deadline for an answer.

Pure: it works on wall-clock times and spans, and reads no rows.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from booking.appointments.mail_schedule import QUIET_FROM, QUIET_UNTIL
from schedule.part_of_day import PartOfDay

# With less time than this to read a mail and answer, no offer is made: the front desk may phone.
TIME_TO_ANSWER = timedelta(minutes=30)
# Every offer leaves this long to come, even if the service requires less notice.
TIME_TO_COME = timedelta(minutes=60)


@dataclass(frozen=True)
class Wish:
    """When a patient on the waitlist can come, and to which practitioner and location.

    Monday is weekday 0. None means any practitioner or location. Both days are included.
    """

    weekdays: Collection[int]
    parts: Collection[str]
    first_day: date
    last_day: date
    practitioner_id: int | None = None
    location_id: int | None = None

    def fits(self, local: datetime, *, practitioner_id: int, location_id: int) -> bool:
        """Whether this start, on the wall clock of its place, fits the wish."""
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
    """Return when an offer of ``start`` made now expires, in UTC; None: do not make the offer.

    ``minutes`` counts daytime only, without the quiet hours. ``zone`` is the patient's if known,
    else the place's. The offer ends before the notice that the visit needs. No offer is made in
    the quiet hours, nor with less than half an hour to decide, or less than ``minutes`` if shorter.
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
