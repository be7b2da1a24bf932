"""The front desk's lists, pages and buttons."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from booking.mails import visit_mails
from booking.models import Appointment, StatusChange
from clinic.models import AuditEvent, Location, Message, Patient, Role
from intake.rules.levels import Level
from schedule.models import Service
from tests import factories as make

pytestmark = pytest.mark.django_db

VISITS = "/admin/booking/appointment/"
PATIENT_CHOICES = "/admin/autocomplete/?app_label=booking&model_name=appointment&field_name=patient"
Status = Appointment.Status


@pytest.fixture(autouse=True)
def practice():
    return make.make_practice()


@pytest.fixture
def front_desk(client):
    client.user = make.make_user(role=Role.FRONT_DESK)
    return make.sign_in(client, client.user)


@pytest.fixture
def manager(client):
    client.user = make.make_user(role=Role.MANAGER)
    return make.sign_in(client, client.user)


def in_days(days):
    return timezone.now().replace(microsecond=0) + timedelta(days=days)


def change_page(row):
    return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])


def press(client, visit, action):
    """Press a button on the visit's own page."""
    return client.post(
        change_page(visit),
        {"CHANGE_FORM-action": action, "_selected_action": str(visit.pk)},
    )


def choose(client, visits, action):
    """Choose an action in the list."""
    return client.post(
        f"{VISITS}?day=all",
        {"action": action, "index": 0, "_selected_action": [str(visit.pk) for visit in visits]},
    )


def audited(action):
    return list(
        AuditEvent.objects.filter(action=action)
        .order_by("at")
        .values_list("subject_type", "fields")
    )


def test_the_home_page_counts_today(front_desk):
    now = timezone.now()
    make.make_appointment(start=now)
    make.make_appointment(start=now, intake_response=make.make_response())
    waiting = make.make_appointment(start=now)
    waiting.mark_arrived(now=now, by=front_desk.user)
    make.make_appointment(start=now, status=Status.CANCELLED)
    make.make_appointment(start=now - timedelta(days=2))
    make.make_alert()
    make.make_message(due_at=now - timedelta(hours=1))
    make.make_message(due_at=now, state="failed")
    make.make_waitlist_entry()
    make.make_waitlist_entry(state="left", closed_at=now)
    assert front_desk.get("/admin/").context["today"] == {
        "visits": 3,
        "arrived": 1,
        "forms_missing": 2,
        "open_alerts": 1,
        "late_mail": 1,
        "failed_mail": 1,
        "waiting": 1,
        "desk_tasks": 0,
    }


def test_an_untouched_list_of_visits_starts_today_and_a_search_looks_through_all(front_desk):
    past = make.make_appointment(start=in_days(-3), patient=make.make_patient(name="Ana Past"))
    coming = make.make_appointment(start=in_days(3))
    shown = front_desk.get(VISITS).context["cl"].queryset
    assert list(shown) == [coming]
    assert list(front_desk.get(f"{VISITS}?q=Ana").context["cl"].queryset) == [past]
    assert set(front_desk.get(f"{VISITS}?day=all").context["cl"].queryset) == {past, coming}


@pytest.mark.parametrize(
    ("key", "days"), [("today", 0), ("tomorrow", 1), ("week", 6), ("past", -20)]
)
def test_the_days_of_the_list_are_the_practices_days(front_desk, key, days):
    visit = make.make_appointment(start=in_days(days))
    make.make_appointment(start=in_days(40))
    make.make_appointment(start=in_days(-40))
    assert list(front_desk.get(f"{VISITS}?day={key}").context["cl"].queryset) == [visit]


