"""The clinic's own words for its mails: what is refused, what is shown as typed, who may."""

import re

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone, translation

from booking.appointments import mail_schedule
from booking.appointments.mail_schedule import CONFIRMATION, REMINDER
from booking.mails import visit_mails
from clinic import wordings
from clinic.mail import outbox
from clinic.models import AuditEvent, Link, MailText, Message, Role
from tests.factories import (
    NOW,
    make_appointment,
    make_location,
    make_mail_text,
    make_patient,
    make_practice,
    make_user,
    sign_in,
)

pytestmark = pytest.mark.django_db

LIST = "/admin/clinic/mailtext/"
WORDS = f"{LIST}confirmation/en/words/"
LOOK = f"{LIST}confirmation/en/look/"
# What the template engine, %-formatting and str.format would act on.
HOSTILE = "{{7*7}} {% load x %} %s %(x)s {0.__class__} {} {{ when }} ${when"


@pytest.fixture(autouse=True)
def _practice(db):
    make_practice()


@pytest.fixture
def manager(client):
    client.user = make_user(role=Role.MANAGER)
    return sign_in(client, client.user)


def draft(**words):
    return MailText.of(CONFIRMATION, "en", wordings.find(CONFIRMATION).words._replace(**words))


def faults(**words):
    with pytest.raises(ValidationError) as refused:
        draft(**words).full_clean()
    return refused.value.message_dict


def confirmation_of(**visit):
    visit = make_appointment(**visit)
    mail_schedule.plan_booked(visit, NOW)
    outbox.tick(NOW)
    return mail.outbox[-1]


def posted(**words):
    return draft(**words).words._asdict()


def test_an_unknown_placeholder_is_refused_with_the_list_of_known_ones():
    (fault,) = faults(text="Hello {name}, and {When}")["text"]
    assert fault.startswith("{When}, {name} cannot be filled in.")
    for name in wordings.find(CONFIRMATION).placeholders:
        assert f"{{{name}}}" in fault


def test_a_subject_without_day_and_time_is_refused():
    assert faults(subject="You are booked")["subject"] == ["Please keep {when} in the subject."]


@pytest.mark.parametrize(
    "markup", ["<b>bold</b>", "a < b> c", "<script", "&nbsp;", "&#60;", "<!--"]
)
def test_markup_is_refused(markup):
    assert faults(text=markup)["text"] == ["Plain words only, no HTML."]


def test_a_sign_that_is_no_markup_is_not():
    draft(text="We are < 5 minutes from the trail & easy to find").full_clean()


@pytest.mark.parametrize(
    ("field", "length"), [("subject", 121), ("heading", 121), ("text", 2001), ("note", 601)]
)
def test_a_text_that_is_too_long_is_refused(field, length):
    assert field in faults(**{field: "{when}" + "x" * (length - 6)})


def test_line_ends_and_controls_never_reach_a_header():
    text = draft(subject="Booked:\r\nBcc: x@example.org {when}\x00\u202e")
    text.full_clean()
    assert text.subject == "Booked: Bcc: x@example.org {when}"


def test_our_words_give_way_to_the_clinics_in_that_language_only():
    make_mail_text(subject="See you {when}!", text="Ask for {clinic}.\n\nPark behind the house.")
    english = confirmation_of()
    spanish = confirmation_of(patient=make_patient(language="es"))

    assert re.match(r"See you Tuesday, June 2, .*!", english.subject)
    for part in (english.body, english.alternatives[0].content):
        assert "Ask for Backstride Austin." in part
        assert "Park behind the house." in part
    assert spanish.subject.startswith("Cita reservada:")


def test_whatever_is_no_placeholder_stands_as_typed():
    draft(subject="{when} " + HOSTILE, text=HOSTILE).full_clean()
    make_mail_text(subject="{when} " + HOSTILE, text=HOSTILE)
    sent = confirmation_of()
    assert sent.subject.endswith(HOSTILE)
    assert HOSTILE in sent.body


def test_a_name_that_looks_like_a_placeholder_is_not_filled_in():
    make_mail_text(text="At {place}.")
    sent = confirmation_of(location=make_location(name="{initials} {clinic} {{7*7}} %s"))
    assert "At {initials} {clinic} {{7*7}} %s." in sent.body


def test_the_facts_the_links_and_the_stop_link_stay_whatever_the_words_are():
    make_mail_text(kind=REMINDER, subject="{when}", heading="x", text="x", note="")
    visit = make_appointment(start=NOW + 3 * (NOW - NOW.replace(hour=0)))
    mail_schedule.plan_booked(visit, NOW)
    outbox.tick(visit.start - (visit.start - NOW) / 60)
    sent = mail.outbox[-1]
    assert "Where:" in sent.body
    assert "/unsubscribe/" in sent.body
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_list_shows_every_kind_in_each_language(manager):
    make_mail_text(subject="Come {when}")
    page = manager.get(LIST).content.decode()
    for wording in wordings.all_wordings():
        for language in ("en", "es"):
            assert f"{LIST}{wording.kind}/{language}/words/" in page
    assert "Come {when}" in page
    assert "Cita reservada: {when}" in page


