"""Every URL × every kind of user × another patient's record, generated from the URL resolver.

Two marker words are in every field of patient B: one in what the front desk may see, one in the
answers. A denial must not contain either in its body, nor change a row. A URL pattern that is in
none of the classes below fails the test: decide who may open it, then add it.
"""

import re
import time
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib import admin
from django.http import HttpResponse
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from booking.models import Appointment, StatusChange, WaitlistEntry, WaitlistOffer
from clinic.models import Link, Message, Patient, Role, Tick, User
from clinic.security.access import RolePermissions, set_grant_cookie
from intake.models import Questionnaire, QuestionnaireResponse, SafetyAlert
from tests import factories as make
from tests.environment import POSTGRES

pytestmark = pytest.mark.django_db

# Long enough not to be in a random token by chance.
CONTACT, ANSWER = "Zzyzxcontact", "Qwxyzanswer"

PUBLIC = {
    "home", "services", "guide", "guide_page", "locations", "privacy", "lang", "healthz", "readyz",
    "book", "safety", "emergency", "callback", "no_time", "safety_result", "slots", "details",
    "choose", "confirm_address", "join_waitlist",
}  # fmt: skip
# An unknown token opens nothing.
BEARER = {
    "open_link", "unsubscribe", "confirm_booking", "practitioner_feed", "metrics", "report_bounce",
}  # fmt: skip
# Only the patient who has the link; not staff.
LINK = {
    "visit", "confirm_visit", "move_visit", "cancel_visit", "undo_change", "visit_calendar",
    "intake", "intake_review", "intake_page", "intake_birth_date", "intake_agreement",
    "intake_correct", "my_visits", "visit_mails", "rescreen", "check_in", "series_calendar",
    "waitlist_entry", "waitlist_offer", "plan_series", "move_following",
}  # fmt: skip
# Shows only what the link allows; without a link it is the same page for everyone.
ASKS_FOR_A_LINK = {"my_visits"}
CLINICIAN = {
    "clinician_day", "clinician_summary", "lower_level", "mark_reviewed",
    "write_note", "open_in_emergency", "clinician_answers", "calendar_feed", "earlier_answers",
}  # fmt: skip
# Every clinician has their own version of these.
OWN_DAY = {"clinician_day", "open_in_emergency", "calendar_feed"}
STAFF = {"staff_home", "alerts", "acknowledge_alert", "rule_counts", "rule_counts_csv"}
# Totals for the people responsible for the rules.
NOT_FRONT_DESK = {"rule_counts", "rule_counts_csv"}
# Contacts of patients who need a call, for front desk, managers, and the patient's clinician.
CALLS = {"alerts", "acknowledge_alert"}
DEMO = {"demo", "demo_mail", "demo_mail_message", "demo_mail_body"}
# allauth's own pages, about the signed-in account or no account.
ACCOUNT = {
    "account_login", "account_logout", "account_inactive", "account_signup",
    "account_reauthenticate", "account_email", "account_email_verification_sent",
    "account_change_password", "account_set_password", "account_reset_password",
    "account_confirm_login_code", "account_confirm_email",
    "account_reset_password_from_key_done", "account_reset_password_from_key",
    "account_reset_password_done", "mfa_index", "mfa_authenticate", "mfa_reauthenticate",
    "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes", "mfa_download_recovery_codes", "usersessions_list",
}  # fmt: skip
# Pages of the whole admin, and those that are not a model's list, form or history.
ADMIN_SITE = {
    "admin:index", "admin:login", "admin:logout", "admin:password_change",
    "admin:password_change_done", "admin:autocomplete", "admin:jsi18n", "admin:view_on_site",
    "admin:app_list", "admin:None", "admin:auth_user_password_change", "admin:schedule_service_why",
    "admin:intake_questionnaire_preview",
}  # fmt: skip
# Front desk only: a manager views the schedule, and does not change it.
FRONT_DESK = {
    "admin:booking_appointment_questions", "admin:booking_appointment_times",
    "admin:booking_appointment_move", "admin:booking_appointment_cancel",
    "admin:booking_appointment_undo",
    "admin:booking_series_questions", "admin:booking_series_plan", "admin:booking_series_move",
    "admin:booking_waitlistentry_offer", "admin:booking_waitlistentry_questions",
    "admin:booking_waitlistentry_accept",
}  # fmt: skip
# Managers only.
MANAGER = {"admin:clinic_patient_erase"}
# The admin's pages of one mail, for users who may see its list.
MAILS = {
    "admin:clinic_message_look": "message",
    "admin:clinic_mailtext_words": "mailtext",
    "admin:clinic_mailtext_look": "mailtext",
}
SIGN_OUT = {"account_logout", "admin:logout"}

