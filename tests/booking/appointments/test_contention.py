"""Many people at one moment, on real connections and with real transactions."""

import itertools
import random
import threading
import time

import pytest
from django.db import connection, connections, transaction
from django.db.models import Q

from booking.appointments.status import HOLDS_TIME
from booking.models import Appointment, InvalidTransition, SlotTaken
from clinic.models import Message
from tests.booking.small_clinic import NINE, SmallClinic, minutes
from tests.factories import NOW, make_appointment, make_patient

pytestmark = pytest.mark.django_db(transaction=True)

Status = Appointment.Status


def at_once(people, act):
    """Call ``act(number)`` in a thread for each; return what each got, an exception included."""
    start, got = threading.Barrier(people), [None] * people

    def run(number):
        start.wait()
        try:
            got[number] = act(number)
        except Exception as error:
            got[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[number]) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def successes(got, *polite):
    """Those who got what they wanted; anybody else must have been told so politely."""
    rude = [
        result for result in got if isinstance(result, Exception) and not isinstance(result, polite)
    ]
    assert rude == []
    return [result for result in got if not isinstance(result, Exception)]


def overlaps():
    """Pairs of standing visits that share time with one practitioner or in one room."""
    standing = Appointment.objects.filter(status__in=HOLDS_TIME)
    return [
        (visit.pk, other.pk)
        for visit in standing
        for other in standing.filter(
            Q(practitioner=visit.practitioner_id) | Q(room__isnull=False, room=visit.room_id),
            pk__gt=visit.pk,
            start__lt=visit.busy_until,
            busy_until__gt=visit.start,
        )
    ]


def test_of_fifty_people_who_want_one_start_one_gets_it():
    clinic = SmallClinic()
    began = time.monotonic()
    got = at_once(50, lambda number: clinic.hold(visitor=f"v{number}"))
    assert len(successes(got, SlotTaken)) == 1
    assert Appointment.objects.count() == 1
    assert time.monotonic() - began < 30


def test_three_free_practitioners_serve_exactly_three_of_fifty():
    clinic = SmallClinic(practitioners=3)
    got = at_once(50, lambda number: clinic.hold(visitor=f"v{number}"))
    taken = [hold.practitioner for hold in successes(got, SlotTaken)]
    assert sorted(taken, key=lambda practitioner: practitioner.pk) == clinic.practitioners


def test_two_rooms_serve_two_whoever_is_free():
    clinic = SmallClinic(practitioners=5, rooms=2)
    got = at_once(20, lambda number: clinic.hold(visitor=f"v{number}"))
    assert {hold.room for hold in successes(got, SlotTaken)} == set(clinic.rooms)


@pytest.mark.slow
def test_a_thousand_overlapping_tries_leave_no_overlap():
    clinic = SmallClinic(
        grid_minutes=5, buffer_before=15, buffer_after=10, durations=[30, 45, 60], rooms=1
    )
    choices = random.Random(20)

    def twenty_tries(number):
        held = 0
        for start, duration in tries[number]:
            try:
                clinic.hold(start, duration=duration, visitor=f"v{number}")
                held += 1
            except SlotTaken:
                pass
        return held

    tries = [
        [
            (NINE + minutes(5 * choices.randrange(96)), choices.choice([30, 45, 60]))
            for _ in range(20)
        ]
        for _ in range(50)
    ]
    began = time.monotonic()
    held = sum(successes(at_once(50, twenty_tries)))
    assert time.monotonic() - began < 30
    assert held == Appointment.objects.count() >= 5
    assert overlaps() == []
    visits = list(Appointment.objects.order_by("start"))
    for visit, following in itertools.pairwise(visits):
        assert following.start - visit.end >= minutes(15)


def test_a_form_sent_twenty_times_at_once_holds_once():
    clinic = SmallClinic(practitioners=3)
    got = at_once(20, lambda number: clinic.hold(booking_key="k"))
    assert len({hold.pk for hold in successes(got)}) == 1
    assert Appointment.objects.count() == 1


def test_details_sent_twenty_times_at_once_book_once():
    hold = SmallClinic().hold()

    def book(number):
        with transaction.atomic():
            Appointment.objects.get(pk=hold.pk).book(patient=make_patient(), now=NOW)

    assert len(successes(at_once(20, book), InvalidTransition)) == 1
    assert Appointment.objects.get().patient.appointments.count() == 1


def test_two_who_swap_places_both_stay_and_neither_waits_for_the_other():
    clinic = SmallClinic(practitioners=2)
    visits = [clinic.book(practitioner=practitioner) for practitioner in clinic.practitioners]

    def move_to_the_other(number):
        Appointment.objects.get(pk=visits[number].pk).move(
            start=NINE, practitioner=clinic.practitioners[1 - number], now=NOW
        )

    assert successes(at_once(2, move_to_the_other), SlotTaken) == []
    for visit in visits:
        assert Appointment.objects.get(pk=visit.pk).practitioner == visit.practitioner


