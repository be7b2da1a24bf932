"""When a mail about a visit is owed, when it is not, and what it says."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from django.core import mail
from icalendar import Calendar

from booking.appointments import mail_schedule
from booking.mails import visit_mails
from booking.models import Appointment
from clinic.mail import outbox
from clinic.mail.mime import message_id_header
from clinic.models import Link, Message
from intake.models import QuestionnaireResponse
from tests.factories import (
    NOW,
    make_alert,
    make_appointment,
    make_location,
    make_patient,
    make_practice,
    make_questionnaire,
    make_response,
    make_service,
)

pytestmark = pytest.mark.django_db

State = Message.State
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _practice(db):
    make_practice()


def make_visit(**fields):
    """Return a visit ten days ahead whose service has an intake form."""
    fields.setdefault("start", NOW + 10 * DAY)
    if "service" not in fields:
        fields["service"] = make_service(questionnaire=make_questionnaire())
    return make_appointment(**fields)


def planned(appointment):
    """What is owed: (kind, step) to the time it is due."""
    messages = Message.objects.about(appointment).filter(state=State.PLANNED)
    return {(message.kind, message.step): message.due_at for message in messages}


def reasons(appointment, kind):
    messages = Message.objects.about(appointment).filter(kind=kind)
    return {message.step: message.reason for message in messages if message.reason}


def sent_mail(kind, *, now=NOW):
    """Let the tick send what is due; return the newest mail of ``kind`` as it left."""
    mail.outbox.clear()
    outbox.tick(now)
    message = Message.objects.filter(kind=kind, state=State.SENT).latest("sent_at")
    header = message_id_header(message)
    (outgoing,) = [sent for sent in mail.outbox if sent.extra_headers["Message-ID"] == header]
    return message_from_bytes(outgoing.message().as_bytes(), policy=policy.default)


def text_of(sent):
    return sent.get_body(("plain",)).get_content()


def html_of(sent):
    return sent.get_body(("html",)).get_content()


def calendar_of(sent):
    (part,) = [part for part in sent.walk() if part.get_content_type() == "text/calendar"]
    return part.get_param("method"), Calendar.from_ical(part.get_content())


def test_a_booking_owes_confirmation_reminders_and_the_form():
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    mail_schedule.plan_booked(visit, NOW)

    assert planned(visit) == {
        ("confirmation", ""): NOW,
        ("intake", ""): NOW + DAY,
        ("rescreen", ""): visit.start - 36 * HOUR,
        ("reminder", "7d"): visit.start - 7 * DAY,
        ("reminder", "24h"): visit.start - 24 * HOUR,
        ("reminder", "2h"): visit.start - 2 * HOUR,
    }


@pytest.mark.parametrize(
    ("ahead", "steps"),
    [
        (timedelta(days=7, minutes=1), {"7d", "24h", "2h"}),
        (timedelta(days=7), {"24h", "2h"}),
        (timedelta(hours=24, minutes=1), {"24h", "2h"}),
        (timedelta(hours=24), {"2h"}),
        (timedelta(hours=2, minutes=1), {"2h"}),
        (timedelta(hours=2), set()),
        (timedelta(hours=1), set()),
    ],
)
def test_a_reminder_whose_time_has_passed_at_booking_is_not_owed(ahead, steps):
    visit = make_visit(start=NOW + ahead)
    mail_schedule.plan_booked(visit, NOW)

    assert {step for kind, step in planned(visit) if kind == "reminder"} == steps


@pytest.mark.parametrize(
    ("step", "before", "until"),
    [("7d", 7 * DAY, 48 * HOUR), ("24h", DAY, 4 * HOUR), ("2h", 2 * HOUR, HOUR / 2)],
)
def test_a_reminder_goes_out_within_its_window_only(step, before, until):
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    Message.objects.exclude(step=step).delete()
    message = Message.objects.get()

    def state_at(moment):
        Message.objects.update(state=State.PLANNED, next_attempt_at=message.due_at, reason="")
        outbox.tick(moment)
        return Message.objects.get(pk=message.pk).state

    second = timedelta(seconds=1)
    assert state_at(visit.start - before - second) == State.PLANNED
    assert state_at(visit.start - before) == State.SENT
    assert state_at(visit.start - until - second) == State.SENT
    assert state_at(visit.start - until) == State.SKIPPED


def test_the_reminder_says_how_long_it_really_is():
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    outbox.tick(NOW)

    late = sent_mail("reminder", now=visit.start - 9 * HOUR)
    assert "Your visit is in 9 hours." in text_of(late)
    assert reasons(visit, "reminder") == {"7d": "late"}


def test_elapsed_hours_are_counted_across_a_clock_change():
    """24 h before 9:00 on the day New York's clocks go back is 10:00 the day before."""
    location = make_location(time_zone="America/New_York")
    visit = make_visit(location=location, start=datetime(2026, 11, 1, 14, 0, tzinfo=UTC))
    mail_schedule.plan_booked(visit, visit.start - 3 * DAY)

    due_at = planned(visit)["reminder", "24h"]
    assert f"{due_at.astimezone(visit.zone):%d %H:%M}" == "31 10:00"
    sent = sent_mail("reminder", now=due_at)
    assert "Sunday, November 1, 9:00 AM EST" in sent["Subject"]
    assert "in 24 hours" in text_of(sent)


