"""The clinician's one-page summary, computed from the answers.

Pure: it turns answers, a questionnaire and two times into texts and numbers. Numbers and lines
have stable ids, so that a caller can compare the summaries of two intakes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from intake.answers import Answers
from intake.fhir_form.questionnaire import Form
from intake.rules import findings, triage
from intake.rules import variables as v
from intake.rules.findings import RULE_SET_VERSION, Finding, Kind
from intake.rules.levels import Level
from intake.rules.tags import Tag
from intake.rules.thresholds import OURS, SAFETY_ANSWERS_LAST
from intake.summary import charts, evidence, wording

CONSIDERATIONS_SHOWN = 4
FACTORS_SHOWN = 5
EVIDENCE_WORDS = 8

SAFETY_ITEMS = {
    "safety-nerve": _("nerve signs"),
    "safety-body": _("chest, belly and walking"),
    "safety-injury": _("injury"),
    "safety-leg-power": _("leg strength"),
    "safety-illness": _("infection signs"),
    "safety-cancer": _("cancer signs"),
    "safety-bone": _("bone and bleeding risks"),
    "safety-pregnancy": _("pregnancy"),
    "safety-pregnancy-signs": _("pregnancy warning signs"),
}

PEOPLE = {
    ("female", True): _("%(age)s-year-old woman"),
    ("male", True): _("%(age)s-year-old man"),
    ("female", False): _("%(age)s-year-old girl"),
    ("male", False): _("%(age)s-year-old boy"),
}

FILLED_IN_BY = {
    "self": _("filled in by the patient"),
    "guardian": _("filled in by a parent or guardian"),
    "helper": _("filled in with a helper"),
}


class Number(NamedTuple):
    """One of the numbers on top. `value` is empty when it was not answered.

    `was` is the number of the intake before, empty without one; `arrow` shows the direction.
    """

    id: str
    label: str
    value: str
    scale: str
    was: str = ""
    arrow: str = ""


class Treatment(NamedTuple):
    name: str
    has_helped: bool


@dataclass(frozen=True)
class Line:
    """A rule or finding that holds, with its evidence.

    `evidence` is a short version, `all_evidence` the full one.
    """

    id: str
    heading: str
    evidence: str
    all_evidence: str
    importance: str
    look: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """The content of the page, in the requested language.

    `first_services` are tags of services, best first. `safety_age` is empty when the safety
    answers have no time.
    """

    level: Level
    top_rules: tuple[Line, ...]
    other_rules: tuple[Line, ...]
    safety_age: str
    is_safety_stale: bool
    contradictions: tuple[str, ...]
    filled_in_by: str
    marks: tuple[str, ...]
    sentence: str
    numbers: tuple[Number, ...]
    body_map: charts.BodyMap
    first_map: charts.BodyMap | None
    considerations: tuple[Line, ...]
    factors: tuple[Line, ...]
    more: tuple[Line, ...]
    onset_run: charts.OnsetRun | None
    impact: charts.ImpactPlot | None
    slopes: charts.Slopes | None
    cautions: tuple[Line, ...]
    cautions_stated: tuple[str, ...]
    tried: tuple[Treatment, ...]
    activities: tuple[str, ...]
    wants: tuple[str, ...]
    worries: tuple[str, ...]
    own_words: str
    notes: str
    first_services: tuple[Tag, ...]
    checks: tuple[str, ...]
    unanswered_safety: tuple[str, ...]
    rule_set_version: str

    @property
    def all_lines(self) -> tuple[Line, ...]:
        """Every rule and finding that holds, most important first."""
        return (
            *self.top_rules,
            *self.other_rules,
            *self.cautions,
            *self.considerations,
            *self.factors,
            *self.more,
        )


def summarize(
    form: Form,
    answers: Answers,
    *,
    today: dt.date,
    now: dt.datetime,
    language: str,
    answered_in: str,
    safety_answered_at: dt.datetime | None = None,
    strict_public_advice: bool = False,
    last: Answers | None = None,
    first: Answers | None = None,
) -> Summary:
    """Summarize the answers for a clinician, with the `last` and the `first` before them.

    `today` is the day the answers were given, in the clinic's zone: ages and rules go by it.
    `language` is the reader's, `answered_in` the patient's.
    """
    with translation.override(language):
        judged = triage.evaluate(answers, today=today, strict_public_advice=strict_public_advice)
        found = findings.evaluate(answers, today=today)
        by_kind = {kind: [f for f in found if f.kind == kind] for kind in Kind}

        def lines(rules: Iterable[Finding | triage.Rule]) -> tuple[Line, ...]:
            return tuple(_line(form, answers, rule, today=today) for rule in rules)

        # The default rule is shown only if it is the only one.
        reasons = [r for r in judged.rules if not r.is_default] or judged.rules
        considerations = by_kind[Kind.CONSIDERATION]
        factors = by_kind[Kind.FACTOR]
        shown = [*considerations[:CONSIDERATIONS_SHOWN], *factors[:FACTORS_SHOWN]]
        return Summary(
            level=judged.level,
            top_rules=lines(r for r in reasons if r.level == judged.level),
            other_rules=lines(r for r in reasons if r.level < judged.level),
            safety_age=_age_words(now - safety_answered_at) if safety_answered_at else "",
            is_safety_stale=_is_stale(safety_answered_at, now),
            contradictions=tuple(_contradictions(answers, judged)),
            filled_in_by=str(FILLED_IN_BY.get(answers.text("about-filler"), "")),
            marks=tuple(_marks(form, answers, today, reader=language, patient=answered_in)),
            sentence=_sentence(form, answers, today),
            numbers=tuple(_numbers(answers, last)),
            body_map=charts.body_map(answers, first=first),
            first_map=charts.body_map(first) if first else None,
            considerations=lines(considerations[:CONSIDERATIONS_SHOWN]),
            factors=lines(factors[:FACTORS_SHOWN]),
            more=lines(f for f in [*considerations, *factors] if f not in shown),
            onset_run=charts.onset_run(answers),
            impact=charts.impact_plot(answers, first=first),
            slopes=charts.slopes(first, answers) if first else None,
            cautions=lines(by_kind[Kind.CAUTION]),
            cautions_stated=tuple(_stated(form, answers)),
            tried=tuple(
                Treatment(wording.answer(form, "tx-tried", code), answers.has("tx-helped", code))
                for code in answers.values("tx-tried")
                if isinstance(code, str)
            ),
            activities=tuple(_activities(answers)),
            wants=tuple(wording.answers_to(form, answers, "tx-want")),
            worries=tuple(_worries(form, answers, today)),
            own_words=answers.text("goal-words"),
            notes=answers.text("goal-notes"),
            first_services=first_services(judged, found),
            checks=tuple(str(f.look) for f in (considerations or factors)[:CONSIDERATIONS_SHOWN]),
            unanswered_safety=tuple(_unanswered_safety(form, answers)),
            rule_set_version=RULE_SET_VERSION,
        )


def first_services(judged: triage.Triage, found: Iterable[Finding]) -> tuple[Tag, ...]:
    """Return tags of up to four services that fit the level and the findings, best first."""
    suggested = [tag for finding in found for tag in finding.services]
    match judged.level:
        case Level.EMERGENCY:
            return ()
        case Level.URGENT:
            order = [Tag.BY_PHONE, Tag.DOCTOR, Tag.USUAL_FIRST_VISIT]
        case Level.SOON:
            early = {Tag.USUAL_FIRST_VISIT, Tag.DOCTOR, Tag.PELVIC_HEALTH, Tag.TAILBONE}
            order = [*(tag for tag in suggested if tag in early), Tag.USUAL_FIRST_VISIT]
        case _:
            # At this level only a rule restricts massage; it needs a person who can refer.
            steered = [Tag.DOCTOR] if "not-massage-first" in judged.restrictions else []
            order = [*steered, Tag.USUAL_FIRST_VISIT, *suggested]
    barred = {Tag.REGENERATIVE_ADVICE} if "no-regenerative" in judged.restrictions else set()
    if "gait-locked" in judged.restrictions:
        barred.add(Tag.GAIT)
    return tuple(tag for tag in dict.fromkeys(order) if tag not in barred)[:4]


def _line(form: Form, answers: Answers, rule: Finding | triage.Rule, *, today: dt.date) -> Line:
    parts = wording.evidence(
        form, answers, evidence.behind(rule, answers, today=today), today=today
    )
    if isinstance(rule, Finding):
        importance, look = rule.severity.word, str(rule.look)
    else:
        importance, look = rule.level.label, ""
    return Line(
        id=rule.id,
        heading=_heading(answers, rule, today),
        evidence=", ".join(_first_words(parts)),
        all_evidence="; ".join(parts),
        importance=str(importance),
        look=look,
        sources=rule.sources,
    )


def _heading(answers: Answers, rule: Finding | triage.Rule, today: dt.date) -> str:
    if not isinstance(rule, Finding):
        return str(rule.why)
    if rule.amount is None:
        return str(rule.heading)
    quantity, words = rule.amount
    return f"{rule.heading} {words.format(quantity.measure(answers, today))}"


def _first_words(parts: list[str]) -> Iterator[str]:
    """Yield as many parts as fit; a first part that is too long by itself is cut."""
    room = EVIDENCE_WORDS
    for index, part in enumerate(parts):
        room -= len(part.split())
        if room < 0:
            if index == 0:
                yield Truncator(part).words(EVIDENCE_WORDS, truncate=" …")
            return
        yield part


def _age_words(age: dt.timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 60:
        return gettext("%(minutes)s min") % {"minutes": minutes}
    if minutes < 48 * 60:
        return gettext("%(hours)s h") % {"hours": minutes // 60}
    days = minutes // (24 * 60)
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}


def _is_stale(answered_at: dt.datetime | None, now: dt.datetime) -> bool:
    if answered_at is None:
        return True
    return now - answered_at > SAFETY_ANSWERS_LAST


def _contradictions(answers: Answers, judged: triage.Triage) -> Iterator[str]:
    if answers.has("body-numb", "saddle") and answers.only("safety-nerve", "none"):
        yield gettext("Saddle numbness on the body chart, none on the safety page")
    yield from (str(rule.contradiction) for rule in judged.rules if rule.contradiction)
    if answers.has("leg-feeling", "weakness") and answers.has("safety-leg-power", "no"):
        yield gettext("Leg weakness marked, none on the safety page")
    if v.under(answers.number("pain-worst"), answers.number("pain-average") or 0):
        yield gettext("Worst pain is below the average")


def _marks(
    form: Form, answers: Answers, today: dt.date, *, reader: str, patient: str
) -> Iterator[str]:
    if v.under(v.age(answers, today), OURS.adult_from):
        yield gettext("Minor")
    if answers.has("safety-pregnancy", *v.PREGNANT, "postpartum"):
        pregnancy = wording.answers_to(form, answers, "safety-pregnancy")[0]
        yield pregnancy[:1].upper() + pregnancy[1:]
    if answers.has("tx-avoid", "chaperone"):
        yield gettext("Wants a chaperone")
    if patient.split("-")[0] != reader.split("-")[0]:
        name = translation.get_language_info(patient)["name_translated"]
        yield gettext("Answered in %(language)s") % {"language": name}


def _sentence(form: Form, answers: Answers, today: dt.date) -> str:
    clauses = [
        ", ".join(filter(None, [_person(answers, today), *_pain(form, answers)])),
        _leg(form, answers),
        _running(form, answers),
        _goal(form, answers, today),
    ]
    sentence = "; ".join(filter(None, clauses))
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def _person(answers: Answers, today: dt.date) -> str:
    age = v.age(answers, today)
    if age is None:
        return ""
    is_adult = age >= OURS.adult_from
    words = PEOPLE.get((answers.text("about-sex"), is_adult), _("%(age)s-year-old"))
    return str(words) % {"age": age}


def _pain(form: Form, answers: Answers) -> Iterator[str]:
    regions = dict.fromkeys([*answers.values("body-main"), *answers.values("body-regions")])
    names = [wording.answer(form, "body-regions", region) for region in regions][:2]
    duration = "".join(wording.answers_to(form, answers, "onset-duration"))
    words = {"places": _joined(names), "duration": duration}
    if names and duration:
        yield gettext("%(places)s pain for %(duration)s") % words
    elif names:
        yield gettext("%(places)s pain") % words
    elif duration:
        yield gettext("low back pain for %(duration)s") % words
    yield from wording.answers_to(form, answers, "onset-how")
    yield from wording.answers_to(form, answers, "onset-trend")


def _leg(form: Form, answers: Answers) -> str:
    if not answers.has("leg-any", True):
        return ""
    parts = [
        text
        for link_id in ("leg-side", "leg-reach", "leg-feeling")
        for text in wording.answers_to(form, answers, link_id)
    ]
    return gettext("leg: %(symptoms)s") % {"symptoms": ", ".join(parts)} if parts else ""


def _running(form: Form, answers: Answers) -> str:
    status = "".join(wording.answers_to(form, answers, "run-status"))
    this_week, usual = answers.number("load-now"), answers.number("load-usual")
    if not status or not this_week:
        return status
    words = {"status": status, "now": wording.distance(answers, this_week)}
    if usual is None:
        return gettext("%(status)s (%(now)s a week)") % words
    words["usual"] = wording.distance(answers, usual)
    return gettext("%(status)s (%(now)s a week, was %(usual)s)") % words


def _goal(form: Form, answers: Answers, today: dt.date) -> str:
    goal = "".join(wording.answers_to(form, answers, "goal-main"))
    if not goal:
        return ""
    race_on = answers.date("goal-event-date")
    if race_on is not None and race_on >= today:
        days = (race_on - today).days
        weeks = days // 7
        if weeks >= 2:
            when = ngettext("in %(count)s week", "in %(count)s weeks", weeks) % {"count": weeks}
        else:
            when = ngettext("in %(count)s day", "in %(count)s days", days) % {"count": days}
        goal = f"{goal} {when}"
    return gettext("goal: %(goal)s") % {"goal": goal}


def _joined(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return gettext("%(most)s and %(last)s") % {"most": ", ".join(names[:-1]), "last": names[-1]}


def _numbers(answers: Answers, last: Answers | None) -> Iterator[Number]:
    measured = (
        ("pain-average", gettext("average"), "/10"),
        ("pain-now", gettext("now"), "/10"),
        ("pain-worst", gettext("worst"), "/10"),
        ("pain-run", gettext("in a run"), "/10"),
        ("leg-pain", gettext("leg"), "/10"),
        ("calc-impact", gettext("daily impact"), "/100"),
        ("activity-score", gettext("own activities"), "/10"),
    )
    for link_id, label, scale in measured:
        value = _number(answers, link_id)
        was = _number(last, link_id) if last else None
        if value is None:
            yield Number(link_id, label, "", "")
        elif was is None:
            yield Number(link_id, label, wording.number(value), scale)
        else:
            arrow = "→" if value == was else "↑" if value > was else "↓"
            yield Number(link_id, label, wording.number(value), scale, wording.number(was), arrow)


def _number(answers: Answers, link_id: str) -> float | None:
    match link_id:
        case "leg-pain" if answers.has("leg-any", False):
            return 0
        case "calc-impact":
            impact = v.impact(answers)
            return None if impact is None else round(impact)
        case "activity-score":
            return v.activity(answers)
    return answers.number(link_id)


def _stated(form: Form, answers: Answers) -> Iterator[str]:
    """The answers about allergies, medicines and bones, or that none were named."""
    allergies = answers.text("med-allergies")
    if allergies:
        yield gettext("Allergies: %(what)s") % {"what": Truncator(allergies).chars(60)}
    elif answers.answered("med-told"):
        yield gettext("No allergy stated")
    bone_risks = [
        wording.answer(form, "safety-bone", code)
        for code in answers.values("safety-bone")
        if code != "none"
    ]
    if bone_risks:
        yield gettext("Bone and bleeding: %(what)s") % {"what": ", ".join(bone_risks)}
    elif answers.answered("safety-bone"):
        yield gettext("No bone or bleeding risk named")
    if medicines := answers.text("med-medicines"):
        yield gettext("Takes: %(what)s") % {"what": Truncator(medicines).chars(60)}


def _activities(answers: Answers) -> Iterator[str]:
    names = answers.values("activity-name")
    for name, score in zip(names, answers.numbers("activity-score"), strict=False):
        yield f"{name} {wording.number(score)}/10"


def _worries(form: Form, answers: Answers, today: dt.date) -> Iterator[str]:
    found = [
        evidence.Evidence(link_id, answers.values(link_id))
        for link_id in ("mind-harm", "mind-mood", "mind-hope")
        if answers.answered(link_id)
    ]
    yield from wording.evidence(form, answers, found, today=today)


def _unanswered_safety(form: Form, answers: Answers) -> Iterator[str]:
    enabled = form.enabled(answers)
    for link_id, name in SAFETY_ITEMS.items():
        if link_id in enabled and not answers.answered(link_id):
            yield str(name)
