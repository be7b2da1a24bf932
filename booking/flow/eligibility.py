"""Which services a patient may book online, until when, and if not, the reason in plain words.

Pure: decides over a service's tags, the restriction codes of ``intake.rules.triage`` and the
services the patient has been seen for. A question without an answer restricts. Source:
clinical.md §3.4 (levels) and §6.5 (services).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from intake.rules.levels import Level
from intake.rules.tags import Tag
from intake.rules.thresholds import OURS

if TYPE_CHECKING:
    from schedule.models import Service

# The restriction of people who have not answered the safety questions: they sent no intake form.
NOTHING_ANSWERED = frozenset({"intake-incomplete"})

SOON_TAGS = frozenset({Tag.EVALUATION, Tag.TAILBONE})
SOON_WORKING_DAYS = 3
_SATURDAY = 5


class BlockReason(models.TextChoices):
    """Why a service cannot be booked online, in the words the patient reads."""

    STAFF = "staff", _("Our front desk books this with you. Please call.")
    REFERRAL = "referral", _("A doctor refers you to this visit. Call us if you have a referral.")
    EXTERNAL = "external", _("Another clinic does this. Call us and we will tell you where to go.")
    EMERGENCY = "emergency", _("Online booking is closed until our team has spoken with you.")
    URGENT = "urgent", _("You need to be checked today, so this visit has to wait.")
    SOON = "soon", _("We want to check you first. This visit opens after that.")
    AFTER_A_VISIT = "after-a-visit", _("Opens after a first visit with us.")
    INTAKE = (
        "intake",
        _("We need your full intake form before this visit. Start with another first visit."),
    )
    HANDS_ON_CHECK = (
        "hands-on-check",
        _("Your answers need a look by a clinician before this visit. Please call."),
    )
    PREGNANCY = (
        "pregnancy",
        _("Not booked online in or around a pregnancy. Please call, we will advise you."),
    )
    MINOR = "minor", _("Only for adults when booked online. Please call.")
    RUNNING_HURTS = (
        "running-hurts",
        format_lazy(
            _("For this visit you run. It opens when running hurts {pain} of 10 or less."),
            pain=OURS.gait_pain_at_most,
        ),
    )
    EVALUATION_FIRST = (
        "evaluation-first",
        _("We want to check you first. Start with an evaluation."),
    )


@dataclass(frozen=True)
class Offer:
    """Whether one patient may book one service online.

    ``block_reason`` is None when the patient may. ``last_day`` is the last calendar day, at the
    place of the visit, on which it may be booked; None leaves it to the service's own horizon.
    ``level`` decides which reserved times are open.
    """

    service: "Service"
    block_reason: BlockReason | None
    last_day: date | None
    level: Level = Level.ROUTINE

    @property
    def is_open(self) -> bool:
        return self.block_reason is None


def offer(
    service: "Service",
    *,
    unlocked_by: Collection["Service"],
    restrictions: Collection[str],
    seen_for: Collection["Service"],
    today: date,
) -> Offer:
    """Judge one service.

    One visit for any service of ``unlocked_by`` opens this one. ``seen_for`` are the services the
    patient has been seen for. ``today`` is the day at the place of the visit.
    """
    reason = _block_reason(service, unlocked_by, restrictions, seen_for)
    last_day = None if reason else _last_day(service, restrictions, today)
    return Offer(service, reason, last_day, _level(restrictions))


def _block_reason(
    service: "Service",
    unlocked_by: Collection["Service"],
    restrictions: Collection[str],
    seen_for: Collection["Service"],
) -> BlockReason | None:
    tags, mode = service.tags, service.BookingMode
    is_evaluated = any(Tag.EVALUATION in seen.tags for seen in seen_for)
    is_unlocked = service.is_first_visit or any(
        not unlocked_by or seen in unlocked_by for seen in seen_for
    )
    # In this order: the patient reads the first reason that holds.
    reasons = (
        ("no-booking" in restrictions, BlockReason.EMERGENCY),
        (service.booking_mode == mode.STAFF, BlockReason.STAFF),
        (service.booking_mode == mode.REFERRAL, BlockReason.REFERRAL),
        (service.booking_mode == mode.EXTERNAL, BlockReason.EXTERNAL),
        ("urgent-only" in restrictions and Tag.SAME_DAY not in tags, BlockReason.URGENT),
        ("soon-only" in restrictions and SOON_TAGS.isdisjoint(tags), BlockReason.SOON),
        ("minor" in restrictions and Tag.ADULTS_ONLY in tags, BlockReason.MINOR),
        ("pregnancy" in restrictions and Tag.NOT_IN_PREGNANCY in tags, BlockReason.PREGNANCY),
        (not is_unlocked, BlockReason.AFTER_A_VISIT),
        (Tag.AFTER_EVALUATION in tags and not is_evaluated, BlockReason.AFTER_A_VISIT),
        ("intake-incomplete" in restrictions and Tag.NEEDS_INTAKE in tags, BlockReason.INTAKE),
        ("no-thrust" in restrictions and Tag.THRUST in tags, BlockReason.HANDS_ON_CHECK),
        (
            "no-regenerative" in restrictions and Tag.REGENERATIVE in tags,
            BlockReason.HANDS_ON_CHECK,
        ),
        ("gait-locked" in restrictions and Tag.TREADMILL in tags, BlockReason.RUNNING_HURTS),
        (
            "not-massage-first" in restrictions
            and Tag.HANDS_ON in tags
            and Tag.EVALUATION not in tags
            and not is_evaluated,
            BlockReason.EVALUATION_FIRST,
        ),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _level(restrictions: Collection[str]) -> Level:
    if "urgent-only" in restrictions:
        return Level.URGENT
    return Level.SOON if "soon-only" in restrictions else Level.ROUTINE


def _last_day(service: "Service", restrictions: Collection[str], today: date) -> date | None:
    if "urgent-only" in restrictions:
        return today if Tag.BY_PHONE in service.tags else today + timedelta(days=1)
    if "soon-only" in restrictions:
        return working_day_after(today, SOON_WORKING_DAYS)
    return None


def working_day_after(day: date, count: int) -> date:
    """Return the ``count``-th Monday-to-Friday day after ``day``."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    return day


def offers(
    services: Iterable["Service"],
    *,
    restrictions: Collection[str],
    seen_for: Collection["Service"],
    today: date,
) -> list[Offer]:
    """Judge each service. Prefetch ``unlocked_by`` to avoid a query for each service."""
    return [
        offer(
            service,
            unlocked_by=[] if service.is_first_visit else service.unlocked_by.all(),
            restrictions=restrictions,
            seen_for=seen_for,
            today=today,
        )
        for service in services
    ]
