from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.core import mail
from django.test import Client

from booking.appointments.mail_schedule import is_rescreen_open
from booking.models import Appointment
from clinic.mail import outbox
from clinic.models import DeskTask, Message
from intake.answers import Answers
from intake.models import Questionnaire, QuestionnaireResponse, SafetyAlert
from intake.rules.levels import Level
from intake.workflow.answer_history import (
    CHECK_IN_URL,
    FOLLOW_UP_URL,
    INTAKE_URL,
    RESCREEN_URL,
    answers_before,
)
from intake.workflow.check_ins import ask_desk_if_worse, is_worse
from tests.booking.visitor import HEALTHY, as_patient
from tests.factories import (
    NOW,
    make_appointment,
    make_patient,
    make_practice,
    make_questionnaire,
    make_response,
    make_service,
    make_user,
    sign_in,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
SAFE = {name: value for name, value in HEALTHY.items() if name.startswith("safety-")}
WEEK = {"safety-nerve": "none", "pain-average": "4", "onset-trend": "same", "load-now": "12"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        make_practice()
        Questionnaire.objects.publish_shipped(now=NOW - timedelta(days=90))
        yield clock


@pytest.fixture
def visit():
    """A hands-on visit two days ahead, with the link's cookie in ``visit.client``."""
    visit = make_appointment(start=NOW + 2 * DAY, service=make_service(is_hands_on=True))
    visit.client = Client()
    as_patient(visit.client, visit.patient)
    return visit


@pytest.fixture
def seen(visit):
    """The same visit after it took place."""
    began = NOW - timedelta(hours=2)
    Appointment.objects.update(
        status=Appointment.Status.ARRIVED,
        start=began,
        end=began + timedelta(hours=1),
        busy_until=began + timedelta(hours=1),
    )
    seen = Appointment.objects.get()
    seen.fulfil(now=NOW, by=make_user())
    seen.client = visit.client
    return seen


def check_url(visit):
    return f"/visits/{visit.pk}/check/"


def week_url(visit):
    return f"/visits/{visit.pk}/week/"


def answered(url):
    return QuestionnaireResponse.objects.filter(questionnaire__url=url)


def mails(kind):
    return Message.objects.filter(kind=kind).order_by("due_at")


def give_intake(patient, *, given_at=NOW - 30 * DAY, url=INTAKE_URL, **answers):
    """A finished intake with numbers and codes in it."""
    questionnaire = Questionnaire.objects.get(url=url)

    def answer(value):
        if isinstance(value, bool):
            return {"valueBoolean": value}
        if isinstance(value, int):
            return {"valueInteger": value}
        return {"valueCoding": {"code": value}}

    return make_response(
        patient=patient,
        questionnaire=questionnaire,
        status=QuestionnaireResponse.Status.COMPLETED,
        submitted_at=given_at,
        items=[
            {"linkId": name.replace("_", "-"), "answer": [answer(value)]}
            for name, value in answers.items()
        ],
    )


def test_the_check_before_a_visit_is_mailed_alone_and_without_a_word_about_health(clock):
    patient = make_patient()
    visit = make_appointment(start=NOW + 5 * DAY, status="pending", held_until=NOW + DAY)
    visit.book(patient=patient, now=NOW)
    message = mails("rescreen").get()
    assert message.due_at == visit.start - timedelta(hours=36)
    outbox.tick(message.due_at)
    (sent,) = [one for one in mail.outbox if "One minute before" in one.subject]
    assert "/l/" in sent.body
    for word in ("pain", "back", "safety", "symptom"):
        assert word not in sent.body.lower().replace("backstride", "")


def test_a_visit_booked_too_late_for_the_check_owes_none():
    visit = make_appointment(start=NOW + DAY, status="pending", held_until=NOW + DAY)
    visit.book(patient=make_patient(), now=NOW)
    assert not mails("rescreen").exists()


def test_a_move_asks_again_before_the_new_time():
    visit = make_appointment(start=NOW + 5 * DAY)
    visit.move(
        start=NOW + 9 * DAY,
        now=NOW,
        by=make_user(),
        outside_hours=True,
        practitioner=visit.practitioner,
    )
    assert [m.due_at for m in mails("rescreen").filter(state="planned")] == [
        visit.start - timedelta(hours=36)
    ]


def test_following_the_link_changes_nothing_and_shows_nothing_that_was_answered(visit):
    give_intake(visit.patient, pain_worst=3)
    page = visit.client.get(check_url(visit))
    assert page.status_code == 200
    assert "checked" not in page.text
    assert not answered(RESCREEN_URL).exists()
    asked = [name for name, one in page.context["form"].questions.items() if one.is_shown]
    assert asked == list(SAFE)


def test_calm_answers_are_kept_beside_the_intake_and_change_no_visit(visit):
    intake = give_intake(visit.patient, pain_worst=3)
    response = visit.client.post(check_url(visit), SAFE)
    assert response["Location"] == check_url(visit)
    given = answered(RESCREEN_URL).get()
    assert (given.status, given.level) == ("completed", Level.ROUTINE)
    assert given.safety_answered_at == NOW
    visit.refresh_from_db()
    assert visit.rescreen_response == given
    assert visit.safety_hold_alert is None
    assert answered(INTAKE_URL).get() == intake
    assert "we have your answers" in visit.client.get(check_url(visit)).text


def test_an_unanswered_question_comes_back(visit):
    response = visit.client.post(check_url(visit), SAFE | {"safety-bone": []})
    assert response.status_code == 200
    assert "Please answer this question" in response.text
    assert answered(RESCREEN_URL).get().status == "in-progress"
    visit.client.post(check_url(visit), SAFE)
    assert answered(RESCREEN_URL).get().status == "completed"


def test_an_emergency_answer_shuts_booking_and_holds_the_visit_although_the_form_is_left(visit):
    response = visit.client.post(check_url(visit), {"safety-nerve": "saddle-numb"})
    assert response["Location"] == "/book/safety/emergency/"
    alert = SafetyAlert.objects.get()
    assert (alert.patient, alert.level) == (visit.patient, Level.EMERGENCY)
    visit.refresh_from_db()
    assert visit.safety_hold_alert == alert
    assert visit.status == Appointment.Status.BOOKED
    # The time stays taken, its mails wait, and no page of booking opens.
    assert list(Appointment.objects.occupying_time(now=NOW)) == [visit]
    for path in (check_url(visit), "/book/", "/book/safety/", f"/book/{visit.service.slug}/"):
        assert visit.client.get(path)["Location"] == "/book/safety/emergency/"


def test_urgent_answers_tell_the_team_and_the_patient(visit):
    visit.client.post(check_url(visit), SAFE | {"safety-illness": "fever"})
    assert SafetyAlert.objects.get().level == Level.URGENT
    page = visit.client.get(check_url(visit)).text
    assert "You need to be checked today" in page
    assert "tel:911" in page


def test_what_was_answered_is_not_asked_or_mailed_again(visit, clock):
    visit.client.post(check_url(visit), SAFE)
    again = visit.client.post(check_url(visit), SAFE | {"safety-illness": "fever"})
    assert "we have your answers" in again.text
    assert answered(RESCREEN_URL).count() == 1
    assert not SafetyAlert.objects.exists()


def test_a_check_is_not_answered_for_a_visit_that_was_called_off_or_is_over(visit, clock):
    clock.move_to(visit.start)
    as_patient(visit.client, visit.patient)
    assert visit.client.post(check_url(visit), SAFE)["Location"] == f"/visits/{visit.pk}/"
    Appointment.objects.update(status=Appointment.Status.CANCELLED)
    assert visit.client.get(check_url(visit))["Location"] == f"/visits/{visit.pk}/"
    assert not answered(RESCREEN_URL).exists()


def test_safety_answers_for_a_visit_do_not_open_booking_of_another(visit):
    """Fewer questions were asked than the gate asks, and a visit needs an intake of its own."""
    visit.client.post(check_url(visit), SAFE)
    location = visit.client.get(f"/book/{visit.service.slug}/")["Location"]
    assert location.startswith("/book/safety/")


def test_check_ins_are_owed_weekly_for_six_weeks_after_a_visit(seen):
    due = [message.due_at for message in mails("check-in")]
    assert due == [NOW + timedelta(weeks=week) for week in range(1, 7)]


def test_a_check_in_can_be_stopped_from_the_mail_and_reminders_still_come(seen, clock):
    first = mails("check-in").first()
    outbox.tick(first.due_at)
    (sent,) = mail.outbox
    assert sent.subject == "How was your week?"
    stop = sent.extra_headers["List-Unsubscribe"].strip("<>").replace("http://127.0.0.1:8000", "")
    assert "weekly questions" in Client().get(stop).text
    assert Client().post(stop).status_code == 200
    seen.patient.refresh_from_db()
    assert seen.patient.has_stopped("check-in")
    assert not seen.patient.has_stopped("reminder")
    outbox.tick(first.due_at + timedelta(weeks=1))
    assert len(mail.outbox) == 1
    # The link to stop them opens no page of the patient's.
    assert Client().get(stop.replace("/unsubscribe/", "/l/")).status_code == 404


def test_no_more_check_ins_after_the_next_visit_or_when_this_one_was_a_mistake(seen):
    make_appointment(patient=seen.patient, start=NOW + 3 * DAY, status="fulfilled")
    outbox.tick(mails("check-in").first().due_at)
    assert mails("check-in").filter(state="skipped", reason="seen-again").count() == 1
    seen.mark_entered_in_error(now=NOW, by=make_user(), reason="Wrong patient")
    assert not mails("check-in").filter(state="planned").exists()


def test_a_check_in_asks_four_questions_and_keeps_its_numbers(seen):
    page = seen.client.get(week_url(seen))
    shown = [name for name, one in page.context["form"].questions.items() if one.is_shown]
    assert shown == list(WEEK)
    assert seen.client.post(week_url(seen), WEEK)["Location"] == week_url(seen)
    given = answered(CHECK_IN_URL).get()
    assert given.status == "completed"
    assert dict(given.observations.values_list("code", "value")) == {
        "pain-average": 4,
        "load-now": 12,
    }


def test_distance_is_asked_in_the_unit_the_patient_counts_in(seen):
    give_intake(seen.patient, run_unit="mi")
    assert "mi" in seen.client.get(week_url(seen)).context["form"].questions["load-now"].unit
    seen.client.post(week_url(seen), WEEK | {"load-now": "10"})
    value = answered(CHECK_IN_URL).get().observations.get(code="load-now").value
    assert round(float(value), 2) == 16.09


def test_one_check_in_a_week_counts(seen, clock):
    seen.client.post(week_url(seen), WEEK)
    seen.client.post(week_url(seen), WEEK)
    assert answered(CHECK_IN_URL).count() == 1
    clock.move_to(NOW + timedelta(days=7))
    as_patient(seen.client, seen.patient)
    seen.client.post(week_url(seen), WEEK)
    assert answered(CHECK_IN_URL).count() == 2


def test_a_danger_sign_in_a_check_in_is_an_emergency_like_any_other(seen):
    coming = make_appointment(
        patient=seen.patient, start=NOW + 9 * DAY, service=make_service(is_hands_on=True)
    )
    response = seen.client.post(week_url(seen), {"safety-nerve": "bladder-leak"})
    assert response["Location"] == "/book/safety/emergency/"
    coming.refresh_from_db()
    assert coming.safety_hold_alert == SafetyAlert.objects.get()


def test_what_was_told_before_is_judged_together_with_a_check_in(seen):
    give_intake(seen.patient, onset_duration="w2-6", pain_worst=9)
    seen.client.post(week_url(seen), WEEK)
    given = answered(CHECK_IN_URL).get()
    assert given.level == Level.SOON
    assert "T-S13" in given.rules


def test_what_was_urgent_before_raises_no_alert_every_week(seen):
    give_intake(seen.patient, pain_now=9, pain_pattern="constant-same")
    seen.client.post(week_url(seen), WEEK)
    assert answered(CHECK_IN_URL).get().level == Level.URGENT
    assert not SafetyAlert.objects.exists()


def test_an_emergency_told_again_is_an_emergency_again(visit):
    give_intake(visit.patient, safety_nerve="saddle-numb")
    visit.client.post(check_url(visit), SAFE | {"safety-nerve": "saddle-numb"})
    visit.refresh_from_db()
    assert visit.safety_hold_alert == SafetyAlert.objects.get()


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"pain_average": 5}, {"pain_average": 5}, False),
        ({"pain_average": 7}, {"pain_average": 8}, False),
        ({"pain_average": 7}, {"pain_average": 9}, True),
        ({"pain_average": 3}, {"pain_average": 4}, True),
        ({"pain_average": 4}, {"pain_average": 5}, False),
        ({"pain_average": 0}, {"pain_average": 1}, False),
        ({"pain_average": 0}, {"pain_average": 2}, True),
        ({"pain_average": 6}, {"pain_average": 2}, False),
        ({}, {"pain_average": 9}, False),
        ({"pain_average": 6}, {"pain_average": 3, "onset_trend": "worse"}, True),
        ({"pain_average": 6}, {"onset_trend": "same"}, False),
    ],
)
def test_worse_is_a_clear_rise_of_average_pain_or_what_the_patient_says(before, now, expected):
    assert is_worse(Answers.of(**before), Answers.of(**now)) is expected


