"""How often each rule was true in a month, and what clinicians decided (clinical.md §3.1, 8).

Over-triage is expected, so it is measured. These are totals: nothing in them names a patient.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Q

from clinic import days
from intake.models import QuestionnaireResponse
from intake.rules import findings
from intake.rules.findings import FINDINGS
from intake.rules.triage import RULES
from intake.workflow.answer_history import BETWEEN_VISITS


@dataclass(frozen=True)
class RuleCount:
    """One rule in one month.

    `fired` counts forms in which it held, `reviewed` those of them that a clinician has reviewed,
    `lowered` those whose level a clinician lowered with a reason, `accepted` the reviewed ones
    whose level was not lowered, `alerted` those that raised a safety alert.
    """

    id: str
    text: str
    importance: str
    fired: int
    reviewed: int
    accepted: int
    lowered: int
    alerted: int


def of_month(month: dt.date, *, zone: ZoneInfo) -> tuple[list[RuleCount], int]:
    """Return a line for each rule and finding, and the number of forms.

    `month` is any day of it. A form belongs to the month in which it was begun.
    """
    first = month.replace(day=1)
    after = (first + dt.timedelta(days=32)).replace(day=1)
    begun = Q(
        created_at__gte=dt.datetime.combine(first, dt.time(), zone),
        created_at__lt=dt.datetime.combine(after, dt.time(), zone),
    )
    responses = (
        QuestionnaireResponse.objects.filter(begun)
        .select_related("questionnaire")
        .defer("questionnaire__content")
        .prefetch_related("lowered_levels", "safety_alerts")
    )
    counted: dict[str, Counter[str]] = {
        name: Counter() for name in ("fired", "reviewed", "accepted", "lowered", "alerted")
    }
    forms = 0
    for response in responses.iterator(chunk_size=200):
        forms += 1
        held = {*response.rules, *_findings(response, zone=zone)}
        was_lowered = bool(response.lowered_levels.all())
        states = {
            "fired": True,
            "reviewed": response.reviewed_at is not None,
            "accepted": response.reviewed_at is not None and not was_lowered,
            "lowered": was_lowered,
        }
        for name, holds in states.items():
            if holds:
                counted[name].update(held)
        counted["alerted"].update(
            {rule for alert in response.safety_alerts.all() for rule in alert.rules}
        )
    texts = [(rule.id, str(rule.why), str(rule.level.label)) for rule in RULES.values()]
    texts += [(one.id, str(one.heading), str(one.severity.word)) for one in FINDINGS.values()]
    lines = [
        RuleCount(
            rule_id,
            text,
            importance,
            **{name: counts[rule_id] for name, counts in counted.items()},
        )
        for rule_id, text, importance in texts
    ]
    return lines, forms


def _findings(response: QuestionnaireResponse, *, zone: ZoneInfo) -> list[str]:
    """Findings are not stored; they are computed again with the current rules."""
    if response.submitted_at is None or response.questionnaire.url in BETWEEN_VISITS:
        return []
    day = days.local_date(response.submitted_at, zone)
    return [finding.id for finding in findings.evaluate(response.answers, today=day)]