def test_of_many_moves_into_one_start_one_arrives_and_the_rest_stay():
    clinic = SmallClinic(practitioners=4)
    visits = [
        clinic.book(NINE + minutes(60 * hour), practitioner=practitioner)
        for practitioner in clinic.practitioners
        for hour in (1, 2, 3)
    ]

    def move(number):
        Appointment.objects.get(pk=visits[number].pk).move(
            start=NINE, practitioner=clinic.practitioners[0], now=NOW
        )

    assert len(successes(at_once(len(visits), move), SlotTaken)) == 1
    moved = [visit.pk for visit in visits if Appointment.objects.get(pk=visit.pk).sequence == 1]
    assert len(moved) == 1
    assert overlaps() == []


def test_moves_to_two_places_at_once_leave_one_visit_with_one_sequence_more():
    clinic = SmallClinic()
    visit = clinic.book()

    def move(number):
        start = NINE + minutes(90 * (number + 1))
        Appointment.objects.get(pk=visit.pk).move(start=start, now=NOW)

    arrived = len(successes(at_once(4, move), InvalidTransition))
    visit.refresh_from_db()
    assert visit.sequence == visit.moves == arrived >= 1


def test_moves_bookings_and_cancellations_together_leave_no_overlap():
    clinic = SmallClinic(practitioners=2, rooms=2, grid_minutes=30)
    visits = [
        clinic.book(NINE + minutes(60 * hour), practitioner=practitioner)
        for practitioner in clinic.practitioners
        for hour in range(4)
    ]
    choices = [random.Random(number) for number in range(12)]

    def ten_changes(number):
        choice = choices[number]
        for _ in range(10):
            start = NINE + minutes(30 * choice.randrange(12))
            visit = Appointment.objects.get(pk=choice.choice(visits).pk)
            try:
                match choice.randrange(4):
                    case 0:
                        clinic.hold(start, visitor=f"v{number}")
                    case 1:
                        visit.cancel(now=NOW)
                    case 2:
                        visit.restore(now=NOW)
                    case 3:
                        visit.move(
                            start=start, practitioner=choice.choice(clinic.practitioners), now=NOW
                        )
            except (SlotTaken, InvalidTransition):
                pass

    successes(at_once(12, ten_changes))
    assert overlaps() == []
    for visit in Appointment.objects.exclude(status=Status.PENDING):
        assert visit.status_changes.last().to_status == visit.status


def test_a_hold_that_ran_out_is_either_booked_or_replaced_never_both():
    for number in range(10):
        clinic = SmallClinic()
        lapsed, later = clinic.hold(), NOW + minutes(16)

        def book_or_replace(person, clinic=clinic, lapsed=lapsed, later=later):
            if person:
                return clinic.hold(visitor="w", now=later)
            return lapsed.book(patient=make_patient(), now=later)

        assert len(successes(at_once(2, book_or_replace), SlotTaken)) == 1, number
        assert Appointment.objects.filter(practitioner=clinic.practitioners[0]).count() == 1


def test_what_slips_in_past_the_lock_is_answered_politely():
    """A writer who takes no lock commits while a booking waits for the guard to judge it."""
    clinic = SmallClinic()
    rogue_wrote, rogue_may_commit = threading.Event(), threading.Event()

    def act(number):
        if number == 0:
            with transaction.atomic():
                make_appointment(practitioner=clinic.practitioners[0], start=NINE)
                rogue_wrote.set()
                rogue_may_commit.wait(timeout=5)
            return None
        rogue_wrote.wait(timeout=5)
        threading.Timer(0.3, rogue_may_commit.set).start()
        return clinic.hold()

    got = at_once(2, act)
    assert got[0] is None
    assert isinstance(got[1], SlotTaken)


@pytest.mark.postgresql
def test_a_deadlock_is_not_the_visitors_trouble():
    """Somebody locks the room first and the practitioner second; PostgreSQL ends our try."""
    clinic = SmallClinic(rooms=1)
    room_is_locked = threading.Event()

    def act(number):
        if number == 1:
            room_is_locked.wait(timeout=5)
            return clinic.hold()
        with transaction.atomic(), connection.cursor() as cursor:
            # Whoever waits longest for PostgreSQL to look for a deadlock is not the one to go.
            cursor.execute("SET LOCAL deadlock_timeout = '10s'")
            cursor.execute("SELECT FROM schedule_room FOR UPDATE")
            room_is_locked.set()
            time.sleep(0.5)
            cursor.execute("SELECT FROM clinic_practitioner FOR UPDATE")
        return None

    assert isinstance(at_once(2, act)[1], Appointment)


@pytest.mark.postgresql
def test_a_hold_that_moves_while_it_becomes_a_visit_stays_a_hold():
    """Its visitor chose again in another window; the mails would have gone by the former time."""
    clinic, later = SmallClinic(), NINE + minutes(60)
    hold = clinic.hold(booking_key="k")

    def choose_again_first(execute, sql, *args):
        if sql.startswith('UPDATE "booking_appointment"') and not chosen:
            chosen.extend(at_once(1, lambda _: clinic.hold(later, booking_key="k")))
        return execute(sql, *args)

    chosen = []
    with connection.execute_wrapper(choose_again_first), pytest.raises(InvalidTransition):
        hold.book(patient=make_patient(), now=NOW)

    assert [visit.start for visit in chosen] == [later]
    hold = Appointment.objects.get()
    assert (hold.status, hold.start) == (Status.PENDING, later)
    assert not Message.objects.exists()