def test_doing_worse_asks_the_front_desk_once_and_tells_it_nothing_more(seen, clock):
    give_intake(seen.patient, pain_average=3)
    seen.client.post(week_url(seen), WEEK | {"pain-average": "6"})
    task = DeskTask.objects.get()
    assert (task.kind, task.patient) == (DeskTask.Kind.WORSE, seen.patient)
    clock.move_to(NOW + timedelta(days=7))
    as_patient(seen.client, seen.patient)
    seen.client.post(week_url(seen), WEEK | {"pain-average": "8"})
    assert DeskTask.objects.count() == 1


def test_staying_the_same_asks_nobody_anything(seen):
    give_intake(seen.patient, pain_average=4)
    seen.client.post(week_url(seen), WEEK)
    assert not DeskTask.objects.exists()


def test_somebody_elses_link_opens_neither_form(visit):
    stranger = Client()
    as_patient(stranger, make_patient())
    for url in (check_url(visit), week_url(visit)):
        assert stranger.get(url).status_code == 404
        assert stranger.post(url, SAFE).status_code == 404
        assert Client().get(url).status_code == 404
    assert not answered(RESCREEN_URL).exists()


@pytest.fixture
def progress_check(visit):
    follow_up = Questionnaire.objects.get(url=FOLLOW_UP_URL)
    visit.service.questionnaire = follow_up
    visit.service.save()
    return visit


