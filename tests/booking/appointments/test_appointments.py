from datetime import UTC, datetime, timedelta

import pytest

from booking.models import (
    TRANSITIONS,
    Appointment,
    InvalidTransition,
    SlotTaken,
    StatusChange,
    TooSoon,
)
from clinic.models import Message, Patient
from tests.booking.small_clinic import NINE, SmallClinic, minutes
from tests.factories import (
    NOW,
    make_appointment,
    make_clinician,
    make_hours,
    make_location,
    make_patient,
    make_response,
    make_user,
)

pytestmark = pytest.mark.django_db

Status = Appointment.Status
LATER = NOW + minutes(16)


@pytest.fixture
def clinic():
    return SmallClinic()


@pytest.fixture
def staff():
    return make_user()


def change(visit, to):
    """Call the verb that leads to the status."""
    match to:
        case Status.BOOKED if visit.status == Status.PENDING:
            visit.book(patient=make_patient(), now=NOW)
        case Status.BOOKED:
            visit.restore(now=NOW)
        case Status.ARRIVED:
            visit.mark_arrived(now=visit.start)
        case Status.FULFILLED:
            visit.fulfil(now=visit.start)
        case Status.CANCELLED:
            visit.cancel(now=NOW)
        case Status.NOSHOW:
            visit.mark_no_show(now=visit.start)
        case Status.ENTERED_IN_ERROR:
            visit.mark_entered_in_error(now=NOW, by=make_user(), reason="Wrong patient")


@pytest.mark.parametrize("to", [status for status in Status if status != Status.PENDING])
@pytest.mark.parametrize("came_from", Status)
def test_a_visit_goes_only_where_the_table_says(came_from, to):
    visit = make_appointment(status=came_from)
    if to in TRANSITIONS[came_from]:
        change(visit, to)
        assert visit.status == to
        recorded = StatusChange.objects.get(appointment=visit)
        assert (recorded.from_status, recorded.to_status) == (came_from, to)
    else:
        with pytest.raises(InvalidTransition):
            change(visit, to)
        assert not StatusChange.objects.exists()
    assert Appointment.objects.get().status == visit.status


def test_nobody_can_know_yet_how_a_visit_that_lies_ahead_went():
    visit = make_appointment()
    before = visit.start - timedelta(minutes=1)
    for verb in (visit.fulfil, visit.mark_no_show):
        with pytest.raises(TooSoon):
            verb(now=before)
    assert not StatusChange.objects.exists()
    visit.mark_no_show(now=visit.start)
    assert Appointment.objects.get().status == Status.NOSHOW


def test_whoever_comes_early_arrives_on_the_day_of_the_visit_at_its_place():
    # Nine in Denver on 2 June; there midnight is at 06:00 UTC.
    visit = make_appointment(
        location=make_location(time_zone="America/Denver"),
        start=datetime(2026, 6, 2, 15, tzinfo=UTC),
    )
    with pytest.raises(TooSoon):
        visit.mark_arrived(now=datetime(2026, 6, 2, 5, 59, tzinfo=UTC))
    visit.mark_arrived(now=datetime(2026, 6, 2, 6, tzinfo=UTC))
    assert visit.status == Status.ARRIVED


def test_a_visit_that_was_moved_ahead_meanwhile_is_judged_by_its_new_time(clinic, staff):
    stale = clinic.book()
    Appointment.objects.get().move(start=NINE + minutes(120), now=NOW, by=staff)
    with pytest.raises(TooSoon):
        stale.fulfil(now=NINE + minutes(30))


def test_nothing_becomes_a_hold():
    assert not any(Status.PENDING in targets for targets in TRANSITIONS.values())


def test_a_hold_is_booked_only_with_a_patient(clinic):
    with pytest.raises(InvalidTransition):
        clinic.hold().restore(now=NOW)


def test_who_changed_a_status_when_and_why_is_kept(clinic, staff):
    visit = clinic.book()
    visit.cancel(now=LATER, by=staff, reason="Has a cold")
    booked, cancelled = StatusChange.objects.filter(appointment=visit)
    assert (booked.from_status, booked.to_status, booked.at) == ("", Status.BOOKED, NOW)
    assert (cancelled.at, cancelled.by, cancelled.reason) == (LATER, staff, "Has a cold")


def test_a_verb_goes_by_what_the_database_says_now(clinic):
    visit = clinic.book()
    Appointment.objects.get().cancel(now=NOW)
    with pytest.raises(InvalidTransition):
        visit.mark_arrived(now=NOW)


