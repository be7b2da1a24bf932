"""After a few bookings from one place the mailbox has to answer before a hold becomes a visit."""

import re
from datetime import timedelta

import pytest
import time_machine

from booking.models import Appointment, UnconfirmedBooking
from clinic.mail import outbox
from clinic.models import DeskTask, Link, Message, Patient, RateLimit
from desk.tasks import sweep
from intake.models import Questionnaire, QuestionnaireResponse
from intake.rules.levels import Level
from intake.workflow.answer_history import FOLLOW_UP_URL
from schedule.models import VisitLimit
from tests.booking.small_clinic import NINE
from tests.booking.visitor import EMERGENCY, URGENT, Visitor, open_clinic
from tests.factories import NOW, make_appointment, make_patient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

A_DAY = timedelta(days=1)


@pytest.fixture
def visitor():
    return Visitor(open_clinic(practitioners=8))


def book_again(visitor, number, **details):
    """One more booking in the same browser, for somebody else."""
    again = Visitor(visitor.clinic)
    again.client.cookies = visitor.client.cookies
    again.client.cookies.pop("grant", None)
    return again, again.book_all_the_way(NINE + number * A_DAY, **details)


@pytest.fixture
def asked(visitor):
    """The third booking of one browser in a day, which waits for the mail."""
    for number in range(2):
        _again, response = book_again(visitor, number)
        assert response["Location"].startswith("/visits/")
    third, response = book_again(visitor, 2, name="Cy Third", email="cy@example.org")
    assert response["Location"] == "/book/confirm/"
    third.clinic = visitor.clinic
    return third


def mailed_link():
    """Send what is owed; return the path of the link in the mail that asks to confirm."""
    outbox.tick(NOW)
    message = Message.objects.get(kind="address-check", state="sent")
    asked = UnconfirmedBooking.objects.get(pk=message.subject_id)
    return f"/book/confirm/{asked.token}/"


def main_of(response):
    page = response.content.decode().split("<main")[1].split("</main>")[0]
    return re.sub(r'(nonce|value)="[^"]*"', "", page)


def test_the_third_booking_of_a_day_is_kept_for_an_hour_and_asks_the_mailbox(asked, mailoutbox):
    held = Appointment.objects.get(status="pending")
    assert held.held_until == NOW + timedelta(minutes=60)
    assert held.patient is None
    assert not Patient.objects.filter(name="Cy Third").exists()
    page = asked.client.get("/book/confirm/").content.decode()
    assert "look in your mail" in page
    assert "cy@example.org" in page
    path = mailed_link()
    (mail,) = [mail for mail in mailoutbox if mail.to == ["cy@example.org"]]
    assert path in mail.body
    assert "Third" not in mail.body


def test_the_link_shows_the_time_and_only_its_button_books(asked):
    path, client = mailed_link(), Visitor(asked.clinic).client
    for _ in range(3):
        page = client.get(path)
        assert page.status_code == 200
        assert "Book this visit?" in page.content.decode()
        assert page["Referrer-Policy"] == "strict-origin"
        assert "no-store" in page["Cache-Control"]
    assert not Patient.objects.filter(name="Cy Third").exists()
    response = client.post(path)
    visit = Appointment.objects.get(patient__name="Cy Third")
    assert response["Location"] == f"/visits/{visit.pk}/"
    assert visit.status == "booked"
    assert visit.intake_response.patient == visit.patient
    assert client.get(response["Location"]).status_code == 200
    assert Message.objects.filter(kind="confirmation", patient=visit.patient).count() == 1
    # What was typed is the patient's now, and stands nowhere else.
    assert UnconfirmedBooking.objects.get().details == {}


def test_pressed_twice_it_books_once_and_leads_to_the_same_page(asked):
    path, client = mailed_link(), Visitor(asked.clinic).client
    assert len({client.post(path)["Location"] for _ in range(2)}) == 1
    assert "See your visit" in client.get(path).content.decode()
    assert Patient.objects.filter(name="Cy Third").count() == 1


def test_a_mailbox_alone_does_not_open_the_answers(asked):
    path = mailed_link()
    grants = Link.objects.filter(patient__name="Cy Third")
    asked.client.post(path)
    assert [grant.is_mailed for grant in grants] == [False]
    Visitor(asked.clinic).client.post(path)
    assert sorted(grant.is_mailed for grant in grants.all()) == [False, True]


def test_nothing_of_it_is_left_when_nobody_confirms(asked):
    path = mailed_link()
    later = NOW + timedelta(minutes=61)
    with time_machine.travel(later, tick=False):
        sweep()
        assert Visitor(asked.clinic).client.get(path).status_code == 404
        assert Visitor(asked.clinic).client.post(path).status_code == 404
    assert not UnconfirmedBooking.objects.exists()
    with time_machine.travel(NOW + timedelta(hours=25), tick=False):
        sweep()
    assert not QuestionnaireResponse.objects.filter(patient=None).exists()