ANYBODY = [
    "anonymous", "link of A", "link of B", "mailed link of B", "clinician of B",
    "other clinician", "front desk", "manager", "deactivated manager",
    "front desk without second factor", "clinician of B without second factor",
]  # fmt: skip
STAFF_OF_ADMIN = {"front desk", "manager"}

REGULAR = {
    r"accounts/^confirm-email/(?P<key>[-:\w]+)/$": "accounts/confirm-email/abc/",
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": (
        "accounts/password/reset/key/1-set-password/"
    ),
    r"admin/^(?P<app_label>clinic|intake|schedule|desk|booking)/$": "admin/booking/",
    r"admin/(?P<url>.*)$": "admin/nothing/here",
}


def patterns(resolver=None, prefix="", namespace=""):
    """Yield each pattern of the project as ``(route, name)``."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{entry.namespace}:" if entry.namespace else ""
            yield from patterns(entry, route, namespace + inner)
        else:
            yield route, f"{namespace}{entry.name}"


def model_of(name):
    """Return the model whose list, form or history the admin's pattern is, or None."""
    if name in MAILS:
        return next(m for m in admin.site._registry if m._meta.model_name == MAILS[name])
    for model in admin.site._registry:
        stem = f"admin:{model._meta.app_label}_{model._meta.model_name}_"
        if re.fullmatch(stem + "(changelist|add|change|delete|history|simple_history)", name):
            return model
    return None


def is_classified(name):
    known = (
        PUBLIC
        | BEARER
        | LINK
        | CLINICIAN
        | STAFF
        | DEMO
        | ACCOUNT
        | ADMIN_SITE
        | FRONT_DESK
        | MANAGER
    )
    return name in known or model_of(name) is not None


