"""Bookable starts: opening hours, less closures, less time already taken.

An instant is a whole minute since 1970-01-01T00:00Z; a span is half-open, ``(from, to)``. Opening
hours are wall-clock readings in the location's zone, so each day is converted on its own before
any minutes are added to it. Nothing here knows of Django or of the database.
"""

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache, reduce
from operator import itemgetter
from typing import NamedTuple

type Span = tuple[int, int]

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 24 * 60


class Visit(NamedTuple):
    """The visit looked for: its length and the free time it wants around it, in minutes."""

    duration: int
    before: int = 0
    after: int = 0


class Busy(NamedTuple):
    """A visit that stands: its span, and the free time it wants around it, in minutes."""

    start: int
    end: int
    before: int = 0
    after: int = 0


class Shift(NamedTuple):
    """One weekly stretch of opening hours.

    ``weekday`` counts from Monday = 0. ``opens`` and ``closes`` are wall-clock minutes after
    midnight of that day; ``closes`` may pass 1440, up to the end of the following day. Visits start
    every ``step`` minutes from ``opens``. The shift holds from ``valid_from`` to ``valid_until``,
    both included, None for no limit.
    """

    zone: tzinfo
    weekday: int
    opens: int
    closes: int
    step: int
    valid_from: date | None = None
    valid_until: date | None = None


class Opening(NamedTuple):
    """A shift on one day: the instants at which a visit may start, rising, and its last minute."""

    starts: Sequence[int]
    end: int


def floor_minute(at: datetime) -> int:
    """The minute that ``at``, an aware time, falls in."""
    return (at - EPOCH) // MINUTE


def ceil_minute(at: datetime) -> int:
    """The first minute that begins at ``at`` or after it."""
    return -((EPOCH - at) // MINUTE)


def from_minute(minute: int) -> datetime:
    """The UTC time at which ``minute`` begins."""
    return EPOCH + minute * MINUTE


def openings(shifts: Iterable[Shift], *, since: int, until: int) -> list[Opening]:
    """The shifts as they fall on every day that the minutes from since to until touch.

    What they offer may reach a little outside; ``bookable_starts`` cuts it to the minute.
    """
    found = []
    for shift in shifts:
        # One day more on either side: a night shift began the day before, and a clock set back at
        # midnight returns to a date that had already ended.
        first = from_minute(since).astimezone(shift.zone).toordinal() - 1
        last = from_minute(until).astimezone(shift.zone).toordinal() + 1
        if shift.valid_from:
            first = max(first, shift.valid_from.toordinal())
        if shift.valid_until:
            last = min(last, shift.valid_until.toordinal())
        # Ordinal 1 was a Monday.
        first += (shift.weekday + 1 - first) % 7
        found += [
            _opening(shift.zone, day, shift.opens, shift.closes, shift.step)
            for day in range(first, last + 1, 7)
        ]
    return found


def collisions(busy: Iterable[Busy], visit: Visit) -> list[Span]:
    """The starts at which the visit would come too close to one that stands.

    Between two visits lies at least what the first wants after it and the second wants before it,
    whichever is more: the same minutes serve both.
    """
    duration, before, after = visit
    return [
        (start - duration - max(after, wants_before) + 1, end + max(before, wants_after))
        for start, end, wants_before, wants_after in busy
    ]


def no_room(rooms: Iterable[Iterable[Busy]], visit: Visit) -> list[Span]:
    """The starts at which none of the rooms, each given by what stands in it, would do."""
    return reduce(
        _intersection,
        (_merged(collisions(busy, visit)) for busy in rooms),
        [(-sys.maxsize, sys.maxsize)],
    )


def bookable_starts(
    *,
    openings: Iterable[Opening],
    visit: Visit,
    since: int,
    until: int,
    busy: Iterable[Busy] = (),
    closed: Iterable[Span] = (),
    refused: Iterable[Span] = (),
) -> list[int]:
    """The minutes in ``(since, until)`` at which the visit may start, rising.

    The visit fits inside an opening, outside every closed span, and apart from what is busy. Its
    buffers need only be free of other visits: they may reach past closing time. ``refused`` are
    spans of starts to leave out for another reason, such as ``no_room``.
    """
    away = ((start - visit.duration + 1, end) for start, end in closed)
    never = (sys.maxsize, sys.maxsize)
    shut = [*_merged([*collisions(busy, visit), *away, *refused]), never]
    found: set[int] = set()
    for starts, end in openings:
        low = bisect_left(starts, since)
        stop = bisect_left(starts, min(until, end - visit.duration + 1))
        if low >= stop:
            continue
        index = bisect_right(shut, starts[low], key=itemgetter(1))
        while low < stop:
            shut_from, shut_to = shut[index]
            high = bisect_left(starts, shut_from, low, stop)
            found.update(starts[low:high])
            low = bisect_left(starts, shut_to, high, stop)
            index += 1
    return sorted(found)


@lru_cache(maxsize=8192)
def _opening(zone: tzinfo, day: int, opens: int, closes: int, step: int) -> Opening:
    """A shift on the day with this ordinal. A reading that occurs twice means the first time."""
    midnight = (day - EPOCH.toordinal()) * DAY
    first, last = midnight + opens, midnight + closes
    offsets = {*_offsets(first, zone), *_offsets(last, zone)}
    if len(offsets) == 1:
        offset = offsets.pop()
        return Opening(range(first - offset, last - offset, step), last - offset)
    starts = []
    for wall in range(first, last, step):
        earlier, later = _offsets(wall, zone)
        # The clock jumps over this reading, so nobody could come at it.
        if earlier < later:
            continue
        starts.append(wall - earlier)
    return Opening(tuple(starts), _reached(last, zone))


def _offsets(wall: int, zone: tzinfo) -> Span:
    """Minutes ahead of UTC at a wall-clock reading, taken as its first and its second occurrence.

    They differ when the reading occurs twice (first > second) or never (first < second): PEP 495.
    """
    reading = from_minute(wall).replace(tzinfo=zone)
    first, second = reading.utcoffset(), reading.replace(fold=1).utcoffset()
    assert first is not None
    assert second is not None
    return first // MINUTE, second // MINUTE


def _reached(wall: int, zone: tzinfo) -> int:
    """The first instant at which the clock shows the reading, or has jumped over it."""
    first, second = _offsets(wall, zone)
    if first >= second:
        return wall - first

    def reading(minute: int) -> int:
        return floor_minute(from_minute(minute).astimezone(zone).replace(tzinfo=UTC))

    around = range(wall - second, wall - first)
    return around.start + bisect_left(around, wall, key=reading)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The minutes in any of the spans, as spans that are rising and apart."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        elif start < end:
            merged.append((start, end))
    return merged


def _intersection(ours: list[Span], theirs: list[Span]) -> list[Span]:
    """The minutes in both lists of spans, each rising and apart."""
    both, i, j = [], 0, 0
    while i < len(ours) and j < len(theirs):
        start, end = max(ours[i][0], theirs[j][0]), min(ours[i][1], theirs[j][1])
        if start < end:
            both.append((start, end))
        if ours[i][1] < theirs[j][1]:
            i += 1
        else:
            j += 1
    return both
