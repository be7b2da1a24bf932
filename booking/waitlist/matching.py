"""Match free times with waitlist entries, and make the offers.

This runs once a tick. Time becomes free in many ways (a visit is cancelled or moved, a hold
expires, hours are added, time off is removed). All result in the same free starts, so the code
does not track the cause. The order of entries: put first by the front desk, then the level of the
safety answers, then the longest wait. Each gets the soonest start that fits. While a change can
be undone, its time is not offered.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from booking.appointments import mail_schedule
from booking.appointments.models import Appointment
from booking.appointments.status import EXPECTED, SlotTaken, StatusChange
from booking.flow import eligibility
from booking.flow.eligibility import BlockReason, Offer
from booking.flow.picker import is_in_time
from booking.flow.visitor import seen_for
from booking.waitlist.models import NotWaiting, TooLittleTime, WaitlistEntry, WaitlistOffer
from clinic import days
from clinic.models import Location, Patient, Practice, Practitioner
from intake.rules.levels import Level
from intake.rules.triage import Triage
from intake.workflow import gate
from schedule.models import Service
from schedule.search import FreeStart

# The most offers in one tick; the next tick continues.
MAX_AT_ONCE = 50
# The number of newest changes to check for ones that can still be undone.
NEWEST = 200
# Another booking may take a start first; after this many, continue with the next entry.
MAX_OFFER_ATTEMPTS = 5

# When the front desk adds a patient to the waitlist, it unlocks these.
UNLOCKED_BY_THE_DESK = {BlockReason.STAFF, BlockReason.REFERRAL, BlockReason.AFTER_A_VISIT}


def process_waitlist(*, now: datetime) -> list[WaitlistOffer]:
    """End expired offers and entries, then offer free times; return the new offers."""
    WaitlistOffer.objects.lapse(now=now)
    WaitlistEntry.objects.close_run_out(now=now)
    return offer_free_times(now=now)


def offer_free_times(*, now: datetime) -> list[WaitlistOffer]:
    """Make the offers that are possible now; several processes may run this at once."""
    entries = list(
        WaitlistEntry.objects.waiting().without_offer().in_offer_order().with_everything()
    )
    if not entries:
        return []
    times = FreeTimes(now)
    expected = visits_ahead({entry.patient_id for entry in entries}, now=now)
    offers: list[WaitlistOffer] = []
    for entry in entries:
        offer = _first_fit(entry, times, expected[entry.patient_id], now=now)
        if offer is not None:
            offers.append(offer)
            # The free times read before are out of date.
            times.forget()
        if len(offers) == MAX_AT_ONCE:
            break
    return offers


class FreeTimes:
    """The free starts for each kind of visit, read once, without those a change can still undo."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.places = Location.objects.in_bulk()
        self.people = Practitioner.objects.in_bulk()
        self._read: dict[tuple[int, int, Level], list[FreeStart]] = {}
        self._unsettled = Unsettled.at(now)

    def forget(self) -> None:
        self._read.clear()

    def fitting(self, entry: WaitlistEntry) -> Iterator[tuple[FreeStart, Location]]:
        """Yield the starts that fit this entry and were not offered to it before, soonest first."""
        wish = entry.wish
        had = {offer.start for offer in entry.offers.all()}
        for free in self._of(entry.service, entry.minutes, entry.level):
            place = self.places[free.location_id]
            if (
                free.start not in had
                and wish.fits(
                    free.start.astimezone(place.zone),
                    practitioner_id=free.practitioner_id,
                    location_id=free.location_id,
                )
                and not self._unsettled.covers(free, entry)
            ):
                yield free, place

    def _of(self, service: Service, minutes: int, level: Level) -> list[FreeStart]:
        key = service.pk, minutes, level
        if key not in self._read:
            search = Appointment.objects.search(
                service,
                since=self.now,
                until=self.now + timedelta(days=service.horizon_days),
                now=self.now,
                duration=minutes,
                level=level,
            )
            self._read[key] = search.starts()
        return self._read[key]