class World:
    """Patient B with a row of every kind about a patient, A with none, and the staff."""

    def __init__(self):
        now = timezone.now()
        make.make_practice()
        Tick.objects.create(pk=1, completed_at=now)
        questionnaire = Questionnaire.objects.publish_shipped(now=now)
        self.location = make.make_location()
        self.clinician = make.make_clinician(locations=[self.location])
        practitioner = self.clinician.practitioner
        self.service = make.make_service(
            practitioners=[practitioner], questionnaire=questionnaire, buffer_after=5
        )
        make.make_hours(practitioner, self.location)
        make.make_on_call(make.make_clinician())
        make.make_room(location=self.location)
        make.make_equipment(location=self.location)
        make.make_break(practitioner, self.location)
        make.make_reserved_time(practitioner, self.location)
        make.make_extra_hours(practitioner, self.location)
        make.make_limit(practitioner=practitioner)
        make.make_closure(start=now, end=now + timedelta(hours=1))
        make.make_time_off(practitioner, start=now, end=now + timedelta(hours=1))
        self.patient = make.make_patient(
            name=f"{CONTACT} Canary",
            email=f"{CONTACT}@example.org",
            phone=f"+1 999 {CONTACT}",
            guardian_name=f"{CONTACT} Guardian",
        )
        self.response = make.make_response(
            patient=self.patient,
            questionnaire=questionnaire,
            status=QuestionnaireResponse.Status.COMPLETED,
            submitted_at=now,
            signed_by=f"{ANSWER} Signer",
            rules=[f"T-{ANSWER}"],
            items=[
                {
                    "linkId": "goal",
                    "item": [
                        {"linkId": link_id, "answer": [{"valueString": f"{ANSWER} words"}]}
                        for link_id in ("goal-words", "goal-notes")
                    ],
                }
            ],
        )
        make.make_agreement(response=self.response, signed_by=f"{CONTACT} Signer")
        make.make_earlier_answers(response=self.response, signed_by=f"{ANSWER} Signer")
        self.alert = make.make_alert(
            patient=self.patient,
            response=self.response,
            callback_name=f"{CONTACT} Callback",
            callback_phone=f"+1 {CONTACT}",
            rules=[f"T-{ANSWER}"],
        )
        self.visit = make.make_appointment(
            patient=self.patient,
            practitioner=practitioner,
            location=self.location,
            service=self.service,
            start=now + timedelta(days=2),
            intake_response=self.response,
        )
        self.series = make.make_series(patient=self.patient, service=self.service)
        self.series.visits.add(self.visit)
        self.entry = make.make_waitlist_entry(
            patient=self.patient, service=self.service, phone_screen_note=f"{CONTACT} note"
        )
        self.offer = make.make_waitlist_offer(
            entry=self.entry,
            practitioner=practitioner,
            location=self.location,
            start=now + timedelta(days=3),
            answer_by=now + timedelta(hours=2),
        )
        make.make_care(patient=self.patient, practitioner=practitioner)
        self.change = StatusChange.objects.create(
            appointment=self.visit, to_status="booked", at=now, reason=f"{CONTACT} reason"
        )
        self.message = make.make_message(
            patient=self.patient, state="sent", raw=f"Subject: {CONTACT}\n\n{ANSWER}".encode()
        )
        make.make_desk_task(patient=self.patient)
        make.make_unconfirmed_booking(
            appointment=make.make_appointment(
                status="pending",
                service=self.service,
                location=self.location,
                practitioner=practitioner,
                start=now + timedelta(days=4),
                held_until=now + timedelta(hours=1),
            ),
            details={"name": f"{CONTACT} Unknown", "email": f"{CONTACT}@example.org"},
        )
        make.make_calendar_feed(practitioner=practitioner, created_by=self.clinician)
        make.make_mail_text()
        make.make_emergency_access(user=make.make_clinician(), patient=make.make_patient())
        self.link = make.make_link(patient=self.patient)
        self.mailed_link = make.make_link(patient=self.patient, message=self.message)
        make.make_audit_event(patient_id=self.patient.pk, subject_id=str(self.patient.pk))
        self.link_of_a = make.make_link(patient=make.make_patient())

    def path(self, route, name):
        """Return a path of the pattern; every row in it is one of B's."""
        if route in REGULAR:
            return "/" + REGULAR[route]
        if "^([^/]+)/history/([^/]+)/$" in route:
            model = model_of(name)
            row = model.objects.first()
            key = row.history.first().pk if row else 1
            return f"/{route.partition('^')[0]}{row.pk if row else 1}/history/{key}/"
        values = {
            "visit_id": self.visit.pk,
            "patient_id": self.patient.pk,
            "alert_id": self.alert.pk,
            "response_id": self.response.pk,
            "message_id": self.message.pk,
            "entry_id": self.entry.pk,
            "offer_id": self.offer.pk,
            "number": 1,
            "kind": "confirmation",
            "language": "en",
            "token": "unknown-token-unknown-token-unknown",
            "slug": "why-it-hurts" if name == "guide_page" else self.service.slug,
            "content_type_id": 1,
            "id": self.clinician.pk,
            "object_id": self.row_for(route),
        }
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), route)

    def row_for(self, route):
        found = re.match(r"admin/(\w+)/(\w+)/", route)
        rows = {
            "patient": self.patient,
            "appointment": self.visit,
            "statuschange": self.change,
            "message": self.message,
            "link": self.link,
            "safetyalert": self.alert,
            "series": self.series,
            "waitlistentry": self.entry,
        }
        listed = {model._meta.model_name: model for model in admin.site._registry}
        name = found[2] if found else ""
        if name in listed and name not in rows:
            return listed[name].objects.first().pk
        return rows.get(name, self.patient).pk

    def browser(self, who):
        client = Client()
        if "link of" in who:
            links = {"link of A": self.link_of_a, "link of B": self.link}
            link = links.get(who, self.mailed_link)
            response = HttpResponse()
            set_grant_cookie(response, link)
            client.cookies.update(response.cookies)
        elif who != "anonymous":
            make.sign_in(client, self.account(who), second_factor="without" not in who)
        return client

    def account(self, who):
        if who.startswith("clinician of B"):
            return self.clinician
        if who == "other clinician":
            return make.make_clinician()
        if who == "deactivated manager":
            return make.make_user(role=Role.MANAGER, is_active=False)
        return make.make_user(role=Role.MANAGER if who == "manager" else Role.FRONT_DESK)


def is_denied(who, name):
    """Whether this person must have no access to this page."""
    if name in PUBLIC | ACCOUNT | ASKS_FOR_A_LINK | {"admin:login", "admin:logout"}:
        return False
    if name in LINK:
        return who not in {"link of B", "mailed link of B"}
    if name in CLINICIAN:
        return who != "clinician of B" and (who != "other clinician" or name not in OWN_DAY)
    if name in NOT_FRONT_DESK and who == "front desk":
        return True
    if name in STAFF:
        return who in {"anonymous", "deactivated manager"} or "link of" in who or "without" in who
    if name in DEMO | BEARER:
        return True
    if who not in STAFF_OF_ADMIN:
        return True
    if name in FRONT_DESK:
        return who == "manager"
    if name in MANAGER:
        return who == "front desk"
    if model := model_of(name):
        user = User(role=Role.MANAGER if who == "manager" else Role.FRONT_DESK)
        label = model._meta
        allowed = RolePermissions().get_user_permissions(user)
        return f"{label.app_label}.view_{label.model_name}" not in allowed
    return False


