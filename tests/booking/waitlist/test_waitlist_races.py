"""Offers, answers, their end and other bookings at the same moment: one wins, the rest are told."""

import pytest

from booking.models import (
    Appointment,
    NotWaiting,
    OfferOver,
    Series,
    SlotTaken,
    WaitlistEntry,
    WaitlistOffer,
)
from booking.waitlist import matching
from tests.booking.appointments.test_contention import at_once, overlaps, successes
from tests.booking.small_clinic import NINE, SmallClinic, minutes
from tests.factories import NOW, make_patient, make_practice, make_user, make_waitlist_entry

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = range(5)


@pytest.fixture
def clinic():
    make_practice(time_zone="America/Chicago")
    return SmallClinic()


def offered(clinic, start=NINE):
    entry = make_waitlist_entry(service=clinic.service)
    return entry.offer(
        start=start, practitioner=clinic.practitioners[0], location=clinic.location, now=NOW
    )


def fresh(offer):
    return WaitlistOffer.objects.select_related("entry").get(pk=offer.pk)


def settled(offer):
    """The offer's state and the entry's; of a taken one there is exactly one visit."""
    offer = fresh(offer)
    visits = Appointment.objects.filter(booking_key=offer.booking_key)
    assert visits.count() == (offer.state == "accepted")
    assert offer.state != "open"
    return offer.state, offer.entry.state


def test_an_offer_taken_twenty_times_at_once_is_one_visit(clinic):
    offer = offered(clinic)
    got = at_once(20, lambda number: fresh(offer).accept(now=NOW))
    assert len(successes(got, OfferOver)) == 1
    assert settled(offer) == ("accepted", "booked")


def test_an_answer_and_the_end_of_the_time_never_both_count(clinic):
    for number in ROUNDS:
        offer = offered(clinic, NINE + minutes(60 * number))

        def act(person, offer=offer):
            if person:
                return fresh(offer).accept(now=offer.answer_by - minutes(1))
            return WaitlistOffer.objects.lapse(now=offer.answer_by)

        at = at_once(2, act)
        assert {type(result) for result in at} <= {Appointment, OfferOver, int}
        assert settled(offer) in {("accepted", "booked"), ("lapsed", "waiting")}
    assert overlaps() == []


def test_yes_and_no_and_leaving_at_once_are_one_answer(clinic):
    for number in ROUNDS:
        offer = offered(clinic, NINE + minutes(60 * number))

        def act(person, offer=offer):
            match person % 3:
                case 0:
                    fresh(offer).accept(now=NOW)
                case 1:
                    fresh(offer).decline(now=NOW)
                case 2:
                    fresh(offer).entry.leave(now=NOW)

        successes(at_once(6, act), OfferOver)
        assert settled(offer) in {
            ("accepted", "booked"),
            ("declined", "waiting"),
            ("declined", "left"),
            ("withdrawn", "left"),
        }


def test_a_time_kept_for_somebody_is_theirs_or_the_desks_never_both(clinic):
    staff = make_user()
    for number in ROUNDS:
        start = NINE + minutes(60 * number)
        offer = offered(clinic, start)

        def act(person, offer=offer, start=start):
            if person:
                return clinic.book(start, by=staff, now=offer.answer_by)
            return fresh(offer).accept(now=offer.answer_by - minutes(1))

        assert len(successes(at_once(2, act), OfferOver, SlotTaken)) == 1
        assert Appointment.objects.filter(start=start, status="booked").count() == 1
    assert overlaps() == []


def test_several_workers_offer_each_time_once_and_nobody_two(clinic):
    for _ in range(6):
        make_waitlist_entry(service=clinic.service, last_day=NINE.date(), first_day=NINE.date())
    successes(at_once(4, lambda number: matching.tend_waitlist(now=NOW)))
    offers = WaitlistOffer.objects.open()
    assert 1 <= offers.count() <= 6
    assert offers.values("entry").distinct().count() == offers.count()
    assert Appointment.objects.filter(status="pending").count() == offers.count()
    for _ in range(6):
        matching.tend_waitlist(now=NOW)
    assert WaitlistOffer.objects.open().count() == 6
    assert overlaps() == []


def test_two_offers_to_one_person_at_once_are_one(clinic):
    entry = make_waitlist_entry(service=clinic.service)

    def offer(number):
        return WaitlistEntry.objects.get(pk=entry.pk).offer(
            start=NINE + minutes(60 * number),
            practitioner=clinic.practitioners[0],
            location=clinic.location,
            now=NOW,
        )

    assert len(successes(at_once(4, offer), NotWaiting, SlotTaken)) == 1
    assert Appointment.objects.count() == 1


def test_of_two_series_over_the_same_times_one_is_booked_whole(clinic):
    staff = make_user()
    # Each begins where the other one ends.
    starts = [NINE + minutes(60 * number) for number in range(4)]

    def book(number):
        return Series.objects.book(
            patient=make_patient(),
            service=clinic.service,
            location=clinic.location,
            practitioner=clinic.practitioners[0],
            starts=starts[number:] + starts[:number],
            weeks=1,
            by=staff,
            now=NOW,
        )

    (series,) = successes(at_once(4, book), SlotTaken)
    assert Series.objects.get() == series
    assert [visit.start for visit in series.not_cancelled()] == starts
    assert overlaps() == []
