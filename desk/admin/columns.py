"""Texts about one visit for the front desk's lists and pages."""

from datetime import datetime

from django.utils.html import format_html
from django.utils.translation import gettext

from booking.appointments.mail_schedule import is_rescreen_open, rescreen_of
from booking.models import Appointment
from clinic.mail.letters import moment_text, time_text, zone_text
from intake.admin import level_badge


def clock_time(local: datetime) -> str:
    """Return a time with its zone, because a practice may have more than one zone."""
    return f"{time_text(local)} {zone_text(local)}"


def deadline(local: datetime, *, now: datetime) -> str:
    """Return a deadline as text, with the day unless that is today."""
    if local.date() == now.astimezone(local.tzinfo).date():
        return clock_time(local)
    return f"{moment_text(local)} {zone_text(local)}"


def visit_time(visit: Appointment) -> str:
    """Return day and time in the zone of the visit's location."""
    return f"{moment_text(visit.local_start)} {zone_text(visit.local_start)}"


def rescreen_words(visit: Appointment, *, now: datetime) -> str:
    """Return the state of the safety check before the visit, and its level where that matters."""
    if is_rescreen_open(visit, now):
        return format_html('<strong class="unanswered">{}</strong>', gettext("unanswered"))
    response = rescreen_of(visit)
    if response is None:
        return ""
    return level_badge(response.shown_level) if response.level else gettext("answered")


def intake_words(visit: Appointment) -> str:
    """Return the intake's progress and how soon to see the patient; never the answers."""
    words = visit.intake_state.label
    if visit.intake_response is None:
        return str(words)
    level = level_badge(visit.intake_response.shown_level)
    lowered = visit.intake_response.lowered
    if lowered is None:
        return format_html("{} · {}", words, level)
    # The reason is clinical: only clinicians see it.
    by_rules = gettext("rules: %(level)s, lowered by %(name)s") % {
        "level": lowered.get_rules_level_display(),
        "name": lowered.lowered_by,
    }
    return format_html("{} · {} ({})", words, level, by_rules)
