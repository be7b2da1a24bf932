from hypothesis import given

from intake.answers import Answers
from intake.rules import triage
from intake.summary import evidence
from tests.intake.people import (
    TODAY,
    intakes,
)


def test_evidence_names_only_the_answers_that_the_rule_found():
    answers = Answers.of(
        safety_cancer=["cancer-history", "lump"],
        onset_worse=["sitting", "cough"],
        onset_trend="same",
        body_main="low-back-left",
    )
    assert evidence.behind(triage.RULES["T-U8"], answers, today=TODAY) == (
        ("safety-cancer", ("cancer-history", "lump")),
        ("onset-worse", ("cough",)),
    )


def test_evidence_shows_items_listed_for_context_in_full():
    answers = Answers.of(body_numb=["saddle", "foot-left"], safety_nerve=["sexual-change"])
    assert evidence.behind(triage.RULES["T-E2"], answers, today=TODAY) == (
        ("body-numb", ("saddle",)),
        ("safety-nerve", ("sexual-change",)),
    )


@given(intakes())
def test_evidence_is_found_for_every_rule_that_holds(answers):
    for rule in triage.evaluate(Answers(answers), today=TODAY).rules:
        shown = evidence.behind(rule, Answers(answers), today=TODAY)
        assert bool(shown) == (rule.id != "T-R0")
        assert {item.link_id for item in shown} <= {*rule.evidence, *rule.context}
