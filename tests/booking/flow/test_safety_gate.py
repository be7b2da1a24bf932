from datetime import date, timedelta

import pytest
import time_machine

from booking.models import Appointment
from clinic.models import Message
from intake.models import QuestionnaireResponse, SafetyAlert
from intake.rules.levels import Level
from tests.booking.small_clinic import NINE
from tests.booking.visitor import (
    DETAILS,
    EMERGENCY,
    HEALTHY,
    SOON,
    URGENT,
    Visitor,
    as_patient,
    the_visit,
)
from tests.factories import (
    NOW,
    make_patient,
    make_practice,
    make_service,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


def test_nobody_sees_a_time_before_the_safety_check(visitor):
    response = visitor.client.get(visitor.slots_url)
    assert response["Location"] == "/book/safety/?service=pt-eval"


def test_the_gate_asks_the_safety_page_and_four_more_questions(visitor):
    form = visitor.client.get("/book/safety/?service=pt-eval").context["form"]
    asked = [name for name in form.questions if form.questions[name].is_shown]
    assert asked == list(HEALTHY)
    assert "/privacy/" in visitor.client.get("/book/safety/").content.decode()


def test_routine_answers_lead_straight_to_the_times(visitor):
    assert visitor.answer_gate()["Location"] == visitor.slots_url
    assert visitor.client.get(visitor.slots_url).status_code == 200


def test_answers_of_the_gate_are_kept_under_a_hash_of_the_visitors_token(visitor):
    visitor.answer_gate()
    answers = QuestionnaireResponse.objects.get()
    assert answers.patient is None
    assert answers.status == "in-progress"
    assert visitor.client.cookies["visitor"].value not in answers.visitor_hash
    assert len(answers.visitor_hash) == 64


def test_an_unanswered_question_comes_back_and_opens_nothing(visitor):
    response = visitor.answer_gate(safety_bone=None)
    assert response.status_code == 200
    assert "Please answer this question" in response.content.decode()
    assert visitor.client.get(visitor.slots_url).status_code == 302


def test_a_pregnant_visitor_is_asked_for_the_warning_signs(visitor):
    assert visitor.answer_gate(safety_pregnancy="pregnant").status_code == 200
    response = visitor.answer_gate(
        safety_pregnancy="pregnant", **{"safety-pregnancy-signs": "none"}
    )
    assert response.status_code == 302


def test_answers_a_day_old_are_asked_again(visitor):
    visitor.answer_gate()
    with time_machine.travel(NOW + timedelta(hours=25)):
        assert visitor.client.get(visitor.slots_url)["Location"].startswith("/book/safety/")


def test_a_known_patient_is_not_asked_what_we_know(visitor):
    as_patient(visitor.client, make_patient(birth_date=date(1985, 2, 3), phone="512 555 0177"))
    assert 'value="1985-02-03"' in visitor.client.get("/book/safety/").text
    response = visitor.answer_gate(**URGENT)
    assert 'value="512 555 0177"' in visitor.client.get(response["Location"]).text


def test_a_service_in_the_address_that_does_not_exist_is_ignored(visitor):
    assert visitor.client.get("/book/safety/?service=nonsense").status_code == 200


def test_an_emergency_answer_shows_what_to_do_at_once_with_a_code_for_staff(visitor):
    response = visitor.answer_gate(**EMERGENCY)
    assert response["Location"] == "/book/safety/emergency/"
    page = visitor.client.get(response["Location"]).content.decode()
    alert = SafetyAlert.objects.get()
    assert "Get emergency care now." in page
    assert 'href="tel:911"' in page
    assert alert.code in page
    assert alert.patient is None
    assert alert.level == Level.EMERGENCY
    assert "T-E1" in alert.rules
    assert "<input" not in page.split("<main")[1].split("</main>")[0]


def test_staff_are_mailed_about_the_alert_once_and_without_a_word_about_it(visitor):
    visitor.answer_gate(**EMERGENCY)
    visitor.answer_gate(**EMERGENCY)
    assert {message.kind for message in Message.objects.all()} == {"safety-alert"}
    assert Message.objects.filter(step="").count() == 1


@pytest.mark.parametrize(
    "field", ["phone", "emergency_number", "advice_line", "alert_email", "staffed_hours"]
)
def test_nothing_is_booked_before_the_clinic_can_help_in_an_emergency(visitor, field):
    visitor.answer_gate()
    make_practice(time_zone="America/Chicago", **{field: {} if field == "staffed_hours" else ""})
    for path in ("/book/", "/book/safety/", visitor.slots_url, visitor.details_url):
        response = visitor.client.get(path)
        assert response.status_code == 503
        assert "Online booking is not open yet" in response.text
    assert visitor.hold().status_code == 503
    assert not Appointment.objects.exists()


def test_a_danger_sign_counts_although_the_rest_was_left_out(visitor):
    response = visitor.client.post("/book/safety/", {"safety-nerve": "saddle-numb"})
    assert response["Location"] == "/book/safety/emergency/"
    assert SafetyAlert.objects.count() == 1


def test_a_pregnancy_warning_sign_sends_to_the_maternity_unit_first(visitor):
    response = visitor.answer_gate(
        safety_pregnancy="pregnant", **{"safety-pregnancy-signs": "bleeding"}
    )
    page = visitor.client.get(response["Location"]).content.decode()
    assert "Call your maternity unit" in page
    assert "You can show this page to the medical team" in page


def test_outside_staffed_hours_the_emergency_page_does_not_say_that_anybody_reads_it(visitor):
    visitor.answer_gate(**EMERGENCY)
    assert "Do not wait for us to call" in visitor.client.get("/book/safety/emergency/").text
    with time_machine.travel(NOW + timedelta(hours=14)):
        page = visitor.client.get("/book/safety/emergency/").text
    assert "No one here is reading your answers right now" in page


def every_booking_url(visitor):
    return [
        "/book/",
        "/book/safety/",
        "/book/safety/?service=pt-eval",
        "/book/safety/callback/",
        "/book/safety/result/",
        visitor.slots_url,
        f"{visitor.slots_url}?place={visitor.clinic.location.slug}&day=2026-06-02",
        visitor.details_url,
        "/book/no-such-service/",
    ]


def test_after_an_emergency_every_booking_url_leads_to_the_emergency_page(visitor):
    visitor.answer_gate()
    visitor.hold()
    visitor.answer_gate(**EMERGENCY)
    for url in every_booking_url(visitor):
        assert visitor.client.get(url).headers.get("Location") == "/book/safety/emergency/", url
        answer = visitor.client.post(url, visitor.choice() | HEALTHY | DETAILS | {"book": "1"})
        assert answer.headers.get("Location") == "/book/safety/emergency/", url
    assert not Appointment.objects.exclude(patient=None).exists()


def test_an_emergency_closes_booking_for_the_patient_who_holds_a_link(visitor):
    patient = make_patient()
    as_patient(visitor.client, patient)
    visitor.answer_gate(**EMERGENCY)
    elsewhere = Visitor(visitor.clinic)
    as_patient(elsewhere.client, patient)
    for url in every_booking_url(elsewhere):
        assert elsewhere.client.get(url).headers.get("Location") == "/book/safety/emergency/", url
    assert SafetyAlert.objects.get().patient == patient


def test_a_patient_with_an_emergency_cannot_move_a_visit(visitor):
    visitor.book_all_the_way()
    visit = the_visit()
    visitor.answer_gate(**EMERGENCY)
    response = visitor.client.get(f"/visits/{visit.pk}/move/")
    assert response.headers["Location"] == "/book/safety/emergency/"


def test_staff_reopen_booking_by_the_code(visitor):
    visitor.answer_gate(**EMERGENCY)
    SafetyAlert.objects.get().reopen_booking(by=make_user(), now=NOW)
    assert visitor.client.get("/book/safety/emergency/")["Location"] == "/book/"
    assert visitor.client.get(visitor.slots_url).status_code == 200


def test_another_visitor_is_not_touched_by_an_emergency(visitor):
    visitor.answer_gate(**EMERGENCY)
    other = Visitor(visitor.clinic)
    other.answer_gate()
    assert other.client.get(other.slots_url).status_code == 200


def test_urgent_answers_first_offer_to_leave_a_number(visitor):
    response = visitor.answer_gate(**URGENT)
    assert response["Location"] == "/book/safety/callback/?service=pt-eval"
    response = visitor.client.post(
        response["Location"], {"name": "Ana", "phone": "512 555 0123", "birth_date": "1990-05-24"}
    )
    alert = SafetyAlert.objects.get()
    assert (alert.callback_name, alert.callback_phone) == ("Ana", "512 555 0123")
    page = visitor.client.get(response["Location"]).content.decode()
    assert "We have told our team" in page
    assert "by 9:00 AM" in page


def test_without_a_number_nobody_promises_a_call(visitor):
    response = visitor.answer_gate(**URGENT)
    response = visitor.client.post(response["Location"], {})
    page = visitor.client.get(response["Location"]).content.decode()
    assert "We have told our team" not in page
    assert "we cannot call you" in page


def test_when_the_clinic_is_closed_nobody_promises_a_call(visitor):
    with time_machine.travel(NOW + timedelta(hours=14)):
        response = visitor.answer_gate(**URGENT)
        assert "We are closed now" in visitor.client.get(response["Location"]).text
        response = visitor.client.post(response["Location"], {"phone": "512 555 0123"})
        assert "We have told our team" not in visitor.client.get(response["Location"]).text


def test_a_wrong_number_is_named_at_the_field(visitor):
    response = visitor.client.post(visitor.answer_gate(**URGENT)["Location"], {"phone": "<script>"})
    assert response.status_code == 200
    assert "Enter a phone number" in response.content.decode()


def test_the_offer_to_call_is_for_urgent_answers_only(visitor):
    visitor.answer_gate()
    assert visitor.client.get("/book/safety/callback/").status_code == 302


def test_urgent_answers_open_today_and_tomorrow_only(visitor):
    visitor.answer_gate(**URGENT)
    picker = visitor.client.get(visitor.slots_url).context["picker"]
    assert {time.local.date() for time in picker.times} == {date(2026, 6, 1), date(2026, 6, 2)}
    assert visitor.hold(NINE + timedelta(days=1)).status_code == 409
    assert visitor.hold(NINE).status_code == 302


def test_answering_again_does_not_lower_an_urgent_level(visitor):
    visitor.answer_gate(**URGENT)
    visitor.answer_gate()
    picker = visitor.client.get(visitor.slots_url).context["picker"]
    assert max(time.local.date() for time in picker.times) == date(2026, 6, 2)
    assert SafetyAlert.objects.count() == 1


def test_a_service_closed_at_this_level_says_why_and_what_is_open(visitor):
    massage = make_service(slug="massage", practitioners=visitor.clinic.practitioners)
    visitor.answer_gate(**URGENT)
    other = Visitor(visitor.clinic, service=massage, client=visitor.client)
    response = other.client.get(other.slots_url)
    assert response["Location"] == "/book/safety/result/?service=massage"
    page = other.client.get(response["Location"]).content.decode()
    assert "this visit has to wait" in page
    assert "/book/pt-eval/" in page
    assert "/book/massage/" not in page.split("<main")[1]
    assert other.hold().status_code == 302
    assert not Appointment.objects.exists()


def test_soon_answers_open_the_next_three_working_days(visitor):
    visitor.answer_gate(**SOON)
    response = visitor.client.get(visitor.slots_url)
    last = max(time.local.date() for time in response.context["picker"].times)
    assert last == date(2026, 6, 4)
    assert "We would like to see you soon" in response.content.decode()
    assert visitor.hold(NINE + timedelta(days=3)).status_code == 409