def test_times_are_said_on_the_clock_of_the_place(front_desk):
    el_paso = make.make_location(time_zone="America/Denver")
    visit = make.make_appointment(location=el_paso, start=datetime(2030, 6, 3, 15, tzinfo=UTC))
    assert "Mon, Jun 3, 2030, 9:00 AM MDT" in front_desk.get(change_page(visit)).content.decode()


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("none", {"none"}),
        ("started", {"started"}),
        ("done", {"done"}),
        ("missing", {"none", "started"}),
    ],
)
def test_visits_are_filtered_by_how_far_the_intake_is(front_desk, key, kept):
    visits = {
        "none": make.make_appointment(start=in_days(1)),
        "started": make.make_appointment(start=in_days(1), intake_response=make.make_response()),
        "done": make.make_appointment(
            start=in_days(1), intake_response=make.make_response(status="completed")
        ),
    }
    found = front_desk.get(f"{VISITS}?intake={key}").context["cl"].queryset
    assert set(found) == {visits[name] for name in kept}
    for name, visit in visits.items():
        assert visit.intake_state == name


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.MANAGER])
def test_staff_see_intake_state_and_level_but_no_answer_and_no_rule(client, role):
    make.sign_in(client, make.make_user(role=role))
    response = make.make_response(
        patient=make.make_patient(),
        level=Level.SOON,
        rules=["T-CANARY"],
        items=[{"linkId": "goal", "answer": [{"valueString": "Zzyzx Canary"}]}],
    )
    visit = make.make_appointment(
        start=in_days(1), patient=response.patient, intake_response=response
    )
    alert = make.make_alert(patient=response.patient, response=response, rules=["T-CANARY"])
    for page in (VISITS, change_page(visit), change_page(response.patient), change_page(alert)):
        text = client.get(page).content.decode()
        # Not "canary": that is a time zone to choose from.
        assert not {"zzyzx", "t-canary"} & set(re.findall(r"[\w-]+", text.lower())), page
    assert "Started" in client.get(VISITS).content.decode()
    assert 'class="level level-soon"' in client.get(VISITS).content.decode()


def test_status_and_time_cannot_be_posted(front_desk):
    visit = make.make_appointment(start=in_days(1))
    response = front_desk.post(
        change_page(visit),
        {"status": "fulfilled", "start_0": "2030-01-01", "start_1": "10:00", "_save": "Save"},
    )
    assert response.status_code == 403
    before = visit.start
    visit.refresh_from_db()
    assert (visit.status, visit.start) == (Status.BOOKED, before)


def test_managers_look_at_the_schedule_and_do_not_change_it(manager):
    visit = make.make_appointment(start=in_days(1))
    assert manager.get(change_page(visit)).status_code == 200
    press(manager, visit, "mark_arrived")
    visit.refresh_from_db()
    assert visit.status == Status.BOOKED
    assert manager.get(f"{VISITS}add/").status_code == 403
    assert manager.get(f"{VISITS}{visit.pk}/move/").status_code == 403
    assert manager.get(f"{VISITS}cancel/?visit={visit.pk}").status_code == 403


def test_a_denial_is_recorded(front_desk):
    front_desk.get("/admin/clinic/auditevent/")
    event = AuditEvent.objects.get(action=AuditEvent.Action.DENIED)
    assert (event.user, event.subject_type) == (
        front_desk.user,
        "admin:clinic_auditevent_changelist",
    )


def test_cancelling_asks_for_a_reason_and_plans_the_mail(front_desk):
    visits = [make.make_appointment(start=in_days(day)) for day in (1, 2)]
    page = choose(front_desk, visits, "cancel")["Location"]
    assert front_desk.get(page).status_code == 200
    assert front_desk.post(page, {"reason": ""}).status_code == 200
    assert Appointment.objects.filter(status=Status.CANCELLED).count() == 0
    front_desk.post(page, {"reason": "Practitioner is ill", "notify_patient": "on"})
    assert Appointment.objects.filter(status=Status.CANCELLED).count() == 2
    reasons = StatusChange.objects.values_list("reason", "by")
    assert set(reasons) == {("Practitioner is ill", front_desk.user.pk)}
    assert Message.objects.filter(kind=visit_mails.CANCELLED).count() == 2


@pytest.mark.parametrize("query", ["", "visit=nonsense", f"visit={'0' * 32}"])
def test_cancelling_nothing_is_no_error(front_desk, query):
    assert front_desk.get(f"{VISITS}cancel/?{query}").status_code in {302, 404}


def test_a_cancelled_visit_is_taken_back_unless_its_time_has_gone(front_desk):
    visit = make.make_appointment(start=in_days(1))
    visit.cancel(now=timezone.now(), by=front_desk.user)
    press(front_desk, visit, "restore")
    visit.refresh_from_db()
    assert visit.status == Status.BOOKED
    visit.cancel(now=timezone.now(), by=front_desk.user)
    make.make_appointment(
        start=visit.start, practitioner=visit.practitioner, location=visit.location
    )
    press(front_desk, visit, "restore")
    visit.refresh_from_db()
    assert visit.status == Status.CANCELLED


