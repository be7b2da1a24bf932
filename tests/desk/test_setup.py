from io import StringIO

import pytest
from django.core.checks import run_checks
from django.core.management import call_command

from booking.models import Appointment
from intake.models import Questionnaire
from tests.booking.small_clinic import SmallClinic
from tests.factories import make_practice

pytestmark = pytest.mark.django_db


def setup() -> str:
    out = StringIO()
    call_command("setup", stdout=out)
    return out.getvalue()


def refusals():
    found = run_checks(tags=["database"], include_deployment_checks=True)
    return {message.id: message.hint for message in found if message.id.startswith("intake.")}


def test_setup_publishes_what_comes_with_the_code_and_may_be_repeated():
    assert "Published 4" in setup()
    before = set(Questionnaire.objects.published().values_list("url", "version", "published_at"))
    assert "Published 0" in setup()
    after = set(Questionnaire.objects.published().values_list("url", "version", "published_at"))
    assert before == after


def test_a_practice_without_questionnaires_cannot_go_live_and_is_told_the_command():
    assert "manage.py setup" in refusals()["intake.E001"]
    setup()
    assert refusals() == {}


@pytest.mark.parametrize("path", ["/book/", "/book/safety/", "/book/safety/?service=pt-eval"])
def test_booking_of_a_practice_that_was_not_set_up_is_not_open_yet(client, path):
    make_practice(time_zone="America/Chicago")
    SmallClinic(slug="pt-eval")
    response = client.get(path)
    assert response.status_code == 503
    assert "Online booking is not open yet" in response.text
    assert client.post("/book/safety/", {}).status_code == 503
    assert not Appointment.objects.exists()
    setup()
    assert client.get(path).status_code == 200
