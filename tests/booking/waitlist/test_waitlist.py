"""Who waits, what they are offered, and what becomes of an offer."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from booking.models import (
    Appointment,
    NotWaiting,
    OfferOver,
    SlotTaken,
    TooLittleTime,
    WaitlistEntry,
    WaitlistOffer,
)
from booking.waitlist import matching
from clinic.mail import outbox
from clinic.models import DeskTask, Message
from intake.rules.levels import Level
from schedule.models import OpeningHours
from tests.booking.small_clinic import NINE, SmallClinic, minutes
from tests.factories import (
    NOW,
    make_alert,
    make_equipment,
    make_location,
    make_patient,
    make_practice,
    make_practitioner,
    make_response,
    make_service,
    make_user,
    make_waitlist_entry,
    make_waitlist_offer,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TOMORROW = date(2026, 6, 2)


@pytest.fixture
def clinic():
    """Open on Tuesdays from eight to nine, and that one hour of tomorrow is taken."""
    make_practice(time_zone="America/Chicago")
    clinic = SmallClinic(closes=time(9), horizon_days=2, grid_minutes=60)
    OpeningHours.objects.exclude(weekday=TOMORROW.weekday()).delete()
    clinic.taken = clinic.book(NINE - minutes(60))
    return clinic


def wait(clinic, **fields):
    fields.setdefault("service", clinic.service)
    return make_waitlist_entry(**fields)


def free_up(clinic, *, now=NOW):
    """Call the visit off, so long ago that it cannot be undone any more; return that moment."""
    clinic.taken.cancel(now=now)
    return now + minutes(4)


def tend(now):
    return matching.tend_waitlist(now=now)


def owed_to(patient):
    waiting = Message.objects.filter(patient=patient, state=Message.State.PLANNED)
    return sorted(waiting.values_list("kind", flat=True))


def test_joining_owes_one_mail(clinic):
    entry = WaitlistEntry.objects.join(
        patient=make_patient(),
        service=clinic.service,
        first_day=TOMORROW,
        last_day=TOMORROW,
        now=NOW,
    )
    assert owed_to(entry.patient) == ["waitlist-joined"]
    assert entry.weekdays == [0, 1, 2, 3, 4, 5, 6]


def test_a_freed_time_is_kept_for_whoever_waits_and_nobody_else_gets_it(clinic):
    entry = wait(clinic)
    assert tend(NOW) == []
    now = free_up(clinic)
    (offer,) = tend(now)
    assert (offer.entry, offer.start) == (entry, NINE - minutes(60))
    assert offer.answer_by == now + minutes(120)
    assert owed_to(entry.patient) == ["waitlist-offer"]
    assert clinic.free(now=now) == []
    with pytest.raises(SlotTaken):
        clinic.hold(NINE - minutes(60), now=now)
    assert tend(now) == []


def test_nothing_is_offered_while_the_change_can_be_undone(clinic):
    wait(clinic)
    clinic.taken.cancel(now=NOW)
    assert tend(NOW + minutes(2)) == []
    clinic.taken.restore(now=NOW + minutes(2))
    assert tend(NOW + minutes(5)) == []
    clinic.taken.cancel(now=NOW + minutes(6))
    assert tend(NOW + minutes(8)) == []
    assert len(tend(NOW + minutes(9))) == 1


def test_a_time_left_by_a_move_waits_for_its_undoing_too():
    make_practice(time_zone="America/Chicago")
    clinic = SmallClinic(closes=time(10), horizon_days=3, grid_minutes=60)
    visit = clinic.book(NINE)
    clinic.book(NINE - minutes(60))
    wait(clinic, last_day=TOMORROW, first_day=TOMORROW)
    visit.move(start=NINE + DAY, now=NOW)
    assert tend(NOW + minutes(2)) == []
    (offer,) = tend(NOW + minutes(3))
    assert offer.start == NINE


def test_the_only_device_waits_for_the_undoing_too_with_whomever_it_would_be():
    make_practice(time_zone="America/Chicago")
    clinic = SmallClinic(
        practitioners=2, closes=time(9), grid_minutes=60, horizon_days=2, equipment_kind="treadmill"
    )
    make_equipment(location=clinic.location)
    visit = clinic.book(NINE - minutes(60))
    wait(clinic, first_day=TOMORROW, last_day=TOMORROW)
    visit.cancel(now=NOW)
    assert tend(NOW + minutes(2)) == []
    assert len(tend(NOW + minutes(3))) == 1


def test_a_change_that_the_desk_told_of_itself_waits_for_its_undoing_as_well(clinic):
    wait(clinic)
    clinic.taken.cancel(now=NOW, by=make_user(), notify_patient=False)
    assert tend(NOW + minutes(2)) == []
    assert len(tend(NOW + minutes(3))) == 1


def test_time_is_noticed_however_it_became_free(clinic):
    wait(clinic)
    clinic.taken.mark_entered_in_error(now=NOW, by=make_user(), reason="Test")
    hold = clinic.hold(NINE - minutes(60))
    assert tend(NOW) == []
    assert len(tend(hold.held_until)) == 1


def test_an_accepted_offer_is_a_visit_like_any_other_and_ends_the_wait(clinic):
    entry = wait(clinic)
    now = free_up(clinic)
    (offer,) = tend(now)
    visit = offer.accept(now=now)
    entry.refresh_from_db()
    assert (visit.status, visit.patient, visit.start) == ("booked", entry.patient, offer.start)
    assert (entry.state, offer.state) == ("booked", "accepted")
    assert "confirmation" in owed_to(entry.patient)
    assert offer.visit == visit
    with pytest.raises(OfferOver):
        offer.accept(now=now)
    with pytest.raises(OfferOver):
        offer.decline(now=now)
    assert Appointment.objects.filter(status="booked").count() == 1


def test_an_offer_is_accepted_in_time_or_not_at_all(clinic):
    wait(clinic)
    (offer,) = tend(free_up(clinic))
    with pytest.raises(OfferOver):
        offer.accept(now=offer.answer_by)
    assert offer.state == "open"
    assert offer.accept(now=offer.answer_by - minutes(1))


def test_what_one_declines_the_next_is_offered_and_not_the_same_again(clinic):
    first, second = wait(clinic), wait(clinic, joined_at=NOW + minutes(1))
    now = free_up(clinic)
    (offer,) = tend(now)
    offer.decline(now=now)
    first.refresh_from_db()
    assert first.is_waiting
    (following,) = tend(now)
    assert (following.entry, following.start) == (second, offer.start)
    following.decline(now=now)
    assert tend(now) == []


def test_an_unanswered_offer_goes_to_the_next_and_the_first_is_told(clinic):
    first, second = wait(clinic), wait(clinic, joined_at=NOW + minutes(1))
    (offer,) = tend(free_up(clinic))
    outbox.tick(offer.made_at)
    (following,) = tend(offer.answer_by)
    assert following.entry == second
    offer.refresh_from_db()
    first.refresh_from_db()
    assert (offer.state, first.state, first.unanswered) == ("lapsed", "waiting", 1)
    assert owed_to(first.patient) == ["waitlist-lapsed"]


def test_two_offers_without_an_answer_end_the_wait():
    make_practice(time_zone="America/Chicago")
    clinic = SmallClinic(closes=time(11), horizon_days=2)
    entry = wait(clinic)
    (first,) = tend(NOW)
    outbox.tick(NOW)
    (second,) = tend(first.answer_by)
    outbox.tick(first.answer_by)
    assert second.start > first.start
    assert tend(second.answer_by) == []
    entry.refresh_from_db()
    assert entry.state == "unanswered"
    assert "waitlist-ended" in owed_to(entry.patient)
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("email", ["ana@example.org", ""])
def test_an_offer_of_which_nobody_heard_does_not_count(email):
    """No mail server for hours, or nobody had time to phone: that is not the patient's silence."""
    make_practice(time_zone="America/Chicago")
    clinic = SmallClinic(closes=time(11), horizon_days=2)
    entry = wait(clinic, patient=make_patient(email=email))
    now = NOW
    for _ in range(3):
        (offer,) = tend(now)
        now = offer.answer_by
    tend(now)
    offer.refresh_from_db()
    entry.refresh_from_db()
    assert (offer.state, entry.state, entry.unanswered) == ("lapsed", "waiting", 0)
    assert "waitlist-lapsed" not in owed_to(entry.patient)


