import json
from datetime import timedelta

import pytest
from django.urls import reverse
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as FhirResponse

from booking.models import Appointment
from intake.fhir_form.responses import validate_response
from intake.models import Observation, Questionnaire, QuestionnaireResponse, SafetyAlert
from intake.rules.levels import Level
from intake.rules.tags import Tag
from tests.booking.filling_in import (
    PAGES,
    a_visit_with_a_form,
    fill_in,
    grant,
    page_url,
    post_page,
    send,
    stored,
)
from tests.factories import NOW, make_appointment, make_link, make_service
from tests.intake.fhir_form.test_questionnaire import FORM
from tests.intake.filled import page_data

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def visit():
    return a_visit_with_a_form()


@pytest.fixture
def ana(client, visit):
    """The browser of the visit's patient."""
    grant(client, make_link(patient=visit.patient))
    return client


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_whole_form_is_filled_in_reviewed_and_sent(ana, visit, language):
    ana.cookies["lang"] = language
    first = ana.get(page_url(visit, 1)).content.decode()
    assert FORM.pages()[0].text.in_language(language) in first
    fill_in(ana, visit)
    review = ana.get(reverse("intake_review", args=[visit.pk])).content.decode()
    assert "18.5 mi" in review or "18,5 mi" in review
    assert FORM.item("leg-side").options[0].text.in_language(language) in review
    sent = send(ana, visit)
    assert sent.redirect_chain == [(reverse("intake", args=[visit.pk]), 302)]
    response = stored(visit)
    assert response.status == QuestionnaireResponse.Status.COMPLETED
    assert response.language == language
    assert (response.signed_by, response.signer_role) == ("Ana Ruiz", "self")
    assert response.submitted_at == NOW
    assert response.notice_version
    assert len(response.answers_hash) == 64
    assert validate_response(FORM, response.resource) == []
    assert FhirResponse.model_validate(response.resource).status == "completed"


def test_numbers_worth_a_trend_become_observations_in_kilometers(ana, visit):
    fill_in(ana, visit)
    send(ana, visit)
    values = {o.code: (float(o.value), o.unit) for o in Observation.objects.all()}
    assert values["pain-average"] == (4, "")
    assert values["load-now"] == (29.773, "km")
    assert values["activity-score"] == (5.5, "")
    assert values["calc-impact"] == (31.7, "")
    assert values["calc-spike-pct"] == (22, "%")


def test_following_the_mailed_link_stores_nothing(ana, visit):
    for name, args in (("intake", []), ("intake_page", [1]), ("intake_review", [])):
        for fetch in (ana.get, ana.head):
            assert fetch(reverse(name, args=[visit.pk, *args]), follow=True).status_code == 200
    assert not QuestionnaireResponse.objects.exists()
    assert stored(visit) is None


def test_the_form_can_be_left_and_gone_on_with_in_another_browser(ana, visit):
    fill_in(ana, visit, pages=range(1, 4))
    ana.cookies.clear()
    assert ana.get(reverse("intake", args=[visit.pk])).status_code == 404
    grant(ana, make_link(patient=visit.patient))
    start = ana.get(reverse("intake", args=[visit.pk]))
    assert start.context["next_page"].number == 4
    assert page_url(visit, 4) in start.content.decode()
    again = ana.get(page_url(visit, 3)).context["form"]
    assert again["pain-worst"].initial == 6


def test_an_unfinished_page_can_be_kept_for_later(ana, visit):
    response = post_page(ana, visit, 1, later=True, safety__bone=None)
    assert response.url == reverse("intake", args=[visit.pk])
    assert stored(visit).answers.has("safety-nerve", "none")
    assert stored(visit).open_pages()[0].number == 1


def test_questions_an_answer_brings_up_are_shown_with_what_was_typed_kept(ana, visit):
    changes = dict.fromkeys(["leg__side", "leg__pain", "leg__reach", "leg__feeling", "leg__walk"])
    response = post_page(ana, visit, 3, **changes)
    html = response.content.decode()
    assert response.status_code == 200
    assert "5 more questions" in html
    assert response.context["form"]["pain-worst"].value() == "6"
    assert post_page(ana, visit, 3).status_code == 302


