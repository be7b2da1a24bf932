"""Where managers keep the rules about time, and the page that says why a time is not offered."""

import re
from datetime import date, datetime, time, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from schedule.models import Break, Equipment, OpeningHours, ResourceHours
from schedule.search import ObstacleRule
from tests import factories as make
from tests.booking.small_clinic import NINE, SmallClinic, minutes
from tests.factories import NOW

pytestmark = pytest.mark.django_db

WHY = "/admin/schedule/service/why/"


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOW, tick=False):
        yield NOW


@pytest.fixture
def clinic():
    make.make_practice()
    return SmallClinic()


@pytest.fixture
def manager(client, clinic):
    return make.sign_in(client, make.make_user(role="manager"))


def shift(practitioner, location, **fields):
    defaults = {"weekday": 1, "opens": time(8), "closes": time(12)}
    return OpeningHours(practitioner=practitioner, location=location, **defaults | fields)


@pytest.mark.parametrize(
    ("fields", "is_refused"),
    [
        ({}, True),
        ({"opens": time(16, 59), "closes": time(18)}, True),
        ({"opens": time(17), "closes": time(18)}, False),
        ({"valid_from": date(2030, 1, 1)}, True),
    ],
)
def test_two_shifts_of_one_person_do_not_overlap(clinic, fields, is_refused):
    another_place = make.make_location()
    row = shift(clinic.practitioners[0], another_place, **fields)
    if is_refused:
        with pytest.raises(ValidationError, match="two shifts at once"):
            row.full_clean()
    else:
        row.full_clean()
    shift(make.make_practitioner(), clinic.location, **fields).full_clean()


def test_shifts_that_hold_at_different_times_do_not_overlap(clinic):
    practitioner = make.make_practitioner()
    make.make_hours(practitioner, clinic.location, weekdays=[1], valid_until=date(2026, 12, 31))
    shift(practitioner, clinic.location, valid_from=date(2027, 1, 1)).full_clean()
    with pytest.raises(ValidationError, match="two shifts at once"):
        shift(practitioner, clinic.location, valid_from=date(2026, 12, 1)).full_clean()


def test_shifts_in_two_zones_are_compared_by_the_instant(clinic):
    """Noon in Austin is eleven in Denver, the whole year."""
    practitioner = make.make_practitioner()
    make.make_hours(practitioner, clinic.location, weekdays=[1], opens=time(8), closes=time(12))
    denver = make.make_location(time_zone="America/Denver")
    shift(practitioner, denver, opens=time(11), closes=time(12)).full_clean()
    with pytest.raises(ValidationError, match="two shifts at once"):
        shift(practitioner, denver, opens=time(10, 59), closes=time(12)).full_clean()


def inline(prefix, *rows, initial=0):
    posted = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        posted |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return posted


def post_rules(manager, clinic, practitioner, **rules):
    path = f"/admin/clinic/practitioner/{practitioner.pk}/change/"
    page = manager.get(path).content.decode()
    found = dict.fromkeys(re.findall(r'name="([\w-]+)-TOTAL_FORMS"', page))
    posted = {"name": practitioner.name, "title": "PT", "is_active": "on"}
    posted["locations"] = [clinic.location.pk]
    for prefix in found:
        posted |= inline(prefix, *rules.get(prefix, ()))
    return manager.post(path, posted, follow=True)


def row(clinic, **fields):
    return {
        "location": clinic.location.pk,
        "weekday": 1,
        "opens": "08:00",
        "closes": "12:00",
    } | fields


def test_a_managers_page_of_a_practitioner_holds_every_rule_of_theirs(manager, clinic):
    practitioner = make.make_practitioner(locations=[clinic.location])
    response = post_rules(
        manager,
        clinic,
        practitioner,
        openinghours=[row(clinic), row(clinic, opens="13:00", closes="17:00")],
        **{"break": [row(clinic, opens="10:00", closes="10:15")]},
        extrahours=[
            {
                "location": clinic.location.pk,
                "date": "2026-06-06",
                "opens": "9:00",
                "closes": "12:00",
            }
        ],
        reservedtime=[row(clinic, opens="11:00", level=2, release_hours=4)],
        visitlimit=[{"most": 8, "period": 1}],
    )
    assert "outside every weekly shift" not in response.content.decode()
    assert OpeningHours.objects.filter(practitioner=practitioner).count() == 2
    assert Break.objects.get().practitioner == practitioner


def test_shifts_entered_together_are_compared_with_each_other(manager, clinic):
    practitioner = make.make_practitioner(locations=[clinic.location])
    overlapping = [row(clinic), row(clinic, opens="11:00", closes="17:00")]
    response = post_rules(manager, clinic, practitioner, openinghours=overlapping)
    assert "two shifts at once" in response.content.decode()
    assert not OpeningHours.objects.filter(practitioner=practitioner).exists()


def test_a_break_outside_every_shift_is_saved_with_a_warning(manager, clinic):
    practitioner = make.make_practitioner(locations=[clinic.location])
    make.make_hours(practitioner, clinic.location, weekdays=[2])
    posted = row(clinic, practitioner=practitioner.pk, opens="12:00", closes="13:00")
    shown = manager.post("/admin/schedule/break/add/", posted, follow=True).content.decode()
    assert "outside every weekly shift" in shown
    assert Break.objects.get().practitioner == practitioner
    shown = manager.post("/admin/schedule/break/add/", posted | {"weekday": 2}, follow=True)
    assert "outside every weekly shift" not in shown.content.decode()


