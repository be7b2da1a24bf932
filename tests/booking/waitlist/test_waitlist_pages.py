"""The waitlist as patients meet it: join, look, leave, take an offered time or let it go."""

from datetime import time, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core import mail

from booking.models import Appointment, WaitlistEntry, WaitlistOffer
from booking.waitlist import matching
from clinic.mail import outbox
from clinic.models import Patient
from intake.models import Questionnaire, QuestionnaireResponse
from intake.workflow.answer_history import FOLLOW_UP_URL
from tests.booking.small_clinic import NINE, minutes
from tests.booking.visitor import (
    DETAILS,
    EMERGENCY,
    HEALTHY,
    SOON,
    URGENT,
    Visitor,
    as_patient,
    open_clinic,
)
from tests.factories import NOW, make_patient, make_response, make_waitlist_entry

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
EIGHT = NINE - minutes(60)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def visitor():
    return Visitor(open_clinic(closes=time(9)))


def wishes(**changes):
    return {
        "weekdays": list(range(7)),
        "parts": ["morning", "afternoon", "evening"],
        "first_day": "2026-06-01",
        "last_day": "2026-06-30",
        "who": "",
        "place": "",
        "minutes": "60",
        "booking_key": uuid4().hex,
    } | changes


def join(visitor, **changes):
    given = wishes() | DETAILS | changes
    given = {name: value for name, value in given.items() if value is not None}
    return visitor.client.post(f"/book/{visitor.service.slug}/waitlist/", given)


def offered(entry, *, start=EIGHT):
    """The entry's offer of a start, as the tick makes it, and its page."""
    location = entry.service.practitioners.get().locations.get()
    offer = entry.offer(
        start=start, practitioner=entry.service.practitioners.get(), location=location, now=NOW
    )
    return offer, f"/waitlist/offers/{offer.pk}/"


@pytest.fixture
def waiting(visitor):
    """Somebody on the list who answered the safety check when they joined, in a browser."""
    visitor.answer_gate()
    join(visitor)
    return WaitlistEntry.objects.get()


def test_the_slot_page_leads_to_the_waitlist(visitor):
    visitor.answer_gate()
    page = visitor.client.get(visitor.slots_url)
    assert f"/book/{visitor.service.slug}/waitlist/" in page.content.decode()


def test_nobody_joins_past_the_safety_check(visitor):
    assert join(visitor)["Location"] == "/book/safety/?service=pt-eval"
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("answers", "leads_to"),
    [(EMERGENCY, "/book/safety/emergency/"), (URGENT, "/book/safety/result/?service=pt-eval")],
)
def test_whoever_cannot_wait_does_not_join(visitor, answers, leads_to):
    visitor.answer_gate(**answers)
    assert join(visitor)["Location"] == leads_to
    assert not WaitlistEntry.objects.exists()


def test_somebody_new_joins_with_their_details_and_sees_their_place(visitor):
    visitor.answer_gate(**SOON)
    answer = join(visitor, weekdays=[1, 3], parts=["morning"], last_day="2026-06-12")
    entry = WaitlistEntry.objects.get()
    assert answer["Location"] == f"/waitlist/{entry.pk}/"
    assert (entry.weekdays, entry.parts, entry.minutes) == ([1, 3], ["morning"], 60)
    assert entry.intake_response == QuestionnaireResponse.objects.get()
    assert entry.intake_response.patient == entry.patient == Patient.objects.get()
    page = visitor.client.get(answer["Location"]).content.decode()
    assert "Tuesday, Thursday" in page
    assert "You are on the waitlist" in page


def test_a_form_sent_twice_joins_once(visitor):
    visitor.answer_gate()
    key = uuid4().hex
    answers = {join(visitor, booking_key=key)["Location"] for _ in range(2)}
    assert len(answers) == WaitlistEntry.objects.count() == Patient.objects.count() == 1
    stranger = Visitor(visitor.clinic)
    assert join(stranger, booking_key=key)["Location"].startswith("/book/safety/")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"weekdays": []}, "weekdays"),
        ({"weekdays": [7]}, "weekdays"),
        ({"parts": []}, "parts"),
        ({"last_day": "2026-05-31"}, "last_day"),
        ({"first_day": "2026-06-10", "last_day": "2026-06-09"}, "last_day"),
        ({"last_day": "2026-12-31"}, "last_day"),
        ({"minutes": "61"}, "minutes"),
        ({"who": str(uuid4())}, "who"),
    ],
)
def test_wishes_that_make_no_sense_come_back_with_everything_typed(visitor, wrong, field):
    visitor.answer_gate()
    answer = join(visitor, **wrong)
    assert field in answer.context["wish"].errors
    assert "ana@example.org" in answer.content.decode()
    assert not WaitlistEntry.objects.exists()


