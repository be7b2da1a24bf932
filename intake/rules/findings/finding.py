"""What a finding is, and how a predicate becomes one."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

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


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something worth a clinician's thought.

    `look` says what to examine or talk about, `services` are codes of the catalogue, `sources`
    are keys of :data:`intake.rules.sources.SOURCES`. `evidence` names the items that can make it
    hold, `context` those worth reading beside them. `amount` is a quantity that the heading ends
    with, and its format. `is_private` hides it from a guardian.
    """

    id: str
    kind: Kind
    severity: Severity
    heading: Promise
    predicate: Predicate
    look: Promise
    sources: tuple[str, ...]
    evidence: tuple[str, ...]
    services: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    amount: tuple[Callable[[Answers], float | None], str] | None = None
    is_private: bool = False

    def applies(self, answers: Answers, today: dt.date) -> bool:
        return self.predicate(answers, today)


FINDINGS: dict[str, Finding] = {}


def finding(
    kind: Kind, finding_id: str, severity: Severity, heading: Promise, **attributes: Any
) -> Callable[[Predicate], Predicate]:
    """Enter a predicate among the findings, with the attributes of :class:`Finding`."""

    def enter(predicate: Predicate) -> Predicate:
        if finding_id in FINDINGS:
            raise ValueError(f"{finding_id} is defined twice")
        FINDINGS[finding_id] = Finding(
            id=finding_id,
            kind=kind,
            severity=severity,
            heading=heading,
            predicate=predicate,
            **attributes,
        )
        return predicate

    return enter


consideration = partial(finding, Kind.CONSIDERATION)
factor = partial(finding, Kind.FACTOR)
caution = partial(finding, Kind.CAUTION)
