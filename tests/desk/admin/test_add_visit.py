"""A visit for a caller or walk-in, and moving one: times, overlaps and the red-flag questions."""

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine

from booking.mails import visit_mails
from booking.models import Appointment, StatusChange
from clinic.models import AuditEvent, Message, Patient
from desk.admin.starts import week
from intake.models import Questionnaire, QuestionnaireResponse, SafetyAlert
from intake.rules.levels import Level
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ADD = "/admin/booking/appointment/add/"
AUSTIN = ZoneInfo("America/Chicago")
# Tuesday in Austin.
TOMORROW = date(2026, 6, 2)


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOW, tick=False):
        yield NOW


@pytest.fixture
def desk(client):
    """The front desk's browser, with one practitioner who works 8 to 17 at one location."""
    make.make_practice()
    Questionnaire.objects.publish_shipped(now=NOW)
    client.user = make.make_user()
    client.location = make.make_location()
    client.practitioner = make.make_practitioner(locations=[client.location])
    client.service = make.make_service(practitioners=[client.practitioner])
    make.make_hours(client.practitioner, client.location)
    return make.sign_in(client, client.user)


def wish(desk, **changes):
    return {
        "service": desk.service.pk,
        "location": desk.location.pk,
        "day": TOMORROW.isoformat(),
    } | changes


def new_caller(**changes):
    return {
        "name": "Ana Ruiz",
        "phone": "+1 512 555 0123",
        "birth_date": "1988-02-29",
        "email": "",
        "language": "es",
    } | changes


def page(name, patient, desk, **changes):
    query = urlencode(wish(desk, **changes))
    return f"/admin/booking/appointment/{patient.pk}/{name}/?{query}"


def at(hour, minute=0, day=TOMORROW):
    return datetime.combine(day, time(hour, minute), AUSTIN).astimezone(UTC)


def listed(start):
    return {"booking_key": uuid4().hex, "start": start.isoformat()}


def named(desk, *, hour, reason="", day=TOMORROW):
    return {
        "booking_key": uuid4().hex,
        "on": day.isoformat(),
        "at": f"{hour:02}:00",
        "practitioner": desk.practitioner.pk,
        "overlap_reason": reason,
    }


def note(text="The caller hung up"):
    return {"phone_screen_note": text}


def ask(desk, patient, **answers):
    """Answer the questions by phone: every one with its last option unless told otherwise."""
    path = page("questions", patient, desk)
    form = desk.get(path).context["form"]
    posted = {"_asked": form.asked}
    for name, field in form.fields.items():
        options = [value for value, _label in getattr(field, "choices", []) if value]
        if options and form.questions[name].is_shown:
            posted[name] = calm(name, options)
    return desk.post(path, posted | answers)


def calm(name, options):
    return next((value for value in options if value in {"none", "no"}), options[-1])


def test_somebody_new_needs_name_phone_and_birth_date_and_no_email(desk):
    response = desk.post(ADD, wish(desk))
    assert {"name", "phone", "birth_date"} <= set(response.context["form"].errors)
    response = desk.post(ADD, wish(desk) | new_caller())
    patient = Patient.objects.get(name="Ana Ruiz")
    assert response["Location"] == page("questions", patient, desk)
    assert (patient.email, patient.language) == ("", "es")
    created = AuditEvent.objects.get(action=AuditEvent.Action.CREATE)
    assert created.patient_id == patient.pk


def test_the_address_of_the_next_page_carries_keys_only(desk):
    location = desk.post(ADD, wish(desk) | new_caller())["Location"]
    assert "Ana" not in location
    assert "512" not in location
    assert "1988" not in location


def test_somebody_known_is_not_made_twice_by_accident(desk):
    known = make.make_patient(name="Ana Ruiz", birth_date=date(1988, 2, 29), phone="other")
    response = desk.post(ADD, wish(desk) | new_caller())
    assert "Already here: Ana Ruiz" in str(response.context["form"].errors["patient"])
    assert Patient.objects.count() == 1
    desk.post(ADD, wish(desk) | new_caller(is_new="on"))
    assert Patient.objects.count() == 2
    response = desk.post(ADD, wish(desk, patient=known.pk, language="en"))
    assert str(known.pk) in response["Location"]


