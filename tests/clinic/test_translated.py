"""The column that keeps a text in every language."""

import gc
import re

import pytest
from django.core import serializers
from django.core.exceptions import FieldError, ValidationError
from django.utils import translation

from clinic.translated import TranslatedText
from schedule.models import Service
from tests.factories import make_location, make_practitioner, make_service, make_user, sign_in

pytestmark = pytest.mark.django_db

BOTH = {"en": "Massage", "es": "Masaje"}


def texts(service):
    return dict(Service.objects.get(pk=service.pk).name)


@pytest.mark.parametrize(
    ("language", "read"),
    [
        ("en", "Massage"),
        ("es", "Masaje"),
        ("es-mx", "Masaje"),
        ("fr", "Massage"),
        (None, "Massage"),
    ],
)
def test_a_text_is_read_in_the_active_language_or_the_default_one(language, read):
    service = make_service(name=BOTH)
    service.refresh_from_db()
    with translation.override(language):
        assert (str(service), str(service.name), f"{service.name}") == (read, read, read)


def test_a_text_without_the_default_language_is_still_read():
    assert str(TranslatedText({"es": "Masaje"})) == "Masaje"
    assert str(TranslatedText({})) == ""
    assert not TranslatedText({"en": ""})


def test_a_plain_string_is_text_in_the_default_language():
    service = make_service(name="Massage")
    assert service.name == {"en": "Massage"}
    service.name = "Foot massage"
    service.save()
    assert texts(service) == {"en": "Foot massage"}
    Service.objects.update(name="Massage")
    assert texts(service) == {"en": "Massage"}
    assert Service.objects.filter(name__en="Massage").exists()
    Service.objects.update(name=BOTH)
    assert texts(service) == BOTH


def test_rows_are_written_many_at_a_time():
    one, two = make_service(name=BOTH), make_service(name="Other")
    one.name, two.name = "First", BOTH
    Service.objects.bulk_update([one, two], ["name"])
    assert (texts(one), texts(two)) == ({"en": "First"}, BOTH)


def test_one_language_is_filtered_selected_and_sorted_by():
    make_service(name={"en": "Yoga", "es": "Clase de yoga"})
    make_service(name=BOTH)
    make_service(name="Análisis")
    assert Service.objects.get(name__en="Massage").name == BOTH
    assert Service.objects.get(name__es__icontains="masa").name == BOTH
    assert Service.objects.get(name__en__icontains="lisis").name == {"en": "Análisis"}
    # What has no text in a language is not found by one.
    assert not Service.objects.filter(name__es="Análisis").exists()
    named = ["Análisis", "Massage", "Yoga"]
    assert [*Service.objects.order_by("name__en").values_list("name__en", flat=True)] == named
    # Services of one position come by name: one text more or less does not matter.
    assert [str(service) for service in Service.objects.all()] == named


def test_a_column_that_was_left_out_is_read_when_it_is_asked_for():
    make_service(name=BOTH, description="Slow.")
    service = Service.objects.only("slug").get()
    assert (service.name, str(service.description)) == (BOTH, "Slow.")
    assert [*Service.objects.values_list("name", flat=True)] == [BOTH]


def test_the_default_language_is_required_and_every_text_has_its_length():
    service = make_service()
    service.full_clean()
    service.name = {"es": "Masaje"}
    with pytest.raises(ValidationError, match="blank"):
        service.full_clean()
    service.name = {"en": "Massage", "es": "x" * 81}
    with pytest.raises(ValidationError, match="80"):
        service.full_clean()


def test_a_text_survives_dump_and_load():
    service = make_service(name=BOTH)
    dumped = serializers.serialize("json", [service])
    Service.objects.update(name="Lost")
    for row in serializers.deserialize("json", dumped):
        row.save()
    assert texts(service) == BOTH


# The admin


@pytest.fixture
def manager(client):
    return sign_in(client, make_user(role="manager"))


def test_the_form_has_an_input_a_language_and_keeps_what_is_typed(manager):
    location = make_location(directions={"en": "Across the river.", "es": "Tras el río."})
    url = f"/admin/clinic/location/{location.pk}/change/"
    page = manager.get(url)
    html = page.content.decode()
    # Labelled, so that anyone who does not see the page hears which language it is.
    assert re.search(r'<label for="id_directions" lang="en">English</label>', html)
    assert re.search(r'<label for="id_directions_es" lang="es">Español</label>', html)
    assert "Tras el río." in html
    form = page.context["adminform"].form
    posted = {name: form.initial.get(name) or "" for name in form.fields}
    posted["holidays_kept_open"] = []
    posted |= {"directions": "By the river.", "directions_es": "Junto al río.", "is_active": "on"}
    saved = manager.post(url, posted)
    assert saved.status_code == 302, saved.context["errors"]
    location.refresh_from_db()
    assert location.directions == {"en": "By the river.", "es": "Junto al río."}
    history = manager.get(f"/admin/clinic/location/{location.pk}/history/").content.decode()
    assert "en: By the river., es: Junto al río." in history
    assert [version.directions for version in location.history.all()] == [
        {"en": "By the river.", "es": "Junto al río."},
        {"en": "Across the river.", "es": "Tras el río."},
    ]


def test_a_service_needs_a_name_in_the_default_language(manager):
    page = manager.post("/admin/schedule/service/add/", {"name_es": "Masaje", "slug": "massage"})
    assert page.context["adminform"].form.errors["name"] == ["Enter a complete value."]
    page = manager.post("/admin/schedule/service/add/", {"name": "x" * 81, "slug": "massage"})
    assert "at most 80 characters" in page.context["adminform"].form.errors["name"][0]
    page = manager.post("/admin/schedule/service/add/", {"slug": "massage"})
    assert page.context["adminform"].form.errors["name"] == ["This field is required."]


def test_staff_who_may_only_look_read_words(client):
    practitioner = make_practitioner(title={"en": "Masseur", "es": "Masajista"})
    reader = sign_in(client, make_user())
    reader.cookies["lang"] = "es"
    page = reader.get(f"/admin/clinic/practitioner/{practitioner.pk}/change/").content.decode()
    assert "Masajista" in page
    assert "{" not in "".join(re.findall(r'<div class="readonly">(.*?)</div>', page, re.DOTALL))


def test_lists_are_searched_in_every_language_and_sorted_by_name(manager):
    make_service(name=BOTH)
    make_service(name="Yoga")
    make_practitioner(name="Ana", title={"en": "Masseur", "es": "Masajista"})
    for path, asked in (
        ("schedule/service", "masaje"),
        ("schedule/service", "massage"),
        ("clinic/practitioner", "masajista"),
    ):
        page = manager.get(f"/admin/{path}/?q={asked}")
        assert page.context["cl"].result_count == 1
    page = manager.get("/admin/schedule/service/?o=-1")
    assert [str(row) for row in page.context["cl"].result_list] == ["Yoga", "Massage"]
    assert "{" not in "".join(re.findall(r"<th class=.*?</th>", page.content.decode()))


def test_a_query_in_the_usual_order_leaves_no_frames_behind():
    """Frames in a circle keep a server-side cursor open until garbage is collected."""
    gc.collect()
    gc.disable()
    try:
        next(iter(Service.objects.all().iterator()), None)
        left = [o for o in gc.get_objects() if isinstance(o, FieldError)]
    finally:
        gc.enable()
    assert left == []
