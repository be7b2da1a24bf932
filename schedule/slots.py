"""Bookable starts: opening hours without the starts that conflict with something.

Every conflict, such as a visit, a closure or a full day, becomes spans of refused starts.
``bookable_starts`` leaves those out.

An instant is a whole minute since 1970-01-01T00:00Z; a span is half-open, ``(from, to)``. Opening
hours are wall-clock readings in the location's zone, so each day is converted on its own before
any minutes are added to it. This module uses neither Django nor the database.
"""

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache, reduce
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

type Span = tuple[int, int]

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 24 * 60


class VisitLength(NamedTuple):
    """The requested visit: its length and the free time it needs around it, in minutes."""

    duration: int
    before: int = 0
    after: int = 0


class Busy(NamedTuple):
    """An existing visit: its span, and the free time it needs around it, in minutes."""

    start: int
    end: int
    before: int = 0
    after: int = 0


class Shift(NamedTuple):
    """One weekly span of time on the wall clock of a place.

    ``weekday`` counts from Monday = 0. ``opens`` and ``closes`` are wall-clock minutes after
    midnight of that day; ``closes`` may pass 1440, up to the end of the following day. The shift
    is valid from ``valid_from`` to ``valid_until``, both included; None means no limit.
    """

    zone: tzinfo
    weekday: int
    opens: int
    closes: int
    valid_from: date | None = None
    valid_until: date | None = None


class Opening(NamedTuple):
    """A shift on one day: the instants at which a visit may start, ascending, and its end."""

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


def openings(shifts: Iterable[Shift], *, step: int, since: int, until: int) -> list[Opening]:
    """Return the shifts on every day from ``since`` to ``until``.

    A visit may start every ``step`` minutes from the beginning of a shift. The result may reach
    a little outside; ``bookable_starts`` cuts it to the minute.
    """
    return [
        _opening(shift.zone, day, shift.opens, shift.closes, step)
        for shift in shifts
        for day in _days_of(shift, since=since, until=until)
    ]


def spans(shifts: Iterable[Shift], *, since: int, until: int) -> list[Span]:
    """Return the same shifts as spans of time.

    Each lasts from when the clock first shows its beginning, or has skipped it, until it first
    shows its end.
    """
    return [
        (
            _first_instant_at(zone, _midnight(day) + opens),
            _first_instant_at(zone, _midnight(day) + closes),
        )
        for shift in shifts
        for zone, _, opens, closes, *_validity in [shift]
        for day in _days_of(shift, since=since, until=until)
    ]


def day_span(day: date, zone: tzinfo) -> Span:
    """Return a whole calendar day; empty if the country skipped it."""
    midnight = _midnight(day.toordinal())
    return _first_instant_at(zone, midnight), _first_instant_at(zone, midnight + DAY)


def periods(zone: tzinfo, *, days: int, since: int, until: int) -> list[int]:
    """Return the minutes at which calendar days (``days`` = 1) or weeks from Monday (7) begin.

    From the period that contains ``since`` to the end of the one that contains ``until``.
    """
    first, last = _day_range(zone, since=since, until=until)
    first -= (first - 1) % days
    return [_first_instant_at(zone, _midnight(day)) for day in range(first, last + 1 + days, days)]


def full_periods(begins: Sequence[int], starts: Sequence[int], *, most: int) -> list[Span]:
    """Return the periods that contain at least ``most`` of the starts. Both are ascending."""
    return [
        (first, last)
        for first, last in pairwise(begins)
        if bisect_left(starts, last) - bisect_left(starts, first) >= most
    ]


def collisions(busy: Iterable[Busy], visit: VisitLength) -> list[Span]:
    """Return the starts at which the visit would be too close to an existing one.

    The gap between two visits is at least the first one's buffer after it or the second one's
    buffer before it, whichever is longer: the same minutes count for both.
    """
    duration, before, after = visit
    return [
        (start - duration - max(after, wants_before) + 1, end + max(before, wants_after))
        for start, end, wants_before, wants_after in busy
    ]


def starts_overlapping(closed: Iterable[Span], visit: VisitLength) -> list[Span]:
    """Return the starts at which part of the visit would be in a closed span.

    Its buffers may be in one: they only need to be free of other visits.
    """
    return [(start - visit.duration + 1, end) for start, end in closed if start < end]


