from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.urls import reverse

from clinic.models import AuditEvent, Role
from clinic.tasks import tick
from desk.tasks import sweep
from intake.models import QuestionnaireResponse, SafetyAlert
from intake.rules.levels import Level
from intake.workflow import alert_mails
from tests.booking.visitor import Visitor, open_clinic
from tests.factories import (
    NOW,
    make_alert,
    make_care,
    make_clinician,
    make_on_call,
    make_patient,
    make_practice,
    make_user,
    sign_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fixed_clock():
    with time_machine.travel(NOW, tick=False) as clock:
        make_practice()
        yield clock


def page_of(client, user):
    return " ".join(sign_in(client, user).get(reverse("alerts")).content.decode().split())


def test_an_abandoned_emergency_is_told_within_a_tick_and_goes_on_until_acknowledged(fixed_clock):
    """The issue's whole story: a form that is left, the real tick, a clock that moves."""
    first, second = make_on_call(position=1).user, make_on_call(position=2).user
    visitor = Visitor(open_clinic())
    # Only the first question is answered; the rest of the page never is.
    visitor.client.post("/book/safety/", {"safety-nerve": "saddle-numb"})

    tick()
    assert {sent.to[0] for sent in mail.outbox} == {"alerts@clinic.example", first.email}
    for minutes in range(1, 16):
        fixed_clock.move_to(NOW + timedelta(minutes=minutes))
        tick()
        sweep()
    assert [sent.to[0] for sent in mail.outbox][2:] == [second.email]
    tick()
    assert len(mail.outbox) == 3

    alert = SafetyAlert.objects.get()
    sign_in(visitor.client, second)
    visitor.client.post(reverse("acknowledge_alert", args=[alert.pk]))
    fixed_clock.move_to(NOW + timedelta(hours=9))
    tick()
    assert len(mail.outbox) == 3
    alert.refresh_from_db()
    assert alert.acknowledged_by == second
    # Acknowledging reopens nothing.
    assert alert.booking_reopened_at is None
    fixed_clock.move_to(NOW + timedelta(days=3))
    sweep()
    assert QuestionnaireResponse.objects.exists()


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.MANAGER])
def test_staff_see_whom_to_call_and_by_when_but_no_reason(client, role):
    patient = make_patient(name="Ana Ruiz", phone="512 555 0123")
    make_alert(patient=patient, rules=["T-E1"])
    page = page_of(client, make_user(role=role, is_staff=True))
    assert "Ana Ruiz" in page
    assert "tel:5125550123" in page
    assert "Acknowledge by 8:15 AM" in page
    assert "T-E1" not in page


def test_an_alert_that_nobody_answered_in_time_says_so(client, fixed_clock):
    make_alert()
    fixed_clock.move_to(NOW + timedelta(minutes=15))
    assert "Not acknowledged by 8:15 AM" in page_of(client, make_user())


def test_an_unknown_visitor_is_found_by_code_and_by_the_number_they_left(client):
    nobody = make_alert()
    called = make_alert(callback_name="Bo", callback_phone="+1 512 555 0177", level=Level.URGENT)
    page = page_of(client, make_user())
    for words in (nobody.code, called.code, "Unknown visitor", "Bo", "tel:+15125550177"):
        assert words in page


def test_a_clinician_sees_alerts_of_own_patients_and_all_of_them_when_on_call(client):
    clinician, other = make_clinician(), make_clinician()
    own, foreign = make_patient(name="Own Patient"), make_patient(name="Foreign Patient")
    make_care(patient=own, practitioner=clinician.practitioner)
    make_care(patient=foreign, practitioner=other.practitioner)
    for patient in (own, foreign):
        make_alert(patient=patient)
    page = page_of(client, clinician)
    assert "Own Patient" in page
    assert "Foreign Patient" not in page

    make_on_call(clinician)
    assert "Foreign Patient" in page_of(client, clinician)
    alert = foreign.safety_alerts.get()
    answer = client.post(reverse("acknowledge_alert", args=[alert.pk]))
    assert answer["Location"] == f"{reverse('alerts')}#alert-{alert.pk}"
    alert.refresh_from_db()
    assert alert.acknowledged_by == clinician
    # The list tells whom to call; the answers stay with the care team.
    assert client.get(reverse("clinician_summary", args=[foreign.pk])).status_code == 404


def test_an_acknowledged_alert_stays_for_a_day_with_the_name(client, fixed_clock):
    make_alert(acknowledged_at=NOW, acknowledged_by=make_user(first_name="Rosa", last_name="Gil"))
    assert "Acknowledged by Rosa Gil" in page_of(client, make_user())
    fixed_clock.move_to(NOW + timedelta(days=1, seconds=1))
    assert "No open safety alert" in page_of(client, make_user())


def test_who_was_told_and_who_is_next_stands_with_the_alert(client):
    make_on_call(make_user(first_name="Rosa", last_name="Gil"))
    alert_mails.plan_alert(make_alert(), NOW)
    tick()
    page = page_of(client, make_user())
    assert "8:00 AM: the team’s mailbox" in page
    assert "8:15 AM: Rosa Gil" in page
    assert page.count("Planned") == 1


@pytest.mark.parametrize("rows", [1, 3])
def test_the_alerts_take_the_same_queries_however_many_there_are(
    client, django_assert_num_queries, rows
):
    user = make_user()
    sign_in(client, user)
    for _ in range(rows):
        alert_mails.plan_alert(make_alert(patient=make_patient()), NOW)
    with django_assert_num_queries(12):
        client.get(reverse("alerts"))


def test_reading_the_alerts_leaves_an_audit_row(client):
    page_of(client, make_user())
    assert AuditEvent.objects.filter(subject_type="alerts").count() == 1


@pytest.mark.parametrize(
    ("level", "style"), [(Level.EMERGENCY, "emergency"), (Level.URGENT, "urgent")]
)
def test_every_staff_page_carries_a_banner_while_an_alert_is_open(client, level, style):
    sign_in(client, make_user(is_staff=True))
    assert "alert-banner" not in client.get("/admin/").content.decode()
    alert = make_alert(level=level)
    for path in ("/admin/", "/admin/booking/appointment/"):
        assert f"alert-banner-{style}" in client.get(path).content.decode()
    alert.acknowledge(by=make_user(), now=NOW)
    assert "alert-banner" not in client.get("/admin/").content.decode()


def test_a_clinicians_pages_carry_the_banner_for_alerts_that_concern_them(client):
    clinician = make_clinician()
    make_alert()
    sign_in(client, clinician)
    assert "alert-banner" not in client.get("/clinician/").content.decode()
    make_on_call(clinician)
    assert "alert-banner-emergency" in client.get("/clinician/").content.decode()