@pytest.mark.parametrize(
    ("zone", "start", "subject"),
    [
        ("America/Chicago", (2026, 11, 26, 15, 0), "Thursday, November 26, 9:00 AM CST"),
        ("America/Denver", (2026, 7, 1, 15, 0), "Wednesday, July 1, 9:00 AM MDT"),
        ("Asia/Kathmandu", (2026, 7, 1, 4, 15), "Wednesday, July 1, 10:00 AM UTC+05:45"),
        ("Australia/Lord_Howe", (2027, 4, 4, 0, 0), "Sunday, April 4, 10:30 AM UTC+10:30"),
    ],
)
def test_times_are_the_clinics_and_name_their_zone(zone, start, subject):
    start = datetime(*start, tzinfo=UTC)
    visit = make_visit(location=make_location(time_zone=zone), start=start)
    mail_schedule.plan_booked(visit, start - 3 * DAY)

    sent = sent_mail("confirmation", now=start - 3 * DAY)
    assert sent["Subject"] == f"Booked: {subject}"
    assert zone in text_of(sent)


def test_the_confirmation_carries_time_place_links_and_the_calendar_entry():
    location = make_location(name="Austin", map_url="https://maps.example/austin")
    visit = make_visit(location=location)
    mail_schedule.plan_booked(visit, NOW)
    sent = sent_mail("confirmation")

    for part in (text_of(sent), html_of(sent)):
        assert "Thursday, June 11, 8:00 AM – 9:00 AM CDT (America/Chicago)" in part
        assert "Austin, " in part
        assert location.address in part
        assert "https://maps.example/austin" in part
        assert len(set(re.findall(r"http://testserver/l/[\w-]{43}/", part))) == 2
    assert sent["Reply-To"] == "hello@clinic.example"
    assert sent["List-Unsubscribe"] is None
    assert {link.purpose for link in Link.objects.all()} == {"visit", "intake"}
    for link in Link.objects.all():
        assert link.subject_id == visit.pk
        assert link.expires_at == visit.end + 30 * DAY
    method, calendar = calendar_of(sent)
    assert (method, calendar["METHOD"]) == ("REQUEST", "REQUEST")


def test_rendering_a_mail_again_gives_the_same_links():
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    message = Message.objects.get(kind="confirmation")

    first, again = (visit_mails.confirmation(message, NOW) for _ in range(2))
    assert first == again
    assert Link.objects.count() == 2


def test_no_mail_names_the_service_the_patient_or_anything_about_health():
    service = make_service(
        name={"en": "Zzyzx evaluation", "es": "Zzyzx evaluación"},
        preparation="Zzyzx",
        questionnaire=make_questionnaire(),
    )
    visit = make_visit(service=service, patient=make_patient(name="Zara Canary"))
    mail_schedule.plan_booked(visit, NOW)
    for days in range(11):
        outbox.tick(NOW + days * DAY)
    outbox.tick(visit.start - HOUR)
    visit.cancel(now=NOW)
    outbox.tick(NOW + HOUR)

    everything = "".join(sent.message().as_string() for sent in mail.outbox)
    assert len(mail.outbox) >= 5
    for word in ("Zzyzx", "Canary", "pain", "therap"):
        assert word not in everything.replace("Practitioner", "")


