"""What the front desk does about a visit's mails: whether the patient is told, and the log."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from booking.mails import visit_mails
from booking.models import Appointment
from clinic.models import Message, Role
from tests import factories as make

pytestmark = pytest.mark.django_db

VISITS = "/admin/booking/appointment/"
Status = Appointment.Status


@pytest.fixture
def front_desk(client):
    make.make_practice()
    client.user = make.make_user()
    return make.sign_in(client, client.user)


def in_days(days):
    return timezone.now().replace(microsecond=0) + timedelta(days=days)


def change_page(row):
    return reverse("admin:booking_appointment_change", args=[row.pk])


def choose(client, visits, action):
    """Choose an action in the list."""
    return client.post(
        f"{VISITS}?day=all",
        {"action": action, "index": 0, "_selected_action": [str(visit.pk) for visit in visits]},
    )


def test_staff_who_have_told_the_patient_themselves_cause_no_mail(front_desk):
    visit = make.make_appointment(start=in_days(1))
    page = choose(front_desk, [visit], "cancel")["Location"]
    assert "notify_patient" in front_desk.get(page).content.decode()
    front_desk.post(page, {"reason": "Said so on the phone"})
    assert not Message.objects.about(visit).exists()


def test_staff_take_back_a_cancellation_for_three_minutes_and_nobody_is_told(front_desk):
    visit = make.make_appointment(start=in_days(1))
    page = choose(front_desk, [visit], "cancel")["Location"]
    done = front_desk.post(page, {"reason": "Wrong patient", "notify_patient": "on"}, follow=True)
    undo = choose(front_desk, [visit], "undo")["Location"]
    assert f'<a href="{undo}">' in done.content.decode()
    assert front_desk.get(undo).status_code == 200
    visit.refresh_from_db()
    assert visit.status == Status.CANCELLED

    front_desk.post(undo)
    visit.refresh_from_db()
    assert visit.status == Status.BOOKED
    assert Message.objects.get(kind=visit_mails.CANCELLED).reason == "undone"


def test_nothing_is_taken_back_after_three_minutes(front_desk):
    visit = make.make_appointment(start=in_days(1))
    visit.cancel(now=timezone.now() - timedelta(minutes=4), by=front_desk.user)
    front_desk.post(f"{VISITS}{visit.pk}/undo/")
    visit.refresh_from_db()
    assert visit.status == Status.CANCELLED


def test_a_visits_page_lists_its_mails_and_why_one_was_not_sent(front_desk):
    visit = make.make_appointment(start=in_days(3))
    about = {"subject_type": "booking.appointment", "subject_id": visit.pk}
    make.make_message(patient=visit.patient, state="sent", sent_at=timezone.now(), **about)
    make.make_message(
        patient=visit.patient,
        kind="reminder",
        step="24h",
        state="skipped",
        reason="stopped",
        **about,
    )
    text = front_desk.get(change_page(visit)).content.decode()
    log = text.split('class="mail-log"')[1].split("</table>")[0]
    for words in ("Confirmation", "Sent", "Reminder, 24 hours before", "the patient stopped"):
        assert words in log
    for message in Message.objects.about(visit):
        assert f"/admin/clinic/message/{message.pk}/change/" in log


def test_the_list_of_mails_says_how_long_the_oldest_has_waited(front_desk):
    page = "/admin/clinic/message/"
    assert "No mail that is due waits." in front_desk.get(page).content.decode()
    make.make_message(due_at=timezone.now() - timedelta(minutes=7))
    make.make_message(due_at=timezone.now() + timedelta(minutes=7))
    said = front_desk.get(page).content.decode()
    assert "The oldest mail that is due has waited for 7\xa0minutes." in said


def test_bounced_mails_are_a_list_of_their_own(front_desk):
    make.make_message(state="failed", reason="no-mailbox")
    make.make_message(patient=make.make_patient(email_bounced_at=timezone.now()), state="sent")
    make.make_message(state="sent")
    page = front_desk.get("/admin/clinic/message/?trouble=bounced")
    assert page.context["cl"].result_count == 2


def test_a_manager_reads_a_patients_choice_and_changes_nothing(client):
    make.make_practice()
    make.sign_in(client, make.make_user(role=Role.MANAGER))
    patient = make.make_patient(declined_reminders=[24, 168])
    page = client.get(f"/admin/clinic/patient/{patient.pk}/change/").content.decode()
    assert "Not wanted: 24 hours before, 7 days before" in page
