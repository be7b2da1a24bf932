from typing import NamedTuple

from django.db.models import Count, Max, Min
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clinic.models import User
from intake.models import SafetyAlert
from intake.rules.levels import Level


class AlertBanner(NamedTuple):
    """The banner on every staff page while an alert is open."""

    number: int
    level: Level
    since: object

    def __bool__(self) -> bool:
        return self.number > 0


def alert_banner(request: HttpRequest) -> dict[str, object]:
    """Add the open alerts to staff pages, counted with one query, only where they are shown."""

    def count() -> AlertBanner | None:
        user = getattr(request, "user", None)
        if not isinstance(user, User) or not user.is_active:
            return None
        found = (
            SafetyAlert.objects.visible_to(user)
            .open()
            .aggregate(count=Count("pk"), level=Max("level"), since=Min("raised_at"))
        )
        return found["count"] and AlertBanner(found["count"], Level(found["level"]), found["since"])

    return {"alert_banner": SimpleLazyObject(count)}