@pytest.mark.parametrize("birth_date", ["2026-06-02", "1899-12-31", "31.1.1990"])
def test_a_birth_date_that_cannot_be_is_refused(desk, birth_date):
    response = desk.post(ADD, wish(desk) | new_caller(birth_date=birth_date))
    assert "birth_date" in response.context["form"].errors


def test_a_practitioner_who_does_not_offer_the_service_is_refused(desk):
    other = make.make_practitioner()
    response = desk.post(ADD, wish(desk, practitioner=other.pk) | new_caller())
    assert "practitioner" in response.context["form"].errors


def test_the_questions_asked_by_phone_become_answers_of_the_patient(desk):
    patient = make.make_patient()
    assert ask(desk, patient)["Location"] == page("times", patient, desk)
    response = QuestionnaireResponse.objects.get()
    assert response.patient == patient
    assert response.status == QuestionnaireResponse.Status.IN_PROGRESS
    assert response.safety_answered_at == NOW
    desk.post(page("times", patient, desk), listed(at(9)))
    assert Appointment.objects.get().intake_response == response


def test_half_the_questions_do_not_lead_on(desk):
    patient = make.make_patient()
    path = page("questions", patient, desk)
    form = desk.get(path).context["form"]
    response = desk.post(path, {"_asked": form.asked})
    assert response.status_code == 200
    assert response.context["form"].errors


def test_an_emergency_stops_the_booking_and_says_what_to_tell_the_caller(desk):
    patient = make.make_patient()
    response = ask(desk, patient, **{"safety-nerve": ["saddle-numb"]})
    alert = SafetyAlert.objects.get()
    assert (alert.patient, alert.level) == (patient, Level.EMERGENCY)
    shown = desk.get(response["Location"]).content.decode()
    assert "Call 911" in shown
    assert "No one here is reading" not in shown
    assert alert.code in shown
    assert 'name="start"' not in shown
    desk.post(response["Location"], listed(at(9)) | note())
    assert not Appointment.objects.exists()


def test_a_danger_sign_counts_although_another_question_was_left_out(desk):
    patient = make.make_patient()
    path = page("questions", patient, desk)
    form = desk.get(path).context["form"]
    response = desk.post(path, {"_asked": form.asked, "safety-nerve": ["saddle-numb"]})
    assert response.status_code == 302
    assert SafetyAlert.objects.get().level == Level.EMERGENCY


def test_after_staff_reopened_booking_the_visit_can_be_booked(desk):
    patient = make.make_patient()
    ask(desk, patient, **{"safety-nerve": ["saddle-numb"]})
    SafetyAlert.objects.get().reopen_booking(by=desk.user, now=NOW)
    desk.post(page("times", patient, desk), listed(at(9)) | note("A clinician spoke with them"))
    assert Appointment.objects.get().patient == patient


def test_not_asking_takes_a_typed_reason(desk):
    patient = make.make_patient()
    path = page("times", patient, desk)
    response = desk.post(path, listed(at(9)))
    assert "phone_screen_note" in response.context["form"].errors
    assert not Appointment.objects.exists()
    desk.post(path, listed(at(9)) | note())
    assert Appointment.objects.get().phone_screen_note == "The caller hung up"


def test_booking_takes_a_listed_time_and_plans_the_mails(desk):
    patient = make.make_patient()
    path = page("times", patient, desk)
    days = desk.get(path).context["week"]
    assert days[0].date == TOMORROW
    assert days[0].starts[0].local.time() == time(8)
    response = desk.post(path, listed(at(9)) | note())
    visit = Appointment.objects.get()
    assert response["Location"] == f"/admin/booking/appointment/{visit.pk}/change/"
    assert (visit.patient, visit.start, visit.created_by) == (patient, at(9), desk.user)
    assert Message.objects.about(visit).filter(kind=visit_mails.CONFIRMATION).exists()
    assert AuditEvent.objects.filter(
        action=AuditEvent.Action.CREATE, subject_type="booking.appointment"
    ).exists()


def test_the_same_form_twice_books_once(desk):
    patient = make.make_patient()
    form = listed(at(9)) | note()
    for _ in range(2):
        assert desk.post(page("times", patient, desk), form).status_code == 302
    assert Appointment.objects.count() == 1
    assert Message.objects.filter(kind=visit_mails.CONFIRMATION).count() == 1