def starts_not_within(opened: Iterable[Span], visit: VisitLength) -> list[Span]:
    """Return the starts at which part of the visit would be outside all of the spans."""
    edges = [edge for span in _merged(opened) for edge in span]
    ever = [-sys.maxsize, *edges, sys.maxsize]
    return starts_overlapping(zip(ever[::2], ever[1::2], strict=True), visit)


def starts_refused_by_all(refused_by_each: Iterable[Iterable[Span]]) -> list[Span]:
    """Return the starts that every one of several rooms refuses; all starts if there is no room."""
    return reduce(_intersection, map(_merged, refused_by_each), [(-sys.maxsize, sys.maxsize)])


def is_in(minute: int, spans: Iterable[Span]) -> bool:
    return any(start <= minute < end for start, end in spans)


def bookable_starts(
    *,
    openings: Iterable[Opening],
    visit: VisitLength,
    since: int,
    until: int,
    refused: Iterable[Span] = (),
) -> list[int]:
    """Return the minutes in ``(since, until)`` at which the visit may start, ascending.

    The visit fits inside an opening, and its start is in none of the refused spans. Its buffers
    may reach past closing time.
    """
    shut = [*_merged(refused), (sys.maxsize, sys.maxsize)]
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


def _days_of(shift: Shift, *, since: int, until: int) -> range:
    """Return the ordinals of the days on which the shift takes place."""
    first, last = _day_range(shift.zone, since=since, until=until)
    if shift.valid_from:
        first = max(first, shift.valid_from.toordinal())
    if shift.valid_until:
        last = min(last, shift.valid_until.toordinal())
    # Ordinal 1 was a Monday.
    first += (shift.weekday + 1 - first) % 7
    return range(first, last + 1, 7)


@lru_cache(maxsize=1024)
def _day_range(zone: tzinfo, *, since: int, until: int) -> Span:
    """Return the ordinals of the first and the last relevant day from ``since`` to ``until``.

    One day more on both sides: a night shift begins the day before, and a clock set back at
    midnight returns to a date that had already ended.
    """
    first = from_minute(since).astimezone(zone).toordinal() - 1
    last = from_minute(until).astimezone(zone).toordinal() + 1
    return first, last


def _midnight(day: int) -> int:
    """Return the wall-clock minute at which the day with this ordinal begins."""
    return (day - EPOCH.toordinal()) * DAY


@lru_cache(maxsize=8192)
def _opening(zone: tzinfo, day: int, opens: int, closes: int, step: int) -> Opening:
    """Return a shift on the day with this ordinal. Of a repeated reading, the first one counts."""
    midnight = _midnight(day)
    first, last = midnight + opens, midnight + closes
    offsets = {*_offsets(first, zone), *_offsets(last, zone)}
    if len(offsets) == 1:
        offset = offsets.pop()
        return Opening(range(first - offset, last - offset, step), last - offset)
    starts = []
    for wall in range(first, last, step):
        earlier, later = _offsets(wall, zone)
        # The clock skips this reading, so no visit can start at it.
        if earlier < later:
            continue
        starts.append(wall - earlier)
    return Opening(tuple(starts), _first_instant_at(zone, last))


def _offsets(wall: int, zone: tzinfo) -> Span:
    """Return the minutes ahead of UTC at the first and the second occurrence of a reading.

    They differ when the reading occurs twice (first > second) or never (first < second): PEP 495.
    """
    reading = from_minute(wall).replace(tzinfo=zone)
    first, second = reading.utcoffset(), reading.replace(fold=1).utcoffset()
    assert first is not None
    assert second is not None
    return first // MINUTE, second // MINUTE


@lru_cache(maxsize=8192)
def _first_instant_at(zone: tzinfo, wall: int) -> int:
    """Return the first instant at which the clock shows the reading, or has skipped it."""
    first, second = _offsets(wall, zone)
    if first >= second:
        return wall - first

    def reading(minute: int) -> int:
        return floor_minute(from_minute(minute).astimezone(zone).replace(tzinfo=UTC))

    around = range(wall - second, wall - first)
    return around.start + bisect_left(around, wall, key=reading)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Return the minutes in any of the spans, as ascending spans that do not touch."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        elif start < end:
            merged.append((start, end))
    return merged


def _intersection(ours: list[Span], theirs: list[Span]) -> list[Span]:
    """Return the minutes in both lists of spans, which are ascending and do not touch."""
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
