"""The changes between two intakes of one patient (clinical.md §5.2).

Pure. Only a change that is large enough to matter gets a word; smaller ones are "no clear
change". Items are compared only with themselves: different ones are never averaged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from intake.answers import Answers
from intake.fhir_form.questionnaire import Form
from intake.rules import findings, triage
from intake.rules import variables as v
from intake.rules.findings import Kind
from intake.rules.levels import Level
from intake.rules.thresholds import OURS
from intake.summary import wording
from intake.summary.charts import scores

# Ref20: two points of ten, or three tenths of the first value.
PAIN_POINTS, PART_OF_FIRST = 2, 0.3

BETTER, WORSE, NO_CLEAR_CHANGE = _("better"), _("worse"), _("no clear change")

PAINS = {
    "pain-average": _("average pain"),
    "pain-worst": _("worst pain"),
    "leg-pain": _("leg pain"),
}

# How far down the leg a place is; every other place is 0.
LEG_PLACES = {"thigh-back": 1, "thigh-front": 1, "calf": 2, "foot": 3}


class Intake(NamedTuple):
    """One submitted set of answers. `given_on` is its day in the clinic's zone."""

    form: Form
    answers: Answers
    level: Level
    given_on: dt.date


class Measure(NamedTuple):
    """`word` is empty where no judgement is made."""

    id: str
    label: str
    then: str
    now: str
    word: str
    is_clear: bool = False


class Places(NamedTuple):
    gone: tuple[str, ...]
    new: tuple[str, ...]
    same: tuple[str, ...]
    word: str
    has_spread: bool


class Lists(NamedTuple):
    gone: tuple[str, ...]
    still: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """All changes from `then` to `now`, in the active language."""

    since: dt.date
    sentence: str
    level_then: Level
    level_now: Level
    new_rules: tuple[str, ...]
    measures: tuple[Measure, ...]
    new_activities: tuple[str, ...]
    places: Places
    factors: Lists
    treatments: tuple[str, ...]
    notes: tuple[str, ...]
    has_recovered: bool

    @property
    def unclear(self) -> tuple[str, ...]:
        """The measures without a clear change."""
        return tuple(one.label for one in self.measures if one.word and not one.is_clear)


def compare(then: Intake, now: Intake) -> Change:
    old, new = then.answers, now.answers
    return Change(
        since=then.given_on,
        sentence=_sentence(then, now),
        level_then=then.level,
        level_now=now.level,
        new_rules=tuple(_new_rules(then, now)),
        measures=(*_pains(old, new), *_impact(old, new), *_activities(old, new), *_load(old, new)),
        new_activities=tuple(_new_activities(old, new)),
        places=_places(old, new),
        factors=_factors(then, now),
        treatments=tuple(_treatments(now.form, old, new)),
        notes=tuple(_notes(then, now)),
        has_recovered=new.number("pain-worst") == 0 and v.at_most(v.impact(new), 5),
    )


def _pains(old: Answers, new: Answers) -> Iterator[Measure]:
    for link_id, label in PAINS.items():
        first, last = _pain(old, link_id), _pain(new, link_id)
        if first is None or last is None or (link_id == "leg-pain" and not first and not last):
            continue
        yield _measure(
            link_id, label, first, last, is_clear=is_clear(first, last), is_better=last < first
        )


def is_clear(first: float, last: float) -> bool:
    """Whether the change of a pain score is large enough to matter."""
    change = abs(last - first)
    return change >= PAIN_POINTS or (first > 0 and change >= first * PART_OF_FIRST)


def _pain(answers: Answers, link_id: str) -> float | None:
    if link_id == "leg-pain" and answers.has("leg-any", False):
        return 0
    return answers.number(link_id)


def _impact(old: Answers, new: Answers) -> Iterator[Measure]:
    first, last = v.impact(old), v.impact(new)
    if first is None or last is None:
        return
    change = abs(last - first)
    yield _measure(
        "calc-impact",
        _("daily impact"),
        round(first),
        round(last),
        is_clear=change >= OURS.impact_change_at_least and change >= first * PART_OF_FIRST,
        is_better=last < first,
        scale=100,
    )


def _activities(old: Answers, new: Answers) -> Iterator[Measure]:
    before = scores(old)
    for name, (shown, last) in scores(new).items():
        if name in before:
            first = before[name][1]
            yield _measure(
                "activity-score",
                shown,
                first,
                last,
                is_clear=abs(last - first) >= OURS.activity_change_at_least,
                is_better=last > first,
            )


def _new_activities(old: Answers, new: Answers) -> Iterator[str]:
    before = scores(old)
    for name, (shown, score) in scores(new).items():
        if name not in before:
            yield f"{shown} {wording.number(score)}/10"