def test_a_time_taken_meanwhile_is_409_and_keeps_what_was_typed(desk):
    make.make_appointment(
        start=at(9), practitioner=desk.practitioner, location=desk.location, service=desk.service
    )
    response = desk.post(page("times", make.make_patient(), desk), listed(at(9)) | note())
    assert response.status_code == 409
    assert "just taken" in response.content.decode()
    assert "The caller hung up" in response.content.decode()
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize("start", ["tomorrow", "2026-06-02T09:00:00", "2026-06-02T14:00:00Z x"])
def test_a_start_that_no_page_offered_is_refused(desk, start):
    posted = {"booking_key": uuid4().hex, "start": start} | note()
    response = desk.post(page("times", make.make_patient(), desk), posted)
    assert "start" in response.context["form"].errors
    assert not Appointment.objects.exists()


def test_staff_book_outside_opening_hours(desk):
    desk.post(page("times", make.make_patient(), desk), named(desk, hour=19) | note())
    visit = Appointment.objects.get()
    assert (visit.start, visit.overlap_reason) == (at(19), "")


def test_over_another_visit_only_with_a_typed_reason_which_is_recorded(desk):
    make.make_appointment(
        start=at(9), practitioner=desk.practitioner, location=desk.location, service=desk.service
    )
    patient = make.make_patient()
    path = page("times", patient, desk)
    response = desk.post(path, named(desk, hour=9) | note())
    assert response.status_code == 409
    assert "overlap_reason" in response.context["form"].errors
    desk.post(path, named(desk, hour=9, reason="Siblings, seen together") | note())
    visit = Appointment.objects.get(patient=patient)
    assert visit.overlap_reason == "Siblings, seen together"
    assert StatusChange.objects.get(appointment=visit).reason == "Siblings, seen together"


def test_a_reason_without_an_overlap_is_not_kept(desk):
    desk.post(page("times", make.make_patient(), desk), named(desk, hour=9, reason="x") | note())
    assert Appointment.objects.get().overlap_reason == ""


def test_a_time_that_the_clock_change_skips_is_refused(desk):
    spring_forward = date(2027, 3, 14)
    response = desk.post(
        page("times", make.make_patient(), desk), named(desk, hour=2, day=spring_forward) | note()
    )
    assert "at" in response.context["form"].errors


def test_whoever_is_free_is_said_by_name_or_by_number(desk):
    second = make.make_practitioner(name="Zoe", locations=[desk.location])
    desk.service.practitioners.add(second)
    make.make_hours(second, desk.location, opens=time(9))
    days = week(service=desk.service, location=desk.location, first=TOMORROW, now=NOW)
    names = {start.local.time(): len(start.names) for start in days[0].starts}
    assert (names[time(8)], names[time(9)]) == (1, 2)


def test_the_list_takes_no_more_queries_for_a_full_week(desk, django_assert_num_queries):
    def look():
        week(service=desk.service, location=desk.location, first=TOMORROW, now=NOW)

    look()
    with django_assert_num_queries(5):
        look()
    for hour in (9, 11, 13):
        make.make_appointment(
            start=at(hour), practitioner=desk.practitioner, location=desk.location
        )
    look()
    with django_assert_num_queries(5):
        look()


@pytest.mark.parametrize("name", ["questions", "times"])
def test_an_incomplete_wish_starts_over_and_an_unknown_patient_is_404(desk, name):
    patient = make.make_patient()
    response = desk.get(f"/admin/booking/appointment/{patient.pk}/{name}/")
    assert response["Location"] == f"{ADD}?patient={patient.pk}"
    assert desk.get(f"/admin/booking/appointment/{uuid4()}/{name}/").status_code == 404


def make_visit(desk, start=None, **fields):
    return make.make_appointment(
        start=start or at(9),
        practitioner=desk.practitioner,
        location=desk.location,
        service=desk.service,
        **fields,
    )


def move_page(visit):
    return f"/admin/booking/appointment/{visit.pk}/move/"


def test_moving_lists_free_times_and_keeps_the_row(desk):
    visit = make_visit(desk)
    shown = desk.get(move_page(visit))
    starts = [start.local.time() for start in shown.context["week"][0].starts]
    assert time(8, 30) in starts
    response = desk.post(move_page(visit), listed(at(14)) | {"notify_patient": "on"})
    assert response["Location"] == f"/admin/booking/appointment/{visit.pk}/change/"
    visit.refresh_from_db()
    assert (visit.start, visit.sequence, visit.practitioner) == (at(14), 1, desk.practitioner)
    assert Message.objects.about(visit).filter(kind=visit_mails.MOVED).exists()
    assert AuditEvent.objects.filter(
        action=AuditEvent.Action.CHANGE, subject_id=str(visit.pk), fields=["start"]
    ).exists()