def test_an_answer_starts_the_count_of_unanswered_offers_anew(clinic):
    entry = wait(clinic, unanswered=1)
    now = free_up(clinic)
    (offer,) = tend(now)
    offer.decline(now=now)
    entry.refresh_from_db()
    assert entry.unanswered == 0


def test_the_level_decides_before_the_wait_and_the_desk_before_both(clinic):
    longest = wait(clinic, joined_at=NOW - 9 * DAY)
    put_first = wait(clinic, joined_at=NOW)
    soon = wait(clinic, intake_response=make_response(patient=make_patient(), level=Level.SOON))
    put_first.put_first(now=NOW)
    in_turn = list(WaitlistEntry.objects.waiting().in_offer_order())
    assert in_turn == [put_first, soon, longest]
    put_first.clear_put_first()
    assert list(WaitlistEntry.objects.waiting().in_offer_order()) == [soon, longest, put_first]


def test_whoever_does_not_fit_is_passed_over(clinic):
    wait(clinic, parts=["evening"], joined_at=NOW - DAY)
    wait(clinic, weekdays=[5, 6], joined_at=NOW - DAY)
    wait(clinic, practitioner=make_practitioner(), joined_at=NOW - DAY)
    wait(clinic, first_day=TOMORROW + DAY, joined_at=NOW - DAY)
    wait(clinic, service=make_service(), joined_at=NOW - DAY)
    there = wait(clinic)
    (offer,) = tend(free_up(clinic))
    assert offer.entry == there


