"""What lists and pages of the front desk say about one visit."""

from datetime import datetime

from django.utils.html import format_html
from django.utils.translation import gettext

from booking.appointments.mail_schedule import is_rescreen_open, rescreen_of
from booking.models import Appointment
from clinic.mail.letters import moment_text, time_text, zone_text
from intake.admin import level_badge


def clock_time(local: datetime) -> str:
    """A time as it is said at the desk, with its zone: the practice may keep more than one."""
    return f"{time_text(local)} {zone_text(local)}"


def deadline(local: datetime, *, now: datetime) -> str:
    """Until when something is kept, with the day unless that is today."""
    if local.date() == now.astimezone(local.tzinfo).date():
        return clock_time(local)
    return f"{moment_text(local)} {zone_text(local)}"


def visit_time(visit: Appointment) -> str:
    """Day and time on the clock of the visit's location."""
    return f"{moment_text(visit.local_start)} {zone_text(visit.local_start)}"


def rescreen_words(visit: Appointment, *, now: datetime) -> str:
    """Whether the safety check before the visit is answered, and its level where that matters."""
    if is_rescreen_open(visit, now):
        return format_html('<strong class="unanswered">{}</strong>', gettext("unanswered"))
    response = rescreen_of(visit)
    if response is None:
        return ""
    return level_badge(response.shown_level) if response.level else gettext("answered")


def intake_words(visit: Appointment) -> str:
    """How far the intake is and how soon the patient should be seen; never what was answered."""
    words = visit.intake_state.label
    if visit.intake_response is None:
        return str(words)
    level = level_badge(visit.intake_response.shown_level)
    lowered = visit.intake_response.lowered
    if lowered is None:
        return format_html("{} · {}", words, level)
    # The reason is clinical: it stays with the clinicians.
    by_rules = gettext("rules: %(level)s, lowered by %(name)s") % {
        "level": lowered.get_rules_level_display(),
        "name": lowered.lowered_by,
    }
    return format_html("{} · {} ({})", words, level, by_rules)