def test_a_progress_check_asks_the_follow_up_and_carries_the_rest_over(progress_check):
    give_intake(progress_check.patient, onset_how="gradual", pain_average=3)
    client = progress_check.client
    url = f"/visits/{progress_check.pk}/intake/"
    assert client.get(url).status_code == 200
    first = client.get(f"{url}1/").context["form"]
    assert [name for name, one in first.questions.items() if one.is_shown] == list(SAFE)
    client.post(f"{url}1/", SAFE | {"_revision": "0"})
    begun = answered(FOLLOW_UP_URL).get()
    progress_check.refresh_from_db()
    assert progress_check.intake_response == begun
    titles = [page.text.default for page in begun.pages()]
    assert titles[0] == "Safety check"
    assert len(titles) == 10


def test_a_follow_up_that_is_worse_asks_the_front_desk(visit):
    give_intake(visit.patient, pain_average=3)
    follow_up = give_intake(visit.patient, url=FOLLOW_UP_URL, given_at=NOW, pain_average=7)
    before = answers_before(follow_up, visit.patient)
    ask_desk_if_worse(follow_up, before, now=NOW)
    assert DeskTask.objects.get().patient == visit.patient


def test_the_gate_s_answers_begin_an_intake_and_not_a_follow_up(progress_check):
    begun = make_response(questionnaire=Questionnaire.objects.get(url=INTAKE_URL))
    assert not progress_check.service.is_begun_by(begun)
    assert make_service().is_begun_by(begun)
    assert make_service(questionnaire=begun.questionnaire).is_begun_by(begun)
    other = make_questionnaire()
    assert make_service(questionnaire=other).is_begun_by(begun)


