"""The clinical rules as a page that a clinician can read and sign off, without reading code."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator

from django.utils import translation

from intake.rules import variables
from intake.rules.findings import FINDINGS, RULE_SET_VERSION, Finding
from intake.rules.messages import MESSAGES
from intake.rules.sources import SOURCES
from intake.rules.thresholds import OURS
from intake.rules.triage import RULES, STRICT_PUBLIC_ADVICE, Rule

INTRODUCTION = """\
# Clinical rules

Made by `manage.py list_rules` from the code; do not edit. Rule set {version}, thresholds
{thresholds} by {author}.

**Wording and thresholds need sign-off by a licensed clinician before real use.** Rules inform
clinicians and give patients cautious advice; none of them is a diagnosis. A rule raises the level
and never lowers it. A missing answer makes a rule false. "When" quotes the program: `has` asks
whether any of the answers was given, `lacks` whether the question was answered with none of them,
`v` the shared quantities, `OURS` the table of our own thresholds, both further down.
"""


def markdown() -> str:
    """The whole listing, in English."""
    with translation.override("en"):
        return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield INTRODUCTION.format(version=RULE_SET_VERSION, thresholds=OURS.version, author=OURS.author)
    yield f"## Triage: {len(RULES)} rules\n"
    for rule in sorted(RULES.values(), key=lambda rule: -rule.level):
        raised = " (URGENT under strict public advice)" if rule.id in STRICT_PUBLIC_ADVICE else ""
        yield f"### {rule.id} · {rule.level.name}{raised}\n"
        yield f"{rule.why}.\n"
        yield from _basis(rule)
    yield f"## Findings: {len(FINDINGS)}\n"
    for finding in sorted(FINDINGS.values(), key=lambda finding: finding.id):
        yield f"### {finding.id} · {finding.severity.name}\n"
        yield f"{finding.kind.word}: {finding.heading}.\n"
        services = f" → {', '.join(finding.services)}" if finding.services else ""
        yield f"- Look: {finding.look}{services}"
        yield from _basis(finding)
    yield "## Quantities that rules share\n"
    for name, function in vars(variables).items():
        if inspect.isfunction(function) and not name.startswith("_"):
            yield f"### {name}\n\n```python\n{inspect.getsource(function).rstrip()}\n```\n"
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
    answers = ", ".join(f"`{link_id}`" for link_id in rule.evidence) or "none"
    yield f"- Answers: {answers}"
    if rule.context:
        yield f"- Shown beside: {', '.join(f'`{link_id}`' for link_id in rule.context)}"
    yield f"- Sources: {', '.join(rule.sources)}"
    yield f"- When:\n\n```python\n{_condition(rule)}\n```\n"


def _condition(rule: Rule | Finding) -> str:
    """The predicate's body, without its docstring."""
    source = textwrap.dedent(inspect.getsource(rule.predicate))
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    first = function.body[0].lineno - 1
    return textwrap.dedent("\n".join(source.splitlines()[first:]))


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('---' for _ in heads)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
