"""What a finding is."""

from __future__ import annotations

import enum
from dataclasses import KW_ONLY, dataclass
from functools import partial

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from intake.rules.conditions import Quantity
from intake.rules.judgement import Judgement
from intake.rules.tags import Tag


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
class Finding(Judgement):
    """Something for a clinician to consider.

    `look` says what to examine or talk about, `services` are tags of services that help. `amount`
    is a quantity that the heading ends with, and its format.
    """

    kind: Kind
    id: str
    severity: Severity
    heading: Promise
    _: KW_ONLY
    look: Promise
    services: tuple[Tag, ...] = ()
    amount: tuple[Quantity, str] | None = None


consideration = partial(Finding, Kind.CONSIDERATION)
factor = partial(Finding, Kind.FACTOR)
caution = partial(Finding, Kind.CAUTION)
