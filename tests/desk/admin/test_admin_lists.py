"""The admin's lists: which there are, and what each costs."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def practice():
    return make.make_practice()


def in_days(days):
    return timezone.now().replace(microsecond=0) + timedelta(days=days)


def fill(model, number):
    """Make rows for the list of ``model``, each with its own relations."""
    visit = make.make_appointment(
        start=in_days(number + 1), intake_response=make.make_response(patient=make.make_patient())
    )
    visit.mark_arrived(now=visit.start, by=make.make_user())
    match model.__name__:
        case "Room":
            make.make_room()
        case "Equipment":
            make.make_equipment()
        case "Break":
            make.make_break(visit.practitioner, visit.location)
        case "ReservedTime":
            make.make_reserved_time(visit.practitioner, visit.location)
        case "ExtraHours":
            make.make_extra_hours(
                visit.practitioner, visit.location, date=in_days(number + 1).date()
            )
        case "VisitLimit":
            make.make_limit(practitioner=visit.practitioner, service=visit.service)
        case "OpeningHours":
            make.make_hours(visit.practitioner, visit.location, weekdays=[1])
        case "Closure":
            make.make_closure(start=in_days(1), end=in_days(2), location=visit.location)
        case "TimeOff":
            make.make_time_off(visit.practitioner, start=in_days(1), end=in_days(2))
        case "CalendarFeed":
            make.make_calendar_feed(
                practitioner=visit.practitioner, created_by=make.make_user(), token=str(number)
            )
        case "SafetyAlert":
            alert = make.make_alert(patient=visit.patient)
            alert.acknowledge(by=make.make_user(), now=timezone.now())
        case "Agreement":
            make.make_agreement(response=visit.intake_response)
        case "Message":
            make.make_message(user=make.make_user())
        case "OnCall":
            make.make_on_call()
        case "DeskTask":
            make.make_desk_task(patient=visit.patient).finish(
                by=make.make_user(), now=timezone.now()
            )
        case "MailText":
            make.make_mail_text(kind=("confirmation", "moved", "cancelled")[number])
        case "Link":
            make.make_link()
        case "EmergencyAccess":
            make.make_emergency_access(user=make.make_clinician(), patient=visit.patient)
        case "WaitlistEntry":
            entry = make.make_waitlist_entry(
                practitioner=visit.practitioner,
                location=visit.location,
                intake_response=visit.intake_response,
            )
            make.make_waitlist_offer(entry=entry)
        case "Series":
            make.make_series(patient=visit.patient).visits.add(visit)
        case "AuditEvent":
            make.make_audit_event(user=make.make_user())


def test_every_model_of_the_house_has_a_list_with_columns_filters_and_search():
    for model, model_admin in admin.site._registry.items():
        assert model._meta.app_label in {"clinic", "intake", "schedule", "booking", "desk"}
        assert len(model_admin.list_display) >= 4, model
        assert model_admin.list_filter, model
        assert model_admin.search_fields, model


def test_answers_second_factors_and_sessions_have_no_page():
    registered = {model.__name__ for model in admin.site._registry}
    assert not registered & {
        "QuestionnaireResponse",
        "Observation",
        "Authenticator",
        "UserSession",
        "EmailAddress",
        "Group",
        "LogEntry",
    }


# The whole request: session, account, its permissions, practice, count, rows, choices of filters.
LIST_QUERIES = {
    "practice": 12,
    "location": 13,
    "practitioner": 14,
    "user": 12,
    "message": 12,
    "oncall": 12,
    "mailtext": 13,
    "desktask": 11,
    "link": 11,
    "auditevent": 11,
    "questionnaire": 12,
    "agreement": 13,
    "safetyalert": 12,
    "emergencyaccess": 12,
    "service": 13,
    "room": 14,
    "openinghours": 14,
    "equipment": 14,
    "break": 14,
    "reservedtime": 14,
    "extrahours": 14,
    "visitlimit": 14,
    "closure": 14,
    "timeoff": 14,
    "calendarfeed": 12,
    "patient": 11,
    "statuschange": 11,
    "appointment": 16,
    "waitlistentry": 16,
    "series": 12,
}


# Every page of the admin says whether a safety alert is open (1) and whether mails go out (2).
BANNER_QUERIES = 3


def test_every_list_is_counted():
    assert set(LIST_QUERIES) == {model._meta.model_name for model in admin.site._registry}


@pytest.mark.parametrize("name", LIST_QUERIES)
def test_a_list_takes_as_many_queries_at_three_rows_as_at_one(
    client, name, django_assert_num_queries
):
    make.sign_in(client, make.make_user(role="front-desk" if name == "link" else "manager"))
    model = next(model for model in admin.site._registry if model._meta.model_name == name)
    page = reverse(f"admin:{model._meta.app_label}_{name}_changelist")
    fill(model, 0)
    client.get(page)
    with django_assert_num_queries(LIST_QUERIES[name] + BANNER_QUERIES):
        assert client.get(page).status_code == 200
    fill(model, 1)
    fill(model, 2)
    with django_assert_num_queries(LIST_QUERIES[name] + BANNER_QUERIES):
        assert client.get(page).status_code == 200