def test_where_a_visit_stands_is_no_time_to_move_it_to(desk):
    visit = make_visit(desk)
    other = make.make_practitioner(name="Zoe", locations=[desk.location])
    desk.service.practitioners.add(other)
    make.make_hours(other, desk.location)
    shown = desk.get(f"{move_page(visit)}?practitioner=")
    at_nine = [s.names for s in shown.context["week"][0].starts if s.local.time() == time(9)]
    assert at_nine == [("Zoe",)]
    said = desk.post(move_page(visit), named(desk, hour=9), follow=True).content.decode()
    assert "at this time already" in said
    assert "Take it back" not in said
    visit.refresh_from_db()
    assert visit.sequence == 0


def test_moving_to_whoever_is_free_takes_the_one_that_was_named(desk):
    visit = make_visit(desk)
    other = make.make_practitioner(name="Zoe", locations=[desk.location])
    desk.service.practitioners.add(other)
    make.make_hours(other, desk.location)
    shown = desk.get(f"{move_page(visit)}?practitioner=")
    start = next(s for s in shown.context["week"][0].starts if s.names == ("Zoe",))
    desk.post(f"{move_page(visit)}?practitioner=", {"booking_key": "k", "start": start.value})
    visit.refresh_from_db()
    assert visit.practitioner == other


def test_a_move_onto_a_taken_time_leaves_the_visit_where_it_was(desk):
    visit, _other = make_visit(desk), make_visit(desk, start=at(11))
    assert desk.post(move_page(visit), listed(at(11))).status_code == 409
    assert desk.post(move_page(visit), named(desk, hour=11)).status_code == 409
    visit.refresh_from_db()
    assert (visit.start, visit.sequence) == (at(9), 0)
    desk.post(move_page(visit), named(desk, hour=11, reason="Asked for it"))
    visit.refresh_from_db()
    assert (visit.start, visit.overlap_reason) == (at(11), "Asked for it")


def test_only_a_booked_visit_is_moved(desk):
    visit = make_visit(desk, status=Appointment.Status.FULFILLED)
    response = desk.post(move_page(visit), listed(at(14)))
    assert response["Location"] == f"/admin/booking/appointment/{visit.pk}/change/"
    visit.refresh_from_db()
    assert visit.start == at(9)


def test_a_visit_is_moved_to_another_location_with_its_clock(desk):
    el_paso = make.make_location(time_zone="America/Denver")
    make.make_hours(desk.practitioner, el_paso, opens=time(17), closes=time(20))
    visit = make_visit(desk)
    path = f"{move_page(visit)}?{urlencode({'location': el_paso.pk})}"
    first = desk.get(path).context["week"][0].starts[0]
    assert (first.local.time(), first.local.tzname()) == (time(17), "MDT")
    desk.post(path, {"booking_key": "k", "start": first.value})
    visit.refresh_from_db()
    assert (visit.location, visit.time_zone) == (el_paso, "America/Denver")


def test_past_times_are_not_listed(desk):
    with time_machine.travel(at(12), tick=False):
        make.sign_in(desk, desk.user)
        days = week(service=desk.service, location=desk.location, first=TOMORROW, now=at(12))
    assert days[0].starts[0].local.time() == time(12)
    assert days[0].starts[0].local - days[1].starts[0].local == timedelta(hours=-20)


def test_staff_see_which_times_no_patient_is_offered_and_are_told_after_booking_one(desk):
    make.make_reserved_time(desk.practitioner, desk.location)
    make.make_limit(service=desk.service, most=1)
    times = page("times", make.make_patient(), desk)
    assert desk.get(times).content.decode().count("reserved, or over a limit") == 7
    shown = desk.post(times, listed(at(9)) | note(), follow=True).content.decode()
    assert "This time was kept for patients who have to be seen soon." in shown
    assert "limit allows" not in shown
    times = page("times", make.make_patient(), desk)
    shown = desk.post(times, listed(at(12)) | note(), follow=True).content.decode()
    assert "This is more visits than the limit allows." in shown
    assert "kept for patients" not in shown
