"""Everything that takes or frees time, in any order, beside a model of a few lines.

The model keeps what stands as (practitioner, start); the database has to hold exactly that, and a
change succeeds if and only if the model says that the time is free.
"""

import os
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from booking.models import (
    Appointment,
    InvalidTransition,
    NotWaiting,
    OfferOver,
    Series,
    SlotTaken,
    TooLittleTime,
    WaitlistEntry,
    WaitlistOffer,
)
from booking.waitlist import matching
from booking.waitlist.answer_time import is_quiet
from tests.booking.appointments.test_contention import overlaps
from tests.booking.small_clinic import NINE, SmallClinic, minutes
from tests.factories import NOW, make_patient, make_practice, make_user, make_waitlist_entry

pytestmark = pytest.mark.django_db

SOAK = os.environ.get("SOAK") == "1"
HOUR = minutes(60)
# Far enough ahead that no run of the clock below reaches it.
FAR = NINE + timedelta(days=30)

half_hours = st.integers(min_value=-2, max_value=14).map(lambda number: FAR + minutes(30 * number))
who = st.integers(min_value=0, max_value=1)


class Bookings(RuleBasedStateMachine):
    visits, holds, offers = Bundle("visits"), Bundle("holds"), Bundle("offers")
    entries, plans = Bundle("entries"), Bundle("plans")

    def __init__(self) -> None:
        super().__init__()
        self.database = transaction.atomic()
        self.database.__enter__()
        make_practice(time_zone="America/Chicago")
        self.clinic = SmallClinic(practitioners=2, grid_minutes=30)
        self.staff = make_user()
        self.now = NOW
        # Key of the visit or hold: who has it, its start, and when it ends by itself.
        self.standing: dict[object, tuple[int, datetime, datetime | None]] = {}
        self.is_open: dict[object, bool] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.database.__exit__(None, None, None)

    def taken(self, person: int, start: datetime, *, but: object = None) -> bool:
        return any(
            held[0] == person and abs(held[1] - start) < HOUR
            for key, held in self.live().items()
            if key != but
        )

    def live(self) -> dict[object, tuple[int, datetime, datetime | None]]:
        return {
            key: held
            for key, held in self.standing.items()
            if held[2] is None or held[2] > self.now
        }

    def fits(self, start: datetime) -> bool:
        """Within opening hours, eight to five on the wall clock."""
        return FAR - HOUR <= start.replace(day=FAR.day, month=FAR.month) <= FAR + 7 * HOUR

    def person(self, number: int):
        return self.clinic.practitioners[number]

    @rule(target=visits, person=who, start=half_hours)
    def book(self, person, start):
        is_free = self.fits(start) and not self.taken(person, start)
        try:
            visit = self.clinic.book(start, practitioner=self.person(person), now=self.now)
        except SlotTaken:
            assert not is_free
            return multiple()
        assert is_free
        self.standing[visit.pk] = (person, start, None)
        return visit.pk

    @rule(target=holds, person=who, start=half_hours)
    def hold(self, person, start):
        is_free = self.fits(start) and not self.taken(person, start)
        try:
            hold = self.clinic.hold(start, practitioner=self.person(person), now=self.now)
        except SlotTaken:
            assert not is_free
            return multiple()
        assert is_free
        self.standing[hold.pk] = (person, start, hold.held_until)
        return hold.pk

    @rule(target=visits, key=consumes(holds))
    def book_the_hold(self, key):
        """A hold that ran out is booked all the same, as long as nobody took its time."""
        hold = Appointment.objects.filter(pk=key).first()
        if hold is None:
            assert key not in self.live()
            return multiple()
        hold.book(patient=make_patient(), now=self.now)
        person, start, _until = self.standing[key]
        assert not self.taken(person, start, but=key)
        self.standing[key] = (person, start, None)
        return key

    @rule(key=visits)
    def cancel(self, key):
        visit = Appointment.objects.get(pk=key)
        try:
            visit.cancel(now=self.now)
        except InvalidTransition:
            assert key not in self.standing
        else:
            del self.standing[key]

    @rule(key=visits)
    def restore(self, key):
        visit = Appointment.objects.select_related("practitioner").get(pk=key)
        person = self.clinic.practitioners.index(visit.practitioner)
        try:
            visit.restore(now=self.now)
        except InvalidTransition:
            assert key in self.standing
        except SlotTaken:
            assert self.taken(person, visit.start)
        else:
            assert not self.taken(person, visit.start)
            self.standing[key] = (person, visit.start, None)

    @rule(key=visits, person=who, start=half_hours)
    def move(self, key, person, start):
        is_free = self.fits(start) and not self.taken(person, start, but=key)
        try:
            Appointment.objects.get(pk=key).move(
                start=start, practitioner=self.person(person), now=self.now
            )
        except InvalidTransition:
            assert key not in self.standing
        except SlotTaken:
            assert not is_free
        else:
            assert is_free or self.standing[key][:2] == (person, start)
            self.standing[key] = (person, start, None)

    @rule(target=entries)
    def wait(self):
        return make_waitlist_entry(
            service=self.clinic.service,
            joined_at=self.now,
            first_day=FAR.date(),
            last_day=FAR.date(),
        ).pk

    @rule(target=offers, entry=entries, person=who, start=half_hours)
    def offer(self, entry, person, start):
        row = WaitlistEntry.objects.get(pk=entry)
        has_offer = row.offers.open().exists()
        is_free = self.fits(start) and not self.taken(person, start)
        try:
            offer = row.offer(
                start=start,
                practitioner=self.person(person),
                location=self.clinic.location,
                now=self.now,
            )
        except TooLittleTime:
            assert is_quiet(self.now, self.clinic.location.zone)
            return multiple()
        except NotWaiting:
            assert has_offer or not row.is_waiting
            return multiple()
        except SlotTaken:
            # Or it is kept by an offer that ran out and was not cleared away yet.
            assert not is_free or WaitlistOffer.objects.open().filter(start=start).exists()
            return multiple()
        assert is_free
        assert not has_offer
        self.note(offer)
        return offer.pk

    def note(self, offer):
        hold = Appointment.objects.get(booking_key=offer.booking_key)
        person = self.clinic.practitioners.index(offer.practitioner)
        assert not self.taken(person, offer.start, but=hold.pk)
        self.standing[hold.pk] = (person, offer.start, offer.answer_by)
        self.is_open[offer.pk] = True

    @rule(target=visits, key=offers)
    def accept(self, key):
        offer = WaitlistOffer.objects.get(pk=key)
        in_time = self.is_open[key] and offer.answer_by > self.now
        try:
            visit = offer.accept(now=self.now)
        except OfferOver:
            assert not in_time
            return multiple()
        assert in_time
        self.is_open[key] = False
        person, start, _until = self.standing[visit.pk]
        self.standing[visit.pk] = (person, start, None)
        return visit.pk

    @rule(key=offers)
    def decline(self, key):
        offer = WaitlistOffer.objects.get(pk=key)
        hold = Appointment.objects.filter(booking_key=offer.booking_key).first()
        try:
            offer.decline(now=self.now)
        except OfferOver:
            assert not self.is_open[key]
        else:
            assert self.is_open[key]
            self.is_open[key] = False
            self.standing.pop(hold and hold.pk, None)

    @rule(key=entries)
    def leave(self, key):
        entry = WaitlistEntry.objects.get(pk=key)
        for offer in entry.offers.open():
            hold = Appointment.objects.filter(booking_key=offer.booking_key).first()
            self.standing.pop(hold and hold.pk, None)
            self.is_open[offer.pk] = False
        entry.leave(now=self.now)

    @rule(
        target=plans,
        person=who,
        starts=st.lists(half_hours, min_size=2, max_size=3, unique=True),
        at_desk=st.booleans(),
    )
    def book_series(self, person, starts, at_desk):
        starts.sort()
        are_free = all(self.fits(s) and not self.taken(person, s) for s in starts) and all(
            later - sooner >= HOUR for sooner, later in pairwise(starts)
        )
        try:
            series = Series.objects.book(
                patient=make_patient(),
                service=self.clinic.service,
                location=self.clinic.location,
                practitioner=self.person(person),
                starts=starts,
                weeks=1,
                by=self.staff if at_desk else None,
                now=self.now,
            )
        except SlotTaken:
            assert not are_free
            return multiple()
        assert are_free
        for visit in series.not_cancelled():
            self.standing[visit.pk] = (person, visit.start, None)
        return series.pk

    @rule(key=plans, by=st.sampled_from([-60, -30, 30, 60, 24 * 60]), at_desk=st.booleans())
    def move_series(self, key, by, at_desk):
        series = Series.objects.get(pk=key)
        new = {visit.pk: visit.start + minutes(by) for visit in series.not_cancelled()}
        others = {k: held for k, held in self.live().items() if k not in new}
        are_free = all(
            self.fits(start)
            and not any(
                held[0] == self.standing[pk][0] and abs(held[1] - start) < HOUR
                for held in others.values()
            )
            for pk, start in new.items()
        )
        try:
            series.move(new, now=self.now, by=self.staff if at_desk else None)
        except SlotTaken:
            assert not are_free
        else:
            assert are_free
            for pk, start in new.items():
                self.standing[pk] = (self.standing[pk][0], start, None)

    @rule(target=visits, key=plans)
    def name_a_visit_of_the_series(self, key):
        return multiple(
            *Series.objects.get(pk=key).not_cancelled().values_list("pk", flat=True)[:1]
        )

    @rule(count=st.sampled_from([1, 16, 121, 600]))
    def let_time_pass(self, count):
        self.now += minutes(count)

    @rule(target=offers)
    def tick(self):
        """What the scheduler does: holds and offers end, and what is free is offered."""
        Appointment.objects.drop_expired(now=self.now)
        for offer in WaitlistOffer.objects.open().filter(answer_by__lte=self.now):
            self.is_open[offer.pk] = False
        new = matching.tend_waitlist(now=self.now)
        for offer in new:
            assert self.fits(offer.start)
            self.note(offer)
        self.standing = self.live()
        return multiple(*[offer.pk for offer in new])

    @invariant()
    def the_database_holds_what_stands_and_nothing_overlaps(self):
        standing = Appointment.objects.occupying_time(now=self.now).select_related("practitioner")
        found = {
            visit.pk: (self.clinic.practitioners.index(visit.practitioner), visit.start)
            for visit in standing
        }
        assert found == {key: held[:2] for key, held in self.live().items()}
        assert overlaps() == []
        for visit in standing.exclude(status="pending"):
            assert visit.status_changes.last().to_status == visit.status


def test_whatever_happens_in_whatever_order_no_visit_is_lost_and_none_overlap():
    run_state_machine_as_test(
        Bookings,
        settings=settings(
            max_examples=200 if SOAK else 20,
            stateful_step_count=50 if SOAK else 25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
