"""What a patient chooses about our mails, by link and with the front desk's help."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from booking.appointments import mail_schedule
from booking.appointments.mail_schedule import REMINDER
from booking.mails.preferences import time_zones
from clinic import wordings
from clinic.mail import outbox
from clinic.models import AuditEvent, Link, Message
from clinic.security.access import issue_links, set_grant_cookie
from tests.factories import (
    NOW,
    make_appointment,
    make_link,
    make_location,
    make_message,
    make_patient,
    make_practice,
    make_service,
    make_user,
    sign_in,
)

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
State = Message.State


@pytest.fixture(autouse=True)
def _practice(db):
    make_practice()


def make_visit(**fields):
    # Around noon in Austin: no reminder waits for the end of the quiet hours.
    noon = timezone.now().replace(hour=18, minute=0, second=0, microsecond=0)
    fields.setdefault("start", noon + 10 * DAY)
    return make_appointment(**fields)


def holder_of(patient):
    """Return a browser that holds a link of this patient."""
    client, response = Client(), HttpResponse()
    set_grant_cookie(response, make_link(patient=patient))
    client.cookies.update(response.cookies)
    return client


def stoppable():
    """The kinds beside reminders that a patient can stop."""
    return [w.kind for w in wordings.all_wordings() if w.stop_label and w.kind != REMINDER]


def choose(visit, *, reminders=("168", "24", "2"), language="en", time_zone="", **more):
    posted = {"reminders": reminders, "language": language, "time_zone": time_zone}
    posted |= {"others": stoppable(), **more}
    response = holder_of(visit.patient).post(f"/visits/{visit.pk}/mails/", posted)
    visit.patient.refresh_from_db()
    return response


def due(visit, step):
    return Message.objects.about(visit).get(kind=REMINDER, step=step).due_at


def test_the_page_shows_what_is_chosen_and_looking_changes_nothing():
    visit = make_visit(
        patient=make_patient(declined_reminders=[168], time_zone="Asia/Kathmandu", language="es")
    )
    page = holder_of(visit.patient).get(f"/visits/{visit.pk}/mails/")
    form = page.context["form"]
    assert form["reminders"].value() == [24, 2]
    assert form["time_zone"].value() == "Asia/Kathmandu"
    assert form["language"].value() == "es"
    assert (
        f"/visits/{visit.pk}/mails/"
        in holder_of(visit.patient).get(f"/visits/{visit.pk}/").content.decode()
    )


def test_a_reminder_that_is_not_wanted_is_skipped_and_the_others_come():
    visit = make_visit()
    mail_schedule.plan_booked(visit, timezone.now())
    assert choose(visit, reminders=["2"]).status_code == 302
    assert visit.patient.declined_reminders == [24, 168]

    outbox.tick(visit.start - DAY)
    outbox.tick(visit.start - 2 * HOUR)
    states = {m.step: (m.state, m.reason) for m in Message.objects.filter(kind=REMINDER)}
    assert states["24h"] == (State.SKIPPED, "declined")
    assert states["2h"] == (State.SENT, "")


def test_a_change_of_mind_in_time_brings_the_reminder_back():
    visit = make_visit()
    mail_schedule.plan_booked(visit, timezone.now())
    choose(visit, reminders=["2"])
    choose(visit)
    assert visit.patient.declined_reminders == []
    outbox.tick(visit.start - DAY)
    assert Message.objects.get(kind=REMINDER, step="24h").state == State.SENT


def test_no_reminder_ticked_is_the_same_as_one_click_in_the_mail():
    visit = make_visit()
    choose(visit, reminders=[])
    assert visit.patient.has_stopped(REMINDER)
    page = holder_of(visit.patient).get(f"/visits/{visit.pk}/mails/")
    assert page.context["form"]["reminders"].value() == []

    choose(visit, reminders=["24"])
    assert not visit.patient.has_stopped(REMINDER)
    assert visit.patient.declined_reminders == [2, 168]


def test_what_another_service_offers_is_left_alone():
    visit = make_visit(patient=make_patient(declined_reminders=[48]))
    choose(visit, reminders=["168", "24"])
    assert visit.patient.declined_reminders == [2, 48]


def test_a_service_without_reminders_asks_nothing_about_them():
    visit = make_visit(service=make_service(reminder_offsets=[]))
    page = holder_of(visit.patient).get(f"/visits/{visit.pk}/mails/")
    assert "reminders" not in page.context["form"].fields
    assert choose(visit, language="es").status_code == 302
    assert (visit.patient.language, visit.patient.mail_stops) == ("es", {})


def test_the_record_names_what_was_changed_and_not_to_what():
    visit = make_visit()
    choose(visit, reminders=["2"], language="es", time_zone="Europe/Madrid")
    event = AuditEvent.objects.get(action=AuditEvent.Action.CHANGE)
    assert set(event.fields) == {"reminders", "language", "time_zone"}
    assert event.patient_id == visit.patient_id


@pytest.mark.parametrize(
    "nonsense",
    [
        {"language": "xx"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"reminders": ["x"]},
        {"reminders": ["999"]},
    ],
)
def test_nonsense_is_refused_in_words_and_changes_nothing(nonsense):
    visit = make_visit()
    response = choose(visit, **nonsense)
    assert response.status_code == 400
    assert (visit.patient.language, visit.patient.time_zone) == ("en", "")
    assert visit.patient.declined_reminders == []


def test_somebody_elses_visit_is_not_there():
    visit, stranger = make_visit(), make_visit()
    for client in (Client(), holder_of(stranger.patient)):
        assert client.get(f"/visits/{visit.pk}/mails/").status_code == 404
        assert client.post(f"/visits/{visit.pk}/mails/", {"language": "es"}).status_code == 404
    visit.patient.refresh_from_db()
    assert visit.patient.language == "en"


def test_every_zone_on_the_list_exists_and_is_listed_once():
    names = [name for _continent, zones in time_zones() for name, _label in zones]
    assert len(names) == len(set(names)) > 300
    assert {"Asia/Kathmandu", "America/Chicago", "Europe/Madrid"} < set(names)


@pytest.mark.parametrize(
    ("zone", "due_at"),
    [
        # 17:00 in Austin, where nothing is quiet.
        ("", datetime(2026, 6, 10, 22, 0, tzinfo=UTC)),
        # Midnight in Madrid: 8:00 the morning after.
        ("Europe/Madrid", datetime(2026, 6, 11, 6, 0, tzinfo=UTC)),
        # 3:45 in Kathmandu: 8:00, which is 2:15 UTC.
        ("Asia/Kathmandu", datetime(2026, 6, 11, 2, 15, tzinfo=UTC)),
        # 12:00 in Honolulu.
        ("Pacific/Honolulu", datetime(2026, 6, 10, 22, 0, tzinfo=UTC)),
        # 8:30 on Lord Howe.
        ("Australia/Lord_Howe", datetime(2026, 6, 10, 22, 0, tzinfo=UTC)),
    ],
)
def test_nobody_is_written_to_in_their_own_night(zone, due_at):
    start = datetime(2026, 6, 11, 22, 0, tzinfo=UTC)
    visit = make_visit(start=start, patient=make_patient(time_zone=zone))
    mail_schedule.plan_booked(visit, NOW)
    assert due(visit, "24h") == due_at
    assert due(visit, "2h") == start - 2 * HOUR


def test_a_zone_that_is_given_later_moves_what_is_planned(time_machine):
    time_machine.move_to(NOW, tick=False)
    start = datetime(2026, 6, 11, 22, 0, tzinfo=UTC)
    visit = make_visit(start=start)
    mail_schedule.plan_booked(visit, NOW)
    assert due(visit, "24h") == start - DAY
    choose(visit, time_zone="Asia/Kathmandu")
    assert due(visit, "24h") == datetime(2026, 6, 11, 2, 15, tzinfo=UTC)
    assert due(visit, "2h") == start - 2 * HOUR
    choose(visit)
    assert due(visit, "24h") == start - DAY


@pytest.mark.parametrize(
    ("clinic", "own", "line"),
    [
        (
            "America/Chicago",
            "Asia/Kathmandu",
            "Thursday, June 11, 6:45 PM UTC+05:45 (Asia/Kathmandu)",
        ),
        ("America/Denver", "America/Chicago", "Thursday, June 11, 8:00 AM CDT (America/Chicago)"),
        ("America/Chicago", "Pacific/Auckland", "Friday, June 12, 1:00 AM NZST (Pacific/Auckland)"),
        ("Asia/Kathmandu", "Europe/London", "Thursday, June 11, 2:00 PM BST (Europe/London)"),
        ("America/Chicago", "America/Winnipeg", None),
        ("America/Chicago", "", None),
    ],
)
def test_a_patient_elsewhere_reads_their_own_time_beside_the_clinics(clinic, own, line):
    start = datetime(2026, 6, 11, 13, 0, tzinfo=UTC)
    visit = make_visit(
        start=start,
        location=make_location(time_zone=clinic),
        patient=make_patient(time_zone=own),
    )
    mail_schedule.plan_booked(visit, NOW)
    outbox.tick(NOW)
    (sent,) = mail.outbox
    assert f"({clinic})" in sent.body
    assert ("On your clock" in sent.body) is (line is not None)
    if line:
        assert f"On your clock: {line}" in sent.body
        assert line in sent.alternatives[0].content
    parts = sent.message().walk()
    (calendar,) = [part for part in parts if part.get_content_type() == "text/calendar"]
    assert b"DTSTART:20260611T130000Z" in calendar.get_payload(decode=True)


def test_a_click_in_one_kind_of_mail_stops_that_kind_only(monkeypatch):
    weekly = wordings.Wording(
        kind="weekly",
        label="Weekly",
        subject="Weekly",
        heading="Weekly",
        text="Weekly",
        stop_label="Stop weekly mails",
    )
    monkeypatch.setitem(wordings._wordings, "weekly", weekly)
    patient = make_patient()
    urls = {}
    for kind in ("weekly", REMINDER):
        message = make_message(patient=patient, kind=kind)
        (url,) = issue_links(
            Link.Purpose.UNSUBSCRIBE,
            message=message,
            patient=patient,
            expires_at=timezone.now() + DAY,
        ).values()
        urls[kind] = url.removeprefix("http://testserver")
    client = Client(enforce_csrf_checks=True)
    assert "Stop weekly mails" in client.get(urls["weekly"]).content.decode()
    assert client.post(urls["weekly"], {"List-Unsubscribe": "One-Click"}).status_code == 200
    patient.refresh_from_db()
    assert set(patient.mail_stops) == {"weekly"}
    client.post(urls[REMINDER])
    patient.refresh_from_db()
    assert set(patient.mail_stops) == {"weekly", REMINDER}

    # Both are on the page of choices, and can be had back there.
    visit = make_visit(patient=patient)
    choose(visit)
    assert patient.mail_stops == {}
    choose(visit, others=[kind for kind in stoppable() if kind != "weekly"])
    visit.patient.refresh_from_db()
    assert set(visit.patient.mail_stops) == {"weekly"}


def test_the_front_desk_sets_the_same_choices(client):
    sign_in(client, make_user())
    visit = make_visit()
    patient = visit.patient
    mail_schedule.plan_booked(visit, timezone.now())
    page = f"/admin/clinic/patient/{patient.pk}/change/"
    fields = client.get(page).context["adminform"].form.initial
    posted = {
        "name": patient.name,
        "phone": patient.phone,
        "email": patient.email,
        "birth_date": "1990-01-31",
        "guardian_name": "",
        "contact_relation": "self",
        "language": "es",
        "time_zone": "Europe/Madrid",
        "reminders": ["24"],
        "others": stoppable(),
    }
    inline = {
        "appointments-TOTAL_FORMS": "0",
        "appointments-INITIAL_FORMS": "0",
    }
    assert "language" in fields
    assert client.post(page, posted | inline).status_code == 302
    patient.refresh_from_db()
    assert (patient.language, patient.time_zone) == ("es", "Europe/Madrid")
    assert patient.declined_reminders == [2, 168]

    client.post(page, posted | inline | {"reminders": []})
    patient.refresh_from_db()
    assert patient.has_stopped(REMINDER)
    listed = client.get("/admin/clinic/patient/?mail=stopped").content.decode()
    assert patient.name in listed