def _load(old: Answers, new: Answers) -> Iterator[Measure]:
    """Numbers without a judgement: running more or less is not better or worse by itself."""
    first, last = old.number("load-now"), new.number("load-now")
    if first is not None and last is not None:
        yield Measure(
            "load-now",
            gettext("distance a week"),
            wording.distance(old, first),
            wording.distance(new, last),
            "",
        )
    for link_id, label in (("run-days", _("run days")), ("run-missed", _("runs missed"))):
        first, last = old.number(link_id), new.number(link_id)
        if first is not None and last is not None:
            yield Measure(link_id, str(label), wording.number(first), wording.number(last), "")


def _measure(
    link_id: str,
    label: object,
    first: float,
    last: float,
    *,
    is_clear: bool,
    is_better: bool,
    scale: int = 10,
) -> Measure:
    is_clear = is_clear and first != last
    word = (BETTER if is_better else WORSE) if is_clear else NO_CLEAR_CHANGE
    return Measure(
        link_id,
        str(label),
        f"{wording.number(first)}/{scale}",
        f"{wording.number(last)}/{scale}",
        str(word),
        is_clear,
    )


def _places(old: Answers, new: Answers) -> Places:
    before, after = _regions(old), _regions(new)
    reached, reaches = _reach(before), _reach(after)
    word = ""
    if reaches > reached:
        word = gettext("spread further down the leg")
    elif reached and not reaches and after:
        word = gettext("pulled back to the back")
    return Places(
        gone=_names(before - after),
        new=_names(after - before),
        same=_names(before & after),
        word=word,
        has_spread=reaches > reached,
    )


def _regions(answers: Answers) -> set[str]:
    marked = {*answers.values("body-regions"), *answers.values("body-main")}
    return {str(region) for region in marked} & set(wording.REGIONS)


def _names(regions: Iterable[str]) -> tuple[str, ...]:
    wanted = set(regions)
    return tuple(str(name) for region, name in wording.REGIONS.items() if region in wanted)


def _reach(regions: set[str]) -> int:
    return max((LEG_PLACES.get(region.rpartition("-")[0], 0) for region in regions), default=0)


def _new_rules(then: Intake, now: Intake) -> Iterator[str]:
    """Safety rules that hold now and did not then."""
    before = triage.evaluate(then.answers, today=then.given_on).rule_ids
    for rule in triage.evaluate(now.answers, today=now.given_on).rules:
        if rule.level > Level.ROUTINE and rule.id not in before:
            yield str(rule.why)


def _factors(then: Intake, now: Intake) -> Lists:
    def found(intake: Intake) -> dict[str, str]:
        return {
            finding.id: str(finding.heading)
            for finding in findings.evaluate(intake.answers, today=intake.given_on)
            if finding.kind == Kind.FACTOR
        }

    before, after = found(then), found(now)
    return Lists(
        gone=tuple(heading for key, heading in before.items() if key not in after),
        still=tuple(heading for key, heading in after.items() if key in before),
        new=tuple(heading for key, heading in after.items() if key not in before),
    )


def _treatments(form: Form, old: Answers, new: Answers) -> Iterator[str]:
    for code in new.values("tx-tried"):
        if not isinstance(code, str) or code == "none" or old.has("tx-tried", code):
            continue
        name = wording.answer(form, "tx-tried", code)
        helped = gettext("helped") if new.has("tx-helped", code) else gettext("did not help")
        yield f"{name} ({helped})"


def _notes(then: Intake, now: Intake) -> Iterator[str]:
    if then.form.canonical != now.form.canonical:
        yield gettext("Another version of the form was asked then.")
    units = [answers.text("run-unit") for answers in (then.answers, now.answers)]
    if all(units) and units[0] != units[1]:
        yield gettext("Distances in %(then)s then, in %(now)s now.") % {
            "then": units[0],
            "now": units[1],
        }


def _sentence(then: Intake, now: Intake) -> str:
    first, last = then.answers.number("pain-average"), now.answers.number("pain-average")
    if first is None or last is None:
        return ""
    words = {"then": wording.number(first), "now": wording.number(last)}
    words["span"] = _span((now.given_on - then.given_on).days)
    if first == last:
        return gettext("Average pain stayed at %(now)s for %(span)s.") % words
    return gettext("Average pain went from %(then)s to %(now)s in %(span)s.") % words


def _span(days: int) -> str:
    if days >= 14:
        weeks = days // 7
        return ngettext("%(count)s week", "%(count)s weeks", weeks) % {"count": weeks}
    return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}
