from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntakeConfig(AppConfig):
    name = "intake"
    verbose_name = _("Intake")

    def ready(self) -> None:
        from clinic.access import ALL, CHANGE, VIEW, allow
        from clinic.models import Role

        # Imported for the deploy check that it registers.
        from intake import checks  # noqa: F401

        allow(Role.FRONT_DESK, "intake", safetyalert=CHANGE)
        allow(Role.MANAGER, "intake", safetyalert=CHANGE, questionnaire=ALL, agreement=VIEW)

        from clinic import metrics, outbox, wordings
        from intake import emails
        from intake.metrics import AlertCollector

        outbox.register(emails.SAFETY_ALERT, emails.safety_alert)
        wordings.register(emails.SAFETY_ALERT_WORDING, sample=emails.sample_safety_alert)
        metrics.registry.register(AlertCollector())