def test_an_emergency_told_by_phone_holds_the_visits_ahead(visit):
    """The path that no patient's page leads through: the desk asks, and the answer is bad."""
    desk = sign_in(Client(), make_user(is_staff=True))
    page = f"/admin/booking/appointment/{visit.patient_id}/questions/"
    wish = {"service": visit.service.pk, "location": visit.location.pk, "day": "2026-06-02"}
    answer = desk.post(f"{page}?{urlencode(wish)}", {"safety-nerve": "saddle-numb"})
    assert answer.status_code == 302
    visit.refresh_from_db()
    assert visit.safety_hold_alert == SafetyAlert.objects.get()


def test_answers_for_a_former_time_do_not_count_for_the_one_it_was_moved_to(visit, clock):
    visit.client.post(check_url(visit), SAFE)
    visit.move(start=visit.start + DAY, now=NOW, **by_staff(visit))
    assert "we have your answers" not in visit.client.get(check_url(visit)).text
    asks = mails("rescreen").get(state="planned")
    clock.move_to(asks.due_at)
    assert is_rescreen_open(visit, asks.due_at)
    outbox.tick(asks.due_at)
    asks.refresh_from_db()
    assert asks.state == "sent"
    as_patient(visit.client, visit.patient)
    visit.client.post(check_url(visit), SAFE)
    visit.refresh_from_db()
    assert visit.rescreen_response.submitted_at == asks.due_at
    assert not is_rescreen_open(visit, asks.due_at)


def test_answers_still_count_after_a_move_by_hours(visit):
    visit.client.post(check_url(visit), SAFE)
    visit.move(start=visit.start - timedelta(hours=2), now=NOW, **by_staff(visit))
    assert "we have your answers" in visit.client.get(check_url(visit)).text


def by_staff(visit):
    return {"by": make_user(), "outside_hours": True, "practitioner": visit.practitioner}


def test_a_safety_hold_ends_with_the_visit_and_keeps_no_check_in_back(visit, clock):
    Appointment.objects.filter(pk=visit.pk).update(
        safety_hold_alert=SafetyAlert.objects.create(
            patient=visit.patient, level=Level.EMERGENCY, raised_at=NOW
        )
    )
    clock.move_to(visit.end)
    visit.fulfil(now=visit.end, by=make_user())
    check_in = mails("check-in").first()
    outbox.tick(check_in.due_at)
    check_in.refresh_from_db()
    assert check_in.state == "sent"