def test_a_hold_keeps_its_time_for_fifteen_minutes(clinic):
    clinic.hold(now=NOW)
    assert 0 not in clinic.free(now=NOW + minutes(14))
    with pytest.raises(SlotTaken):
        clinic.hold(now=NOW + minutes(14), visitor="w")
    assert 0 in clinic.free(now=NOW + minutes(15))


def test_a_hold_that_ran_out_gives_way_and_cannot_be_booked_then(clinic):
    lapsed = clinic.hold()
    other = clinic.hold(now=LATER, visitor="w")
    assert list(Appointment.objects.all()) == [other]
    with pytest.raises(SlotTaken):
        lapsed.book(patient=make_patient(), now=LATER)


def test_a_hold_that_ran_out_is_booked_as_long_as_nobody_took_its_time(clinic):
    hold, patient = clinic.hold(), make_patient()
    hold.book(patient=patient, now=LATER)
    assert (hold.status, hold.patient, hold.held_until) == (Status.BOOKED, patient, None)


def test_a_hold_is_renewed_once(clinic):
    hold = clinic.hold()
    assert hold.renew_hold(now=NOW + minutes(10))
    assert not hold.renew_hold(now=NOW + minutes(20))
    assert 0 not in clinic.free(now=NOW + minutes(24))
    assert 0 in clinic.free(now=NOW + minutes(25))


def test_only_holds_that_ran_out_are_dropped(clinic):
    clinic.hold(NINE, now=NOW)
    visit = clinic.book(NINE + minutes(60))
    running = clinic.hold(NINE + minutes(120), now=NOW + minutes(10))
    assert Appointment.objects.drop_expired(now=LATER) == 1
    assert set(Appointment.objects.all()) == {visit, running}


def test_the_same_form_sent_twice_holds_once(clinic):
    first = clinic.hold(booking_key="k")
    assert clinic.hold(booking_key="k") == first
    first.book(patient=make_patient(), now=NOW)
    again = clinic.hold(booking_key="k")
    assert (again, again.status) == (first, Status.BOOKED)


def test_going_back_to_choose_another_time_moves_the_hold(clinic):
    first = clinic.hold(booking_key="k")
    again = clinic.hold(NINE + minutes(120), booking_key="k", now=LATER)
    assert Appointment.objects.get() == again == first
    assert (again.start, again.held_until) == (NINE + minutes(120), LATER + minutes(15))
    with pytest.raises(SlotTaken):
        clinic.hold(NINE + minutes(1), booking_key="k", now=LATER)
    assert Appointment.objects.get().start == NINE + minutes(120)


def test_somebody_elses_key_opens_nothing(clinic):
    clinic.hold(booking_key="k")
    with pytest.raises(SlotTaken):
        clinic.hold(NINE + minutes(120), booking_key="k", visitor="w")


def test_a_staff_form_sent_twice_books_once(clinic, staff):
    first = clinic.book(by=staff, booking_key="k")
    assert clinic.book(by=staff, booking_key="k") == first


@pytest.mark.parametrize(
    "start",
    [
        NINE + minutes(1),
        NINE + timedelta(seconds=30),
        NINE - minutes(75),
        NINE + minutes(435),
        NOW - minutes(60),
        NINE + timedelta(days=61),
    ],
    ids=["off the grid", "seconds", "before opening", "past closing", "past", "past the horizon"],
)
def test_a_start_that_was_never_offered_counts_as_taken(clinic, start):
    with pytest.raises(SlotTaken):
        clinic.hold(start)


def test_a_visit_over_a_clock_change_lasts_as_long_as_any_other(staff):
    clinic = SmallClinic(durations=[120])
    local = datetime(2026, 11, 1, 0, 30, tzinfo=clinic.location.zone)
    visit = clinic.book(local, by=staff, practitioner=clinic.practitioners[0], outside_hours=True)
    assert visit.start == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert visit.end == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


def test_a_length_that_is_not_offered_is_refused(clinic):
    with pytest.raises(ValueError, match="does not last 61 minutes"):
        clinic.hold(duration=61)