def test_the_kept_time_is_nobody_elses_and_choosing_again_does_not_move_it(asked):
    held = Appointment.objects.get(status="pending")
    response = asked.hold(NINE + 3 * A_DAY)
    assert response["Location"] == asked.slots_url or response.status_code == 302
    held.refresh_from_db()
    assert held.start == NINE + 2 * A_DAY


def test_the_same_form_sent_again_leads_to_the_same_page(asked):
    assert asked.book(NINE + 2 * A_DAY)["Location"] == "/book/confirm/"
    assert UnconfirmedBooking.objects.count() == 1
    assert Message.objects.filter(kind="address-check").count() == 1


def test_answers_that_got_worse_meanwhile_count_when_it_is_confirmed(asked):
    path = mailed_link()
    response = Appointment.objects.get(status="pending").intake_response
    response.items = QuestionnaireResponse.objects.get(pk=worse_answers(asked)).items
    response.save()
    answer = Visitor(asked.clinic).client.post(path)
    assert answer.status_code == 409
    assert "tel:" in answer.content.decode()
    assert not Patient.objects.filter(name="Cy Third").exists()


def worse_answers(asked):
    other = Visitor(asked.clinic)
    other.answer_gate(**URGENT)
    return QuestionnaireResponse.objects.get(level=Level.URGENT).pk


def test_a_proven_address_with_many_open_visits_is_told_to_call(asked):
    for number in range(6):
        make_appointment(
            patient=make_patient(email="CY@example.org"), start=NOW + (number + 9) * A_DAY
        )
    answer = Visitor(asked.clinic).client.post(mailed_link())
    assert answer.status_code == 429
    assert answer["Retry-After"]
    assert "Several visits are open for this e-mail" in answer.content.decode()


@pytest.mark.parametrize("open_visits", [0, 1, 3, 6])
def test_a_booking_shows_nothing_of_what_the_address_has(visitor, open_visits):
    """The same visitor, with and without patients and visits at the address they name."""
    for number in range(open_visits):
        make_appointment(
            patient=make_patient(email="known@example.org"), start=NOW + (number + 9) * A_DAY
        )
    first = visitor.book_all_the_way(NINE, email="known@example.org")
    assert first.status_code == 302
    assert first["Location"].startswith("/visits/")
    # Not the visitor but the front desk is told, and can ask.
    tasks = DeskTask.objects.filter(kind=DeskTask.Kind.MANY_VISITS)
    assert tasks.count() == (1 if open_visits >= 3 else 0)


def test_the_page_that_asks_for_the_mailbox_is_the_same_for_every_address(visitor):
    for day in range(9, 13):
        known = make_patient(email="known@example.org")
        make_appointment(patient=known, start=NOW + day * A_DAY)
    for number in range(2):
        book_again(visitor, number)
    answers = []
    for number, email in ((2, "known@example.org"), (3, "other@example.org")):
        with time_machine.travel(NOW + timedelta(seconds=number), tick=False):
            again, response = book_again(visitor, number, email=email)
            page = main_of(again.client.get(response["Location"]))
        same = page.replace(email, "EMAIL").replace("Thursday, June 4", "DAY")
        answers.append((response.status_code, same.replace("Friday, June 5", "DAY")))
    assert answers[0] == answers[1]
    assert "EMAIL" in answers[0][1]


def test_many_browsers_behind_one_address_are_asked_for_their_mailbox(visitor):
    answers = []
    for number in range(12):
        guest = Visitor(visitor.clinic)
        answers.append(guest.book_all_the_way(NINE + number * A_DAY)["Location"])
    assert all(answer.startswith("/visits/") for answer in answers[:10])
    assert answers[10:] == ["/book/confirm/"] * 2
    # Another network is none the worse for it.
    elsewhere = Visitor(visitor.clinic, REMOTE_ADDR="198.51.100.7")
    assert elsewhere.book_all_the_way(NINE + 13 * A_DAY)["Location"].startswith("/visits/")


def test_a_browser_that_books_for_itself_again_is_asked_too_and_keeps_its_patient(visitor):
    for number in range(2):
        again = Visitor(visitor.clinic, client=visitor.client)
        assert again.book_all_the_way(NINE + number * A_DAY)["Location"].startswith("/visits/")
    again = Visitor(visitor.clinic, client=visitor.client)
    assert again.book_all_the_way(NINE + 2 * A_DAY)["Location"] == "/book/confirm/"
    visitor.client.post(mailed_link())
    assert Patient.objects.get().appointments.filter(status="booked").count() == 3


