"""Every cut-off of the clinical rules that has no outside source, in one table.

A clinician reviews, changes and signs this table as a whole. Cut-offs that do come from a
source (a guideline, a trial, a source article) stand beside their rule instead, with the source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, NamedTuple


class Threshold(NamedTuple):
    name: str
    value: float
    unit: str
    used_by: tuple[str, ...]


def ours(value: float, unit: str, *used_by: str) -> Any:
    """A dataclass field for a cut-off of our own; `used_by` are rule ids or effects."""
    return field(default=value, metadata={"unit": unit, "used_by": used_by})


@dataclass(frozen=True)
class Thresholds:
    """The project's own cut-offs, as one signed and versioned set.

    "At least" and "at most" include the number itself; "over" and "under" do not.
    """

    version: str = "1.0.0"
    author: str = "Backstride project; not yet signed off by a clinician"

    adult_from: int = ours(18, "years", "T-U16", "T-S6", "F-46", "F-51")
    young_child_under: int = ours(12, "years", "T-S7")
    older_adult_from: int = ours(65, "years", "T-U11", "F-44")
    stenosis_from: int = ours(50, "years", "F-03")
    artery_from: int = ours(50, "years", "F-04")
    pars_under: int = ours(25, "years", "F-05")
    disc_wear_from: int = ours(50, "years", "F-06")
    facet_from: int = ours(40, "years", "F-07")

    aneurysm_pain_at_least: int = ours(7, "of 10", "T-E4")
    aneurysm_new_under: int = ours(15, "days", "T-E4")
    bleed_under: int = ours(3, "days", "T-U13")
    unchanging_pain_at_least: int = ours(9, "of 10", "T-U15")
    both_legs_new_under: int = ours(15, "days", "T-U18")
    leg_pain_severe_at_least: int = ours(7, "of 10", "T-S2")
    energy_signs_at_least: int = ours(2, "signs", "T-S5", "F-17")
    bone_risks_at_least: int = ours(1, "risks", "T-S4", "T-U17", "F-16", "F-46")
    teen_pain_at_least: int = ours(15, "days", "T-S6")
    worst_pain_severe_at_least: int = ours(8, "of 10", "T-S13")
    impact_high_at_least: int = ours(60, "of 100", "T-S13", "F-50")
    impact_medium_at_least: int = ours(30, "of 100", "F-50")
    sleep_hit_severe_at_least: int = ours(8, "of 10", "T-S13")
    work_days_at_least: int = ours(3, "days in 4 weeks", "T-S13", "F-42")

    load_ratio_at_least: float = ours(1.3, "times the usual week", "F-21", "T-S4", "T-U17", "F-16")
    disc_signs_at_least: int = ours(2, "movements", "F-02")
    strain_under: int = ours(43, "days", "F-08")
    sitting_at_least: float = ours(6, "hours a day", "F-10", "F-38")
    stirred_up_pain_at_least: int = ours(6, "of 10", "F-19")
    rest_days_at_most: int = ours(1, "days a week", "F-23")
    cadence_under: int = ours(160, "steps a minute", "F-30")
    worry_at_least: int = ours(7, "of 10", "F-42")
    low_mood_at_least: int = ours(7, "of 10", "F-42")
    hope_at_most: int = ours(3, "of 10", "F-42")
    sleep_hit_at_least: int = ours(7, "of 10", "F-37", "F-42")
    barriers_at_least: int = ours(2, "signs", "F-42")
    medicine_days_at_least: int = ours(8, "days in 14", "F-45")
    race_within: int = ours(42, "days", "F-53")
    missed_runs_at_least: int = ours(3, "runs in 4 weeks", "F-56")

    gait_pain_at_most: int = ours(5, "of 10", "gait-locked")
    mild_pain_at_most: int = ours(4, "of 10", "M7")
    impact_change_at_least: int = ours(10, "of 100", "summary")
    activity_change_at_least: int = ours(2, "of 10", "summary")
    safety_answers_stale_after: int = ours(
        14, "days", "summary", "new safety check", "form mail", "visit move", "waitlist offer"
    )

    def rows(self) -> Iterator[Threshold]:
        for row in fields(self):
            if "unit" in row.metadata:
                yield Threshold(
                    row.name, getattr(self, row.name), row.metadata["unit"], row.metadata["used_by"]
                )


OURS = Thresholds()

# Older safety answers do not count.
SAFETY_ANSWERS_LAST = timedelta(days=OURS.safety_answers_stale_after)
