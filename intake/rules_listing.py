"""The clinical rules as a page that a clinician can read and sign off, without reading code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from django.utils import translation

from intake.fhir_form.questionnaire import Form
from intake.models.questionnaires import SHIPPED
from intake.rules import patterns, variables
from intake.rules.conditions import (
    AllOf,
    AnyOf,
    Choice,
    Compared,
    Comparison,
    Condition,
    Count,
    Derived,
    Lacks,
    Not,
    Number,
    Pattern,
    Quantity,
)
from intake.rules.findings import FINDINGS, RULE_SET_VERSION, Finding
from intake.rules.messages import MESSAGES
from intake.rules.sources import SOURCES
from intake.rules.thresholds import OURS
from intake.rules.triage import RULES, STOP_RUNNING, Rule
from intake.summary import wording

INTRODUCTION = """\
# Clinical rules

Made by `manage.py list_rules` from the code; do not edit. Rule set {version}, thresholds
{thresholds} by {author}.

**Wording and thresholds need sign-off by a licensed clinician before real use.** Rules inform
clinicians and give patients cautious advice; none of them is a diagnosis. A rule raises the level
and never lowers it. A missing answer makes a condition false. Answers are named as on the
clinician's summary. "Denies" means that the question was answered, with none of what follows. The
length of the pain counts from the lower end of the span that was chosen: "6 weeks to 3 months" is
43 days. What is set in *italics* is defined further down.
"""

# The text around an answer that is not clear by itself.
LABELS = {
    "body-main": "main pain: {}",
    "body-numb": "numb on the body chart: {}",
    "body-regions": "pain on the body chart: {}",
    "cooldown": "after a run: {}",
    "food-days": "eats on most days: {}",
    "foot-type": "feet: {}",
    "form-checked": "running form: {}",
    "goal-main": "goal: {}",
    "leg-feeling": "felt in the leg: {}",
    "leg-side": "leg symptoms: {}",
    "leg-reach": "leg symptoms reach: {}",
    "load-changes": "changed in the 6 weeks before: {}",
    "load-felt": "training before the pain: {}",
    "med-told": "told by a professional: {}",
    "mob-tight": "feels tight: {}",
    "onset-before": "back pain before: {}",
    "onset-better": "better with: {}",
    "onset-how": "start: {}",
    "onset-push": "runs on when it hurts: {}",
    "onset-settle": "settles after a run in: {}",
    "onset-trend": "over the last 2 weeks: {}",
    "onset-when": "hurts: {}",
    "onset-worse": "worse with: {}",
    "pain-stiff-morning": "morning stiffness: {}",
    "pain-type": "feels like: {}",
    "periods": "periods: {}",
    "safety-body": "right now: {}",
    "safety-nerve": "new or getting worse in the last 2 weeks: {}",
    "safety-pregnancy-signs": "in pregnancy, now: {}",
    "shoe-age": "age of the shoes: {}",
    "shoe-distance": "distance in the shoes: {}",
    "shoe-feel": "shoes: {}",
    "shoe-fitted": "shoes: {}",
    "strength-core": "core strength work: {}",
    "strength-hips": "hip strength work: {}",
    "strength-plank": "plank: {}",
    "surface-main": "runs most on: {}",
    "tx-avoid": "limits set by the patient: {}",
    "tx-medicine-effect": "pain medicine: {}",
    "tx-tried": "tried: {}",
    "tx-want": "wants: {}",
    "warmup": "warms up: {}",
}

NUMBERS = {
    "form-cadence": ("step rate", "steps a minute"),
    "impact-sleep": ("effect on sleep", "of 10"),
    "leg-pain": ("leg pain", "of 10"),
    "load-rest-days": ("full rest days", "a week"),
    "mind-harm": ("fear of harm", "of 10"),
    "mind-hope": ("hope to get better", "of 10"),
    "mind-mood": ("low mood", "of 10"),
    "onset-first-age": ("age when back pain first began", "years"),
    "pain-now": ("pain now", "of 10"),
    "pain-run": ("pain in a run", "of 10"),
    "pain-worst": ("worst pain in the last 7 days", "of 10"),
    "run-missed": ("runs skipped or cut short in 4 weeks", "runs"),
    "sitting-hours": ("sitting", "hours a day"),
    "sleep-hours": ("sleep", "hours a night"),
    "tx-medicine-days": ("pain medicine in 14 days", "days"),
    "work-days": ("work or school missed in 4 weeks", "days"),
}

COMPARISONS: dict[Comparison, str] = {
    variables.at_least: "{} or more",
    variables.at_most: "{} or less",
    variables.over: "more than {}",
    variables.under: "less than {}",
}

SHARED = [one for one in vars(patterns).values() if isinstance(one, Pattern | Count)]


def markdown() -> str:
    """The whole listing, in English."""
    with translation.override("en"):
        return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield INTRODUCTION.format(version=RULE_SET_VERSION, thresholds=OURS.version, author=OURS.author)
    yield f"## Triage: {len(RULES)} rules\n"
    for rule in sorted(RULES.values(), key=lambda rule: -rule.level):
        yield f"### {rule.id} · {rule.level.name}\n"
        yield f"{rule.why}.\n"
        yield from _basis(rule)
        yield from _effects(rule)
        yield ""
    yield f"## Findings: {len(FINDINGS)}\n"
    for finding in sorted(FINDINGS.values(), key=lambda finding: finding.id):
        yield f"### {finding.id} · {finding.severity.name}\n"
        yield f"{finding.kind.word}: {finding.heading}.\n"
        yield from _basis(finding)
        services = " → " + ", ".join(finding.services).replace("_", " ") if finding.services else ""
        yield f"- Look: {finding.look}{services}"
        yield ""
    yield "## Patterns and counts that rules share\n"
    for shared in SHARED:
        yield f"### {shared.name[:1].upper()}{shared.name[1:]}\n"
        if isinstance(shared, Count):
            yield from map(_tree, shared.parts)
        else:
            yield _tree(shared.condition)
        yield ""
    yield "## What patients are told\n"
    for name, worded in MESSAGES.items():
        yield f"### {name}\n"
        for text in (
            *(message.text for message in worded.values()),
            *(message.unattended for message in worded.values() if message.unattended),
        ):
            yield f"> {text}\n"
    yield "## Our own thresholds\n"
    yield from _table(
        ("Threshold", "Value", "Unit", "Used by"),
        ((row.name, f"{row.value:g}", row.unit, ", ".join(row.used_by)) for row in OURS.rows()),
    )
    yield "## Sources\n"
    yield from _table(("Key", "Source"), ((key, str(name)) for key, name in SOURCES.items()))


def _basis(rule: Rule | Finding) -> Iterator[str]:
    text, parts = _said(rule.when)
    yield f"- When {text}"
    yield from (_tree(part, "  ") for part in parts)
    if rule.context:
        questions = (_form().item(link_id).text.in_language("en") for link_id in rule.context)
        yield f"- Shown beside: {' '.join(f'“{question}”' for question in questions)}"
    yield f"- Sources: {', '.join(rule.sources)}"
    if rule.is_private:
        yield "- Hidden from a guardian"


def _effects(rule: Rule) -> Iterator[str]:
    if rule.strict_level:
        yield f"- {rule.strict_level.name} under strict public advice"
    if rule.stops_running:
        yield f"- Tells the patient to stop running ({STOP_RUNNING}) from {rule.stops_running.name}"
    if rule.messages:
        yield f"- Shows {', '.join(rule.messages)} in place of its level's message"
    if rule.restricts:
        yield f"- Restricts booking: {', '.join(rule.restricts)}"
    if rule.contradiction:
        yield f"- Shown as a contradiction: {rule.contradiction}"


def _tree(condition: Condition, step: str = "") -> str:
    """Return a condition as a list, with its parts indented one step further."""
    text, parts = _said(condition)
    return "\n".join([f"{step}- {text}", *(_tree(part, f"{step}  ") for part in parts)])


def _said(condition: Condition) -> tuple[str, tuple[Condition, ...]]:
    """Return a condition in words, and those of its parts that are listed below."""
    match condition:
        case AllOf(parts=()):
            return "always", ()
        case AllOf(parts=parts):
            return "all of these hold:", parts
        case AnyOf(parts=parts):
            return "any of these holds:", parts
        case Pattern(name=name):
            return f"*{name}*", ()
        case Not(condition=Pattern(name=name)):
            return f"not *{name}*", ()
        case Compared(quantity=Count() as count, limit=limit) if count in SHARED:
            return f"{limit} or more *{count.name}*", ()
        case Compared(quantity=Count() as count, limit=limit):
            return f"{limit} or more {count.name}:", count.parts
        case Compared(quantity=quantity, comparison=comparison, limit=limit):
            name, unit = _named(quantity)
            return f"{name}: {COMPARISONS[comparison].format(f'{limit:g} {unit}')}", ()
        case Choice():
            return _answers(condition), ()
    raise TypeError(f"No words for {condition!r}")


def _named(quantity: Quantity) -> tuple[str, str]:
    match quantity:
        case Derived(name=name, unit=unit):
            return name, unit
        case Number(link_id=link_id):
            return NUMBERS[link_id]
    raise TypeError(f"No words for {quantity!r}")


def _answers(choice: Choice) -> str:
    label = LABELS.get(choice.link_id, "{}")
    if choice == Lacks(choice.link_id, ("none",)):
        return label.format("anything")
    *most, last = (wording.answer(_form(), choice.link_id, code) for code in choice.codes)
    mark = ";" if any("," in words or " or " in words for words in (*most, last)) else ","
    if len(most) == 1 and mark == ",":
        mark = ""
    said = label.format(f"{f'{mark} '.join(most)}{mark} or {last}" if most else last)
    return f"denies {said}" if isinstance(choice, Lacks) else said


@cache
def _form() -> Form:
    return Form.loads((SHIPPED / "running-lbp-intake-1.0.0.json").read_text())


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('---' for _ in heads)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