@pytest.mark.parametrize(
    ("offset", "is_free"), [(-60, True), (-45, False), (45, False), (60, True)]
)
def test_visits_may_touch_but_not_overlap(clinic, offset, is_free):
    clinic.book(NINE + minutes(120))
    if is_free:
        clinic.hold(NINE + minutes(120 + offset))
    else:
        with pytest.raises(SlotTaken):
            clinic.hold(NINE + minutes(120 + offset))


@pytest.mark.parametrize(
    ("offset", "is_free"), [(-75, True), (-60, False), (60, False), (75, True)]
)
def test_the_gap_between_visits_is_the_longer_buffer(offset, is_free):
    clinic = SmallClinic(buffer_before=15, buffer_after=10)
    clinic.book(NINE + minutes(120))
    if is_free:
        clinic.hold(NINE + minutes(120 + offset))
    else:
        with pytest.raises(SlotTaken):
            clinic.hold(NINE + minutes(120 + offset))


def test_any_practitioner_means_the_one_with_the_least_to_do_that_day():
    clinic = SmallClinic(practitioners=3)
    busy, idle, other = clinic.practitioners
    clinic.book(NINE + minutes(120), practitioner=busy)
    clinic.book(NINE + minutes(120), practitioner=other)
    make_appointment(practitioner=idle, start=NINE + timedelta(days=1))
    assert clinic.hold().practitioner == idle
    assert clinic.hold().practitioner == busy
    assert clinic.hold().practitioner == other
    with pytest.raises(SlotTaken):
        clinic.hold()


def test_staff_book_outside_opening_hours_with_somebody_they_name(clinic, staff):
    evening = NINE + timedelta(hours=10)
    with pytest.raises(SlotTaken):
        clinic.book(evening, by=staff)
    visit = clinic.book(evening, by=staff, practitioner=clinic.practitioners[0], outside_hours=True)
    assert (visit.status, visit.created_by) == (Status.BOOKED, staff)


def test_staff_are_not_held_to_notice_and_horizon(staff):
    clinic = SmallClinic(min_notice_minutes=2880, horizon_days=30)
    for start in (NINE, NINE + timedelta(days=40)):
        with pytest.raises(SlotTaken):
            clinic.book(start)
        clinic.book(start, by=staff)


def test_staff_book_over_a_visit_with_a_reason_and_patients_never(clinic, staff):
    clinic.book()
    over = {"practitioner": clinic.practitioners[0], "overlap_reason": "Twins"}
    with pytest.raises(ValueError, match="Only staff"):
        clinic.book(**over)
    visit = clinic.book(by=staff, **over)
    assert StatusChange.objects.get(appointment=visit).reason == "Twins"


def test_an_ordinary_visit_is_not_booked_over_one_that_overlaps_on_purpose(clinic, staff):
    clinic.book(by=staff, practitioner=clinic.practitioners[0], overlap_reason="Twins")
    with pytest.raises(SlotTaken):
        clinic.hold()
    assert 0 not in clinic.free()


def test_a_service_that_needs_a_room_has_as_many_visits_at_once_as_rooms():
    clinic = SmallClinic(practitioners=3, rooms=2)
    rooms = {clinic.book().room for _ in range(2)}
    assert rooms == set(clinic.rooms)
    with pytest.raises(SlotTaken):
        clinic.book()
    assert 0 not in clinic.free()
    assert clinic.free().count(60) == 3


def test_a_move_keeps_the_row_and_the_calendar_uid(clinic, staff):
    visit = clinic.book()
    before = Appointment.objects.get()
    visit.confirm(now=NOW)
    visit.move(start=NINE + minutes(30), now=NOW, by=staff, reason="Asked by phone")
    assert visit.start == NINE + minutes(30)
    assert visit.end == visit.busy_until == NINE + minutes(90)
    assert (visit.pk, visit.ical_uid) == (before.pk, before.ical_uid)
    assert (visit.sequence, visit.confirmed_at) == (1, None)
    assert visit.moves == 0  # those of staff are not counted
    last = StatusChange.objects.filter(appointment=visit).last()
    assert (last.to_status, last.by, last.reason) == (Status.BOOKED, staff, "Asked by phone")


def test_a_move_to_where_the_visit_is_changes_nothing(clinic):
    visit = clinic.book()
    visit.move(start=NINE, now=NOW)
    assert visit.sequence == 0


def test_a_move_into_taken_time_leaves_the_visit_where_it_was(clinic):
    visit, other = clinic.book(), clinic.book(NINE + minutes(120))
    with pytest.raises(SlotTaken):
        visit.move(start=other.start, now=NOW)
    assert visit.start == NINE
    assert Appointment.objects.get(pk=visit.pk).start == NINE


