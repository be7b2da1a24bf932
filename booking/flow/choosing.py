"""Which visit to start with: a service suggested from a few answers, with the reason in words.

Pure: a table of rules over at most three plain answers and what the safety gate found. The first
rule that holds and whose service is open is the suggestion. A suggestion, not advice: everything
else that is open stays beside it. Source: clinical.md §1 (facts to services), §3.4 and §6.5.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from booking.flow.eligibility import Offer

USUAL_FIRST_VISIT = "pt-eval"


class Goal(models.TextChoices):
    """What somebody wants most."""

    FIND_OUT = "find-out", _("Find out what is going on, and what to do")
    HANDS_ON = "hands-on", _("Hands-on treatment for tight or sore muscles")
    FORM = "form", _("See how I run, and change it")
    SHOES = "shoes", _("Find out if my shoes are right")
    FUEL = "fuel", _("Eat and drink right for my running")
    SECOND_VIEW = "second-view", _("Talk to a doctor about tests or other treatment")


class Place(models.TextChoices):
    """Where it hurts, and whether it goes anywhere."""

    BACK = "back", _("In my back only")
    LEG = "leg", _("It goes into a leg, or a leg tingles or is numb")
    TAILBONE = "tailbone", _("At the tailbone, mostly when I sit")
    NOWHERE = "nowhere", _("I have no pain now")


class Seen(models.TextChoices):
    """Has somebody looked at this pain?"""

    NO = "no", _("No, nobody yet")
    BETTER = "better", _("Yes, and it is getting better")
    NOT_BETTER = "not-better", _("Yes, but it is not getting better")


@dataclass(frozen=True)
class Situation:
    """The answers, and what is known from the safety gate. An answer not given is empty."""

    goal: str = ""
    place: str = ""
    seen: str = ""
    restrictions: frozenset[str] = frozenset()
    is_around_pregnancy: bool = False
    is_known: bool = False


@dataclass(frozen=True)
class Rule:
    service: str
    reason: str | Promise
    applies: Callable[[Situation], bool]


@dataclass(frozen=True)
class Suggestion:
    offer: Offer
    reason: str | Promise


def _wants(*goals: str) -> Callable[[Situation], bool]:
    return lambda s: s.goal in goals


def _hurts(s: Situation) -> bool:
    return s.place != Place.NOWHERE


# In the order in which they are tried. What the safety gate found comes before what is wished.
RULES = (
    Rule(
        "tele-triage",
        _("Your safety answers should be looked at today. A call is the quickest way."),
        lambda s: "urgent-only" in s.restrictions,
    ),
    Rule(
        "sports-doc",
        _("Your safety answers should be looked at by tomorrow. A doctor can order tests."),
        lambda s: "urgent-only" in s.restrictions,
    ),
    Rule(
        "pelvic-health",
        _("In and around a pregnancy, back and pelvis are best looked at together."),
        lambda s: s.is_around_pregnancy and _hurts(s) and s.goal not in {Goal.SHOES, Goal.FUEL},
    ),
    Rule(
        "sports-doc",
        _("Pain that goes into a leg and does not get better should be seen by a doctor."),
        lambda s: s.place == Place.LEG and s.seen == Seen.NOT_BETTER,
    ),
    Rule(
        USUAL_FIRST_VISIT,
        _("Pain that goes into a leg should be examined first, before other treatment."),
        lambda s: s.place == Place.LEG,
    ),
    Rule(
        USUAL_FIRST_VISIT,
        _("Your safety answers call for a first check within days. This is the usual one."),
        lambda s: "soon-only" in s.restrictions and s.goal != Goal.SECOND_VIEW,
    ),
    Rule(
        "tailbone-eval",
        _("Tailbone pain has causes of its own. This visit is made for it."),
        lambda s: s.place == Place.TAILBONE,
    ),
    Rule(
        "sports-doc",
        _("A doctor can tell you whether tests or other treatment make sense."),
        _wants(Goal.SECOND_VIEW),
    ),
    Rule(
        "sports-doc",
        _("You have been seen and it is not getting better. A doctor looks at it afresh."),
        lambda s: s.seen == Seen.NOT_BETTER and s.goal == Goal.FIND_OUT,
    ),
    Rule(
        "progress-check",
        _("We know you and it is getting better. A short check keeps the plan right."),
        lambda s: s.is_known and s.seen == Seen.BETTER and s.goal == Goal.FIND_OUT,
    ),
    Rule(
        "gait-analysis",
        _("We film you running and try one change at a time with you."),
        _wants(Goal.FORM),
    ),
    Rule(
        "footwear",
        _("We look at fit, wear and support of every pair you bring."),
        _wants(Goal.SHOES),
    ),
    Rule(
        "nutrition",
        _("Enough food and fluid for the running you do, without a diet."),
        _wants(Goal.FUEL),
    ),
    Rule(
        "manual-therapy",
        _("Hands-on treatment together with exercise helps longer than either alone."),
        lambda s: s.goal == Goal.HANDS_ON and s.is_known,
    ),
    Rule(
        "massage",
        _("For tight muscles, and somebody has looked at your back already."),
        lambda s: s.goal == Goal.HANDS_ON and s.seen in {Seen.BETTER, Seen.NOT_BETTER},
    ),
    Rule(
        USUAL_FIRST_VISIT,
        _("Nobody has looked at your back yet. We check it first, then treat what we find."),
        lambda s: s.goal == Goal.HANDS_ON and s.seen == Seen.NO and _hurts(s),
    ),
    Rule(
        "massage",
        _("You have no pain now and want your muscles looked after."),
        lambda s: s.goal == Goal.HANDS_ON and s.place == Place.NOWHERE,
    ),
    # What is wished for may not be open: then the usual way in.
    Rule(
        USUAL_FIRST_VISIT,
        _("The usual first visit: we find out what is going on and agree on a plan."),
        lambda s: True,
    ),
    Rule(
        "sports-doc",
        _("A doctor listens, examines you and decides with you what comes next."),
        lambda s: True,
    ),
)


def suggest(situation: Situation, offers: Mapping[str, Offer]) -> Suggestion | None:
    """The first rule that holds and whose service is open; None when none of them is.

    ``offers`` are what this person may book, by service code.
    """
    for rule in RULES:
        offer = offers.get(rule.service)
        if offer is not None and offer.is_open and rule.applies(situation):
            return Suggestion(offer, rule.reason)
    return None


def services_named() -> Collection[str]:
    """The codes of all services that can be suggested."""
    return {rule.service for rule in RULES}