def test_a_reminder_can_be_stopped_with_one_click_and_other_mails_cannot():
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    sent = sent_mail("reminder", now=visit.start - DAY)

    (url,) = re.findall(r"<(http://testserver/unsubscribe/[\w-]{43}/)>", sent["List-Unsubscribe"])
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url in text_of(sent)
    assert url in html_of(sent)


def test_stopped_reminders_stop_reminders_only():
    patient = make_patient(mail_stops={"reminder": NOW.isoformat()})
    visit = make_visit(patient=patient)
    mail_schedule.plan_booked(visit, NOW)
    sent_mail("confirmation")
    outbox.tick(visit.start - DAY)

    assert reasons(visit, "reminder")["24h"] == "stopped"


def test_a_safety_hold_pauses_the_mails_until_staff_release_the_visit():
    visit = make_visit(safety_hold_alert=make_alert())
    mail_schedule.plan_booked(visit, NOW)
    outbox.tick(NOW)
    assert mail.outbox == []

    Appointment.objects.update(safety_hold_alert=None)
    assert sent_mail("confirmation", now=NOW + timedelta(minutes=2))


def test_moving_replaces_what_was_owed_and_waits_out_the_undo():
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    sent_mail("confirmation")
    Appointment.objects.update(
        start=visit.start + DAY, end=visit.end + DAY, busy_until=visit.end + DAY, sequence=1
    )
    visit.refresh_from_db()
    later = NOW + HOUR
    mail_schedule.plan_change(visit, "booked", now=later)

    assert planned(visit) == {
        ("moved", ""): later + timedelta(minutes=3),
        ("intake", ""): later + DAY,
        ("rescreen", ""): visit.start - 36 * HOUR,
        ("reminder", "7d"): visit.start - 7 * DAY,
        ("reminder", "24h"): visit.start - DAY,
        ("reminder", "2h"): visit.start - 2 * HOUR,
    }
    assert reasons(visit, "reminder") == {"7d": "moved", "24h": "moved", "2h": "moved"}
    method, calendar = calendar_of(sent_mail("moved", now=later + timedelta(minutes=3)))
    assert method == "REQUEST"
    assert calendar.events[0]["SEQUENCE"] == 1


def test_moved_twice_at_once_is_told_once():
    visit = make_visit()
    for sequence in (1, 2):
        Appointment.objects.update(sequence=sequence)
        visit.refresh_from_db()
        mail_schedule.plan_change(visit, "booked", now=NOW)
    outbox.tick(NOW + HOUR)

    assert len(mail.outbox) == 1


def test_a_mail_about_a_former_time_is_never_sent_even_if_nobody_called_it_off():
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    Appointment.objects.update(sequence=1)
    outbox.tick(NOW)

    assert mail.outbox == []
    assert reasons(visit, "confirmation") == {"": "superseded"}


def test_cancelling_takes_the_visit_out_of_the_calendar():
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    _, first = calendar_of(sent_mail("confirmation"))
    visit.cancel(now=NOW)
    assert set(planned(visit)) == {("cancelled", "")}

    sent = sent_mail("cancelled", now=NOW + timedelta(minutes=3))
    method, calendar = calendar_of(sent)
    assert (method, calendar["METHOD"]) == ("CANCEL", "CANCEL")
    assert calendar.events[0]["UID"] == first.events[0]["UID"]
    assert calendar.events[0]["SEQUENCE"] > first.events[0]["SEQUENCE"]
    assert "/book/" in text_of(sent)


def test_nobody_is_told_that_a_visit_that_is_over_is_cancelled_or_brought_back():
    visit = make_visit(start=NOW - 2 * HOUR)
    visit.cancel(now=NOW)
    assert planned(visit) == {}
    visit.restore(now=NOW)
    assert planned(visit) == {}


def test_an_undone_cancellation_is_not_told_if_nobody_was_told_of_it():
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    sent_mail("confirmation")
    visit.cancel(now=NOW)
    visit.restore(now=NOW)

    assert {kind for kind, _ in planned(visit)} == {"reminder", "intake", "rescreen"}
    assert set(planned(visit)) >= {("reminder", "7d"), ("reminder", "24h"), ("reminder", "2h")}