def may_see(who, name):
    """Return the marker words that this page may show to this person."""
    if name in LINK and who == "link of B":
        return {CONTACT, ANSWER}
    if name in LINK and who == "mailed link of B":
        return {CONTACT}
    if name in CALLS and who in STAFF_OF_ADMIN | {"clinician of B"}:
        return {CONTACT}
    if name in CLINICIAN and who == "clinician of B":
        return {CONTACT, ANSWER}
    if who in STAFF_OF_ADMIN and name.startswith("admin:"):
        return {CONTACT}
    return set()


def rows():
    """Return the rows that a request without access could have changed."""
    models = (
        *(Patient, Appointment, QuestionnaireResponse, SafetyAlert, Message, StatusChange),
        *(WaitlistEntry, WaitlistOffer),
    )
    return [list(model.objects.order_by("pk").values()) for model in models] + [
        list(Link.objects.order_by("pk").values("pk", "revoked_at", "expires_at"))
    ]


def text_of(response):
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body.decode(errors="replace") + response.get("Location", "")


def test_every_url_pattern_is_classified():
    assert {name for _route, name in patterns() if not is_classified(name)} == set()


def test_no_class_names_a_pattern_that_is_gone():
    names = {name for _route, name in patterns()}
    known = (
        PUBLIC
        | BEARER
        | LINK
        | CLINICIAN
        | STAFF
        | DEMO
        | ACCOUNT
        | ADMIN_SITE
        | FRONT_DESK
        | MANAGER
    )
    assert known - names == set()


@pytest.mark.once(on=POSTGRES)
@pytest.mark.parametrize("who", ANYBODY)
def test_nobody_reaches_somebody_elses_record_by_any_url(who):
    world = World()
    faults = []
    browser = world.browser(who)
    before = rows()
    for route, name in patterns():
        if route.startswith("static/"):
            continue
        path = world.path(route, name)
        for method in ("get", "post"):
            # Sign-out, and a page that ends a session, must not affect the rest of the run.
            client = world.browser(who) if name in SIGN_OUT | ACCOUNT else browser
            response = getattr(client, method)(path)
            said = text_of(response)
            fault = f"{method.upper()} {path} ({name}): {response.status_code}"
            seen = {word for word in (CONTACT, ANSWER) if word.lower() in said.lower()}
            if response.status_code >= 500:
                faults.append(fault)
            if seen - may_see(who, name):
                faults.append(f"{fault} shows {sorted(seen)}")
            if is_denied(who, name):
                if response.status_code not in {302, 403, 404, 405, 410}:
                    faults.append(f"{fault} is not denied")
                if method == "post" and rows() != before:
                    faults.append(f"{fault} changed something")
                    before = rows()
            elif method == "post":
                before = rows()
    assert faults == []


def test_those_who_may_do_see_what_the_others_are_denied():
    """Guards the test above, which also passes if no page shows the two words."""
    world = World()
    looks = [
        ("front desk", f"/admin/clinic/patient/{world.patient.pk}/change/", CONTACT),
        ("manager", f"/admin/booking/appointment/{world.visit.pk}/change/", CONTACT),
        ("clinician of B", f"/clinician/patients/{world.patient.pk}/", ANSWER),
        ("clinician of B", "/clinician/", None),
        ("link of B", f"/visits/{world.visit.pk}/", None),
        ("link of B", f"/visits/{world.visit.pk}/intake/review/", None),
    ]
    for who, path, word in looks:
        response = world.browser(who).get(path)
        assert response.status_code in ({200} if word else {200, 302}), path
        if word:
            assert word in text_of(response), path


@pytest.mark.parametrize("role", Role.values)
def test_ids_that_do_not_exist_look_like_those_of_others(role):
    world = World()
    client = make.sign_in(Client(), make.make_user(role=role))
    for template in ("/clinician/patients/{}/", "/visits/{}/", "/visits/{}/intake/"):
        own_id = world.patient.pk if "patients" in template else world.visit.pk
        answers = [
            client.get(template.format(row_id)) for row_id in (own_id, UUID(int=int(time.time())))
        ]
        assert {answer.status_code for answer in answers} == {404}
        bodies = {re.sub(r'(nonce|value)="[^"]*"', "", text_of(answer)) for answer in answers}
        assert len(bodies) == 1
