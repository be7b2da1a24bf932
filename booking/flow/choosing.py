"""Suggest the visit to start with, from a few answers, with the reason in words.

Pure: a table of rules over at most three plain answers and the safety answers. The first rule that
applies and has an open service makes the suggestion. The page shows all other open services too.
Source: clinical.md §1 (facts to services), §3.4 and §6.5.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from booking.flow.eligibility import Offer
from intake.rules.tags import Tag


class Goal(models.TextChoices):
    """What the patient wants most."""

    FIND_OUT = "find-out", _("Find out what is going on, and what to do")
    HANDS_ON = "hands-on", _("Hands-on treatment for tight or sore muscles")
    FORM = "form", _("See how I run, and change it")
    SHOES = "shoes", _("Find out if my shoes are right")
    FUEL = "fuel", _("Eat and drink right for my running")
    SECOND_VIEW = "second-view", _("Talk to a doctor about tests or other treatment")


class PainPlace(models.TextChoices):
    """Where it hurts most, and whether the pain spreads."""

    BACK = "back", _("In my back only")
    LEG = "leg", _("It goes into a leg, or a leg tingles or is numb")
    TAILBONE = "tailbone", _("At the tailbone, mostly when I sit")
    NOWHERE = "nowhere", _("I have no pain now")


class Seen(models.TextChoices):
    """Whether a professional has assessed this pain."""

    NO = "no", _("No, nobody yet")
    BETTER = "better", _("Yes, and it is getting better")
    NOT_BETTER = "not-better", _("Yes, but it is not getting better")


@dataclass(frozen=True)
class Situation:
    """What one patient has answered. An answer that is missing is an empty string."""

    goal: str = ""
    place: str = ""
    seen: str = ""
    restrictions: frozenset[str] = frozenset()
    is_around_pregnancy: bool = False
    is_known: bool = False


@dataclass(frozen=True)
class SuggestionRule:
    tag: Tag
    reason: str | Promise
    applies: Callable[[Situation], bool]


@dataclass(frozen=True)
class Suggestion:
    offer: Offer
    reason: str | Promise


def _wants(*goals: str) -> Callable[[Situation], bool]:
    return lambda s: s.goal in goals


def _hurts(s: Situation) -> bool:
    return s.place != PainPlace.NOWHERE


# In this order: the safety answers come before the goal.
SUGGESTION_RULES = (
    SuggestionRule(
        Tag.BY_PHONE,
        _("Your safety answers should be looked at today. A call is the quickest way."),
        lambda s: "urgent-only" in s.restrictions,
    ),
    SuggestionRule(
        Tag.DOCTOR,
        _("Your safety answers should be looked at by tomorrow. A doctor can order tests."),
        lambda s: "urgent-only" in s.restrictions,
    ),
    SuggestionRule(
        Tag.PELVIC_HEALTH,
        _("In and around a pregnancy, back and pelvis are best looked at together."),
        lambda s: s.is_around_pregnancy and _hurts(s) and s.goal not in {Goal.SHOES, Goal.FUEL},
    ),
    SuggestionRule(
        Tag.DOCTOR,
        _("Pain that goes into a leg and does not get better should be seen by a doctor."),
        lambda s: s.place == PainPlace.LEG and s.seen == Seen.NOT_BETTER,
    ),
    SuggestionRule(
        Tag.USUAL_FIRST_VISIT,
        _("Pain that goes into a leg should be examined first, before other treatment."),
        lambda s: s.place == PainPlace.LEG,
    ),
    SuggestionRule(
        Tag.USUAL_FIRST_VISIT,
        _("Your safety answers call for a first check within days. This is the usual one."),
        lambda s: "soon-only" in s.restrictions and s.goal != Goal.SECOND_VIEW,
    ),
    SuggestionRule(
        Tag.TAILBONE,
        _("Tailbone pain has causes of its own. This visit is made for it."),
        lambda s: s.place == PainPlace.TAILBONE,
    ),
    SuggestionRule(
        Tag.DOCTOR,
        _("A doctor can tell you whether tests or other treatment make sense."),
        _wants(Goal.SECOND_VIEW),
    ),
    SuggestionRule(
        Tag.DOCTOR,
        _("You have been seen and it is not getting better. A doctor looks at it afresh."),
        lambda s: s.seen == Seen.NOT_BETTER and s.goal == Goal.FIND_OUT,
    ),
    SuggestionRule(
        Tag.PROGRESS,
        _("We know you and it is getting better. A short check keeps the plan right."),
        lambda s: s.is_known and s.seen == Seen.BETTER and s.goal == Goal.FIND_OUT,
    ),
    SuggestionRule(
        Tag.GAIT,
        _("We film you running and try one change at a time with you."),
        _wants(Goal.FORM),
    ),
    SuggestionRule(
        Tag.SHOES,
        _("We look at fit, wear and support of every pair you bring."),
        _wants(Goal.SHOES),
    ),
    SuggestionRule(
        Tag.NUTRITION,
        _("Enough food and fluid for the running you do, without a diet."),
        _wants(Goal.FUEL),
    ),
    SuggestionRule(
        Tag.MANUAL_THERAPY,
        _("Hands-on treatment together with exercise helps longer than either alone."),
        lambda s: s.goal == Goal.HANDS_ON and s.is_known,
    ),
    SuggestionRule(
        Tag.MASSAGE,
        _("For tight muscles, and somebody has looked at your back already."),
        lambda s: s.goal == Goal.HANDS_ON and s.seen in {Seen.BETTER, Seen.NOT_BETTER},
    ),
    SuggestionRule(
        Tag.USUAL_FIRST_VISIT,
        _("Nobody has looked at your back yet. We check it first, then treat what we find."),
        lambda s: s.goal == Goal.HANDS_ON and s.seen == Seen.NO and _hurts(s),
    ),
    SuggestionRule(
        Tag.MASSAGE,
        _("You have no pain now and want your muscles looked after."),
        lambda s: s.goal == Goal.HANDS_ON and s.place == PainPlace.NOWHERE,
    ),
    # When the service for the goal is not open.
    SuggestionRule(
        Tag.USUAL_FIRST_VISIT,
        _("The usual first visit: we find out what is going on and agree on a plan."),
        lambda s: True,
    ),
    SuggestionRule(
        Tag.DOCTOR,
        _("A doctor listens, examines you and decides with you what comes next."),
        lambda s: True,
    ),
)


def suggest(situation: Situation, offers: Iterable[Offer]) -> Suggestion | None:
    """Return the first rule that applies and has an open service; None if there is none."""
    open_ones = [offer for offer in offers if offer.is_open]
    for rule in SUGGESTION_RULES:
        if rule.applies(situation):
            for offer in open_ones:
                if rule.tag in offer.service.tags:
                    return Suggestion(offer, rule.reason)
    return None
