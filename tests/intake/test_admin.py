import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from clinic.models import AuditEvent, Role
from intake.models import PublishedQuestionnaire, Questionnaire, QuestionnaireResponse
from tests.factories import NOW, make_practice, make_response, make_service, make_user, sign_in
from tests.intake.fhir_form.test_round_trip import FOREIGN
from tests.intake.small import make_choice, make_content, make_item

pytestmark = pytest.mark.django_db

PAGE = "/admin/intake/questionnaire/"


@pytest.fixture
def manager(client):
    make_practice()
    return sign_in(client, make_user(role=Role.MANAGER))


def upload(client, content):
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return client.post(f"{PAGE}add/", {"file": SimpleUploadedFile("form.json", text)})


def publish(client, questionnaire):
    return client.post(
        PAGE, {"action": "publish", "_selected_action": [questionnaire.pk]}, follow=True
    )


def test_a_manager_uploads_a_file_and_publishes_it(manager):
    assert upload(manager, make_content(make_item(), title="Short")).status_code == 302
    questionnaire = Questionnaire.objects.get()
    assert (questionnaire.title, questionnaire.published_at) == ("Short", None)
    assert "1 questionnaire published" in publish(manager, questionnaire).content.decode()
    questionnaire.refresh_from_db()
    assert questionnaire.published_at
    assert "0 questionnaires published" in publish(manager, questionnaire).content.decode()
    fields = AuditEvent.objects.filter(subject_id=str(questionnaire.pk)).values_list("fields")
    assert ["published_at"] in [row[0] for row in fields]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{not json", "json"),
        (b"\xff\xfe\x00", "json"),
        (make_content(make_item(type_="reference")), "Questionnaire.item[0].item[0].type"),
        (make_content(make_item(text="<b>x</b>")), "unsupported-markup"),
        (make_content(*[make_item(f"q{n}", text="") for n in range(50)]), "item[19]"),
    ],
)
def test_a_refused_file_is_explained_and_not_stored(manager, content, words):
    page = upload(manager, content).content.decode()
    assert words in page
    assert "item[20]" not in page
    assert not Questionnaire.objects.exists()


def test_the_same_version_is_not_uploaded_twice(manager):
    upload(manager, make_content(make_item()))
    assert "version-exists" in upload(manager, make_content(make_item("b"))).content.decode()
    assert Questionnaire.objects.get().content == make_content(make_item())


@pytest.mark.parametrize(("language", "words"), [("en", "Left"), ("es", "Izquierda")])
def test_the_preview_shows_every_page_in_either_language_and_keeps_nothing(
    manager, language, words
):
    questionnaire = Questionnaire.objects.store(FOREIGN["intake_at_home"], publish=False, now=NOW)
    response = manager.get(f"{PAGE}{questionnaire.pk}/preview/?language={language}")
    page = response.content.decode()
    assert words in page
    for item in questionnaire.form.walk():
        if item.is_question:
            assert f'data-question="{item.link_id}"' in page
    assert f'<html lang="{language}"' in page
    assert not QuestionnaireResponse.objects.exists()
    assert manager.get(f"{PAGE}99999/preview/").status_code == 404


def test_the_front_desk_has_no_questionnaires(client):
    make_practice()
    questionnaire = Questionnaire.objects.store(make_content(make_item()), publish=False, now=NOW)
    sign_in(client, make_user(role=Role.FRONT_DESK))
    assert upload(client, make_content(make_item("b"))).status_code == 403
    assert client.get(f"{PAGE}{questionnaire.pk}/preview/").status_code == 404
    publish(client, questionnaire)
    assert not Questionnaire.objects.published().exists()


def test_only_a_draft_is_thrown_away(manager):
    draft = Questionnaire.objects.store(make_content(make_item()), publish=False, now=NOW)
    published = Questionnaire.objects.store(
        make_content(make_item(), version="2"), publish=True, now=NOW
    )
    for row, status in ((draft, 302), (published, 403)):
        page = f"{PAGE}{row.pk}/delete/"
        assert manager.post(page, {"post": "yes"}).status_code == status
    assert Questionnaire.objects.get() == published


def test_only_what_is_published_is_offered_to_a_service(manager):
    service = make_service()
    for version, is_published in (("1", True), ("2", False)):
        Questionnaire.objects.store(
            make_content(make_item(), version=version, title=f"Form {version}"),
            publish=is_published,
            now=NOW,
        )
    query = "app_label=schedule&model_name=service&field_name=questionnaire&term=Form"
    found = manager.get(f"/admin/autocomplete/?{query}").json()["results"]
    assert [row["text"] for row in found] == ["Form 1 1"]
    draft = Questionnaire.objects.get(version="2")
    form = manager.get(f"/admin/schedule/service/{service.pk}/change/").context["adminform"].form
    assert draft not in form.fields["questionnaire"].queryset


def test_what_is_published_never_changes_and_old_answers_keep_their_questions(manager):
    old = Questionnaire.objects.publish(make_content(make_choice("c", "x", "y")), now=NOW)
    response = make_response(
        questionnaire=old,
        items=[
            {
                "linkId": "g",
                "item": [{"linkId": "c", "answer": [{"valueCoding": {"code": "x"}}]}],
            }
        ],
    )
    for name, value in (("content", make_content(make_item())), ("version", "9"), ("url", "x:y")):
        changed = Questionnaire.objects.get(pk=old.pk)
        setattr(changed, name, value)
        with pytest.raises(PublishedQuestionnaire):
            changed.save()
        with pytest.raises(PublishedQuestionnaire):
            Questionnaire.objects.filter(pk=old.pk).update(**{name: value})
    Questionnaire.objects.publish(
        make_content(make_choice("c", "z"), version="2", title="Newer"), now=NOW
    )
    response.refresh_from_db()
    assert [option.value for option in response.form.item("c").options] == ["x", "y"]
    old.title = "Another name in the list"
    old.save()
