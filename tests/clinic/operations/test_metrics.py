"""What monitoring reads, and who may."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from clinic.models import Message, Tick
from intake.rules.levels import Level
from tests.factories import make_alert, make_desk_task, make_message, make_patient, make_user

pytestmark = pytest.mark.django_db

TOKEN = "a-token-from-the-environment"


@pytest.fixture
def scrape(client, settings):
    settings.METRICS_TOKEN = TOKEN

    def scrape():
        response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "no-store" in response["Cache-Control"]
        return response.content.decode()

    return scrape


def samples(text):
    return {
        (sample.name.removeprefix("backstride_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    "given", [None, "", TOKEN, "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "é"]
)
@pytest.mark.parametrize("configured", ["", TOKEN])
def test_without_the_token_there_is_no_such_page(client, settings, configured, given):
    settings.METRICS_TOKEN = configured
    headers = {} if given is None else {"Authorization": given}

    assert client.get("/metrics", headers=headers).status_code == 404


def test_figures_are_counted_from_rows(scrape):
    now = timezone.now()
    Tick.objects.create(pk=1, completed_at=now - timedelta(seconds=30))
    make_message(due_at=now - timedelta(minutes=10))
    make_message(due_at=now - timedelta(minutes=2))
    make_message(due_at=now + timedelta(days=1))
    make_message(due_at=now - timedelta(days=3), state=Message.State.SENT)
    make_message(
        due_at=now - timedelta(days=3),
        state=Message.State.FAILED,
        attempts=2,
        bounced_at=now,
        is_retried_after_unknown=True,
    )
    make_desk_task()
    make_desk_task().finish(by=make_user(), now=now)
    make_alert(level=Level.URGENT)
    make_alert(level=Level.URGENT, acknowledged_at=now)
    found = samples(scrape())

    assert found["messages", "planned"] == 3
    assert found["messages", "sent"] == 1
    assert found["messages", "failed"] == 1
    assert found["message_attempts",] == 2
    assert found["message_bounced",] == found["message_retried",] == 1
    assert found["open_desk_tasks", "bounced"] == 1
    assert 600 <= found["oldest_due_message_age_seconds",] < 660
    assert 30 <= found["tick_age_seconds",] < 90
    assert found["open_safety_alerts", "urgent"] == 1
    assert found["open_safety_alerts", "emergency"] == 0


def test_an_empty_clinic_has_figures_too(scrape):
    found = samples(scrape())

    assert found["oldest_due_message_age_seconds",] == 0
    assert str(found["tick_age_seconds",]) == "nan"
    assert {found["messages", state] for state in Message.State.values} == {0}


def test_no_figure_names_anybody(scrape):
    patient = make_patient(name="Zzyzx Canary", email="canary@example.org")
    message = make_message(patient=patient)
    alert = make_alert(patient=patient, rules=["T-E1"])
    text = scrape()

    for secret in ("Zzyzx", "canary@", str(patient.pk), str(message.pk), alert.code, "T-E1"):
        assert secret not in text


def test_the_number_of_queries_does_not_grow(scrape, django_assert_num_queries):
    for _ in range(3):
        make_message()
        make_alert()
    with django_assert_num_queries(5):
        scrape()