def test_nobody_is_offered_a_time_at_which_they_are_expected_already(clinic):
    patient = make_patient()
    SmallClinic().book(NINE - minutes(30), patient=patient)
    wait(clinic, patient=patient)
    assert tend(free_up(clinic)) == []


def test_an_emergency_gets_no_offer_and_the_next_one_does(clinic):
    patient = make_patient()
    wait(clinic, patient=patient)
    calm = wait(clinic, joined_at=NOW + minutes(1))
    make_alert(patient=patient)
    (offer,) = tend(free_up(clinic))
    assert offer.entry == calm


def test_nobody_is_asked_at_night(clinic):
    wait(clinic, service=clinic.service)
    evening = NOW + timedelta(hours=13)
    assert tend(free_up(clinic, now=evening)) == []


def test_the_night_is_that_of_whoever_is_asked(clinic):
    wait(clinic, patient=make_patient(time_zone="Asia/Tokyo"))
    # Ten in the morning in Austin is midnight in Tokyo.
    assert tend(free_up(clinic, now=NOW + timedelta(hours=2))) == []


@pytest.mark.parametrize(
    ("language", "state", "words"),
    [
        ("en", "unanswered", "Two offers in a row stayed without an answer."),
        ("es", "ran-out", "No se liberó ninguna hora que le convenga antes de su último día."),
    ],
)
def test_the_end_of_a_wait_is_told_with_its_reason(clinic, language, state, words):
    entry = wait(clinic, patient=make_patient(language=language))
    entry.close(state, now=NOW)
    outbox.tick(NOW)
    (sent,) = [sent for sent in mail.outbox if sent.to == [entry.patient.email]]
    assert words in sent.body