def test_only_a_booked_visit_moves(clinic):
    visit = clinic.book()
    visit.cancel(now=NOW)
    with pytest.raises(InvalidTransition):
        visit.move(start=NINE + minutes(60), now=NOW)


def test_what_a_cancellation_frees_can_be_taken_and_then_not_restored(clinic):
    visit = clinic.book()
    visit.cancel(now=NOW)
    visit.restore(now=NOW)
    visit.cancel(now=NOW)
    assert visit.sequence == 3
    clinic.book()
    with pytest.raises(SlotTaken):
        visit.restore(now=NOW)
    assert Appointment.objects.get(pk=visit.pk).status == Status.CANCELLED


def test_a_no_show_who_comes_after_all_is_refused_when_the_time_has_gone(clinic):
    visit = clinic.book()
    visit.mark_no_show(now=NINE + minutes(15))
    clinic.book(now=NOW)
    with pytest.raises(SlotTaken):
        visit.mark_arrived(now=NINE + minutes(20))


def test_validation_says_in_words_what_the_database_would_refuse(clinic):
    clinic.book()
    copy = Appointment.objects.get()
    copy.pk, copy.ical_uid = None, "another"
    with pytest.raises(SlotTaken) as refused:
        copy.clean()
    assert refused.value.code == "slot_taken"


def seen_by(account):
    return set(Patient.objects.in_care_of(account))


def test_a_clinician_has_a_patient_in_care_from_booking_on(clinic):
    account = make_clinician()
    clinic.service.practitioners.add(account.practitioner)
    make_hours(account.practitioner, clinic.location)
    named = {"practitioner": account.practitioner}

    hold, patient = clinic.hold(**named), make_patient()
    assert seen_by(account) == set()
    hold.book(patient=patient, now=NOW)
    assert seen_by(account) == {patient}
    hold.move(start=NINE, practitioner=clinic.practitioners[0], now=NOW)
    assert seen_by(account) == set()
    hold.move(start=NINE, now=NOW, **named)
    assert seen_by(account) == {patient}

    hold.cancel(now=NOW)
    assert seen_by(account) == set()
    hold.restore(now=NOW)
    clinic.book(NINE + minutes(120), patient=patient, **named)
    hold.cancel(now=NOW)
    assert seen_by(account) == {patient}


def waiting(visit):
    """The kinds of mail that are planned for the visit, reminders once."""
    return set(
        Message.objects.about(visit)
        .filter(state=Message.State.PLANNED, subject_version=visit.sequence)
        .values_list("kind", flat=True)
    )


def test_every_change_plans_the_mail_about_it(clinic, staff):
    visit = clinic.hold(NINE + timedelta(days=10))
    assert not Message.objects.exists()
    visit.book(patient=make_patient(), now=NOW)
    assert waiting(visit) == {"confirmation", "reminder", "rescreen"}
    visit.move(start=visit.start + minutes(60), now=NOW)
    assert waiting(visit) == {"moved", "reminder", "rescreen"}
    visit.cancel(now=NOW)
    assert waiting(visit) == {"cancelled"}
    visit.restore(now=NOW)
    # Of the first nothing has left yet.
    assert waiting(visit) == {"confirmation", "reminder", "rescreen"}
    visit.mark_entered_in_error(now=NOW, by=staff, reason="Wrong patient")
    assert waiting(visit) == set()


def test_an_arrival_taken_back_leaves_mails_and_calendars_as_they_were(clinic):
    visit = clinic.book()
    visit.mark_arrived(now=NINE)
    visit.restore(now=NINE)
    assert (visit.sequence, visit.arrived_at) == (0, None)
    assert waiting(visit) == {"confirmation", "reminder"}


def test_a_change_that_fails_plans_no_mail(clinic):
    visit, other = clinic.book(), clinic.book(NINE + minutes(120))
    with pytest.raises(SlotTaken):
        visit.move(start=other.start, now=NOW)
    assert waiting(visit) == {"confirmation", "reminder"}


def test_a_visit_takes_no_answers_of_another_patient():
    hold = make_appointment(status="pending", patient=None, held_until=NOW + timedelta(minutes=5))
    hold.book(
        patient=make_patient(), now=NOW, intake_response=make_response(patient=make_patient())
    )
    assert hold.intake_response is None
