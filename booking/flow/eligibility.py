"""Which services a patient may book online, by when, and in plain words why not.

Pure: decides over a service's rules, the restriction codes of ``intake.rules.triage`` and the
services the patient has been seen for. What has not been asked yet restricts. Source:
clinical.md §3.4 (levels) and §6.5 (services).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from intake.rules.levels import Level

if TYPE_CHECKING:
    from schedule.models import Service

# Of somebody who has not been through the safety gate: all we know is that no intake is done.
NOTHING_ANSWERED = frozenset({"intake-incomplete"})

URGENT_SERVICES = frozenset({"tele-triage", "sports-doc", "pt-eval"})
SOON_SERVICES = frozenset(
    {"pt-eval", "sports-doc", "chiro-consult", "pelvic-health", "tailbone-eval"}
)
EVALUATIONS = frozenset({"pt-eval", "sports-doc", "chiro-consult", "pelvic-health"})
CHIROPRACTIC = frozenset({"chiro-consult", "chiro-adjust"})
ADULTS_ONLY = NOT_IN_PREGNANCY = frozenset({"regen-consult", "chiro-adjust"})
SOON_WORKING_DAYS = 3
_SATURDAY = 5


class Lock(models.TextChoices):
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
        _("For this visit you run. It opens when running hurts 5 of 10 or less."),
    )
    EVALUATION_FIRST = (
        "evaluation-first",
        _("We want to check you first. Start with an evaluation."),
    )


@dataclass(frozen=True)
class Offer:
    """A service as it stands for one patient: open, or locked for a reason.

    ``last_day`` is the last calendar day, at the place of the visit, on which it may be booked;
    None leaves it to the service's own horizon. ``level`` is what reserved times go by.
    """

    service: "Service"
    lock: Lock | None
    last_day: date | None
    level: Level = Level.ROUTINE

    @property
    def is_open(self) -> bool:
        return self.lock is None


def offer(
    service: "Service",
    *,
    unlocked_by: Collection[str],
    restrictions: Collection[str],
    seen_for: Collection[str],
    today: date,
) -> Offer:
    """Judge one service.

    ``unlocked_by`` are the codes of the services of which one visit opens this one, ``seen_for``
    those the patient has been seen for; ``today`` is the day at the place of the visit.
    """
    lock = _lock(service, frozenset(unlocked_by), frozenset(restrictions), frozenset(seen_for))
    last_day = None if lock else _last_day(service.slug, restrictions, today)
    return Offer(service, lock, last_day, _level(restrictions))


def _lock(
    service: "Service",
    unlocked_by: frozenset[str],
    restrictions: frozenset[str],
    seen_for: frozenset[str],
) -> Lock | None:
    code, mode = service.slug, service.BookingMode
    is_unlocked = service.is_first_visit or bool(
        unlocked_by & seen_for if unlocked_by else seen_for
    )
    rules = (
        ("no-booking" in restrictions, Lock.EMERGENCY),
        (service.booking_mode == mode.STAFF, Lock.STAFF),
        (service.booking_mode == mode.REFERRAL, Lock.REFERRAL),
        (service.booking_mode == mode.EXTERNAL, Lock.EXTERNAL),
        ("urgent-only" in restrictions and code not in URGENT_SERVICES, Lock.URGENT),
        ("soon-only" in restrictions and code not in SOON_SERVICES, Lock.SOON),
        ("minor" in restrictions and code in ADULTS_ONLY, Lock.MINOR),
        ("pregnancy" in restrictions and code in NOT_IN_PREGNANCY, Lock.PREGNANCY),
        (not is_unlocked, Lock.AFTER_A_VISIT),
        ("intake-incomplete" in restrictions and code in CHIROPRACTIC, Lock.INTAKE),
        ("no-thrust" in restrictions and code in CHIROPRACTIC, Lock.HANDS_ON_CHECK),
        ("no-regenerative" in restrictions and code == "regen-consult", Lock.HANDS_ON_CHECK),
        ("gait-locked" in restrictions and code == "gait-analysis", Lock.RUNNING_HURTS),
        (
            "not-massage-first" in restrictions
            and code == "massage"
            and not seen_for & EVALUATIONS,
            Lock.EVALUATION_FIRST,
        ),
    )
    return next((lock for holds, lock in rules if holds), None)


def _level(restrictions: Collection[str]) -> Level:
    if "urgent-only" in restrictions:
        return Level.URGENT
    return Level.SOON if "soon-only" in restrictions else Level.ROUTINE


def _last_day(code: str, restrictions: Collection[str], today: date) -> date | None:
    if "urgent-only" in restrictions:
        return today if code == "tele-triage" else today + timedelta(days=1)
    if "soon-only" in restrictions:
        return working_day_after(today, SOON_WORKING_DAYS)
    return None


def working_day_after(day: date, count: int) -> date:
    """The ``count``-th Monday-to-Friday day after ``day``."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    return day


def offers(
    services: Iterable["Service"],
    *,
    restrictions: Collection[str],
    seen_for: Collection[str],
    today: date,
) -> list[Offer]:
    """Judge each service; for many of them prefetch ``unlocked_by``, or it costs a query each."""
    return [
        offer(
            service,
            unlocked_by=[]
            if service.is_first_visit
            else [opener.slug for opener in service.unlocked_by.all()],
            restrictions=restrictions,
            seen_for=seen_for,
            today=today,
        )
        for service in services
    ]