def test_links_asked_for_without_end_are_429_and_hold_nothing(visitor):
    for _number in range(10):
        RateLimit.objects.filter(key__startswith="hold").delete()
    for number in range(20):
        guest = Visitor(visitor.clinic)
        guest.book_all_the_way(NINE + number * A_DAY)
    guest = Visitor(visitor.clinic)
    answer = guest.book_all_the_way(NINE + 21 * A_DAY)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert UnconfirmedBooking.objects.count() == 10


@pytest.mark.parametrize("token", ["x", "a" * 43, "../../etc", "é" * 43])
def test_a_token_that_nobody_was_given_is_a_neutral_404(visitor, token):
    for method in ("get", "head", "post"):
        assert getattr(visitor.client, method)(f"/book/confirm/{token}/").status_code == 404


def test_a_program_that_fills_in_every_field_sees_the_same_page_and_stores_nothing(visitor):
    visitor.answer_gate()
    visitor.hold()
    response = visitor.book(website="https://spam.example")
    assert response["Location"] == "/book/confirm/"
    assert "look in your mail" in visitor.client.get("/book/confirm/").content.decode()
    assert not Patient.objects.exists()
    assert not Message.objects.exists()
    assert not UnconfirmedBooking.objects.exists()


def test_a_program_that_asks_for_links_sees_the_same_page_and_stores_nothing(visitor):
    make_patient(email="ana@example.org")
    person = visitor.client.post("/my-visits/", {"email": "ana@example.org", "website": ""})
    Message.objects.all().delete()
    program = visitor.client.post("/my-visits/", {"email": "ana@example.org", "website": "x"})
    assert main_of(person) == main_of(program)
    assert not Message.objects.exists()


def test_a_stranger_who_asks_again_and_again_keeps_nobody_from_their_link(visitor):
    patient = make_patient(email="ana@example.org")
    for number in range(30):
        stranger = Visitor(visitor.clinic, REMOTE_ADDR=f"198.51.100.{number}").client
        answer = stranger.post("/my-visits/", {"email": "ana@example.org"})
        assert answer.status_code == 200
    owner = visitor.client.post("/my-visits/", {"email": "ana@example.org"})
    assert owner.status_code == 200
    assert "Look in your mail" in owner.content.decode()
    # A link is in the mailbox already, and works for a day.
    assert Message.objects.filter(kind="my-visits", patient=patient).count() == 1


def test_an_emergency_told_in_the_same_browser_meanwhile_shuts_this_door_too(asked):
    path = mailed_link()
    asked.answer_gate(**EMERGENCY)
    for browser in (asked.client, Visitor(asked.clinic).client):
        answer = browser.post(path)
        assert answer.status_code == 409
        assert "until our team has spoken with you" in answer.text
    assert not Patient.objects.filter(name="Cy Third").exists()


def test_answers_to_another_form_do_not_begin_the_one_of_the_visit(asked):
    path = mailed_link()
    service = Appointment.objects.get(status="pending").service
    service.questionnaire = Questionnaire.objects.get(url=FOLLOW_UP_URL)
    service.save()
    Visitor(asked.clinic).client.post(path)
    visit = Appointment.objects.get(patient__name="Cy Third")
    assert visit.intake_response is None
    assert visit.patient.questionnaire_responses.count() == 1


def test_the_link_leads_to_the_visit_for_a_day_and_no_longer(asked):
    path, client = mailed_link(), Visitor(asked.clinic).client
    client.post(path)
    with time_machine.travel(NOW + A_DAY, tick=False):
        assert client.post(path).status_code == 404
        assert client.get(path).status_code == 404


def test_a_kept_time_that_ran_out_does_not_go_over_a_limit(asked):
    path = mailed_link()
    held = Appointment.objects.get(status="pending")
    VisitLimit.objects.create(practitioner=held.practitioner, period=VisitLimit.Period.DAY, most=1)
    make_appointment(practitioner=held.practitioner, start=held.start + timedelta(hours=2))
    with time_machine.travel(NOW + timedelta(minutes=61), tick=False):
        Visitor(asked.clinic).client.post(path)
    assert not Appointment.objects.filter(patient__name="Cy Third").exists()


def test_the_answers_go_with_the_link_and_the_browser_is_asked_afresh(asked):
    held = Appointment.objects.get(status="pending")
    assert held.intake_response.visitor_hash == held.unconfirmed.token_hash
    assert "/book/safety/" in asked.client.get(asked.slots_url)["Location"]
    _again, response = book_again(asked, 3, name="Di Fourth", email="di@example.org")
    assert response["Location"] == "/book/confirm/"
    outbox.tick(NOW)
    for waiting in UnconfirmedBooking.objects.all():
        Visitor(asked.clinic).client.post(f"/book/confirm/{waiting.token}/")
    for name in ("Cy Third", "Di Fourth"):
        visit = Appointment.objects.get(patient__name=name)
        assert visit.intake_response.patient == visit.patient
