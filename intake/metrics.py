from collections.abc import Iterable

from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from intake.models import SafetyAlert
from intake.rules.levels import Level


class AlertCollector(Collector):
    """Safety alerts that nobody has acknowledged yet."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        alerts = GaugeMetricFamily(
            "backstride_open_safety_alerts",
            "Safety alerts nobody has acknowledged, by level.",
            labels=["level"],
        )
        counts = dict(
            SafetyAlert.objects.open().order_by().values_list("level").annotate(count=Count("pk"))
        )
        for level in Level:
            alerts.add_metric([level.name.lower()], counts.get(level, 0))
        yield alerts
