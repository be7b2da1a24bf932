"""Findings: what the answers suggest to consider.

A finding says "worth considering" and always comes with the answers that made it true. It is
never a diagnosis. Finding ids are public and are never renamed or reused.
"""

from __future__ import annotations

import datetime as dt

from intake.answers import Answers
from intake.rules.findings import cautions, considerations, habits, load
from intake.rules.findings.finding import Finding, Kind, Severity

__all__ = ["FINDINGS", "RULE_SET_VERSION", "Finding", "Kind", "Severity", "evaluate"]

# Of triage rules and findings together. Raise it with any change of what a rule says or when it
# holds, so that a stored summary can name the rules it was made by.
RULE_SET_VERSION = "1.0.0"

FINDINGS = {
    finding.id: finding
    for module in (considerations, load, habits, cautions)
    for finding in module.FINDINGS
}


def evaluate(answers: Answers, *, today: dt.date) -> tuple[Finding, ...]:
    """The findings that hold as of `today`, most severe first, then by id."""
    held = [finding for finding in FINDINGS.values() if finding.applies(answers, today)]
    return tuple(sorted(held, key=lambda finding: (-finding.severity, finding.id)))