def test_a_program_that_fills_in_everything_stores_nothing(visitor):
    visitor.answer_gate()
    assert join(visitor, website="https://spam.example").status_code == 302
    assert not Patient.objects.exists()
    assert not WaitlistEntry.objects.exists()


def test_another_birth_date_than_at_the_safety_check_is_judged_and_kept(visitor):
    visitor.answer_gate()
    join(
        visitor,
        birth_date="2012-01-31",
        booked_for="guardian",
        guardian_name="Eva Runner",
        is_guardian="on",
    )
    entry = WaitlistEntry.objects.get()
    assert entry.patient.guardian_name == "Eva Runner"
    assert f"{entry.intake_response.answers.date('about-birth-date')}" == "2012-01-31"


def test_a_patient_with_a_link_joins_as_themselves_and_once(visitor):
    patient = make_patient()
    as_patient(visitor.client, patient)
    visitor.answer_gate()
    first = join(visitor, name=None, email=None, phone=None, birth_date=None)
    again = join(visitor)
    entry = WaitlistEntry.objects.get()
    assert (entry.patient, first["Location"]) == (patient, again["Location"])
    assert Patient.objects.count() == 1


def test_one_network_cannot_fill_the_list_and_locks_no_address_out(visitor):
    answers = []
    for number in range(11):
        each = Visitor(visitor.clinic)
        each.answer_gate()
        answers.append(join(each, email=f"somebody{number % 2}@example.org").status_code)
    assert answers == [302] * 10 + [429]
    elsewhere = Visitor(visitor.clinic, REMOTE_ADDR="198.51.100.7")
    elsewhere.answer_gate()
    assert join(elsewhere, email="somebody0@example.org").status_code == 302


def test_a_place_on_the_list_is_seen_and_left_by_link(client, waiting, visitor):
    page = f"/waitlist/{waiting.pk}/"
    assert client.get(page).status_code == 404
    as_patient(client, make_patient())
    assert client.post(page).status_code == 404
    as_patient(client, waiting.patient)
    assert "Leave the waitlist" in client.get(page).content.decode()
    assert waiting.refresh_from_db() is None
    assert waiting.is_waiting
    client.post(page)
    waiting.refresh_from_db()
    assert waiting.state == "left"
    assert "You have left it" in client.get(page).content.decode()


def test_looking_at_an_offer_changes_nothing_and_taking_it_books(waiting, visitor):
    offer, page = offered(waiting)
    for _ in range(3):
        shown = visitor.client.get(page).content.decode()
        visitor.client.head(page)
    assert "We keep it for you until Monday, June 1, 10:00 AM" in shown
    offer.refresh_from_db()
    assert offer.is_open
    answer = visitor.client.post(page, {"accept": "1"})
    visit = Appointment.objects.get()
    assert answer["Location"] == f"/visits/{visit.pk}/"
    assert (visit.status, visit.start) == ("booked", EIGHT)
    assert visit.intake_response == waiting.intake_response
    assert visitor.client.post(page, {"accept": "1"}).status_code == 200
    assert "You have taken this time" in visitor.client.get(page).content.decode()
    assert Appointment.objects.count() == 1


def test_answers_to_another_form_do_not_begin_the_one_of_the_offered_visit(waiting, visitor):
    _offer, page = offered(waiting)
    waiting.service.questionnaire = Questionnaire.objects.get(url=FOLLOW_UP_URL)
    waiting.service.save()
    visitor.client.post(page, {"accept": "1"})
    visit = Appointment.objects.exclude(patient=None).get()
    assert visit.intake_response is None


def test_letting_it_go_frees_the_time(waiting, visitor):
    offer, page = offered(waiting)
    visitor.client.post(page, {"decline": "1"})
    offer.refresh_from_db()
    assert offer.state == "declined"
    assert not Appointment.objects.exists()
    assert "You let this time go" in visitor.client.get(page).content.decode()


def test_somebody_elses_offer_does_not_exist(client, waiting):
    _offer, page = offered(waiting)
    as_patient(client, make_patient())
    assert client.get(page).status_code == 404
    assert client.post(page, {"accept": "1"}).status_code == 404


