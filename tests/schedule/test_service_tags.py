"""Tags of services: rules go by them and never by a code or a name."""

import ast
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from booking.flow.eligibility import offers
from clinic.models import Role
from intake.rules.tags import CLOSING_TAGS, Tag
from schedule.checks import check_tags
from schedule.models import Service
from schedule.shipped_catalogue import load_catalogue
from tests.factories import SHIPPED_TAGS, make_service, make_user, sign_in

ROOT = Path(__file__).parents[2]
RESTRICTIONS = (
    *("no-booking", "urgent-only", "soon-only", "no-thrust", "no-regenerative"),
    *("not-massage-first", "gait-locked", "minor", "pregnancy", "intake-incomplete"),
)
TODAY = date(2026, 6, 1)


def judged():
    """Every service with its reason and last day, for each restriction and earlier visit."""
    services = list(Service.objects.prefetch_related("unlocked_by"))
    return [
        (offer.service.pk, code, seen.pk if seen else None, offer.block_reason, offer.last_day)
        for code, seen in product((None, *RESTRICTIONS), (None, *services))
        for offer in offers(
            services,
            restrictions={code} - {None},
            seen_for={seen} - {None},
            today=TODAY,
        )
    ]


def test_a_service_with_a_new_code_and_name_keeps_every_restriction(db):
    load_catalogue()
    before = judged()
    for service in Service.objects.all():
        Service.objects.filter(pk=service.pk).update(slug=f"x{service.pk}", name={"en": "X"})
    assert judged() == before


def test_every_shipped_service_has_its_tags(db):
    for service in load_catalogue():
        assert service.tags == SHIPPED_TAGS[service.slug]
        service.clean_fields(exclude=["questionnaire"])


@pytest.mark.parametrize("tags", [["evaluation", "no-such-tag"], [["evaluation"]], "evaluation"])
def test_an_unknown_tag_is_refused(db, tags):
    with pytest.raises(ValidationError) as refused:
        make_service(tags=tags).full_clean()
    assert refused.value.message_dict.keys() == {"tags"}


def test_a_clinic_does_not_go_live_with_an_unknown_tag(db):
    load_catalogue()
    assert check_tags() == []
    Service.objects.filter(slug="massage").update(tags=["hands_on", "thurst"])
    (error,) = check_tags()
    assert error.id == "schedule.E001"
    assert error.msg == "The service massage has unknown tags: thurst."


def test_no_code_of_a_service_is_written_in_the_code():
    # "massage" is also an answer of the intake, and both words are tags.
    slugs = set(SHIPPED_TAGS) - {"massage", "nutrition"}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value}"
        for app in ("clinic", "intake", "schedule", "booking", "desk")
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in slugs
    ]
    assert found == []


def test_every_tag_is_used():
    code = [
        path.read_text()
        for app in ("intake", "schedule", "booking", "desk")
        for path in (ROOT / app).rglob("*.py")
        if path.name != "tags.py"
    ]
    assert [tag for tag in Tag if not any(f"Tag.{tag.name}" in text for text in code)] == []


@pytest.fixture
def manager(client, db):
    return sign_in(client, make_user(role=Role.MANAGER))


def fields(page):
    """What a browser sends when the form is saved as shown."""
    form = page.context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in shown.items() if value is not None}


def test_the_admin_gives_a_new_service_every_tag_that_closes_it(manager):
    page = manager.get(reverse("admin:schedule_service_add"))
    sent = fields(page) | {"name": "New", "slug": "new", "durations": "[30]"}
    answer = manager.post(reverse("admin:schedule_service_add"), sent)
    assert answer.status_code == 302
    assert Service.objects.get().tags == list(CLOSING_TAGS)


def test_a_manager_takes_every_tag_away(manager):
    service = make_service(tags=[Tag.THRUST])
    url = reverse("admin:schedule_service_change", args=[service.pk])
    page = manager.get(url)
    assert "Closed for minors" in page.content.decode()
    assert manager.post(url, fields(page) | {"tags": []}).status_code == 302
    service.refresh_from_db()
    assert service.tags == []