def test_the_mail_about_a_visit_is_sent_again(front_desk):
    visit = make.make_appointment(start=in_days(1))
    press(front_desk, visit, "resend_mail")
    press(front_desk, visit, "resend_mail")
    mails = Message.objects.about(visit).filter(kind=visit_mails.CONFIRMATION)
    assert sorted(mails.values_list("resend", flat=True)) == [0, 1]


def test_a_mail_sent_again_says_where_the_visit_is_now(front_desk):
    """The patient was told of the move on the phone: no mail says it yet."""
    visit = make.make_appointment(start=in_days(1))
    press(front_desk, visit, "resend_mail")
    moved_to = (visit.start + timedelta(hours=3)).replace(second=0, microsecond=0)
    visit.move(
        start=moved_to,
        now=timezone.now(),
        by=front_desk.user,
        practitioner=visit.practitioner,
        outside_hours=True,
        notify_patient=False,
    )
    press(front_desk, visit, "resend_mail")
    newest = (
        Message.objects.about(visit).filter(kind=visit_mails.CONFIRMATION, state="planned").get()
    )
    assert newest.subject_version == visit.sequence


def test_a_patient_without_an_address_gets_no_mail_again(front_desk):
    visit = make.make_appointment(start=in_days(1), patient=make.make_patient(email=""))
    press(front_desk, visit, "resend_mail")
    assert not Message.objects.exists()


def test_a_failed_mail_is_sent_again_from_its_own_page(front_desk):
    message = make.make_message(state="failed")
    press(front_desk, message, "send_again")
    assert Message.objects.get(resend=1).state == "planned"


def test_a_safety_hold_is_released_by_name(front_desk):
    visit = make.make_appointment(start=in_days(1), safety_hold_alert=make.make_alert())
    assert "Call first" in front_desk.get(VISITS).content.decode()
    press(front_desk, visit, "release_safety_hold")
    visit.refresh_from_db()
    assert visit.safety_hold_alert is None
    assert audited("change") == [("booking.appointment", ["safety_hold_alert"])]


@pytest.mark.parametrize(
    "question",
    [
        "intake/safetyalert/?rules__icontains=canary",
        "intake/safetyalert/?visitor_hash__startswith=a",
        "clinic/message/?raw__contains=canary",
        "clinic/link/?token_hash__startswith=a",
    ],
)
def test_what_a_page_leaves_out_cannot_be_guessed_by_filtering(front_desk, question):
    make.make_alert(rules=["T-CANARY"])
    assert front_desk.get(f"/admin/{question}").status_code == 400


def test_an_alert_is_found_by_the_code_on_the_callers_page_and_booking_reopened(front_desk):
    alert = make.make_alert(callback_phone="+1 512 555 0111")
    make.make_alert()
    page = front_desk.get(f"/admin/intake/safetyalert/?q={alert.code.lower()}")
    assert list(page.context["cl"].queryset) == [alert]
    press(front_desk, alert, "acknowledge")
    press(front_desk, alert, "reopen_booking")
    alert.refresh_from_db()
    assert alert.acknowledged_by == alert.booking_reopened_by == front_desk.user
    assert audited("change") == [
        ("intake.safetyalert", ["acknowledged_at"]),
        ("intake.safetyalert", ["booking_reopened_at"]),
    ]


def test_the_first_to_acknowledge_stays_the_one_who_did(front_desk):
    first = make.make_user()
    alert = make.make_alert()
    alert.acknowledge(by=first, now=timezone.now())
    press(front_desk, alert, "acknowledge")
    alert.refresh_from_db()
    assert alert.acknowledged_by == first


def test_reading_a_patient_leaves_one_audit_row(front_desk):
    patient = make.make_patient()
    front_desk.get(change_page(patient))
    event = AuditEvent.objects.get(action=AuditEvent.Action.READ)
    assert (event.user, event.patient_id, event.subject_id) == (
        front_desk.user,
        patient.pk,
        str(patient.pk),
    )


@pytest.mark.parametrize(
    "path",
    [
        "/admin/clinic/patient/?q=Zzyzx",
        "/admin/booking/appointment/?q=Zzyzx",
        f"{PATIENT_CHOICES}&term=Zzyzx",
    ],
)
def test_a_search_is_recorded_without_what_was_searched_for(front_desk, path):
    assert front_desk.get(path).status_code == 200
    event = AuditEvent.objects.get(action=AuditEvent.Action.SEARCH)
    assert event.user == front_desk.user
    assert "Zzyzx" not in str(event.__dict__)