def test_who_comes_too_late_is_told_with_the_nearest_times(waiting, visitor, clock):
    offer, page = offered(waiting)
    clock.move_to(offer.answer_by)
    visitor.answer_gate()
    answer = visitor.client.post(page, {"accept": "1"})
    assert answer.status_code == 409
    assert "this time is gone" in answer.content.decode()
    assert [time.local for time in answer.context["nearest"]][:1] == [EIGHT]
    assert not Appointment.objects.filter(status="booked").exists()


def test_old_safety_answers_are_asked_again_before_a_time_is_taken(client, visitor):
    """Somebody added to the list by phone has none; the link leads through the check and back."""
    entry = make_waitlist_entry(service=visitor.service, phone_screen_note="Hung up")
    offer, page = offered(entry)
    as_patient(client, entry.patient)
    answer = client.post(page, {"accept": "1"})
    assert answer["Location"] == f"/book/safety/?offer={offer.pk}"
    assert client.get(answer["Location"]).status_code == 200
    assert client.post(answer["Location"], HEALTHY)["Location"] == page
    assert client.post(page, {"accept": "1"})["Location"].startswith("/visits/")
    visit = Appointment.objects.get()
    assert visit.intake_response.patient == entry.patient


@pytest.mark.parametrize(("days", "is_asked"), [(14, False), (10, True)])
def test_the_signed_threshold_says_when_safety_answers_are_asked_again(
    client, visitor, monkeypatch, days, is_asked
):
    entry = make_waitlist_entry(service=visitor.service)
    Visitor(visitor.clinic, client=client).answer_gate(**HEALTHY)
    entry.intake_response = QuestionnaireResponse.objects.get()
    QuestionnaireResponse.objects.update(patient=entry.patient, safety_answered_at=NOW - 11 * DAY)
    entry.save()
    offer, page = offered(entry)
    client.logout()
    as_patient(client, entry.patient)
    monkeypatch.setattr("booking.waitlist.views.SAFETY_ANSWERS_LAST", days * DAY)
    asked = client.post(page, {"accept": "1"})["Location"]
    assert (asked == f"/book/safety/?offer={offer.pk}") is is_asked


def test_answers_that_forbid_the_visit_give_the_time_to_the_next(client, visitor):
    entry = make_waitlist_entry(
        service=visitor.service,
        intake_response=make_response(patient=make_patient(), safety_answered_at=NOW - 20 * DAY),
    )
    offer, page = offered(entry, start=EIGHT + 13 * DAY)
    as_patient(client, entry.patient)
    Visitor(visitor.clinic, client=client).answer_gate(**SOON)
    answer = client.post(page, {"accept": "1"})
    assert answer.status_code == 409
    assert "You are still on the waitlist" in answer.content.decode()
    offer.refresh_from_db()
    entry.refresh_from_db()
    assert (offer.state, entry.state) == ("declined", "waiting")
    assert not Appointment.objects.exists()


def test_an_emergency_at_acceptance_shuts_the_door(client, visitor):
    entry = make_waitlist_entry(service=visitor.service)
    offer, page = offered(entry)
    as_patient(client, entry.patient)
    Visitor(visitor.clinic, client=client).answer_gate(**EMERGENCY)
    assert client.post(page, {"accept": "1"})["Location"] == "/book/safety/emergency/"
    assert WaitlistOffer.objects.get(pk=offer.pk).is_open
    matching.process_waitlist(now=offer.answer_by)
    assert not WaitlistOffer.objects.open().exists()


def test_every_mail_says_what_it_should_and_nothing_of_health(waiting, visitor):
    offer, _page = offered(waiting)
    outbox.tick(NOW)
    time_is_free, joined = sorted(mail.outbox, key=lambda sent: sent.subject)
    assert joined.subject == "You are on our waitlist"
    assert time_is_free.subject == "A time is free: Tuesday, June 2, 8:00 AM CDT"
    assert "until Monday, June 1, 10:00 AM CDT" in time_is_free.body
    for sent in mail.outbox:
        assert str(visitor.service.name) not in sent.body
        assert "Ana" not in sent.body
    link = next(word for word in time_is_free.body.split() if "/l/" in word)
    answer = visitor.client.get("/l/" + link.partition("/l/")[2])
    assert answer["Location"] == f"/waitlist/offers/{offer.pk}/"


def test_a_mail_about_an_offer_that_is_over_never_leaves(waiting):
    offer, _page = offered(waiting)
    offer.decline(now=NOW)
    outbox.tick(NOW)
    assert [sent.subject for sent in mail.outbox] == ["You are on our waitlist"]


def test_the_list_of_visits_names_what_is_waited_for(client, waiting):
    as_patient(client, waiting.patient)
    assert f"/waitlist/{waiting.pk}/" in client.get("/my-visits/").content.decode()
