"""How soon a person should be seen: rules over their answers.

A rule raises the level and never lowers it; only a named clinician does that. A missing answer
makes a rule false, and a restriction of what can be booked true. Rule ids are public: they
appear in stored alerts, exports and the audit trail, and are never renamed or reused.

These rules are information for clinicians and conservative advice for patients. They are not a
diagnosis, and wording and cut-offs need a licensed clinician's sign-off before real use.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import chain

from intake.answers import Answers
from intake.rules import variables as v
from intake.rules.levels import Level
from intake.rules.patterns import NO_THRUST
from intake.rules.thresholds import OURS
from intake.rules.triage import emergency, routine, soon, urgent
from intake.rules.triage.rule import Rule

__all__ = ["RULES", "Level", "Rule", "Triage", "evaluate"]

RULES = {rule.id: rule for module in (emergency, urgent, soon, routine) for rule in module.RULES}

STOP_RUNNING = "M5"

LEVEL_MESSAGES = {Level.EMERGENCY: "M1", Level.URGENT: "M3", Level.SOON: "M4"}

NO_THRUST_INPUTS = (
    "safety-bone",
    "safety-leg-power",
    "safety-pregnancy",
    "about-birth-date",
    "body-main",
    "onset-worse",
    "onset-how",
    "med-told",
    "tx-avoid",
)


@dataclass(frozen=True)
class Triage:
    """The level, the rules that hold (most urgent first), and what follows from them.

    `messages` are ids of :mod:`intake.rules.messages` in showing order. `restrictions` are the
    codes that booking maps to services.
    """

    level: Level
    rules: tuple[Rule, ...]
    messages: tuple[str, ...]
    restrictions: frozenset[str]

    @property
    def rule_ids(self) -> tuple[str, ...]:
        return tuple(rule.id for rule in self.rules)


def evaluate(answers: Answers, *, today: dt.date, strict_public_advice: bool = False) -> Triage:
    """Evaluate the answers as of `today`, the calendar day in the clinic's zone.

    `strict_public_advice` raises rules to their `strict_level`: public advice of the British health
    service is stricter on some signs than clinical guidelines.
    """
    held = [rule for rule in RULES.values() if rule.applies(answers, today)]
    if strict_public_advice:
        held = [replace(rule, level=rule.strict_level or rule.level) for rule in held]
    held.sort(key=lambda rule: -rule.level)  # Stable: within a level, the order of the table.
    level = held[0].level
    return Triage(
        level=level,
        rules=tuple(held),
        messages=messages_shown(answers, level, held),
        restrictions=restrictions(answers, level, held, today),
    )


def messages_shown(answers: Answers, level: Level, rules: Collection[Rule]) -> tuple[str, ...]:
    """Return the ids of the patient's messages; sorted, they are in the order of display."""
    if level == Level.ROUTINE:
        short = v.under(v.days(answers), 8)
        mild = v.at_most(answers.number("pain-worst"), OURS.mild_pain_at_most)
        return ("M7",) if short and mild else ("M6",)
    of_level = (LEVEL_MESSAGES[level],)
    deciding = [rule.messages or of_level for rule in rules if rule.level == level]
    shown = set(chain.from_iterable(deciding or [of_level]))
    # A patient who must go to an emergency room gets no advice about running.
    if level < Level.EMERGENCY and any(
        rule.stops_running is not None and rule.stops_running <= level for rule in rules
    ):
        shown.add(STOP_RUNNING)
    return tuple(sorted(shown))


def messages_of_emergency(rule_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of the stop page's messages for the rules that an alert has stored."""
    rules = [RULES[rule_id] for rule_id in rule_ids if rule_id in RULES]
    return messages_shown(Answers(), Level.EMERGENCY, rules)


def restrictions(
    answers: Answers, level: Level, rules: Collection[Rule], today: dt.date
) -> frozenset[str]:
    """Return codes of what may not be booked online. Missing answers restrict."""
    age = v.age(answers, today)
    pregnancy = not answers.has("safety-pregnancy", "no", "postpartum")
    thrust_judged = all(answers.answered(link_id) for link_id in NO_THRUST_INPUTS)
    gait_pain = answers.number("pain-run")
    codes = {
        "no-booking": level == Level.EMERGENCY,
        "urgent-only": level == Level.URGENT,
        "soon-only": level == Level.SOON,
        "no-thrust": not thrust_judged or pregnancy or NO_THRUST.holds(answers, today),
        "no-regenerative": pregnancy or not v.at_least(age, OURS.adult_from),
        "not-massage-first": level >= Level.SOON,
        "gait-locked": level >= Level.URGENT or not v.at_most(gait_pain, OURS.gait_pain_at_most),
        "minor": v.under(age, OURS.adult_from),
        "pregnancy": pregnancy,
        "intake-incomplete": not answers.answered("consent-signature"),
    }
    return frozenset(code for code, holds in codes.items() if holds).union(
        *(rule.restricts for rule in rules)
    )
