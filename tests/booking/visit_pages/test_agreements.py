"""Who agreed to the privacy notice, in which words, and that they are asked again."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from clinic import privacy
from clinic.models import PrivacyNotice
from intake.models import Agreement
from tests.booking.filling_in import (
    a_visit_with_a_form,
    answer_all,
    fill_in,
    grant,
    page_url,
    send,
    stored,
)
from tests.factories import NOW, make_appointment, make_link, make_practice

pytestmark = pytest.mark.django_db

SIGNED = {"agrees": "on", "signed_by": "Ana Ruiz", "role": "self"}


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def visit():
    return a_visit_with_a_form()


@pytest.fixture
def ana(client, visit):
    grant(client, make_link(patient=visit.patient))
    return client


@pytest.fixture
def notice_changes(monkeypatch):
    """Call it to publish another version of the privacy notice."""

    def change(version="2027-01"):
        monkeypatch.setattr("clinic.privacy.NOTICE_VERSION", version)
        monkeypatch.setattr("intake.workflow.page_saving.NOTICE_VERSION", version)

    return change


def agreement_url(visit):
    return reverse("intake_agreement", args=[visit.pk])


@pytest.mark.parametrize("language", ["en", "es"])
def test_sending_the_form_keeps_who_agreed_to_which_words_and_when(ana, visit, language):
    ana.cookies["lang"] = language
    fill_in(ana, visit)
    send(ana, visit)
    agreement = Agreement.objects.get()
    assert (agreement.patient, agreement.response) == (visit.patient, stored(visit))
    assert (agreement.signed_by, agreement.role) == ("Ana Ruiz", "self")
    assert agreement.agreed_at == NOW
    assert agreement.notice.version == privacy.NOTICE_VERSION
    assert agreement.notice.language == language
    heading = {"en": "How your answers are used", "es": "Cómo se usan"}[language]
    assert heading in agreement.notice.text
    assert "+1 512 555 0100" in agreement.notice.text


def test_a_parent_who_signs_is_kept_as_such(ana, visit):
    fill_in(
        ana,
        visit,
        about__filler="guardian",
        guardian__name="Rosa Ruiz",
        guardian__relation="parent",
        guardian__attest="on",
        consent__signature="Rosa Ruiz",
    )
    send(ana, visit)
    agreement = Agreement.objects.get()
    assert (agreement.signed_by, agreement.role) == ("Rosa Ruiz", Agreement.Role.GUARDIAN)


def test_the_same_words_are_kept_once_and_other_words_beside_them(ana, visit):
    practice = make_practice()
    for phone in ("+1 512 555 0100", "+1 512 555 0100", "+1 512 555 0111"):
        practice.phone = phone
        privacy.current_notice("en", practice=practice, now=NOW)
    assert PrivacyNotice.objects.count() == 2


def test_a_changed_notice_is_signed_before_the_next_answers(ana, visit, notice_changes):
    answer_all(ana, visit)
    send(ana, visit)
    notice_changes()
    ana.post(reverse("intake_correct", args=[visit.pk]))
    for url in (page_url(visit, 3), reverse("intake_review", args=[visit.pk])):
        assert ana.get(url).url == agreement_url(visit)
    page = ana.get(agreement_url(visit)).content.decode()
    assert "How your answers are used and kept" in page
    assert ana.post(agreement_url(visit), SIGNED).url == reverse("intake", args=[visit.pk])
    assert ana.get(page_url(visit, 3)).status_code == 200
    newest = Agreement.objects.first()
    assert (newest.notice.version, newest.signed_by) == ("2027-01", "Ana Ruiz")
    assert Agreement.objects.count() == 2


def test_at_the_next_visit_a_changed_notice_is_signed_before_the_first_page(
    ana, visit, notice_changes
):
    answer_all(ana, visit)
    send(ana, visit)
    notice_changes()
    second = make_appointment(patient=visit.patient, start=NOW + timedelta(days=9))
    assert ana.get(page_url(second, 1)).url == agreement_url(second)
    ana.post(agreement_url(second), SIGNED)
    assert ana.get(page_url(second, 1)).status_code == 200
    assert Agreement.objects.first().response is None


def test_a_notice_that_changes_while_the_signed_form_is_unsent_is_signed_too(
    ana, visit, notice_changes
):
    answer_all(ana, visit)
    notice_changes()
    assert send(ana, visit).redirect_chain[0][0] == agreement_url(visit)
    assert not stored(visit).is_final
    ana.post(agreement_url(visit), SIGNED)
    send(ana, visit)
    assert stored(visit).is_final
    assert {a.notice.version for a in Agreement.objects.all()} == {"2027-01"}


def test_a_page_that_is_sent_when_the_notice_changes_is_kept(ana, visit, notice_changes):
    answer_all(ana, visit)
    notice_changes()
    old = stored(visit).revision
    ana.post(page_url(visit, 13), {"goal-main": "run", "_revision": old})
    assert stored(visit).revision > old


@pytest.mark.parametrize("missing", SIGNED)
def test_nothing_is_agreed_to_without_box_name_and_role(ana, visit, notice_changes, missing):
    answer_all(ana, visit)
    send(ana, visit)
    notice_changes()
    response = ana.post(agreement_url(visit), {k: v for k, v in SIGNED.items() if k != missing})
    assert missing in response.context["form"].errors
    assert Agreement.objects.count() == 1


def test_nobody_is_asked_twice_for_the_same_version(ana, visit):
    answer_all(ana, visit)
    assert ana.get(agreement_url(visit)).url == reverse("intake", args=[visit.pk])
    send(ana, visit)
    assert ana.get(agreement_url(visit)).url == reverse("intake", args=[visit.pk])


def test_the_notice_does_not_change_without_a_new_version():
    """Whoever edits the notice decides here: a new version asks every patient to sign again."""
    folder = Path(settings.BASE_DIR) / "templates/clinic"
    words = b"".join((folder / f"privacy.{code}.html").read_bytes() for code in ("en", "es"))
    known = {"2026-11": "904a90ca0caf4b8e"}
    assert known[privacy.NOTICE_VERSION] == hashlib.sha256(words).hexdigest()[:16]