def test_a_change_is_recorded_by_field_name_and_nowhere_else(front_desk):
    patient = make.make_patient(name="Zzyzx Canary", phone="1")
    response = front_desk.post(
        change_page(patient),
        {
            "name": "Zzyzx Canary",
            "birth_date": "1990-01-31",
            "phone": "2",
            "email": patient.email,
            "language": "en",
            "contact_relation": "self",
            "guardian_name": "",
            "others": ["check-in"],
            "appointments-TOTAL_FORMS": 0,
            "appointments-INITIAL_FORMS": 0,
        },
    )
    assert response.status_code == 302
    patient.refresh_from_db()
    assert patient.phone == "2"
    assert audited("change") == [("clinic.patient", ["phone"])]
    assert not LogEntry.objects.exists()


def test_a_patient_is_never_deleted_here(front_desk):
    patient = make.make_patient()
    assert front_desk.get(f"/admin/clinic/patient/{patient.pk}/delete/").status_code == 403
    front_desk.post(
        "/admin/clinic/patient/",
        {"action": "delete_selected", "_selected_action": str(patient.pk), "post": "yes"},
    )
    assert Patient.objects.filter(pk=patient.pk).exists()


def test_the_audit_record_can_be_read_and_nothing_else(manager):
    event = make.make_audit_event()
    assert manager.get(change_page(event)).status_code == 200
    assert manager.post(change_page(event), {"action": "read"}).status_code == 403
    assert manager.get("/admin/clinic/auditevent/add/").status_code == 403
    assert manager.get(f"/admin/clinic/auditevent/{event.pk}/delete/").status_code == 403


def test_the_audit_record_is_searched_by_patient(manager):
    patient = make.make_patient()
    about = make.make_audit_event(patient_id=patient.pk)
    make.make_audit_event()
    page = manager.get(f"/admin/clinic/auditevent/?q={patient.pk}")
    assert list(page.context["cl"].queryset) == [about]


def test_configuration_keeps_its_versions_and_shows_them_without_inline_styles(manager):
    location = make.make_location(name="Before")
    manager.post(
        change_page(location),
        {
            **{
                field.name: getattr(location, field.name)
                for field in Location._meta.fields
                if field.name not in {"id", "is_active"}
            },
            "is_active": "on",
            "name": "After",
        },
    )
    assert list(location.history.values_list("name", flat=True)) == ["After", "Before"]
    page = manager.get(f"/admin/clinic/location/{location.pk}/history/").content.decode()
    assert "Before" in page
    assert "After" in page
    assert " style=" not in page


def test_an_old_version_cannot_be_revived_by_whoever_may_look_at_it(front_desk):
    location = make.make_location(name="Before")
    version = location.history.get()
    location.name = "After"
    location.save()
    page = f"/admin/clinic/location/{location.pk}/history/{version.pk}/"
    assert front_desk.get(page).status_code == 200
    assert front_desk.post(page, {"name": "Before"}).status_code == 403
    location.refresh_from_db()
    assert location.name == "After"


def test_a_service_is_edited_with_its_lengths(manager):
    service = make.make_service()
    page = manager.get(change_page(service))
    form = page.context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    posted = {name: value for name, value in shown.items() if value not in (None, [], False)}
    posted |= {name: 0 for name, value in shown.items() if type(value) is int and value == 0}
    response = manager.post(change_page(service), {**posted, "durations": "[30, 60]"})
    assert response.status_code == 302
    assert Service.objects.get(pk=service.pk).durations == [30, 60]
    response = manager.post(change_page(service), {**posted, "durations": "[1]"})
    assert response.status_code == 200
    assert "durations" in response.context["adminform"].form.errors


def test_a_link_is_revoked(front_desk):
    link = make.make_link()
    press(front_desk, link, "revoke")
    link.refresh_from_db()
    assert link.revoked_at is not None
    assert link.token_hash not in front_desk.get(change_page(link)).content.decode()


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.MANAGER])
def test_no_link_on_a_patients_page_leads_to_a_refusal(client, role):
    make.sign_in(client, make.make_user(role=role))
    page = client.get(change_page(make.make_patient())).content.decode()
    links = {html.unescape(link) for link in re.findall(r'href="(/admin/[^"]*)"', page)}
    own = "/erase/" if role == Role.MANAGER else "/questions/"
    assert any(own in link for link in links)
    assert {link for link in links if client.get(link).status_code >= 400} == set()