def test_a_device_gets_its_hours_on_its_own_page(manager, clinic):
    posted = {"name": "Rig", "location": clinic.location.pk, "kind": "camera", "is_active": "on"}
    times = {"weekday": 1, "opens": "08:00", "closes": "12:00"}
    manager.post("/admin/schedule/equipment/add/", posted | inline("hours", times))
    assert ResourceHours.objects.get().equipment == Equipment.objects.get()


def location_form(location, **fields):
    names = ("name", "slug", "phone", "address", "city", "region", "postal_code", "time_zone")
    return {name: getattr(location, name) for name in names} | {"is_active": "on"} | fields


def test_holidays_are_listed_for_two_years_and_each_can_be_kept_open(manager, clinic):
    path = f"/admin/clinic/location/{clinic.location.pk}/change/"
    manager.post(path, location_form(clinic.location, holiday_country="US"))
    page = manager.get(path).content.decode()
    assert "Columbus Day: Oct 12, 2026, Oct 11, 2027" in page
    posted = location_form(
        clinic.location, holiday_country="US", holidays_kept_open=["Columbus Day"]
    )
    manager.post(path, posted)
    clinic.location.refresh_from_db()
    assert clinic.location.holidays_kept_open == ["Columbus Day"]
    refused = manager.post(path, posted | {"holiday_subdivision": "XX"})
    assert "Not one of these: AK, AL" in refused.content.decode()


def ask(client, clinic, start=NINE, **changes):
    local = start.astimezone(clinic.location.zone)
    asked = {
        "service": clinic.service.pk,
        "location": clinic.location.pk,
        "on": f"{local:%Y-%m-%d}",
        "at": f"{local:%H:%M}",
        "level": 0,
    }
    response = client.get(WHY, asked | changes)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("role", ["manager", "front-desk"])
def test_the_page_says_it_is_offered_or_names_the_rule_and_leads_to_its_row(client, clinic, role):
    make.sign_in(client, make.make_user(role=role))
    assert "It is offered." in ask(client, clinic)
    visit = clinic.book()
    patient = visit.patient
    lunch = make.make_break(
        clinic.practitioners[0], clinic.location, opens=time(9), closes=time(9, 30)
    )
    make.make_closure(start=NINE, end=NINE + minutes(30), reason="Fire drill")
    page = ask(client, clinic)
    assert "It is offered." not in page
    for rule in (ObstacleRule.BREAK, ObstacleRule.CLOSURE, ObstacleRule.VISIT):
        assert str(rule.label) in page
    assert f"/admin/schedule/break/{lunch.pk}/change/" in page
    assert f"/admin/booking/appointment/{visit.pk}/change/" in page
    assert "Fire drill" in page
    assert patient.name not in page


def test_every_link_of_the_page_leads_somewhere(manager, clinic):
    practitioner = clinic.practitioners[0]
    clinic.service.room_kind, clinic.service.equipment_kind = "gait", "camera"
    clinic.service.booking_mode = "staff"
    clinic.service.save()
    clinic.location.holiday_country = "US"
    clinic.location.is_active = False
    clinic.location.save()
    practitioner.is_active = False
    practitioner.save()
    make.make_limit(most=1, service=clinic.service)
    make.make_reserved_time(practitioner, clinic.location, weekday=3, opens=time(7))
    make.make_appointment(practitioner=practitioner, service=clinic.service, start=NINE)
    christmas = NINE.replace(month=12, day=25)
    make.make_time_off(practitioner, start=christmas, end=christmas + timedelta(days=1))
    pages = [ask(manager, clinic), ask(manager, clinic, christmas + timedelta(hours=12))]
    links = set(re.findall(r'href="([^"]+)">Look at it', "".join(pages)))
    assert len(links) >= 8
    for link in links:
        assert manager.get(link.replace("&amp;", "&")).status_code == 200, link


def test_a_time_that_the_clocks_skip_is_said_to_be_none(manager, clinic):
    page = ask(manager, clinic, on="2027-03-14", at="02:30")
    assert "The clocks change then: there is no such time." in page


def test_nobody_offers_it_and_no_time_is_named_yet(manager, clinic):
    assert "Name a time that you expected" in manager.get(WHY).content.decode()
    clinic.service.practitioners.clear()
    assert "Nobody offers this service." in ask(manager, clinic)


@pytest.mark.parametrize("page", ["schedule/service", "clinic/practitioner"])
def test_the_pages_of_a_service_and_of_a_practitioner_lead_there(manager, clinic, page):
    row = clinic.service if page == "schedule/service" else clinic.practitioners[0]
    shown = manager.get(f"/admin/{page}/{row.pk}/change/").content.decode()
    assert f"{WHY}?{page.partition('/')[2]}={row.pk}" in shown


@pytest.mark.parametrize(
    ("days", "title"),
    [(1, "Dec 1, 2026"), (4, "Dec 1, 2026 – Dec 4, 2026"), (3.5, "Dec 1, 2026 – Dec 4, 2026")],
)
def test_an_absence_is_called_by_its_first_and_last_day(clinic, days, title):
    start = datetime(2026, 12, 1, tzinfo=clinic.location.zone)
    span = {"start": start, "end": start + timedelta(days=days)}
    with timezone.override(clinic.location.zone):
        assert str(make.make_time_off(clinic.practitioners[0], **span)) == title
        assert str(make.make_closure(**span)) == title