def test_bringing_a_visit_back_after_its_cancellation_was_mailed_is_told_too():
    visit = make_visit()
    visit.cancel(now=NOW)
    sent_mail("cancelled", now=NOW + HOUR)
    visit.restore(now=NOW + HOUR)

    method, calendar = calendar_of(sent_mail("confirmation", now=NOW + HOUR))
    assert method == "REQUEST"
    assert calendar.events[0]["SEQUENCE"] == visit.sequence == 2


@pytest.mark.parametrize("status", ["arrived", "fulfilled", "noshow", "entered-in-error"])
def test_a_visit_that_is_over_is_not_reminded_of(status):
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    Appointment.objects.update(status=status)
    outbox.tick(visit.start - HOUR)

    assert mail.outbox == []


def test_the_form_is_not_asked_for_when_it_is_done():
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    assert "form" in text_of(sent_mail("intake", now=NOW + DAY))

    done = make_visit()
    response = make_response(
        patient=done.patient, status=QuestionnaireResponse.Status.COMPLETED, submitted_at=NOW
    )
    Appointment.objects.filter(pk=done.pk).update(intake_response=response)
    mail_schedule.plan_booked(done, NOW)
    outbox.tick(NOW + DAY)

    assert reasons(done, "intake") == {"": "intake-done"}
    reminder = sent_mail("reminder", now=done.start - DAY)
    assert reminder["To"] == done.patient.email
    assert "form" not in text_of(reminder)


def test_a_visit_without_a_form_or_too_soon_for_one_is_not_asked_for_it():
    without = make_visit(service=make_service())
    soon = make_visit(start=NOW + DAY)
    for visit in (without, soon):
        mail_schedule.plan_booked(visit, NOW)
        assert ("intake", "") not in planned(visit)


def test_the_latest_address_is_used_and_none_is_no_error():
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    visit.patient.email = "new@example.org"
    visit.patient.save()
    assert sent_mail("confirmation")["To"] == "new@example.org"

    visit.patient.email = ""
    visit.patient.save()
    outbox.tick(visit.start - DAY)
    assert reasons(visit, "reminder")["24h"] == "no-address"


def test_an_erased_patients_mails_are_gone():
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    patient = visit.patient
    visit.delete()
    patient.delete()
    outbox.tick(visit.start)

    assert Message.objects.count() == 0
    assert mail.outbox == []


def test_mails_are_in_the_patients_language():
    visit = make_visit(patient=make_patient(language="es"))
    mail_schedule.plan_booked(visit, NOW)

    assert 'lang="es"' in html_of(sent_mail("confirmation"))


def test_hostile_names_are_inert_in_both_parts():
    location = make_location(name="<script>alert(1)</script> & {{7*7}}")
    visit = make_visit(location=location, patient=make_patient(name="<b> \r\nBcc: x@example.org"))
    mail_schedule.plan_booked(visit, NOW)
    sent = sent_mail("confirmation")

    assert "<script>" not in html_of(sent)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{7*7}}" in html_of(sent)
    assert "<script>alert(1)</script> & {{7*7}}" in text_of(sent)
    assert sent["Bcc"] is None


def test_html_mails_load_nothing_and_run_nothing():
    visit = make_visit()
    mail_schedule.plan_booked(visit, NOW)
    html = html_of(sent_mail("confirmation"))

    assert not re.search(r"<(img|script|link|iframe|form)\b|url\(|@import|\son\w+=", html)


def test_each_patient_of_an_address_gets_one_link_with_initials_only():
    parent = make_patient(name="Ana Luz Paz", email="family@example.org")
    child = make_patient(name="Bo Paz", email="family@example.org")
    for patient in (parent, child):
        visit_mails.plan_my_visits(patient, NOW)
        visit_mails.plan_my_visits(patient, NOW + timedelta(seconds=30))
    outbox.tick(NOW + timedelta(minutes=1))

    assert len(mail.outbox) == 2
    assert len({sent.subject for sent in mail.outbox}) == 1
    assert {re.search(r"visits of (\w+)", sent.body)[1] for sent in mail.outbox} == {"ALP", "BP"}
    assert not any("Paz" in sent.body for sent in mail.outbox)
    assert {link.patient for link in Link.objects.all()} == {parent, child}
    assert {link.expires_at for link in Link.objects.all()} == {NOW + DAY}
