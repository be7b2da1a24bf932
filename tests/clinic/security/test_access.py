"""What roles, grants and visitors' tokens open."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from clinic.models import AuditEvent, Link, Role
from clinic.security import access
from tests.factories import NOW, make_link, make_message, make_patient, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "apps"),
    [
        (Role.FRONT_DESK, {"clinic", "intake", "schedule", "booking"}),
        (Role.MANAGER, {"clinic", "intake", "schedule", "booking", "desk"}),
        (Role.CLINICIAN, set()),
    ],
)
def test_the_admin_lists_the_apps_in_which_the_role_may_do_something(role, apps):
    user = make_user(role=role)
    listed = {
        app
        for app in ("clinic", "intake", "schedule", "booking", "desk", "account")
        if user.has_module_perms(app)
    }
    assert listed == apps


def test_nobody_inactive_may_do_anything():
    assert not make_user(role=Role.MANAGER, is_active=False).has_module_perms("clinic")


def request_with(*cookies):
    """Return the request of a browser that was sent these responses' cookies."""
    request = RequestFactory().get("/somewhere/?page=2")
    for response in cookies:
        request.COOKIES |= {name: morsel.value for name, morsel in response.cookies.items()}
    return request


def granted(link):
    response = HttpResponse()
    access.set_grant_cookie(response, link)
    return response


def test_permissions_are_the_roles_and_of_no_single_object():
    user = make_user(role=Role.MANAGER)
    assert user.has_perm("clinic.view_patient")
    assert not user.has_perm("clinic.view_patient", make_patient())
    assert not AnonymousUser().has_perm("clinic.view_patient")
    assert not make_user(role=Role.CLINICIAN).has_perm("clinic.view_patient")


@access.staff_required(Role.FRONT_DESK, Role.MANAGER)
def back_room(request, name):
    return HttpResponse(name)


def test_a_door_of_staff_lets_its_roles_in_and_stores_nothing():
    request = request_with()
    request.user = make_user(role=Role.MANAGER)
    response = back_room(request, "keys")
    assert response.content == b"keys"
    assert "no-store" in response["Cache-Control"]
    assert not AuditEvent.objects.exists()


def test_a_door_of_staff_sends_strangers_to_sign_in_and_refuses_other_roles_on_the_record():
    request = request_with()
    request.user = AnonymousUser()
    assert back_room(request, "keys")["Location"].endswith("?next=/somewhere/%3Fpage%3D2")
    request.user = make_user(role=Role.CLINICIAN)
    with pytest.raises(Http404):
        back_room(request, "keys")
    denied = AuditEvent.objects.get()
    assert (denied.action, denied.user, denied.subject_type) == (
        "denied",
        request.user,
        "back_room",
    )


def test_a_grant_opens_until_its_link_is_revoked_or_runs_out():
    link = make_link(purpose=Link.Purpose.VISIT, expires_at=timezone.now() + timedelta(hours=1))
    request = request_with(granted(link))
    assert access.patient_grant(request) == link
    Link.objects.update(revoked_at=timezone.now())
    assert access.patient_grant(request_with(granted(link))) is None
    Link.objects.update(revoked_at=None, expires_at=timezone.now())
    assert access.patient_grant(request_with(granted(link))) is None


def test_a_grant_is_a_known_link_signed_and_not_one_to_unsubscribe():
    unsubscribe = make_link(purpose=Link.Purpose.UNSUBSCRIBE)
    assert access.patient_grant(request_with(granted(unsubscribe))) is None
    assert access.patient_grant(request_with(granted(Link()))) is None
    nonsense = HttpResponse()
    nonsense.set_signed_cookie("grant", "nonsense", salt="clinic.grant")
    assert access.patient_grant(request_with(nonsense)) is None
    unsigned = HttpResponse()
    unsigned.set_cookie("grant", str(make_link(purpose=Link.Purpose.VISIT).pk))
    assert access.patient_grant(request_with(unsigned)) is None
    assert access.patient_grant(request_with()) is None


def test_a_grant_lasts_twelve_hours_however_long_its_link_does():
    link = make_link(purpose=Link.Purpose.VISIT, expires_at=timezone.now() + timedelta(days=9))
    response = granted(link)
    for hours, opens in ((11.99, True), (12.01, False)):
        with time_machine.travel(timezone.now() + timedelta(hours=hours)):
            assert (access.patient_grant(request_with(response)) is not None) == opens


def test_a_browser_that_has_just_booked_sees_the_visit_for_twelve_hours():
    patient, message, response = make_patient(), make_message(), HttpResponse()
    subject = uuid4()
    link = access.grant_to_browser(
        response, patient=patient, subject_id=subject, now=NOW, message=message
    )
    assert (link.patient, link.subject_id, link.message) == (patient, subject, message)
    assert (link.purpose, link.expires_at) == (Link.Purpose.VISIT, NOW + timedelta(hours=12))
    assert "grant" in response.cookies


def test_a_visitors_token_is_long_enough_not_to_be_guessed():
    response = HttpResponse()
    digest = access.set_visitor_cookie(response)
    assert access.visitor_hash(request_with(response)) == digest
    assert len(response.cookies["visitor"].value) == 43
    for length, is_taken in ((0, False), (31, False), (32, True)):
        request = request_with()
        request.COOKIES["visitor"] = "v" * length
        assert bool(access.visitor_hash(request)) == is_taken
    assert access.visitor_hash(request_with()) == ""


@pytest.mark.parametrize("is_secure", [True, False])
def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(settings, is_secure):
    settings.SESSION_COOKIE_SECURE = is_secure
    response = granted(make_link(purpose=Link.Purpose.VISIT))
    access.set_visitor_cookie(response)
    for name, hours in (("grant", 12), ("visitor", 24)):
        cookie = response.cookies[name]
        assert cookie["httponly"] is True
        assert (cookie["samesite"], cookie["max-age"]) == ("Lax", hours * 60 * 60)
        assert bool(cookie["secure"]) == is_secure


def test_a_mails_links_are_the_same_each_time_and_stored_as_hashes():
    message, patient, subject = make_message(), make_patient(), uuid4()
    issue = partial(
        access.issue_links,
        "visit",
        "unsubscribe",
        message=message,
        patient=patient,
        subject_id=subject,
        expires_at=NOW,
    )
    urls = issue()
    assert issue() == urls
    assert urls["visit"].startswith("http://testserver/l/")
    assert urls["unsubscribe"].startswith("http://testserver/unsubscribe/")
    tokens = {purpose: url.split("/")[-2] for purpose, url in urls.items()}
    assert [len(token) for token in tokens.values()] == [43, 43]
    stored = {link.purpose: link for link in Link.objects.all()}
    assert len(stored) == Link.objects.count() == 2
    for purpose, token in tokens.items():
        link = stored[purpose]
        assert link.token_hash == access.hash_token(token)
        assert (link.patient, link.message) == (patient, message)
        assert (link.subject_id, link.expires_at) == (subject, NOW)
