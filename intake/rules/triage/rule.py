"""What a triage rule is."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from django.utils.functional import Promise

from intake.rules.judgement import Judgement
from intake.rules.levels import Level


@dataclass(frozen=True)
class Rule(Judgement):
    """One line of the decision table, with its consequences.

    `why` is read by clinicians. `stops_running` is the lowest level at which the patient is told
    to stop running, None for never; it has no default, so that every new rule must set it.
    `strict_level` is its level for clinics that follow strict public advice.
    `messages` are shown in place of the message of its level.
    `restricts` are codes that booking maps to services.
    `contradiction` says which answers disagree. `is_default` marks what is true of everybody.
    """

    id: str
    level: Level
    why: Promise
    _: KW_ONLY
    stops_running: Level | None
    strict_level: Level | None = None
    messages: tuple[str, ...] = ()
    restricts: tuple[str, ...] = ()
    contradiction: Promise | None = None
    is_default: bool = False