@dataclass(frozen=True)
class Unsettled:
    """Times that an undo may still reserve again: those of visits just cancelled or moved."""

    spans: list[tuple[int | None, bool, datetime, datetime]]

    @classmethod
    def at(cls, now: datetime) -> "Unsettled":
        """Read the newest changes, by key: no clinic makes NEWEST changes within the undo time."""
        newest = StatusChange.objects.order_by("-pk").select_related("appointment")[:NEWEST]
        spans: list[tuple[int | None, bool, datetime, datetime]] = []
        for change in newest:
            visit = change.appointment
            if change.at <= now - mail_schedule.UNDO_WINDOW:
                continue
            if change.from_start and change.from_end:
                spans.append(
                    (
                        change.from_practitioner_id,
                        bool(change.from_room_id or change.from_equipment_id),
                        change.from_start,
                        change.from_end,
                    )
                )
            elif change.to_status == visit.status == Appointment.Status.CANCELLED:
                needs_a_thing = bool(visit.room_id or visit.equipment_id)
                spans.append((visit.practitioner_id, needs_a_thing, visit.start, visit.busy_until))
        return cls(spans)

    def covers(self, free: FreeStart, entry: WaitlistEntry) -> bool:
        end = free.start + timedelta(minutes=entry.minutes + entry.service.buffer_after)
        return any(
            start < end
            and free.start < until
            # A room or device that the visit needs again may be the only one of its kind.
            and (practitioner_id == free.practitioner_id or needs_a_thing)
            for practitioner_id, needs_a_thing, start, until in self.spans
        )


def offer_for_entry(entry: WaitlistEntry, outcome: Triage | None, *, now: datetime) -> Offer:
    """Judge the entry's service by safety answers; ``outcome`` None if staff asked instead."""
    place = entry.location or Practice.current()
    offer = eligibility.offer(
        entry.service,
        unlocked_by=entry.service.unlocked_by.all(),
        restrictions=outcome.restrictions if outcome else frozenset(),
        seen_for=seen_for(entry.patient),
        today=days.local_date(now, place.zone),
    )
    if entry.created_by_id and offer.block_reason in UNLOCKED_BY_THE_DESK:
        return replace(offer, block_reason=None)
    return offer


def visits_ahead(
    patients: set[UUID], *, now: datetime
) -> defaultdict[UUID, list[tuple[datetime, datetime]]]:
    """Return the times at which each patient already has a visit."""
    spans: defaultdict[UUID, list[tuple[datetime, datetime]]] = defaultdict(list)
    standing = Appointment.objects.filter(
        patient__in=patients,
        status__in=EXPECTED,
        end__gt=now,
    )
    for patient, start, end in standing.order_by().values_list("patient", "start", "end"):
        spans[patient].append((start, end))
    return spans


def _first_fit(
    entry: WaitlistEntry,
    times: FreeTimes,
    expected: list[tuple[datetime, datetime]],
    *,
    now: datetime,
) -> WaitlistOffer | None:
    found_offer: Offer | None = None
    tries = 0
    for free, place in times.fitting(entry):
        end = free.start + timedelta(minutes=entry.minutes)
        if any(start < end and free.start < until for start, until in expected):
            continue
        if found_offer is None:
            # Not earlier: this reads the answers, and for most entries no start fits.
            if gate.emergency_alert(visitor_hash="", patient=entry.patient):
                return None
            found_offer = offer_for_entry(entry, _outcome(entry, entry.patient, now=now), now=now)
        if not is_in_time(found_offer, free.start.astimezone(place.zone)):
            return None
        try:
            return entry.offer(
                start=free.start,
                practitioner=times.people[free.practitioner_id],
                location=place,
                now=now,
            )
        except NotWaiting:
            return None
        except TooLittleTime:
            continue
        except SlotTaken:
            tries += 1
            if tries == MAX_OFFER_ATTEMPTS:
                return None
    return None


def _outcome(entry: WaitlistEntry, patient: Patient, *, now: datetime) -> Triage | None:
    if entry.intake_response is None:
        return None
    return gate.current_triage(
        entry.intake_response, patient=patient, practice=Practice.current(), now=now
    )
