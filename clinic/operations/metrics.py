"""Figures for monitoring, counted from rows on request.

Counters in processes would differ from each other and restart from zero. The rows are the truth
for figures too. Figures are totals: no label contains a person, a visit or an id.
"""

from collections.abc import Iterable

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from clinic.models import DeskTask, Message, Tick

# Apps above add their own collectors in ``AppConfig.ready()``.
registry = CollectorRegistry()


class MessageCollector(Collector):
    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering runs no query: there may be no tables yet."""
        return []

    def collect(self) -> Iterable[Metric]:
        now = timezone.now()
        counts = {
            row["state"]: row
            for row in Message.objects.order_by()
            .values("state")
            .annotate(
                count=Count("pk"),
                attempts=Sum("attempts"),
                bounced=Count("bounced_at"),
                retried=Count("pk", filter=Q(is_retried_after_unknown=True)),
            )
        }
        states = GaugeMetricFamily("backstride_messages", "Mails by state.", labels=["state"])
        for state in Message.State.values:
            states.add_metric([state], counts[state]["count"] if state in counts else 0)
        yield states
        yield GaugeMetricFamily(
            "backstride_message_attempts",
            "How often a mail was handed to a mail server, or would have been.",
            value=sum(row["attempts"] for row in counts.values()),
        )
        yield GaugeMetricFamily(
            "backstride_message_bounced",
            "Mails that were taken and came back.",
            value=sum(row["bounced"] for row in counts.values()),
        )
        yield GaugeMetricFamily(
            "backstride_message_retried",
            "Mails sent twice, since the first answer was lost.",
            value=sum(row["retried"] for row in counts.values()),
        )

        tasks = GaugeMetricFamily("backstride_open_desk_tasks", "To be done.", labels=["kind"])
        open_tasks = dict(
            DeskTask.objects.open().order_by().values_list("kind").annotate(count=Count("pk"))
        )
        for kind in DeskTask.Kind.values:
            tasks.add_metric([kind], open_tasks.get(kind, 0))
        yield tasks

        oldest = Message.objects.due(now).order_by().aggregate(at=Min("due_at"))["at"]
        yield GaugeMetricFamily(
            "backstride_oldest_due_message_age_seconds",
            "How long the mail that has been due for longest has waited; 0 when none is due.",
            value=(now - oldest).total_seconds() if oldest else 0,
        )

        tick = Tick.objects.first()
        yield GaugeMetricFamily(
            "backstride_tick_age_seconds",
            "Since the scheduler's last completed tick; NaN before the first one.",
            value=(now - tick.completed_at).total_seconds() if tick else float("nan"),
        )


registry.register(MessageCollector())
