"""Compare times of one run with each other: a ratio means the same on every machine."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field


def p50_ms(*actions: Callable[[], object], rounds: int) -> list[float]:
    """Return the median milliseconds of each action, run in turn so that noise affects all."""
    for action in actions:
        action()
    taken: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for times, action in zip(taken, actions, strict=True):
            before = time.perf_counter()
            action()
            times.append((time.perf_counter() - before) * 1000)
    return [statistics.median(times) for times in taken]


@dataclass
class Report:
    """Prints each measure at once, and records whether a budget was broken."""

    broken: list[str] = field(default_factory=list)

    def fact(self, what: str, figure: str) -> None:
        print(f"{what:<62} {figure:>12}", flush=True)

    def at_most(self, what: str, figure: float, budget: float, *, unit: str = "×") -> None:
        self._judge(what, figure, budget, "≤", unit, kept=figure <= budget)

    def at_least(self, what: str, figure: float, budget: float, *, unit: str = "×") -> None:
        self._judge(what, figure, budget, "≥", unit, kept=figure >= budget)

    def _judge(
        self, what: str, figure: float, budget: float, sign: str, unit: str, *, kept: bool
    ) -> None:
        verdict = "" if kept else "  OVER BUDGET"
        self.fact(what, f"{figure:.2f} {unit}")
        print(f"{'':<62} {sign} {budget:g} {unit}{verdict}", flush=True)
        if not kept:
            self.broken.append(what)