def test_a_manager_rewords_a_mail_and_the_history_keeps_every_version(manager):
    for subject in ("One {when}", "Two {when}"):
        assert manager.post(WORDS, posted(subject=subject)).status_code == 302
    text = MailText.objects.get()
    assert (text.kind, text.language, text.subject) == ("confirmation", "en", "Two {when}")
    assert [old.subject for old in text.history.all()] == ["Two {when}", "One {when}"]
    assert {old.history_user for old in text.history.all()} == {manager.user}
    assert manager.get(f"{LIST}{text.pk}/history/").status_code == 200
    event = AuditEvent.objects.filter(action=AuditEvent.Action.CHANGE).first()
    assert "subject" in event.fields
    assert "Two" not in str(event.fields)


def test_a_refused_text_is_not_saved_and_keeps_what_was_typed(manager):
    response = manager.post(WORDS, posted(text="Hello {name}"))
    assert response.status_code == 400
    assert "Hello {name}" in response.content.decode()
    assert not MailText.objects.exists()


def test_a_draft_is_looked_at_without_being_saved(manager):
    response = manager.post(WORDS, posted(text="Only a draft at {clinic}.") | {"look": ""})
    assert "Only a draft at Backstride Austin." in response.content.decode()
    assert not MailText.objects.exists()
    assert "Only a draft" not in manager.get(LOOK).content.decode()

    refused = manager.post(WORDS, posted(text="Hello {name}") | {"look": ""})
    assert "{name} cannot be filled in" in refused.content.decode()
    assert_sandboxed(refused)
    assert_sandboxed(response)


def test_looking_is_sandboxed_and_writes_nothing(manager):
    for wording in wordings.all_wordings():
        for language in ("en", "es"):
            response = manager.get(f"{LIST}{wording.kind}/{language}/look/")
            assert f'lang="{language}"' in response.content.decode()
            assert_sandboxed(response)
    assert not Link.objects.exists()
    assert not Message.objects.exists()


def assert_sandboxed(response):
    policy = response["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"


def test_a_test_mail_goes_to_whoever_asked_once_a_minute_and_does_nothing(
    manager, django_capture_on_commit_callbacks
):
    make_mail_text(kind=REMINDER, language="es", text="Nos vemos en {place}.")
    for _ in range(2):
        manager.post(f"{LIST}reminder/es/words/", {"send_test": ""})
    outbox.tick(timezone.now())

    (sent,) = mail.outbox
    assert sent.to == [manager.user.email]
    assert sent.subject.startswith("Prueba: Recordatorio: ")
    assert "Nos vemos en" in sent.body
    assert "List-Unsubscribe" not in sent.extra_headers
    assert "text/calendar" not in {part.get_content_type() for part in sent.message().walk()}
    assert "/l/preview/" in sent.body
    assert not Link.objects.exists()
    assert Client().get("/l/preview/").status_code == 404


def test_the_shipped_text_comes_back_and_the_clinics_stays_in_the_history(manager):
    text = make_mail_text(subject="Ours {when}")
    manager.post(WORDS, {"set_back": ""})
    assert not MailText.objects.exists()
    assert text.history.first().subject == "Ours {when}"
    assert confirmation_of().subject.startswith("Booked: ")


def test_mails_about_the_safety_of_accounts_cannot_be_reworded(manager):
    page = f"{LIST}password-reset/en/words/"
    assert manager.get(page).status_code == 200
    assert manager.post(page, posted()).status_code == 403
    with translation.override("en"), pytest.raises(ValidationError):
        MailText.of("password-reset", "en", draft().words).full_clean()


def test_the_front_desk_reads_the_texts_and_changes_none(client):
    sign_in(client, make_user(role=Role.FRONT_DESK))
    page = client.get(WORDS)
    assert page.status_code == 200
    assert "<textarea" not in page.content.decode()
    for button in ({}, {"look": ""}, {"send_test": ""}, {"set_back": ""}):
        assert client.post(WORDS, posted() | button).status_code == 403


@pytest.mark.parametrize(
    "page", ["nothing/en/words/", "confirmation/xx/words/", "nothing/en/look/"]
)
def test_a_kind_or_language_that_is_not_there_is_not_found(manager, page):
    assert manager.get(LIST + page).status_code == 404


def test_an_owed_mail_is_looked_at_without_its_links(client):
    sign_in(client, make_user(role=Role.FRONT_DESK))
    visit = make_appointment(start=timezone.now() + (NOW - NOW.replace(hour=0)))
    mail_schedule.plan_booked(visit, timezone.now())
    message = Message.objects.get(kind=visit_mails.CONFIRMATION)
    page = client.get(f"/admin/clinic/message/{message.pk}/look/")
    assert "Your visit is booked" in page.content.decode()
    assert "/l/preview/" in page.content.decode()
    assert_sandboxed(page)
    assert not Link.objects.exists()
    assert AuditEvent.objects.filter(patient_id=visit.patient_id, action="read").exists()

    visit.cancel(now=timezone.now())
    out_of_date = client.get(f"/admin/clinic/message/{message.pk}/look/").content.decode()
    assert "Nothing would be sent now: the visit has changed since." in out_of_date


def test_mails_to_staff_are_nobody_elses_to_look_at(client):
    sign_in(client, make_user(role=Role.MANAGER))
    reset = Message.objects.create(
        kind="password-reset",
        subject_type="clinic.auditevent",
        user=make_user(),
        subject_id="0" * 32,
        due_at=NOW,
        next_attempt_at=NOW,
        expires_at=NOW,
    )
    assert client.get(f"/admin/clinic/message/{reset.pk}/look/").status_code == 404
    assert "<iframe" not in client.get(f"/admin/clinic/message/{reset.pk}/change/").content.decode()
