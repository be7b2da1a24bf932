"""What a finding is, and how a predicate becomes one."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from intake.answers import Answers

type Predicate = Callable[[Answers, dt.date], bool]


class Severity(enum.IntEnum):
    """How much a finding changes what the clinician does."""

    INFO = 0
    MODERATE = 1
    HIGH = 2
    CRITICAL = 3

    @property
    def word(self) -> Promise:
        return SEVERITY_WORDS[self]


SEVERITY_WORDS = {
    Severity.INFO: _("context"),
    Severity.MODERATE: _("likely useful"),
    Severity.HIGH: _("changes the plan"),
    Severity.CRITICAL: _("act before treatment"),
}


class Kind(enum.Enum):
    """Where on the summary a finding belongs."""

    CONSIDERATION = "consideration"
    FACTOR = "factor"
    CAUTION = "caution"

    @property
    def word(self) -> Promise:
        return KIND_WORDS[self]


KIND_WORDS = {
    Kind.CONSIDERATION: _("Consideration"),
    Kind.FACTOR: _("Factor"),
    Kind.CAUTION: _("Caution"),
}


@dataclass(frozen=True)
class Finding:
    """Something worth a clinician's thought.

    `evidence` names the items that can make it hold, `context` those worth reading beside them.
    """

    id: str
    kind: Kind
    severity: Severity
    heading: Promise
    look: Promise
    services: tuple[str, ...]
    sources: tuple[str, ...]
    evidence: tuple[str, ...]
    context: tuple[str, ...]
    predicate: Predicate

    def applies(self, answers: Answers, today: dt.date) -> bool:
        return self.predicate(answers, today)


FINDINGS: dict[str, Finding] = {}


def finding(
    kind: Kind,
    finding_id: str,
    severity: Severity,
    heading: Promise,
    *,
    look: Promise,
    services: tuple[str, ...] = (),
    sources: tuple[str, ...],
    evidence: tuple[str, ...],
    context: tuple[str, ...] = (),
) -> Callable[[Predicate], Predicate]:
    """Enter a predicate among the findings.

    `look` says what to examine or talk about, `services` are codes of the catalogue, `sources`
    are keys of :data:`intake.rules.sources.SOURCES`.
    """

    def enter(predicate: Predicate) -> Predicate:
        if finding_id in FINDINGS:
            raise ValueError(f"{finding_id} is defined twice")
        FINDINGS[finding_id] = Finding(
            id=finding_id,
            kind=kind,
            severity=severity,
            heading=heading,
            look=look,
            services=services,
            sources=sources,
            evidence=evidence,
            context=context,
            predicate=predicate,
        )
        return predicate

    return enter


consideration = partial(finding, Kind.CONSIDERATION)
factor = partial(finding, Kind.FACTOR)
caution = partial(finding, Kind.CAUTION)
