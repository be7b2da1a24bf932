import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from clinic.models import Role
from intake.models import QuestionnaireResponse
from intake.rules.findings import FINDINGS
from intake.rules.levels import Level
from intake.rules.triage import RULES
from tests.factories import (
    NOW,
    make_alert,
    make_clinician,
    make_patient,
    make_practice,
    make_response,
    make_user,
    sign_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        make_practice()
        yield


def told(*rules, at=NOW, **fields):
    """A form in which these rules held, begun at a moment."""
    response = make_response(patient=make_patient(name="Canary"), rules=list(rules), **fields)
    QuestionnaireResponse.objects.filter(pk=response.pk).update(created_at=at)
    return response


def table(client, user, month="2026-06"):
    answer = sign_in(client, user).get(reverse("rule_counts_csv"), {"month": month})
    rows = list(csv.reader(io.StringIO(answer.text)))
    return {row[1]: [int(cell) for cell in row[4:]] for row in rows[1:]}


def test_each_rule_is_counted_with_what_clinicians_decided(client):
    clinician = make_clinician()
    told("T-S8", "T-R0")
    told("T-S8", reviewed_at=NOW, reviewed_by=clinician)
    lowered = told("T-S8", level=Level.SOON, reviewed_at=NOW, reviewed_by=clinician)
    lowered.lower(level=Level.ROUTINE, reason="Known and stable", by=clinician, now=NOW)
    make_alert(response=told("T-U4"), rules=["T-U4"], level=Level.URGENT)

    counted = table(client, clinician)
    assert counted["T-S8"] == [3, 2, 1, 1, 0]
    assert counted["T-R0"] == [1, 0, 0, 0, 0]
    assert counted["T-U4"] == [1, 0, 0, 0, 1]
    assert counted["T-E1"] == [0] * 5
    assert len(counted) == len(RULES) + len(FINDINGS)


def test_findings_are_counted_from_the_answers_of_sent_forms(client):
    smoker = [{"linkId": "med-smoke", "answer": [{"valueCoding": {"code": "yes"}}]}]
    told(items=smoker, submitted_at=NOW, status=QuestionnaireResponse.Status.COMPLETED)
    told(items=smoker)
    assert table(client, make_clinician())["F-54"] == [1, 0, 0, 0, 0]


def test_a_month_is_the_practices(client):
    # 23:30 on 31 May in Chicago, and half an hour later.
    edge = datetime(2026, 6, 1, 4, 30, tzinfo=UTC)
    told("T-S8", at=edge)
    told("T-S9", at=edge + timedelta(minutes=30))
    june, may = table(client, make_clinician()), table(client, make_clinician(), "2026-05")
    assert (june["T-S8"][0], june["T-S9"][0]) == (0, 1)
    assert (may["T-S8"][0], may["T-S9"][0]) == (1, 0)


@pytest.mark.parametrize("month", ["", "2026-13", "nonsense", "9999-12", "0001-01"])
def test_an_odd_month_is_this_one(client, month):
    told("T-S8")
    page = sign_in(client, make_clinician()).get(reverse("rule_counts"), {"month": month})
    assert "June 2026" in page.text
    assert "T-S8" in page.text


def test_nothing_names_a_patient_and_no_cell_is_a_formula(client):
    told("T-S8")
    sign_in(client, make_user(role=Role.MANAGER))
    for name in ("rule_counts", "rule_counts_csv"):
        assert "Canary" not in client.get(reverse(name)).text
    rows = csv.reader(io.StringIO(client.get(reverse("rule_counts_csv")).text))
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell]


def test_the_front_desk_does_not_see_it(client):
    sign_in(client, make_user())
    for name in ("rule_counts", "rule_counts_csv"):
        assert client.get(reverse(name)).status_code == 404


@pytest.mark.parametrize("forms", [1, 3])
def test_the_counts_take_the_same_queries_however_many_forms_there_are(
    client, django_assert_num_queries, forms
):
    sign_in(client, make_clinician())
    for _ in range(forms):
        make_alert(response=told("T-S8"))
    with django_assert_num_queries(10):
        client.get(reverse("rule_counts"))