def test_errors_are_listed_on_top_with_links_and_nothing_typed_is_lost(ana, visit):
    response = post_page(ana, visit, 6, load__now="far", run__days="99")
    html = response.content.decode()
    assert 'id="error-summary"' in html
    assert 'href="#id_load-now"' in html
    assert 'value="far"' in html
    assert stored(visit).answers.has("run-unit", "mi")
    assert stored(visit).pages_done == []


@pytest.mark.parametrize(
    ("number", "name", "value", "status"),
    [
        (13, "goal-notes", "x" * 100_000, 200),
        (13, "goal-words", "x" * 161, 200),
        (1, "safety-injury", "no-such-thing", 200),
        (6, "run-days", "9" * 5000, 200),
        (6, "load-now", "1e999999999", 200),
        (13, "goal-notes", "a\x00b", 400),
        (13, "goal-notes", "x" * 3_000_000, 413),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_input_never_ends_in_a_server_error(ana, visit, number, name, value, status):
    data = page_data(FORM, number) | {name: value, "_revision": "0"}
    response = ana.post(page_url(visit, number), data)
    assert response.status_code == status
    if status == 200:
        assert response.context["form"].errors[name]


@pytest.mark.parametrize("revision", ["", "x", "-1", "9" * 400, "٣"])
def test_a_tampered_revision_is_a_stale_page(ana, visit, revision):
    assert post_page(ana, visit, 1, revision=revision).status_code == 409
    assert not QuestionnaireResponse.objects.exists()


def test_two_windows_with_different_pages_do_not_disturb_each_other(ana, visit):
    fill_in(ana, visit, pages=[1])
    old = ana.get(page_url(visit, 6)).context
    fill_in(ana, visit, pages=[2])
    data = page_data(FORM, 6) | {"_revision": old["response"].revision, "_seen": old["seen"]}
    assert ana.post(page_url(visit, 6), data).status_code == 302
    assert stored(visit).answers.number("load-now") == 18.5
    assert stored(visit).answers.text("about-filler") == "self"


def test_two_windows_with_one_page_show_both_versions_and_let_the_person_choose(ana, visit):
    fill_in(ana, visit, pages=[1])
    old = ana.get(page_url(visit, 6)).context
    fill_in(ana, visit, pages=[6])
    data = page_data(FORM, 6, load__now="12") | {
        "_revision": old["response"].revision,
        "_seen": old["seen"],
    }
    response = ana.post(page_url(visit, 6), data)
    assert response.status_code == 409
    (one,) = response.context["conflict"]
    assert (one.before, one.after) == (("12 mi",), ("18.5 mi",))
    html = response.content.decode()
    assert "changed in another window" in html
    assert 'value="12"' in html
    assert stored(visit).answers.number("load-now") == 18.5
    # To take the other window's, the page is opened afresh; to keep this one, it is sent again.
    assert ana.get(page_url(visit, 6)).context["form"]["load-now"].initial == 18.5
    chosen = data | {
        "_revision": response.context["response"].revision,
        "_seen": response.context["seen"],
    }
    assert ana.post(page_url(visit, 6), chosen).status_code == 302
    assert stored(visit).answers.number("load-now") == 12


def test_what_was_typed_when_another_window_had_sent_the_form_is_not_lost(ana, visit):
    fill_in(ana, visit)
    send(ana, visit)
    response = ana.post(page_url(visit, 6), page_data(FORM, 6, load__now="12"))
    assert response.status_code == 409
    assert 'value="12"' in response.content.decode()
    assert stored(visit).answers.number("load-now") == 18.5


def test_two_first_pages_make_one_response(ana, visit):
    data = page_data(FORM, 1) | {"_revision": 0}
    assert ana.post(page_url(visit, 1), data).status_code == 302
    other = page_data(FORM, 1, safety__bone=["steroids"]) | {"_revision": 0}
    assert ana.post(page_url(visit, 1), other).status_code == 409
    assert ana.post(page_url(visit, 1), data).status_code == 302
    assert QuestionnaireResponse.objects.count() == 1


def test_a_page_is_saved_whichever_way_it_is_left(ana, visit):
    fill_in(ana, visit, pages=[1, 2])
    response = post_page(ana, visit, 3, button="back", pain__now=None)
    assert response.url == page_url(visit, 2)
    assert stored(visit).answers.number("pain-worst") == 6
    response = post_page(ana, visit, 4, button="autosave", body__main=None)
    assert response.status_code == 204
    assert stored(visit).answers.has("body-regions", "low-back-left")
    assert stored(visit).open_pages()[0].number == 3


def test_switching_the_language_saves_the_page_and_shows_it_in_the_other_one(ana, visit):
    response = post_page(ana, visit, 1, button="language", value="es", safety__bone=None)
    assert response.url == page_url(visit, 1)
    assert response.cookies["lang"].value == "es"
    assert stored(visit).answers.has("safety-nerve", "none")
    visit.patient.refresh_from_db()
    assert visit.patient.language == "es"
    assert FORM.pages()[0].text.in_language("es") in ana.get(page_url(visit, 1)).content.decode()


def test_a_wrong_answer_is_explained_in_the_language_that_was_switched_to(ana, visit):
    response = post_page(ana, visit, 6, button="language", value="es", load__now="far")
    html = response.content.decode()
    assert response.cookies["lang"].value == "es"
    assert 'lang="es"' in html
    assert 'value="far"' in html


def test_an_emergency_answer_ends_the_form_at_once_even_on_an_unfinished_page(ana, visit):
    changes = dict.fromkeys(["safety__body", "safety__bone"])
    response = post_page(ana, visit, 1, safety__nerve=["saddle-numb"], **changes)
    assert response.url == reverse("emergency")
    alert = SafetyAlert.objects.get()
    assert (alert.level, alert.patient) == (Level.EMERGENCY, visit.patient)
    page = ana.get(reverse("emergency")).content.decode()
    assert "Get emergency care now." in page
    assert alert.code in page
    for name, args in (("intake", []), ("intake_page", [2]), ("intake_review", [])):
        assert ana.get(reverse(name, args=[visit.pk, *args])).url == reverse("emergency")


def test_a_danger_sign_on_a_later_page_ends_the_form_too(ana, visit):
    fill_in(ana, visit, pages=range(1, 4))
    response = post_page(ana, visit, 4, body__numb=["saddle"])
    assert response.url == reverse("emergency")
    assert stored(visit).rules[0] == "T-E2"


def test_after_an_emergency_coming_hands_on_visits_are_held_with_their_status_kept(ana, visit):
    hands_on = make_appointment(
        patient=visit.patient,
        service=make_service(tags=[Tag.PAUSED_BY_ALERT]),
        start=NOW + timedelta(days=9),
        status="booked",
    )
    post_page(ana, visit, 1, safety__nerve=["saddle-numb"])
    hands_on.refresh_from_db()
    visit.refresh_from_db()
    assert hands_on.safety_hold_alert == SafetyAlert.objects.get()
    assert hands_on.status == Appointment.Status.BOOKED
    assert visit.safety_hold_alert is None


def test_an_emergency_at_the_safety_gate_holds_a_known_patient_s_visits_too(ana, visit):
    visit.service.tags = [Tag.PAUSED_BY_ALERT]
    visit.service.save()
    ana.post(reverse("safety"), {"safety-nerve": ["bowel-loss"]})
    visit.refresh_from_db()
    assert visit.safety_hold_alert.level == Level.EMERGENCY


def test_staff_reopening_the_alert_lets_the_form_go_on(ana, visit, django_user_model):
    post_page(ana, visit, 1, safety__nerve=["saddle-numb"])
    staff = django_user_model.objects.create_user("nurse@clinic.example", role="clinician")
    SafetyAlert.objects.get().reopen_booking(by=staff, now=NOW)
    assert ana.get(page_url(visit, 2)).status_code == 200


def test_urgent_answers_raise_one_alert_and_every_page_says_what_to_do(ana, visit):
    fill_in(ana, visit, pages=[1], safety__illness=["fever"])
    fill_in(ana, visit, pages=[2])
    assert [alert.level for alert in SafetyAlert.objects.all()] == [Level.URGENT]
    html = ana.get(page_url(visit, 3)).content.decode()
    assert "You need to be checked today." in html


def test_an_incomplete_form_is_not_sent(ana, visit):
    fill_in(ana, visit, pages=range(1, 13))
    review = ana.get(reverse("intake_review", args=[visit.pk]))
    assert "Send my answers" not in review.content.decode()
    response = send(ana, visit)
    assert response.status_code == 400
    assert stored(visit).status == QuestionnaireResponse.Status.IN_PROGRESS
    assert not Observation.objects.exists()


def test_a_later_answer_can_reopen_an_earlier_page(ana, visit):
    fill_in(ana, visit, pages=range(1, 5), leg__feeling=["pain"], body__numb=None)
    fill_in(ana, visit, pages=[3])
    assert stored(visit).open_pages()[0].number == 4


def test_sent_answers_cannot_be_changed(ana, visit):
    fill_in(ana, visit)
    send(ana, visit)
    before = stored(visit).items
    response = ana.post(page_url(visit, 1), page_data(FORM, 1) | {"_revision": 15})
    assert response.url == reverse("intake", args=[visit.pk])
    assert send(ana, visit).status_code == 200
    assert stored(visit).items == before


def test_the_birth_date_comes_from_the_patient(ana, visit):
    visit.patient.birth_date = NOW.date().replace(year=1985)
    visit.patient.save()
    html = ana.get(page_url(visit, 2)).content.decode()
    assert 'value="1985-06-01"' in html


def test_an_odd_pair_is_pointed_out_before_sending(ana, visit):
    fill_in(ana, visit, pain__worst="2")
    review = ana.get(reverse("intake_review", args=[visit.pk])).content.decode()
    assert "Your worst pain is lower than your pain on most days." in review
    assert send(ana, visit).status_code == 200
    assert stored(visit).is_final


def test_no_page_is_kept_by_a_browser_or_shown_without_the_patient_s_link(client, visit):
    urls = [
        reverse("intake", args=[visit.pk]),
        page_url(visit, 1),
        reverse("intake_review", args=[visit.pk]),
    ]
    grant(client, make_link())
    for url in urls:
        assert client.get(url).status_code == 404
        assert client.post(url, {"safety-nerve": "none"}).status_code in (404, 405)
    client.cookies.clear()
    assert client.get(urls[0]).status_code == 404
    grant(client, make_link(patient=visit.patient))
    for url in urls[:2]:
        assert "no-store" in client.get(url)["Cache-Control"]
    assert not QuestionnaireResponse.objects.exists()


def test_a_page_that_does_not_exist_is_not_found(ana, visit):
    assert ana.get(page_url(visit, 15)).status_code == 404
    assert ana.get(page_url(visit, 0)).status_code == 404


def test_pages_carry_no_inline_script_or_style(ana, visit):
    for number in PAGES:
        html = ana.get(page_url(visit, number)).content.decode()
        assert " style=" not in html
        assert "<style" not in html
        assert " onclick" not in html


def test_a_foreign_questionnaire_is_asked_and_sent_in_the_same_way(ana, visit):
    content = {
        "resourceType": "Questionnaire",
        "url": "https://else.example/Questionnaire/mood",
        "version": "7",
        "status": "active",
        "title": "Mood",
        "item": [
            {"linkId": "1.1", "type": "boolean", "text": "Sleeping well?", "required": True},
            {
                "linkId": "1.2",
                "type": "choice",
                "text": "Colour?",
                "answerOption": [{"valueString": "red"}, {"valueInteger": 2}],
                "enableWhen": [{"question": "1.1", "operator": "=", "answerBoolean": False}],
            },
        ],
    }
    visit.service.questionnaire = Questionnaire.objects.publish(content, now=NOW)
    visit.service.save()
    ana.post(page_url(visit, 1), {"1.1": "false", "1.2": "2", "_revision": "0"})
    send(ana, visit)
    response = stored(visit)
    assert response.status == QuestionnaireResponse.Status.COMPLETED
    assert json.loads(json.dumps(response.items)) == [
        {"linkId": "1.1", "answer": [{"valueBoolean": False}]},
        {"linkId": "1.2", "answer": [{"valueInteger": 2}]},
    ]
