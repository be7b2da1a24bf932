"""How soon a person should be seen: 45 rules over their answers, each a small pure function.

A rule raises the level and never lowers it; only a named clinician does that. A missing answer
makes a rule false, and a restriction of what can be booked true. Rule ids are public: they
appear in stored alerts, exports and the audit trail, and are never renamed or reused.

These rules are information for clinicians and conservative advice for patients. They are not a
diagnosis, and wording and cut-offs need a licensed clinician's sign-off before real use.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from intake.answers import Answers
from intake.rules import variables as v
from intake.rules.levels import Level
from intake.rules.thresholds import OURS
from intake.rules.triage import emergency, routine, soon, urgent  # noqa: F401  Reading them enters the rules.
from intake.rules.triage.rule import RULES, Rule

__all__ = ["RULES", "Level", "Rule", "Triage", "evaluate"]

# Public advice of the British health service is stricter on these than clinical guidelines.
STRICT_PUBLIC_ADVICE = ("T-S8", "T-S10", "T-S15")

# An urgent bone, nerve or fever rule asks for a stop of running at once; see message M5.
URGENT_STOP_RUNNING = frozenset(
    {
        "T-U1",
        "T-U2",
        "T-U3",
        "T-U4",
        "T-U5",
        "T-U11",
        "T-U17",
        "T-U18",
        "T-S1",
        "T-S2",
        "T-S3",
        "T-S4",
        "T-S6",
        "T-S11",
        "T-S15",
    }
)
SOON_STOP_RUNNING = frozenset({"T-S2", "T-S4", "T-S6"})

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
    """Judge the answers as of `today`, the calendar day in the clinic's zone.

    `strict_public_advice` raises a lone cancer-type flag, main pain above the low back, and cough
    pain with leg symptoms to URGENT, for clinics that follow that reading.
    """
    held = [rule for rule in RULES.values() if rule.applies(answers, today)]
    if strict_public_advice:
        held = [
            replace(rule, level=Level.URGENT) if rule.id in STRICT_PUBLIC_ADVICE else rule
            for rule in held
        ]
    held.sort(key=lambda rule: -rule.level)  # Stable: within a level, the order of the table.
    level = held[0].level
    rule_ids = frozenset(rule.id for rule in held)
    return Triage(
        level=level,
        rules=tuple(held),
        messages=messages_shown(answers, level, rule_ids),
        restrictions=restrictions(answers, level, rule_ids, today),
    )


def messages_shown(answers: Answers, level: Level, rule_ids: frozenset[str]) -> tuple[str, ...]:
    """Which messages the patient reads, in order."""
    match level:
        case Level.EMERGENCY:
            emergencies = {rule_id for rule_id in rule_ids if rule_id.startswith("T-E")}
            if emergencies == {"T-E8"}:
                return ("M2",)
            return ("M1", "M2") if "T-E8" in emergencies else ("M1",)
        case Level.URGENT:
            first = ("M1", "M3") if "T-U1" in rule_ids else ("M3",)
            return (*first, "M5") if rule_ids & URGENT_STOP_RUNNING else first
        case Level.SOON:
            return ("M4", "M5") if rule_ids & SOON_STOP_RUNNING else ("M4",)
    short = v.under(v.days(answers), 8)
    mild = v.at_most(answers.number("pain-worst"), OURS.mild_pain_at_most)
    return ("M7",) if short and mild else ("M6",)


def restrictions(
    answers: Answers, level: Level, rule_ids: frozenset[str], today: dt.date
) -> frozenset[str]:
    """Codes of what may not be booked online. What is not answered yet restricts."""
    age = v.age(answers, today)
    pregnancy = not answers.has("safety-pregnancy", "no", "postpartum")
    thrust_judged = all(answers.answered(link_id) for link_id in NO_THRUST_INPUTS)
    gait_pain = answers.number("pain-run")
    codes = {
        "no-booking": level == Level.EMERGENCY,
        "urgent-only": level == Level.URGENT,
        "soon-only": level == Level.SOON,
        "no-thrust": not thrust_judged or pregnancy or v.no_thrust(answers, today),
        "no-regenerative": pregnancy or not v.at_least(age, OURS.adult_from),
        "not-massage-first": level >= Level.SOON or "T-R1" in rule_ids,
        "gait-locked": level >= Level.URGENT or not v.at_most(gait_pain, OURS.gait_pain_at_most),
        "minor": v.under(age, OURS.adult_from),
        "pregnancy": pregnancy,
        "intake-incomplete": not answers.answered("consent-signature"),
    }
    return frozenset(code for code, holds in codes.items() if holds)
