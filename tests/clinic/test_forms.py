"""What a manager types about the practice."""

import pytest
from django.forms.models import model_to_dict

from clinic.models import Practice, Role
from tests.factories import make_practice, make_user, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def save(client):
    """Save the practice's page with other hours; what is left out stays as it is on the page."""
    practice = make_practice(staffed_hours={"0": [["08:00", "12:00"], ["13:00", "18:00"]]})
    page = f"/admin/clinic/practice/{practice.pk}/change/"
    sign_in(client, make_user(role=Role.MANAGER))

    def post(**typed):
        shown = client.get(page).context["adminform"].form
        fields = model_to_dict(practice) | {name: shown[name].value() for name in shown.fields}
        return client.post(page, {k: v for k, v in (fields | typed).items() if v})

    return post


def staffed_hours():
    return Practice.objects.get().staffed_hours


def test_a_page_that_is_saved_as_it_is_keeps_the_hours(save):
    assert save().status_code == 302
    assert staffed_hours() == {"0": [["08:00", "12:00"], ["13:00", "18:00"]]}


def test_hours_are_typed_in_a_line_for_each_day(save):
    assert save(monday="", tuesday="8:00 – 12:00,13:00-18:30").status_code == 302
    assert staffed_hours() == {"1": [["08:00", "12:00"], ["13:00", "18:30"]]}


@pytest.mark.parametrize(
    "typed",
    [
        "morning",
        "9",
        "08:00",
        "18:00-08:00",
        "08:00-25:00",
        "08:00-12:00, 11:00-13:00",
        "08:00-12:00,",
    ],
)
def test_hours_that_nobody_could_keep_are_refused(save, typed):
    assert "Write from and to times" in save(friday=typed).text
    assert set(staffed_hours()) == {"0"}