def test_without_an_address_the_desk_is_asked_to_phone(clinic):
    wait(clinic, patient=make_patient(email=""))
    (offer,) = tend(free_up(clinic))
    task = DeskTask.objects.get()
    assert (task.kind, task.subject_id, task.done_at) == ("offer", offer.pk, None)
    offer.accept(now=offer.made_at, by=make_user())
    assert not DeskTask.objects.open().exists()
    assert not Message.objects.filter(kind="waitlist-offer").exists()


def test_leaving_takes_back_what_is_offered(clinic):
    entry = wait(clinic)
    now = free_up(clinic)
    (offer,) = tend(now)
    entry.leave(now=now)
    entry.leave(now=now + DAY)
    offer.refresh_from_db()
    assert (entry.state, entry.closed_at, offer.state) == ("left", now, "withdrawn")
    assert not Appointment.objects.filter(status="pending").exists()
    with pytest.raises(OfferOver):
        offer.accept(now=now)


def test_an_entry_whose_days_are_over_ends(clinic):
    entry = wait(clinic, last_day=NOW.date())
    tend(NOW + timedelta(hours=15))
    entry.refresh_from_db()
    assert entry.is_waiting, "it is still the last day in Austin"
    tend(NOW + DAY)
    entry.refresh_from_db()
    assert entry.state == "ran-out"
    assert owed_to(entry.patient) == ["waitlist-ended"]


@pytest.mark.parametrize(("zone", "ends_at"), [("Pacific/Honolulu", 10), ("Asia/Tokyo", -9)])
def test_the_last_day_is_over_when_it_is_at_the_location_that_is_waited_for(clinic, zone, ends_at):
    midnight = datetime(2026, 6, 10, tzinfo=UTC) + timedelta(hours=ends_at)
    entry = wait(clinic, location=make_location(time_zone=zone), last_day=date(2026, 6, 9))
    tend(midnight - minutes(1))
    entry.refresh_from_db()
    assert entry.is_waiting
    tend(midnight)
    entry.refresh_from_db()
    assert entry.state == "ran-out"


def test_a_wait_ends_once(clinic):
    entry = wait(clinic)
    assert entry.close("closed", now=NOW, by=make_user())
    assert not entry.close("left", now=NOW)
    with pytest.raises(NotWaiting):
        entry.offer(
            start=NINE, practitioner=clinic.practitioners[0], location=clinic.location, now=NOW
        )


def test_staff_offer_what_they_choose_and_a_second_offer_is_refused(clinic):
    staff, entry = make_user(), wait(clinic, parts=["evening"])
    named = {"practitioner": clinic.practitioners[0], "location": clinic.location}
    start = NINE + 42 * DAY - minutes(60)
    offer = entry.offer(start=start, by=staff, now=NOW, **named)
    assert (offer.made_by, offer.start) == (staff, start)
    with pytest.raises(NotWaiting):
        entry.offer(start=start + 7 * DAY, by=staff, now=NOW, **named)
    with pytest.raises(SlotTaken):
        wait(clinic).offer(start=start, by=staff, now=NOW, **named)
    with pytest.raises(TooLittleTime):
        wait(clinic).offer(start=NOW + minutes(60), by=staff, now=NOW, **named)


def test_the_database_keeps_one_open_offer_an_entry_and_one_a_start(clinic):
    offer = make_waitlist_offer(entry=wait(clinic))
    for same in ({"entry": offer.entry}, {"practitioner": offer.practitioner}):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_waitlist_offer(**same)
    WaitlistOffer.objects.update(state="declined")
    make_waitlist_offer(entry=offer.entry, practitioner=offer.practitioner)


@pytest.mark.parametrize("waiting", [1, 12])
def test_a_tick_reads_as_much_however_many_wait(clinic, django_assert_num_queries, waiting):
    for _ in range(waiting):
        wait(clinic, parts=["evening"])
    tend(NOW)
    with django_assert_num_queries(12):
        tend(NOW)
