from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntakeConfig(AppConfig):
    name = "intake"
    verbose_name = _("Intake")

    def ready(self) -> None:
        from clinic.models import Role
        from clinic.security.access import ALL, CHANGE, VIEW, allow

        # Imported for the deploy check that it registers.
        from intake import checks  # noqa: F401

        allow(Role.FRONT_DESK, "intake", safetyalert=CHANGE)
        allow(Role.MANAGER, "intake", safetyalert=CHANGE, questionnaire=ALL, agreement=VIEW)

        from clinic.mail import outbox, samples
        from clinic.operations import metrics
        from intake.metrics import AlertCollector
        from intake.workflow import alert_mails

        outbox.register(alert_mails.SAFETY_ALERT, alert_mails.safety_alert)
        samples.register(alert_mails.SAFETY_ALERT_WORDING, sample=alert_mails.sample_safety_alert)
        metrics.registry.register(AlertCollector())
