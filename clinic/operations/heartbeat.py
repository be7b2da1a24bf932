"""Whether the system works at the moment, for monitoring and for staff."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists

from clinic.models import Message, Tick

SCHEDULER, MAIL = "scheduler", "mail"


def failing_parts(now: datetime) -> list[str]:
    """Return the parts that fail, with one query.

    ``scheduler``: no tick was completed for three intervals. ``mail``: a message is more than
    five minutes late.
    """
    late = Message.objects.late(now)
    heartbeat = Tick.objects.annotate(has_late=Exists(late)).filter(pk=1).first()
    if heartbeat is None:
        return [SCHEDULER, *([MAIL] if late.exists() else [])]
    stopped = heartbeat.completed_at < now - timedelta(seconds=3 * settings.TICK_SECONDS)
    return [part for part, fails in ((SCHEDULER, stopped), (MAIL, heartbeat.has_late)) if fails]
